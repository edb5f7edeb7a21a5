#include "devices/session_book.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "common/invariant.h"

namespace lekt {

std::size_t SessionBook::TicketHash::operator()(const Ticket& ticket) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, ticket.data(), sizeof hash);
  return hash;
}

DeviceSession* SessionBook::find(const Ticket& ticket) {
  const auto found = by_ticket_.find(ticket);
  return found == by_ticket_.end() ? nullptr : found->second;
}

DeviceSession* SessionBook::find(DeviceSession::Number number) {
  const auto found = sessions_.find(number);
  return found == sessions_.end() ? nullptr : found->second.get();
}

std::vector<DeviceSession*> SessionBook::of_uid(const std::string& uid) {
  std::vector<DeviceSession*> list;
  for (auto next = by_uid_.lower_bound({uid, 0}); next != by_uid_.end() && next->first.first == uid; ++next)
    list.push_back(next->second);
  return list;
}

/// The session that ends for a new one of its uid: first one that nobody works with, then one behind the same address;
/// null if there is none.
DeviceSession* SessionBook::gives_way(const std::vector<DeviceSession*>& sessions,
                                      const DeviceEndpoint& endpoint) const {
  const auto first = [&](auto&& gives) {
    const auto found = std::ranges::find_if(sessions, gives);
    return found == sessions.end() ? nullptr : *found;
  };
  if (auto* const waiting = first([](const DeviceSession* session) { return !session->port(); }))
    return waiting;
  if (auto* const away = first([&](const DeviceSession* session) { return is_away_(*session->port()); }))
    return away;
  return first([&](const DeviceSession* session) { return session->endpoint().address == endpoint.address; });
}

SessionBook::Decision SessionBook::decide(const Request& request) {
  const auto resume = [&](DeviceSession& session) {
    // A device whose packet 6 comes once more in its own registration replaces nobody.
    const bool replaces = session.port() && *session.port() != request.port;
    return Resumed{&session, replaces ? session.port() : std::nullopt};
  };
  DeviceSession* const ticketed = request.ticket == no_ticket ? nullptr : find(request.ticket);
  if (ticketed != nullptr && ticketed->device().uid == request.device.uid) return resume(*ticketed);
  if (const Rejection* const reason = ended_.find(request.ticket, request.device.uid)) return Over{*reason};

  Begins begins{group_for(request), {}};
  const DeviceGroup& group = begins.offer->group;
  if (request.device.names_anybody()) {
    const std::vector<DeviceSession*> others = of_uid(request.device.uid);
    if (others.size() >= group.sessions) {
      // The type that chooses a group is said by the device itself, so the session's own group has to allow it as well.
      if (group.resume == DeviceGroup::Resume::uid) {
        const auto allows = std::ranges::find_if(others, [](const DeviceSession* session) {
          return session->group().resume == DeviceGroup::Resume::uid;
        });
        if (allows != others.end()) return resume(**allows);
      }
      DeviceSession* const found = gives_way(others, request.endpoint);
      if (found == nullptr) {
        std::string text = "the uid " + request.device.uid + " has " + std::to_string(others.size()) +
                           (others.size() == 1 ? " session" : " sessions") + ", as many as group " +
                           group.name + " allows";
        const Rejection rejection(ErrorCode::sessions_too_many, std::move(text));
        return Refused{Full::uid, rejection, others};
      }
      begins.ends.push_back(
          {found, {ErrorCode::registration_replaced, "a new session of this device has begun"}});
    }
  }
  if (auto refused = make_room(request, begins.ends)) return *std::move(refused);
  return begins;
}

namespace {

bool is_ending(const DeviceSession* session, const std::vector<SessionBook::Ending>& ends) {
  return std::ranges::find(ends, session, &SessionBook::Ending::session) != ends.end();
}

}  // namespace

DeviceSession* SessionBook::longest_waiting(const std::vector<Ending>& but_for) const {
  for (const auto& [turn, session] : waiting_)
    if (!is_ending(session, but_for)) return session;
  return nullptr;
}

DeviceSession* SessionBook::longest_waiting_at(Address address, const std::vector<Ending>& but_for) const {
  for (auto next = waiting_at_.lower_bound({address, 0});
       next != waiting_at_.end() && next->first.first == address; ++next)
    if (!is_ending(next->second, but_for)) return next->second;
  return nullptr;
}

/// Sees to it that one more session is within the limits of its address and of the server. A session without a
/// registration has nobody who works with it now, so it ends before somebody is refused.
std::optional<SessionBook::Refused> SessionBook::make_room(const Request& request,
                                                           std::vector<Ending>& ends) const {
  const auto full = [](std::string_view whose, std::size_t most, std::string_view limit) {
    return std::string(whose) + " has " + std::to_string(most) +
           (most == 1 ? " device session" : " device sessions") + ", as many as " + std::string(limit) +
           " allows";
  };
  const auto reason = [](const std::string& why) {
    return Rejection{ErrorCode::sessions_too_many, why + ", and this one had no registration for longest"};
  };
  const Address address = request.endpoint.address;
  const auto is_there = [&](const Ending& ending) { return ending.session->endpoint().address == address; };
  while (sessions_at(address) - static_cast<std::size_t>(std::ranges::count_if(ends, is_there)) >=
         limits_.per_address_max) {
    const std::string why = full("the address", limits_.per_address_max, "--max-devices-per-address");
    DeviceSession* const ending = longest_waiting_at(address, ends);
    if (ending == nullptr) return Refused{Full::address, {ErrorCode::sessions_too_many, why}, {}};
    ends.push_back({ending, reason(why)});
  }
  while (sessions_.size() - ends.size() >= limits_.sessions_max) {
    const std::string why = full("the server", limits_.sessions_max, "--max-device-sessions");
    DeviceSession* const ending = longest_waiting(ends);
    if (ending == nullptr)
      return Refused{Full::server, {ErrorCode::sessions_too_many, why + "; try again later"}, {}};
    ends.push_back({ending, reason(why)});
  }
  return std::nullopt;
}

DeviceSession& SessionBook::begin(Request request, const Begins& decision, const Ticket& ticket,
                                  AwakeTime now) {
  assert(find(ticket) == nullptr && ticket != no_ticket);
  auto made = std::make_unique<DeviceSession>(++last_, ticket, std::move(request.device),
                                              std::move(request.text), decision.offer, now);
  DeviceSession& session = *made;
  sessions_.emplace(session.number(), std::move(made));
  session.attach(request.port, request.endpoint);
  ++at_address_[request.endpoint.address];
  by_ticket_.emplace(ticket, &session);
  if (session.device().names_anybody())
    by_uid_.emplace(std::pair(session.device().uid, session.number()), &session);
  return session;
}

void SessionBook::attach(DeviceSession& session, std::uint16_t port, const DeviceEndpoint& endpoint) {
  stop_waiting(session);
  leave(session.endpoint().address);
  session.attach(port, endpoint);
  ++at_address_[endpoint.address];
}

void SessionBook::detach(DeviceSession& session, AwakeTime heard) {
  session.detach(heard, ++last_turn_);
  waiting_.emplace(session.turn(), &session);
  waiting_at_.emplace(std::pair(session.endpoint().address, session.turn()), &session);
}

void SessionBook::stop_waiting(const DeviceSession& session) {
  waiting_.erase(session.turn());
  waiting_at_.erase({session.endpoint().address, session.turn()});
}

void SessionBook::leave(Address address) {
  const auto found = at_address_.find(address);
  if (--found->second == 0) at_address_.erase(found);
}

std::size_t SessionBook::sessions_at(Address address) const {
  const auto found = at_address_.find(address);
  return found == at_address_.end() ? 0 : found->second;
}

void SessionBook::end(DeviceSession& session, const Rejection& reason) {
  if (ends_session_while_away(reason.code)) ended_.add(session.ticket(), session.device().uid, reason);
  stop_waiting(session);
  leave(session.endpoint().address);
  by_ticket_.erase(session.ticket());
  by_uid_.erase({session.device().uid, session.number()});
  sessions_.erase(session.number());
}

void SessionBook::check() const {
  std::size_t waiting = 0;
  std::size_t named = 0;
  for (const auto& [number, session] : sessions_) {
    if (session->device().names_anybody()) ++named;
    if (session->port()) continue;
    ++waiting;
    const auto found = waiting_.find(session->turn());
    expect_invariant(found != waiting_.end() && found->second == session.get() &&
                         waiting_at_.contains({session->endpoint().address, session->turn()}),
                     "a session without a registration waits for one");
  }
  expect_invariant(waiting_.size() == waiting && waiting_at_.size() == waiting,
                   "only sessions without a registration wait for one");
  expect_invariant(by_ticket_.size() == sessions_.size() && by_uid_.size() == named,
                   "a session is found by its ticket and its uid");
}

}  // namespace lekt
