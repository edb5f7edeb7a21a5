// The network of a simulated world, and what a worker does with its sessions (server/connection.h and
// server/worker.h, without sockets).
#include <algorithm>
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
  const Bytes bytes = take_front(link.to_client, size);
  if (link.program == nullptr) return;
  Program& program = *link.program;
  for (const ConversationEvent& event : program.conversation->receive(bytes)) take(link, event);
  link.to_server += program.conversation->take_output();
}

void World::take(Link& link, const ConversationEvent& event) {
  Program& program = *link.program;
  if (std::holds_alternative<Joined>(event)) program.joined = true;
  if (const auto* malformed = std::get_if<Malformed>(&event)) check(false, malformed->rejection.text());
  if (const auto* rejected = std::get_if<Rejected>(&event))
    check(rejected->text.starts_with(code_text(ErrorCode::storage_unavailable)), rejected->text);
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
  process(link, std::exchange(link.in_socket, {}));
  if (link.to_server.empty() && link.client_gone) end_session(link);
}

void World::process(Link& link, ByteView input) {
  if (!input.empty()) link.heard = AwakeTime(awake_);
  while (!link.dead) {
    const Session::Action action = link.session.next(input, link.to_client);
    if (action.kind == Session::Action::Kind::wait) return;
    check(action.kind != Session::Action::Kind::end, "a session broke a rule");
    if (action.kind == Session::Action::Kind::answer) {
      answer(link, action.timestamp);
      continue;
    }
    link.registered = true;
    server_->post(JoinCommand{link.session.id(), link.session.address(), link.session.methods()});
  }
}

void World::answer(Link& link, std::int64_t timestamp) {
  const ChangeView& view = *server_->worker(link.session.id() % 2).view;
  Output output;
  const Basis basis = view.answer(link.session.cursor(), timestamp, output);
  ++statistics_.by_basis[static_cast<std::size_t>(basis)];
  link.to_client += flatten(output);
  link.expected.push_back({oracle_.list(view.newest_sequence()), describe(view, basis, timestamp)});
  server_->post(HeardCommand{{{link.session.address(), wall_ / 1000}}});
}

void World::deliver_to_worker(SimulatedServer::Worker& worker) {
  if (worker.deliveries.empty()) return;
  const SimulatedServer::Delivery delivery = std::move(worker.deliveries.front());
  worker.deliveries.pop_front();
  if (delivery.view != nullptr) worker.view = delivery.view;
  for (const Writer::Completion& completion : delivery.completions) {
    const auto link = std::ranges::find_if(links_, [&](const Link& candidate) {
      return candidate.session.id() == completion.session && !candidate.dead;
    });
    if (link != links_.end()) complete(*link, completion);
  }
  remove_dead_links();
}

void World::complete(Link& link, const Writer::Completion& completion) {
  if (!completion.rejection) {
    link.session.joined(completion.joined, link.to_client);
    link.heard = AwakeTime(awake_);
    return process(link, {});
  }
  ++statistics_.refusals;
  check(server_->troubles() > 0, "a join was refused without need: " + completion.rejection->text());
  link.session.reject(*completion.rejection, link.to_client);
  if (random_.chance(80)) deliver_to_client(link, link.to_client.size());
  end_session(link);
}

void World::end_session(Link& link) {
  if (link.dead) return;
  link.dead = true;
  if (link.registered) server_->post(LeaveCommand{link.session.id(), link.session.address()});
  if (link.program != nullptr) break_off(*link.program);
}

/// What waits in a socket was sent in time.
void World::expire_sessions() {
  for (Link& link : links_)
    if (AwakeTime(awake_) - link.heard >= heartbeat_timeout_)
      link.in_socket.empty() ? end_session(link) : read_socket(link);
  remove_dead_links();
}

void World::remove_dead_links() {
  links_.remove_if([](const Link& link) { return link.dead; });
}

}  // namespace lekt::test
