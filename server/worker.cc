#include "server/worker.h"

#include <algorithm>
#include <asio/post.hpp>

#include "server/log.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// A longer time than so many ticks between two looks at the clock is a pause of the process, which expires
/// nobody.
constexpr int step_ticks_max = 2;

/// How long a stopping server waits for its clients to read why.
constexpr AwakeTime stop_patience = 500ms;
const Rejection stopping{ErrorCode::server_stopping, "the server is shutting down; connect again later"};

/// Lines in the log about rejects: a stranger who is refused again and again must not fill the disk.
const Rate reject_lines(20, 1000);

/// How often a serving worker looks at the clock: often enough for the shortest of its timeouts.
AwakeTime tick_of(const WorkerSettings& settings) {
  const AwakeTime shortest = std::min(settings.heartbeat_timeout, settings.handshake_timeout);
  return std::clamp<AwakeTime>(shortest / 10, 10ms, 500ms);
}

}  // namespace

Worker::Worker(std::uint32_t index, std::uint32_t count, const WorkerSettings& settings, const Shared& shared)
    : index_(index),
      count_(count),
      settings_(settings),
      shared_(shared),
      rules_(&shared.rules),
      reader_(shared.published),
      clock_(std::chrono::steady_clock::now(), step_ticks_max * tick_of(settings)) {}

// ---- From any thread ----

void Worker::adopt(std::vector<Arrival> arrivals) {
  asio::post(io_, [this, arrivals = std::move(arrivals)]() mutable {
    for (Arrival& arrival : arrivals) admit(arrival);
  });
}

void Worker::deliver(std::vector<Writer::Completion> completions) {
  asio::post(io_, [this, completions = std::move(completions)] {
    for (const Writer::Completion& completion : completions) {
      const auto found = joining_.find(completion.session);
      if (found == joining_.end()) continue;  // it was closed meanwhile, and the writer has its leave
      Connection& connection = *found->second.connection;
      const auto waited = std::chrono::steady_clock::now() - found->second.asked;
      joining_.erase(found);
      if (!completion.rejection) {
        meters_.join.add(waited);
        connection.joined(completion.joined);
      } else {
        connection.registered_ = false;
        connection.refuse(*completion.rejection);
      }
    }
  });
}

void Worker::post(std::function<void(Worker&)> task) {
  asio::post(io_, [this, task = std::move(task)] { task(*this); });
}

void Worker::stop() {
  asio::post(io_, [this] { begin_stop(); });
}

// ---- On the worker's thread ----

void Worker::admit(Arrival& arrival) {
  Socket socket(io_);
  asio::error_code error;
  socket.assign(asio::ip::tcp::v4(), arrival.socket.value(), error);
  if (error) {
    log_event(LogLevel::warn, "lost", {{"address", to_string(arrival.address)}, {"reason", error.message()}});
    shared_.admission.end_handshake(arrival.address);
    shared_.admission.end_connection(arrival.decision.verdict);
    return;
  }
  arrival.socket.release();
  meters_.connections_accepted.add();
  const SessionId id = ++serial_ * count_ + index_;
  Connection::List& handshaking = list_of(Stage::handshaking);
  Connection& connection = handshaking.emplace_back(*this, std::move(socket), id, arrival.address);
  connection.self_ = std::prev(handshaking.end());
  connection.verdict_ = arrival.decision.verdict;
  // Between its admission and now, those that this worker had were ended.
  if (!arrival.decision.rejection && !arrival.proxied)
    arrival.decision.rejection = shared_.admission.judge_ban(arrival.address);
  std::unique_ptr<Entrance> entrance;
  if (arrival.proxied || arrival.tls != nullptr)
    entrance = std::make_unique<Entrance>(arrival.proxied, std::move(arrival.tls));
  connection.start(std::move(entrance),
                   stopping_ ? std::optional(stopping) : std::move(arrival.decision.rejection));
}

void Worker::run() {
  tick();
  io_.run();
  close_everything();
}

AwakeTime Worker::tick_interval() const { return stopping_ ? 20ms : tick_of(settings_); }

void Worker::tick() {
  now_ = clock_.advance(std::chrono::steady_clock::now());
  turns_.add();
  reader_.refresh();  // so that a worker without work does not keep an old view alive
  expire(list_of(Stage::handshaking), settings_.handshake_timeout);
  look_at_established();
  expire(list_of(Stage::draining), settings_.drain_timeout);
  free_closed();
  watch_silence();
  resume_slowed();
  report_hidden_rejects();
  if (stopping_ && (list_of(Stage::draining).empty() || now_ >= stop_at_)) return io_.stop();
  timer_.expires_after(tick_interval());
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error) tick();
  });
}

/// Each call of expire() moves the connection to another list or to the end of this one with a new time.
void Worker::expire(Connection::List& list, AwakeTime timeout) {
  while (!list.empty() && now_ - list.front().since_ >= timeout) list.front().expire();
}

/// The share of the established connections that is due in this tick. Each goes to the end of its list, or
/// into another one.
void Worker::look_at_established() {
  const AwakeTime round = std::min(settings_.round, settings_.heartbeat_timeout / 10);
  const auto ticks = static_cast<std::size_t>(std::max<std::int64_t>(round / tick_of(settings_), 1));
  Connection::List& established = list_of(Stage::established);
  HeardCommand command;
  const std::int64_t wall = wall_seconds();
  for (std::size_t left = (established.size() + ticks - 1) / ticks; left > 0; --left) {
    Connection& connection = established.front();
    established.splice(established.end(), established, established.begin());
    if (connection.heard_) {
      const auto ago = std::chrono::duration_cast<std::chrono::seconds>(now_ - connection.since_);
      command.heard.emplace_back(connection.session().address(), wall - ago.count());
      connection.heard_ = false;
      connection.held_ = false;
    }
    if (may_expire(connection)) connection.expire();
  }
  if (!command.heard.empty()) shared_.inbox.post(std::move(command));
}

/// Also if it is only doubted that the client is still there.
bool Worker::may_expire(Connection& connection) {
  if (connection.reads_too_slowly()) return true;
  const AwakeTime overdue = now_ - connection.since_ - settings_.heartbeat_timeout;
  if (overdue < AwakeTime(0)) return false;
  if (!connection.is_silent()) return true;
  bool held = connection.held_;
  const bool ends = shared_.silence_guard.may_end(connection.session().id(), overdue,
                                                  shared_.admission.sessions(), held, steady_now());
  connection.held_ = held;
  return ends;
}

void Worker::watch_silence() {
  if (index_ != 0) return;  // one is enough
  const SilenceGuard::State state = shared_.silence_guard.look(steady_now());
  if (!state.changed) return;
  if (!state.doubting) {
    log_event(LogLevel::info, "mass_silence_over", {{"waited_for", state.held}, {"removed", state.removed}});
    return shared_.warnings.clear(ErrorCode::mass_silence);
  }
  const Rejection doubt{ErrorCode::mass_silence,
                        "many clients fell silent at once; they are removed later, unless they come back"};
  log_event(LogLevel::warn, "mass_silence", {{"message", doubt.text()}});
  shared_.warnings.raise(doubt.code, doubt.message);
}

void Worker::free_closed() {
  list_of(Stage::closed).remove_if([](const Connection& connection) { return connection.can_be_freed(); });
}

void Worker::resume_slowed() {
  for (Connection* connection : std::exchange(slowed_, {})) connection->resume();
}

void Worker::report_hidden_rejects() {
  if (rejects_hidden_ == 0 || !reject_lines.take(reject_lines_paid_until_, now_)) return;
  log_event(LogLevel::info, "rejects_hidden", {{"count", std::exchange(rejects_hidden_, 0)}});
}

void Worker::begin_stop() {
  if (stopping_) return;
  stopping_ = true;
  stop_at_ = now_ + stop_patience;
  for (const Stage stage : {Stage::handshaking, Stage::established})
    while (!list_of(stage).empty()) list_of(stage).front().refuse(stopping);
  timer_.cancel();
  tick();
}

/// The memory of a read is a part of its connection: reads that are under way end, as cancelled, before it
/// does.
void Worker::close_everything() {
  const auto all_gone = [&] { return std::ranges::all_of(lists_, &Connection::List::empty); };
  while (!all_gone()) {
    for (const Stage stage : {Stage::handshaking, Stage::established, Stage::draining})
      while (!list_of(stage).empty()) list_of(stage).front().close();
    io_.restart();
    io_.poll();
    free_closed();
  }
}

void Worker::move(Connection& connection, Stage to) {
  list_of(to).splice(list_of(to).end(), list_of(connection.stage_), connection.self_);
  if (connection.stage_ == Stage::handshaking)
    shared_.admission.end_handshake(connection.session().address());
  connection.stage_ = to;
  connection.since_ = now_;
}

// ---- For operators ----

std::vector<HandshakeStatus> Worker::handshakes(std::size_t count_max) const {
  std::vector<HandshakeStatus> list;
  for (const Connection& connection : list_of(Stage::handshaking)) {
    if (list.size() == count_max) break;
    const Session& session = connection.session();
    const std::string_view phase = connection.is_entering() ? "entrance" : to_string(session.phase());
    list.push_back({session.address(), session.id(), std::string(phase),
                    std::chrono::duration<double>(now_ - connection.since_).count(),
                    connection.is_encrypted()});
  }
  return list;
}

std::vector<SessionStatus> Worker::sessions(Ipv4Address address) const {
  std::vector<SessionStatus> list;
  for (const Connection& connection : list_of(Stage::established))
    if (connection.session().address() == address)
      list.push_back({address, connection.session().id(),
                      std::chrono::duration<double>(now_ - connection.since_).count(),
                      connection.waiting_bytes(), connection.is_encrypted(), connection.is_slowed()});
  return list;
}

std::size_t Worker::end_sessions(const Cidr& block, const Rejection& rejection) {
  std::size_t joined = 0;
  for (const Stage stage : {Stage::handshaking, Stage::established}) {
    Connection::List& list = list_of(stage);
    for (auto next = list.begin(); next != list.end();) {
      Connection& connection = *next++;  // it leaves the list when it is refused
      if (!block.contains(connection.session().address())) continue;
      if (stage == Stage::established) ++joined;
      connection.refuse(rejection);
    }
  }
  return joined;
}

void Worker::watch(const Cidr& block) {
  for (Connection::List& list : lists_)
    for (Connection& connection : list)
      if (block.contains(connection.session().address())) connection.watch();
}

void Worker::use(const WorkerSettings& settings, const SessionRules& rules) {
  settings_ = settings;
  rules_ = &rules;
}

// ---- For its connections ----

Admission::Decision Worker::identify(Ipv4Address proxy, Ipv4Address client) {
  return shared_.admission.identify(proxy, client, steady_now());
}

void Worker::ask_to_join(Connection& connection) {
  const Session& session = connection.session();
  joining_.emplace(session.id(), Joining{&connection, std::chrono::steady_clock::now()});
  shared_.inbox.post(JoinCommand{session.id(), session.address(), session.methods()});
}

void Worker::was_heard(Connection& connection) {
  connection.heard_ = true;
  connection.since_ = now_;
  if (connection.stage_ != Stage::established) move(connection, Stage::established);
}

/// A server that stops leaves its clients listed: they still run, and after the next start they are waited
/// for.
void Worker::has_left(const Connection& connection) {
  if (!stopping_) shared_.inbox.post(LeaveCommand{connection.session().id(), connection.session().address()});
}

LogLevel Worker::note_code(ErrorCode code) {
  shared_.counts.count(code);
  // A server that stops has said so once; a line for each client would only hide what came before.
  if (stopping_) return LogLevel::debug;
  if (reject_lines.take(reject_lines_paid_until_, now_)) return LogLevel::info;
  if (!log_enabled(LogLevel::debug)) ++rejects_hidden_;
  return LogLevel::debug;
}

LogLevel Worker::note_reject(Ipv4Address address, const Rejection& rejection) {
  if (!stopping_) shared_.rejects.note(address, rejection);
  return note_code(rejection.code);
}

void Worker::begins_draining(Connection& connection) { move(connection, Stage::draining); }

void Worker::was_closed(Connection& connection) {
  joining_.erase(connection.session().id());
  std::erase(slowed_, &connection);
  shared_.admission.end_connection(connection.verdict_);
  move(connection, Stage::closed);
}

}  // namespace lekt
