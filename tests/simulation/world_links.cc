// The network of a simulated world, and the server's real members, driven as a worker and its connections drive them
// (server/net/worker.h, server/net/connection.h).
#include <algorithm>
#include <array>
#include <utility>

#include "tests/simulation/world.h"

namespace lekt::test {

namespace {

std::string describe(const Peers& peers) {
  std::string text = "[";
  for (const auto& [address, offer] : peers)
    text += " " + to_string(address) + "/" + std::to_string(encoded_size(offer.methods));
  return text + " ]";
}

std::string describe(const ChangeView& view, Basis basis, std::int64_t timestamp) {
  return std::string(to_string(basis)) + " from " + std::to_string(timestamp) + ", closing " +
         std::to_string(view.closing()) + ", history begins " + std::to_string(view.history_begins()) +
         ", newest sequence " + std::to_string(view.newest_sequence());
}

/// Trouble of the storage, the limits of a start, and what was under way for too long.
bool is_expected(const std::string& reject) {
  constexpr std::array codes = {ErrorCode::storage_unavailable, ErrorCode::server_full,
                                ErrorCode::address_busy,        ErrorCode::record_too_large,
                                ErrorCode::handshake_timeout,   ErrorCode::heartbeat_timeout};
  return std::ranges::any_of(codes, [&](ErrorCode code) { return reject.starts_with(code_text(code)); });
}

Bytes take_front(Bytes& bytes, std::size_t size) {
  Bytes front = bytes.substr(0, size);
  bytes.erase(0, front.size());
  return front;
}

}  // namespace

// ---- The network ----

void World::deliver_somewhere() {
  if (links_.empty()) return;
  Link& link = random_.pick(links_);
  const std::size_t most = random_.chance(70) ? 4096 : 24;
  deliver_to_server(link, 1 + random_.below(most));
  if (!link.dead && random_.chance(80)) deliver_to_client(link, 1 + random_.below(most));
  remove_dead_links();
}

void World::deliver_to_server(Link& link, std::size_t size) {
  if (link.dead) return;
  link.in_socket += take_front(link.to_server, size);
  read_socket(link);
}

void World::deliver_to_client(Link& link, std::size_t size) {
  for (size = std::min(size, link.to_client.size()); size > 0;) {
    // Several answers may come together. The program holds the list of each at its end.
    std::size_t piece = size;
    if (!link.expected.empty() && link.expected.front().end > link.delivered)
      piece = std::min(piece, link.expected.front().end - link.delivered);
    size -= piece;
    link.delivered += piece;
    const Bytes bytes = take_front(link.to_client, piece);
    if (link.program == nullptr) continue;
    Program& program = *link.program;
    for (const ConversationEvent& event : program.conversation->receive(bytes)) take(link, event);
    link.to_server += program.conversation->take_output();
  }
}

void World::take(Link& link, const ConversationEvent& event) {
  Program& program = *link.program;
  if (std::holds_alternative<Joined>(event)) program.joined = true;
  if (const auto* malformed = std::get_if<Malformed>(&event)) check(false, malformed->rejection.text());
  if (const auto* differs = std::get_if<ListDiffers>(&event)) check(false, differs->message);
  if (const auto* rejected = std::get_if<Rejected>(&event))
    check(is_expected(rejected->text), rejected->text);
  if (!std::holds_alternative<Updated>(event)) return;
  ++statistics_.answers;
  check(!link.expected.empty(), "more answers than requests");
  const Expected& expected = link.expected.front();
  check(program.view.peers() == expected.list, "after an answer (" + expected.answer +
                                                   ") the program holds " + describe(program.view.peers()) +
                                                   " but the server's list is " + describe(expected.list));
  const auto own = program.view.peers().find(program.address);
  check(own != program.view.peers().end(), "a program that has joined is not told of itself");
  link.expected.pop_front();
}

// ---- The server's side ----

void World::read_socket(Link& link) {
  if (link.dead || link.slowed || !link.member.takes_input()) return;
  process(link, std::exchange(link.in_socket, {}));
  const bool is_read = !link.slowed && link.member.takes_input() && link.to_server.empty();
  if (is_read && link.client_gone) end_member(link, LeaveReason::closed);
}

void World::process(Link& link, ByteView input) {
  while (!link.slowed && link.member.takes_input()) {
    const Session::Action action = link.member.next(input, now().awake, link.to_client);
    link.member.check();
    if (action.kind == Session::Action::Kind::wait) return;
    check(action.kind != Session::Action::Kind::end, "a session broke a rule");
    if (action.kind == Session::Action::Kind::answer)
      answer(link, action.timestamp);
    else
      server_->post(link.member.join_command());
  }
  link.member.keep(input);
}

void World::answer(Link& link, std::int64_t timestamp) {
  const ChangeView& view = *server_->worker(link.member.id() % 2).view;
  Output output;
  link.active = now().awake;
  const bool continues = link.member.is_pushed_to() && !link.member.session().cursor().first;
  const Member::Answer answer = link.member.answer(timestamp, view, member_settings_, now().awake, output);
  link.slowed = answer.too_fast;
  statistics_.slowed += answer.too_fast;
  const bool is_exact = answer.basis == Basis::exact || answer.basis == Basis::before_history;
  check(!continues || is_exact || timestamp <= 0, "who is pushed to is told again what it was told");
  expect_list(link, view, answer.basis, timestamp, output);
}

/// A round of both workers, for those who are lucky: the sockets of the others are full.
void World::push_to_all() {
  for (Link& link : links_)
    if (!link.dead && link.member.is_pushed_to() && random_.chance(80)) push(link);
}

void World::push(Link& link) {
  const ChangeView& view = *server_->worker(link.member.id() % 2).view;
  if (!link.member.is_behind(view) || link.slowed) return;
  if (link.member.asks_too_fast(member_settings_, now().awake)) return;
  Output output;
  const std::optional<Basis> basis = link.member.push(view, member_settings_, now().awake, output);
  check(basis.has_value(), "there are changes, and nothing is pushed");
  ++statistics_.pushes;
  expect_list(link, view, *basis, INT64_MAX, output);
}

/// The answer in `output` is under way, and leads to the list of the view that it was made of.
void World::expect_list(Link& link, const ChangeView& view, Basis basis, std::int64_t timestamp,
                        Output& output) {
  ++statistics_.by_basis[static_cast<std::size_t>(basis)];
  link.to_client += flatten(output);
  link.expected.push_back({oracle_.list(view.newest_sequence()), describe(view, basis, timestamp),
                           link.delivered + link.to_client.size()});
}

void World::deliver_to_worker(SimulatedServer::Worker& worker) {
  if (worker.deliveries.empty()) return;
  const SimulatedServer::Delivery delivery = std::move(worker.deliveries.front());
  worker.deliveries.pop_front();
  if (delivery.view != nullptr) worker.view = delivery.view;
  for (const Writer::Completion& completion : delivery.completions) {
    const auto link = std::ranges::find_if(links_, [&](const Link& candidate) {
      return candidate.member.id() == completion.session && !candidate.dead;
    });
    if (link != links_.end()) complete(*link, completion);
  }
  remove_dead_links();
}

void World::complete(Link& link, const Writer::Completion& completion) {
  if (!completion.rejection) {
    link.active = now().awake;
    link.member.joined(completion.joined, now().awake, link.to_client);
    process(link, {});
    return read_socket(link);
  }
  ++statistics_.refusals;
  const bool storage_was_bad =
      completion.rejection->code == ErrorCode::storage_unavailable && server_->troubles() > 0;
  check(storage_was_bad || server_->is_narrow(),
        "a join was refused without need: " + completion.rejection->text());
  link.member.join_was_refused();
  refuse(link, *completion.rejection);
}

void World::refuse(Link& link, const Rejection& rejection) {
  link.member.refuse(rejection, link.to_client);
  if (random_.chance(80)) deliver_to_client(link, link.to_client.size());
  end_member(link, leave_reason(rejection.code));
}

void World::end_member(Link& link, LeaveReason reason) {
  if (link.dead) return;
  link.dead = true;
  if (const auto command = link.member.leave(reason, now().awake)) server_->post(*command);
  link.member.check();
  if (link.program != nullptr) break_off(*link.program);
}

/// What a worker does at a tick.
void World::look_at_members() {
  HeardCommand heard;
  for (Link& link : links_) {
    if (const auto second = link.member.take_heard(now().awake, now().wall))
      heard.heard.emplace_back(link.member.address(), *second);
    if (link.member.overdue(member_settings_, now().awake) >= AwakeTime(0)) expire(link);
    if (!link.slowed || link.member.asks_too_fast(member_settings_, now().awake)) continue;
    link.slowed = false;
    process(link, {});
    read_socket(link);
  }
  if (!heard.heard.empty() && server_->is_up()) server_->post(std::move(heard));
  remove_dead_links();
}

void World::expire(Link& link) {
  const bool is_established = link.member.is_established();
  if (is_established && link.slowed) return link.member.was_heard(now().awake);
  if (is_established && !link.in_socket.empty() && link.member.spare()) return read_socket(link);
  ++statistics_.timeouts;
  check(!is_established || now().awake - link.active >= member_settings_.heartbeat_timeout,
        "a member was ended that had been heard within the heartbeat timeout");
  refuse(link, link.member.timeout(member_settings_));
}

void World::remove_dead_links() {
  links_.remove_if([](const Link& link) { return link.dead; });
}

}  // namespace lekt::test
