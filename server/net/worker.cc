#include "server/net/worker.h"

#include <algorithm>
#include <asio/post.hpp>

#include "server/operators/clock.h"
#include "server/operators/log.h"
#include "server/operators/secret.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// A longer time than this number of ticks between two looks at the clock is a pause of the process, which expires
/// nobody.
constexpr int step_ticks_max = 2;

/// How long a stopping server waits for its clients to read why.
constexpr AwakeTime stop_patience = 500ms;
/// TLS handshakes take a worker for this long, or for one of them, before it looks after everybody else again.
/// One takes about 0.2 ms with an elliptic key, and 5 ms with an RSA key of 4096 bits.
constexpr auto handshakes_time = 2ms;

const Rejection stopping{ErrorCode::server_stopping, "the server is shutting down; connect again later"};

/// Lines in the log about rejects: a stranger who is refused again and again must not fill the disk.
const Rate reject_lines(20, 1000);

/// Lines about joins and leaves of one address: a client that comes and goes all the time must not fill it either.
const Rate session_lines(5, 500);

/// Lines that say how many lines were hidden.
const Rate hidden_reports(1, 1);

/// How often a serving worker looks at the clock: often enough for the shortest of its timeouts.
AwakeTime tick_of(const WorkerSettings& settings) {
  const AwakeTime shortest = std::min(settings.members.heartbeat_timeout, settings.members.handshake_timeout);
  return std::clamp<AwakeTime>(shortest / 10, 10ms, 500ms);
}

double seconds(AwakeTime time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

Worker::Worker(std::uint32_t index, std::uint32_t count, const WorkerSettings& settings, const Shared& shared)
    : index_(index),
      count_(count),
      settings_(settings),
      shared_(shared),
      rules_(&shared.rules),
      reader_(shared.doors.published),
      clock_(std::chrono::steady_clock::now(), step_ticks_max * tick_of(settings)),
      session_lines_(session_lines, random_secret(), 8) {}

Worker::~Worker() { close_everything(); }

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
        connection.join_was_refused(*completion.rejection);
      }
    }
  });
}

void Worker::post(std::function<void()> task) { asio::post(io_, std::move(task)); }

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
    shared_.doors.admission.end_handshake(arrival.address);
    shared_.doors.admission.end_connection(arrival.decision.verdict);
    return;
  }
  arrival.socket.release();
  meters_.connections_accepted.add();
  const SessionId id = session_id(++serial_, index_, count_);
  Connection::List& handshaking = list_of(Stage::handshaking);
  Connection& connection = handshaking.emplace_back(std::move(socket), id, arrival.address);
  connection.self_ = std::prev(handshaking.end());
  connection.verdict_ = arrival.decision.verdict;
  // Between its admission and now, those that this worker had were ended.
  if (!arrival.decision.rejection)
    arrival.decision.rejection = shared_.doors.admission.judge_ban(arrival.address);
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

void Worker::turn(std::chrono::steady_clock::time_point now) {
  driven_at_ = now;
  io_.restart();
  io_.poll();
  look(now);
  begin_round_in_time();
}

AwakeTime Worker::tick_interval() const { return stopping_ ? 20ms : tick_of(settings_); }

void Worker::tick() {
  look(std::chrono::steady_clock::now());
  if (stopping_ && (list_of(Stage::draining).empty() || now_ >= stop_at_)) return io_.stop();
  timer_.expires_after(tick_interval());
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error || stopping_) tick();  // who begins to stop cancels the wait, so that it is over sooner
  });
}

void Worker::look(std::chrono::steady_clock::time_point now) {
  now_ = clock_.advance(now);
  turns_.add();
  reader_.refresh();  // so that a worker without work does not keep an old view alive
  expire(list_of(Stage::handshaking));
  look_at_established();
  expire(list_of(Stage::draining));
  free_closed();
  limit_old_answers();
  resume_slowed();
  report_hidden_lines();
}

/// Expires who is overdue in a list whose front is the first that can be. Each call of Connection::expire() moves it
/// into another list.
void Worker::expire(Connection::List& list) {
  while (!list.empty() && list.front().member().overdue(settings_.members, now_) >= AwakeTime(0))
    list.front().expire();
}

/// Looks at the share of the established connections whose turn this tick is. Each goes to the end of its list, or
/// into another one.
void Worker::look_at_established() {
  const AwakeTime round = std::min(settings_.round, settings_.members.heartbeat_timeout / 10);
  const auto ticks = static_cast<std::size_t>(std::max<std::int64_t>(round / tick_of(settings_), 1));
  Connection::List& established = list_of(Stage::established);
  HeardCommand command;
  const std::int64_t wall = wall_seconds();
  for (std::size_t left = (established.size() + ticks - 1) / ticks; left > 0; --left) {
    Connection& connection = established.front();
    established.splice(established.end(), established, established.begin());
    if (const auto heard = connection.take_heard(now_, wall))
      command.heard.emplace_back(connection.member().address(), *heard);
    if (may_expire(connection)) connection.expire();
  }
  if (!command.heard.empty()) shared_.doors.inbox.post(std::move(command));
}

/// Whether the overdue connection may be ended now. The silence guard may doubt it, and wait.
bool Worker::may_expire(Connection& connection) {
  if (connection.reads_too_slowly(now_)) return true;
  const Member& member = connection.member();
  const AwakeTime overdue = member.overdue(settings_.members, now_);
  if (overdue < AwakeTime(0)) return false;
  if (!connection.is_silent()) return true;
  bool held = member.is_held();
  const bool ends = shared_.doors.silence_guard.may_end({member.address(), member.id(), overdue},
                                                        clients_present(), held, steady_now());
  connection.hold(held);
  return ends;
}

/// How many clients have a session, in this worker or another.
std::size_t Worker::clients_present() const {
  const std::size_t listed = shared_.seen.writer.clients;
  const std::size_t waited_for = shared_.seen.writer.waiting;
  return listed > waited_for ? listed - waited_for : 0;
}

void Worker::free_closed() {
  list_of(Stage::closed).remove_if([](const Connection& connection) { return connection.can_be_freed(); });
}

void Worker::resume_slowed() {
  MemberList<Connection> due;
  due.take_all(slowed_);
  while (!due.is_empty()) due.front().resume();  // each leaves the list, whatever becomes of it
}

/// An answer that is not read keeps the view in memory that it was made of. Older views that nobody reads
/// would add up, one for each list that was made since: who has read nothing for the longest time gives way.
void Worker::limit_old_answers() {
  const ChangeView& newest = *view();
  const std::size_t bytes_max = old_answers_max(settings_.output_bytes_max, newest);
  blocked_.each([&](Connection& connection) {
    if (newest.bytes_of_older() <= bytes_max) return false;
    if (connection.holds_other_than(view())) connection.let_go_unread();
    return true;
  });
}

std::unique_ptr<Membership<Connection>> Worker::wait_for_turn(Connection& connection) {
  if (!std::exchange(has_turns_to_give_, true)) asio::post(io_, [this] { shake_hands(); });
  return std::make_unique<Membership<Connection>>(shaking_hands_, connection);
}

/// What is ready meanwhile stands behind this in the queue of io_, and before the next call of this.
void Worker::shake_hands() {
  const auto end = std::chrono::steady_clock::now() + handshakes_time;
  while (!shaking_hands_.is_empty()) {
    shaking_hands_.front().shake_hands();  // it leaves the list, whatever becomes of it
    if (std::chrono::steady_clock::now() >= end) break;
  }
  has_turns_to_give_ = !shaking_hands_.is_empty();
  if (has_turns_to_give_) asio::post(io_, [this] { shake_hands(); });
}

void Worker::report_hidden_lines() {
  if (rejects_hidden_ > 0 && reject_lines.take(reject_lines_paid_until_, now_))
    log_event(LogLevel::info, "rejects_hidden", {{"count", std::exchange(rejects_hidden_, 0)}});
  if (sessions_hidden_ > 0 && hidden_reports.take(session_lines_reported_until_, now_))
    log_event(LogLevel::info, "sessions_hidden", {{"count", std::exchange(sessions_hidden_, 0)}});
}

void Worker::begin_stop() {
  if (stopping_) return;
  stopping_ = true;
  stop_at_ = now_ + stop_patience;
  for (const Stage stage : {Stage::handshaking, Stage::established})
    while (!list_of(stage).empty()) list_of(stage).front().refuse(stopping);
  timer_.cancel();
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

// ---- For operators ----

std::vector<HandshakeStatus> Worker::handshakes(std::size_t count_max) const {
  std::vector<HandshakeStatus> list;
  for (const Connection& connection : list_of(Stage::handshaking)) {
    if (list.size() == count_max) break;
    const Member& member = connection.member();
    const bool is_entering = member.state() == Member::State::entering;
    list.push_back({member.address(), member.id(),
                    std::string(is_entering ? "entrance" : to_string(member.session().phase())),
                    seconds(member.age(now_)), connection.is_encrypted()});
  }
  return list;
}

std::vector<SessionStatus> Worker::sessions(Address address) const {
  std::vector<SessionStatus> list;
  for (const Connection& connection : list_of(Stage::established))
    if (connection.member().address() == address)
      list.push_back({address, connection.member().id(), seconds(connection.member().age(now_)),
                      connection.waiting_bytes(), connection.is_encrypted(), connection.is_slowed(),
                      port_of(connection.socket_)});
  return list;
}

std::size_t Worker::end_sessions(const Block& block, const Rejection& rejection) {
  std::size_t joined = 0;
  for (const Stage stage : {Stage::handshaking, Stage::established}) {
    Connection::List& list = list_of(stage);
    for (auto next = list.begin(); next != list.end();) {
      Connection& connection = *next++;  // it leaves the list when it is refused
      if (!block.contains(connection.member().address())) continue;
      if (stage == Stage::established) ++joined;
      connection.refuse(rejection);
    }
  }
  return joined;
}

void Worker::watch(const Block& block) {
  for (Connection::List& list : lists_)
    for (Connection& connection : list)
      if (block.contains(connection.member().address())) connection.watch();
}

void Worker::use(const WorkerSettings& settings, const SessionRules& rules) {
  settings_ = settings;
  rules_ = &rules;
  begin_round_in_time();
}

// ---- For its connections ----

Admission::Decision Worker::identify(Address proxy, Address client, bool tls) {
  return shared_.doors.admission.identify(proxy, client, steady_now(), tls);
}

void Worker::ask_to_join(Connection& connection) {
  has_changed(connection, Member::State::handshaking);
  joining_.emplace(connection.member().id(), Joining{&connection, std::chrono::steady_clock::now()});
  shared_.doors.inbox.post(connection.member().join_command());
}

/// A server that stops leaves its clients listed: they still run, and the next start waits for them.
void Worker::has_left(LeaveCommand command) {
  if (!stopping_) shared_.doors.inbox.post(std::move(command));
}

/// Moves the connection to the end of the list of its new state: of all there, a state that has just begun is over
/// last.
void Worker::has_changed(Connection& connection, Member::State before) {
  const Stage from = stage_of(before);
  const Stage to = stage_of(connection.member().state());
  list_of(to).splice(list_of(to).end(), list_of(from), connection.self_);
  if (from == Stage::handshaking && to != from)
    shared_.doors.admission.end_handshake(connection.member().address());
  follow_pushes(connection, from, to);
}

Worker::Stage Worker::stage_of(Member::State state) {
  switch (state) {
    case Member::State::entering:
    case Member::State::handshaking:
    case Member::State::joining:
      return Stage::handshaking;
    case Member::State::established:
      return Stage::established;
    case Member::State::ending:
    case Member::State::draining:
      return Stage::draining;
    case Member::State::closed:
      break;
  }
  return Stage::closed;
}

LogLevel Worker::note_code(ErrorCode code) {
  shared_.seen.codes.count(code);
  // A server that stops has said so once; a line for each client would only hide what came before.
  if (stopping_) return LogLevel::debug;
  if (reject_lines.take(reject_lines_paid_until_, now_)) return LogLevel::info;
  if (!log_enabled(LogLevel::debug)) ++rejects_hidden_;
  return LogLevel::debug;
}

LogLevel Worker::note_reject(Address address, const std::string& peer, const Rejection& rejection) {
  if (!stopping_) shared_.seen.rejects.note(address, peer, rejection);
  return note_code(rejection.code);
}

LogLevel Worker::note_session_line(Address address) {
  if (session_lines_.take(address, now_)) return LogLevel::info;
  if (!log_enabled(LogLevel::debug)) ++sessions_hidden_;
  return LogLevel::debug;
}

void Worker::was_closed(Connection& connection) {
  joining_.erase(connection.member().id());
  shared_.doors.admission.end_connection(connection.verdict_);
}

}  // namespace lekt
