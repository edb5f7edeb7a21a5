#include "devices/session_book.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

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

  Begins begins{groups_->match(request.endpoint.address, request.device.type), nullptr};
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
        return Refused{Rejection{ErrorCode::sessions_too_many, std::move(text)}, others};
      }
      begins.ends = found;
    }
  }
  if (auto refused = refuse_beyond_limits(request, begins.ends)) return *refused;
  return begins;
}

std::optional<SessionBook::Refused> SessionBook::refuse_beyond_limits(const Request& request,
                                                                      const DeviceSession* ends) {
  if (sessions_.size() - (ends != nullptr ? 1 : 0) >= limits_.sessions_max)
    return Refused{
        {ErrorCode::sessions_too_many, "the server has " + std::to_string(limits_.sessions_max) +
                                           " device sessions, as many as it may have; try again later"},
        {}};
  std::size_t at_address = sessions_at(request.endpoint.address);
  if (ends != nullptr && ends->endpoint().address == request.endpoint.address) --at_address;
  if (at_address < limits_.per_address_max) return std::nullopt;
  return Refused{{ErrorCode::sessions_too_many, "the address has " + std::to_string(at_address) +
                                                    " device sessions, as many as it may have"},
                 {}};
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
  leave(session.endpoint().address);
  session.attach(port, endpoint);
  ++at_address_[endpoint.address];
}

void SessionBook::leave(Address address) {
  const auto found = at_address_.find(address);
  if (--found->second == 0) at_address_.erase(found);
}

std::size_t SessionBook::sessions_at(Address address) const {
  const auto found = at_address_.find(address);
  return found == at_address_.end() ? 0 : found->second;
}

void SessionBook::end(DeviceSession& session) {
  leave(session.endpoint().address);
  by_ticket_.erase(session.ticket());
  by_uid_.erase({session.device().uid, session.number()});
  sessions_.erase(session.number());
}

}  // namespace lekt
