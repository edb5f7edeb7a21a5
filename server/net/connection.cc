#include "server/net/connection.h"

#include <asio/buffer.hpp>
#include <cassert>
#include <string>

#include "common/duration.h"
#include "server/net/worker.h"
#include "server/operators/log.h"

namespace lekt {

namespace {

/// Answers to pipelined heartbeats that are collected before they are sent.
constexpr std::size_t output_bytes_max = 16 * 1024;

/// What a rejected client may still send before it is cut off: 1 MiB, or less in many small pieces.
constexpr std::uint32_t drain_kilobytes_max = 1024;

}  // namespace

Connection::Connection(Socket socket, SessionId id, Address address)
    : socket_(std::move(socket)), member_(id, address, worker().rules(), worker().now()) {
  asio::error_code ignored;
  socket_.non_blocking(true, ignored);  // one that refuses is about to fail anyway
}

const Connection::Extras Connection::no_extras;

Worker& Connection::worker() { return static_cast<WorkerContext&>(socket_.get_executor().context()).worker; }

Connection::~Connection() { assert(operations_ == 0); }

// ---- Before LEKT ----

void Connection::start(std::unique_ptr<Entrance> entrance, const std::optional<Rejection>& rejection) {
  const bool enters = entrance != nullptr;
  if (enters) give(&Extras::entrance, std::move(entrance));
  watch();
  trace("connected");
  if (!enters) member_.begin();
  if (rejection) return refuse(*rejection);
  enters ? enter() : read();
}

void Connection::enter() { follow(extras().entrance->step(socket_)); }

void Connection::shake_hands() {
  drop(&Extras::place);
  follow(extras().entrance->shake_hands(socket_));
}

void Connection::follow(Entrance::Step step) {
  switch (step) {
    case Entrance::Step::wait:
      return wait(extras().entrance->wants_output());
    case Entrance::Step::wants_turn:
      give(&Extras::place, worker().wait_for_turn(*this));
      return;
    case Entrance::Step::client_named:
      return identify();
    case Entrance::Step::refused:
      return refuse(extras().entrance->rejection());
    case Entrance::Step::lost:
      return lose(extras().entrance->error());
    case Entrance::Step::open:
      member_.begin();
      if (extras().entrance->tls() == nullptr) drop(&Extras::entrance);
      return go_on();
  }
}

/// A proxy has said for whom it connects; from now on the connection is that client's.
void Connection::identify() {
  const Address proxy = member_.address();
  member_.name_client(extras().entrance->proxy_header().client.value_or(proxy));
  watch();
  if (traced_) trace("connected through the proxy " + to_string(proxy));
  const Admission::Decision decision =
      worker().identify(proxy, member_.address(), extras().entrance->begins_tls());
  if (decision.verdict == Admission::Verdict::dropped) return close();
  verdict_ = decision.verdict;
  decision.rejection ? refuse(*decision.rejection) : enter();
}

void Connection::watch() { traced_ = worker().tracer().covers(member_.address()); }

void Connection::trace(std::string_view what) {
  if (traced_) worker().tracer().note(member_.address(), member_.id(), what);
}

// ---- Reading ----

/// Whether nothing stands against looking at what the client has sent.
bool Connection::can_proceed() const {
  return member_.takes_input() && extras().blocked == nullptr && extras().place == nullptr;
}

/// A reason to wait has ended: looks at what was kept meanwhile, and reads again, unless another one is left.
void Connection::proceed() {
  if (can_proceed()) process({});
  go_on();
}

void Connection::go_on() {
  if (!can_proceed() || reading_) return;
  tls() == nullptr ? read() : read_encrypted();
}

void Connection::wait(bool for_output) {
  ++operations_;
  reading_ = true;
  socket_.async_wait(for_output ? Socket::wait_write : Socket::wait_read, ReadHandler{this});
}

void Connection::read() {
  ++operations_;
  reading_ = true;
  socket_.async_read_some(asio::buffer(received_), ReadHandler{this});
}

void Connection::ReadHandler::operator()(const asio::error_code& error, std::size_t size) const {
  --connection->operations_;
  connection->reading_ = false;
  if (!connection->is_closed()) connection->on_read(error, size);
}

void Connection::on_read(const asio::error_code& error, std::size_t size) {
  if (error) return lose(error);
  if (member_.state() == Member::State::ending) return;
  if (member_.state() == Member::State::draining) return drop_input(size);
  if (member_.state() == Member::State::entering) return enter();
  if (tls() != nullptr) return go_on();
  // What was pushed may have filled the socket while this was read.
  ByteView input(received_.data(), size);
  if (extras_ != nullptr && !can_proceed()) {
    note_received(input);
    return member_.keep(input);
  }
  process(input);
  if (size == received_.size() && can_proceed()) read_more();
  go_on();
}

/// Drops what a draining client sends: the client may not have read the reject yet, and closing with unread input would
/// destroy it.
void Connection::drop_input(std::size_t size) {
  asio::error_code error;
  const std::size_t dropped = size + socket_.read_some(asio::buffer(worker().buffer()), error);
  drained_ += static_cast<std::uint32_t>(1 + dropped / 1024);
  const bool over = error && !would_block(error);
  return over || drained_ >= drain_kilobytes_max ? close() : read();
}

/// Reads once through the worker's buffer: the socket holds more than the connection's own.
void Connection::read_more() {
  asio::error_code error;
  auto& buffer = worker().buffer();
  const std::size_t size = socket_.read_some(asio::buffer(buffer), error);
  if (error && !would_block(error)) return lose(error);
  if (!error) process(ByteView(buffer.data(), size));
}

/// Reads until there is no more: what TLS has already taken from the socket does not make it readable again.
void Connection::read_encrypted() {
  auto& buffer = worker().buffer();
  while (can_proceed()) {
    asio::error_code error;
    const std::size_t size = tls()->read_some(buffer.data(), buffer.size(), error);
    if (would_block(error)) return wait(tls()->wants_output());
    if (error) return lose(error);
    process(ByteView(buffer.data(), size));
  }
}

void Connection::note_received(ByteView input) {
  worker().meters().received_bytes.add(input.size());
  if (traced_) watch();  // its time may have passed
  if (traced_ && !input.empty())
    worker().tracer().received(member_.address(), member_.id(), input, worker().rules().catalogue);
}

// ---- Deciding ----

/// Feeds the member and does what it asks for, as long as the socket takes what is to be sent.
void Connection::process(ByteView input) {
  assert(can_proceed());
  Worker& worker = this->worker();
  Output& output = worker.output();
  output.clear();
  worker.refresh_view();
  WorkerMeters& meters = worker.meters();
  Stopwatch stopwatch(meters.answer);
  note_received(input);
  for (;;) {
    const Session::Action action = member_.next(input, worker.now(), output.copied());
    switch (action.kind) {
      case Session::Action::Kind::wait:
        (void)send(output);
        return;
      case Session::Action::Kind::end:
        return end(output);
      case Session::Action::Kind::join:
        worker.ask_to_join(*this);
        (void)send(output);
        return;
      case Session::Action::Kind::answer:
        stopwatch.begin();
        const Member::Answer answer =
            member_.answer(action.timestamp, *worker.view(), worker.settings().members, worker.now(), output);
        meters.heartbeats.add();
        if (sends_full_list(answer.basis)) meters.full_lists.add();
        if (answer.too_fast) slow_down();
        if (!answer.too_fast && output.only_copies() && output.size() < output_bytes_max) break;
        if (!send(output) || answer.too_fast) return member_.keep(input);
        output.clear();
    }
  }
}

/// A client that asks too often, or for too much, has been answered, and now waits for the next tick.
void Connection::slow_down() {
  give(&Extras::place, worker().slow_down(*this));
  if (was_slowed_) return;
  was_slowed_ = true;
  trace("slowed: heartbeats come too fast");
  log_event(worker().note_code(ErrorCode::heartbeats_too_fast), "slowed",
            {{"address", to_string(member_.address())},
             {"session", member_.id()},
             {"code", code_text(ErrorCode::heartbeats_too_fast)}});
}

void Connection::resume() {
  if (member_.asks_too_fast(worker().settings().members, worker().now()))
    return worker().stay_slowed(*extras().place);
  drop(&Extras::place);
  proceed();
}

void Connection::joined(std::int64_t second) {
  if (!member_.is_open()) return;
  worker().meters().joins.add();
  trace("joined");
  if (const LogLevel level = worker().note_session_line(member_.address()); log_enabled(level))
    log_event(level, "join",
              {{"address", to_string(member_.address())},
               {"session", member_.id()},
               {"methods", worker().rules().catalogue.summary(member_.session().methods())}});
  Output& output = worker().output();
  output.clear();
  const Member::State before = member_.state();
  member_.joined(second, worker().now(), output.copied());
  worker().has_changed(*this, before);
  // Requests of the setup may still wait for the socket; then this one waits behind them.
  if (extras().blocked != nullptr) {
    if (traced_) trace_sent(output);
    extras().blocked->output.copied().append(output.copied());
    return;
  }
  if (send(output)) proceed();
}

void Connection::join_was_refused(const Rejection& rejection) {
  member_.join_was_refused();
  refuse(rejection);
}

void Connection::refuse(const Rejection& rejection) {
  if (!member_.is_open()) return;
  // A client that does not read what it asked for will not read why it is refused either.
  if (extras().blocked != nullptr) {
    (void)worker().note_reject(member_.address(), peer(), rejection);
    leave(leave_reason(rejection.code), rejection.text());
    return close();
  }
  Output& output = worker().output();
  output.clear();
  member_.refuse(rejection, output.copied());
  end(output);
}

void Connection::expire() {
  if (!member_.is_open()) return close();
  const MemberSettings& settings = worker().settings().members;
  if (extras().place != nullptr && is_entering())
    return refuse({ErrorCode::handshakes_too_many, "its TLS handshake waited for its turn for longer than " +
                                                       format_duration(settings.handshake_timeout) +
                                                       "; too many begin at the same time, try again later"});
  if (member_.is_established() && extras().blocked != nullptr) return let_go_unread();
  if (member_.is_established() && extras().place != nullptr) return member_.was_heard(worker().now());
  if (member_.is_established() && !is_silent() && member_.spare()) return;
  refuse(member_.timeout(settings));
}

void Connection::let_go_unread() {
  if (!member_.is_open()) return close();
  refuse(
      {ErrorCode::reads_too_slowly, std::to_string(waiting_bytes()) + " bytes of an answer wait to be read"});
}

bool Connection::is_silent() const {
  asio::error_code ignored;
  return extras().blocked == nullptr && extras().place == nullptr && socket_.available(ignored) == 0;
}

// ---- Ending ----

/// The client's address in words. One of IPv6, which is refused, has none in the protocol.
std::string Connection::peer() const {
  if (member_.address() != Address{}) return to_string(member_.address());
  asio::error_code error;
  const auto endpoint = socket_.remote_endpoint(error);
  return error ? "unknown" : endpoint.address().to_string();
}

/// The session has written its reject into `output`.
void Connection::end(Output& output) {
  if (member_.state() == Member::State::entering) {
    const Bytes reject = std::exchange(output.copied(), Bytes());
    output.copied() = extras().entrance->last_words(reject);
    drop(&Extras::entrance);
  }
  const std::string address = peer();
  const Rejection& rejection = *member_.session().rejection();
  log_event(worker().note_reject(member_.address(), address, rejection), "reject",
            {{"address", address},
             {"session", member_.id()},
             {"code", code_text(rejection.code)},
             {"message", rejection.message}});
  leave(leave_reason(rejection.code), "rejected");
  drop(&Extras::place);
  if (send(output)) drain();
}

void Connection::drain() {
  asio::error_code error;
  member_.reject_was_sent();
  drained_ = 0;
  if (tls() != nullptr) tls()->end();
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  if (error) return close();
  if (!reading_) read();
}

void Connection::lose(const asio::error_code& error) {
  const bool closed = error == asio::error::eof;
  if (member_.is_open())
    leave(closed ? LeaveReason::closed : LeaveReason::lost,
          closed ? "closed by the client" : error.message());
  close();
}

/// The session is over; the words are for the log.
void Connection::leave(LeaveReason reason, std::string_view words) {
  const bool counts = member_.is_established() && !worker().is_stopping();
  if (member_.is_established()) worker().meters().leaves.add();
  if (traced_) trace("ended: " + std::string(words));
  log_event(counts ? worker().note_session_line(member_.address()) : LogLevel::debug,
            counts ? "leave" : "gone", {{"address", peer()}, {"session", member_.id()}, {"reason", words}});
  const Member::State before = member_.state();
  if (std::optional<LeaveCommand> command = member_.leave(reason, worker().now()))
    worker().has_left(std::move(*command));
  worker().has_changed(*this, before);
}

void Connection::close() {
  if (is_closed()) return;
  if (member_.is_registered()) leave(LeaveReason::closed, "closed");
  if (traced_) worker().tracer().forget(member_.id());
  const Member::State before = member_.state();
  member_.close();
  worker().has_changed(*this, before);
  drop(&Extras::place);
  drop(&Extras::blocked);
  asio::error_code ignored;
  socket_.close(ignored);
  worker().was_closed(*this);
}

}  // namespace lekt
