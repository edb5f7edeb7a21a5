#include "server/worker.h"

#include <algorithm>
#include <asio/post.hpp>

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// A longer time than so many ticks between two looks at the clock is a pause of the process, which expires
/// nobody.
constexpr int step_ticks_max = 2;

/// How long a stopping server waits for its clients to read why.
constexpr AwakeTime stop_patience = 500ms;

/// How often a serving worker looks at the clock: often enough for the shortest of its timeouts.
AwakeTime tick_of(const WorkerSettings& settings) {
  const AwakeTime shortest = std::min(settings.heartbeat_timeout, settings.handshake_timeout);
  return std::clamp<AwakeTime>(shortest / 10, 10ms, 500ms);
}

}  // namespace

Worker::Worker(std::uint32_t index, std::uint32_t count, const WorkerSettings& settings,
               const SessionRules& rules, Inbox& inbox, std::atomic<std::size_t>& connections,
               const PublishedView& published)
    : index_(index),
      count_(count),
      settings_(settings),
      rules_(rules),
      inbox_(inbox),
      connections_(connections),
      reader_(published),
      clock_(std::chrono::steady_clock::now(), step_ticks_max * tick_of(settings)) {}

// ---- From any thread ----

void Worker::adopt(Socket socket, Ipv4Address address, std::optional<Rejection> rejection) {
  connections_.fetch_add(1, std::memory_order_relaxed);
  asio::post(io_, [this, socket = std::move(socket), address, rejection = std::move(rejection)]() mutable {
    const SessionId id = ++serial_ * count_ + index_;
    Connection& connection = handshaking_.emplace_back(*this, std::move(socket), id, address);
    connection.place_ = {&handshaking_, std::prev(handshaking_.end())};
    if (stopping_)
      rejection = Rejection{ErrorCode::server_stopping, "the server is shutting down; connect again later"};
    if (rejection) return connection.refuse(*rejection);
    connection.start();
  });
}

void Worker::deliver(std::vector<Writer::Completion> completions) {
  asio::post(io_, [this, completions = std::move(completions)] {
    for (const Writer::Completion& completion : completions) {
      const auto found = joining_.find(completion.session);
      if (found == joining_.end()) continue;  // it was closed meanwhile, and the writer has its leave
      Connection& connection = *found->second;
      joining_.erase(found);
      if (!completion.rejection) {
        connection.joined(completion.joined);
      } else {
        connection.registered_ = false;
        connection.refuse(*completion.rejection);
      }
    }
  });
}

void Worker::stop() {
  asio::post(io_, [this] { begin_stop(); });
}

// ---- On the worker's thread ----

void Worker::run() {
  tick();
  io_.run();
}

AwakeTime Worker::tick_interval() const { return stopping_ ? 20ms : tick_of(settings_); }

void Worker::tick() {
  now_ = clock_.advance(std::chrono::steady_clock::now());
  reader_.refresh();  // so that a worker without work does not keep an old view alive
  expire(handshaking_, settings_.handshake_timeout);
  expire(established_, settings_.heartbeat_timeout);
  expire(draining_, settings_.drain_timeout);
  free_closed();
  if (now_ - heard_reported_ >= settings_.heard_interval) report_heard();
  if (stopping_ && (draining_.empty() || now_ >= stop_at_)) return end_stop();
  timer_.expires_after(tick_interval());
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error) tick();
  });
}

/// Each call of expire() moves the connection to another list or to the end of this one with a new time.
void Worker::expire(Connection::List& list, AwakeTime timeout) {
  while (!list.empty() && now_ - list.front().since_ >= timeout) list.front().expire();
}

void Worker::report_heard() {
  HeardCommand command;
  const std::int64_t wall = wall_seconds();
  for (auto place = established_.rbegin(); place != established_.rend() && place->since_ > heard_reported_;
       ++place) {
    const auto ago = std::chrono::duration_cast<std::chrono::seconds>(now_ - place->since_);
    command.heard.emplace_back(place->session().address(), wall - ago.count());
  }
  heard_reported_ = now_;
  if (!command.heard.empty()) inbox_.post(std::move(command));
}

void Worker::free_closed() {
  closed_.remove_if([](const Connection& connection) { return connection.can_be_freed(); });
}

void Worker::begin_stop() {
  if (stopping_) return;
  stopping_ = true;
  stop_at_ = now_ + stop_patience;
  for (Connection::List* list : {&handshaking_, &established_})
    while (!list->empty())
      list->front().refuse({ErrorCode::server_stopping, "the server is shutting down; connect again later"});
  timer_.cancel();
  tick();
}

void Worker::end_stop() {
  while (!draining_.empty()) draining_.front().close();
  io_.stop();
}

void Worker::move(Connection& connection, Connection::List& to) {
  to.splice(to.end(), *connection.place_.list, connection.place_.self);
  connection.place_.list = &to;
  connection.since_ = now_;
}

// ---- For its connections ----

void Worker::ask_to_join(Connection& connection) {
  const Session& session = connection.session();
  joining_.emplace(session.id(), &connection);
  inbox_.post(JoinCommand{session.id(), session.address(), session.methods()});
}

void Worker::was_heard(Connection& connection) { move(connection, established_); }

/// A server that stops leaves its clients listed: they still run, and after the next start they are waited
/// for.
void Worker::has_left(const Connection& connection) {
  if (!stopping_) inbox_.post(LeaveCommand{connection.session().id(), connection.session().address()});
}

void Worker::begins_draining(Connection& connection) { move(connection, draining_); }

void Worker::was_closed(Connection& connection) {
  joining_.erase(connection.session().id());
  connections_.fetch_sub(1, std::memory_order_relaxed);
  move(connection, closed_);
}

}  // namespace lekt
