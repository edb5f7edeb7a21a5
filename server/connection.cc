#include "server/connection.h"

#include <asio/buffer.hpp>
#include <cassert>
#include <string>

#include "common/duration.h"
#include "server/log.h"
#include "server/worker.h"

namespace lekt {

namespace {

/// Answers to pipelined heartbeats that are collected before they are sent.
constexpr std::size_t output_bytes_max = 16 * 1024;

/// Bytes of an answer that cost as much as one heartbeat more.
constexpr std::size_t answer_bytes_unit = 64 * 1024;

/// What a rejected client may still send before it is cut off.
constexpr std::uint32_t drain_bytes_max = 1024 * 1024;

}  // namespace

Connection::Connection(Worker& worker, Socket socket, SessionId id, Ipv4Address address)
    : worker_(worker),
      socket_(std::move(socket)),
      since_(worker.now()),
      session_(id, address, worker.rules()) {
  asio::error_code ignored;
  socket_.non_blocking(true, ignored);  // one that refuses is about to fail anyway
}

Connection::~Connection() { assert(operations_ == 0); }

// ---- Before LEKT ----

void Connection::start(std::unique_ptr<Entrance> entrance, const std::optional<Rejection>& rejection) {
  entrance_ = std::move(entrance);
  watch();
  trace("connected");
  if (rejection) return refuse(*rejection);
  entrance_ == nullptr ? read() : enter();
}

void Connection::enter() {
  switch (entrance_->step(socket_)) {
    case Entrance::Step::wait:
      return wait(entrance_->wants_output());
    case Entrance::Step::client_named:
      return identify();
    case Entrance::Step::refused:
      return refuse(entrance_->rejection());
    case Entrance::Step::lost:
      return lose(entrance_->error());
    case Entrance::Step::open:
      if (entrance_->tls() == nullptr) entrance_.reset();
      return go_on();
  }
}

/// A proxy has said for whom it connects; from now on the connection is that client's.
void Connection::identify() {
  const Ipv4Address proxy = session_.address();
  session_.name_client(entrance_->proxy_header().client.value_or(proxy));
  watch();
  if (traced_) trace("connected through the proxy " + to_string(proxy));
  const Admission::Decision decision = worker_.identify(proxy, session_.address());
  if (decision.verdict == Admission::Verdict::dropped) return close();
  verdict_ = decision.verdict;
  decision.rejection ? refuse(*decision.rejection) : enter();
}

void Connection::watch() { traced_ = worker_.tracer().covers(session_.address()); }

void Connection::trace(std::string_view what) {
  if (traced_) worker_.tracer().note(session_.address(), session_.id(), what);
}

// ---- Reading ----

bool Connection::can_read() const {
  return state_ == State::open && blocked_ == nullptr && !slowed_ &&
         session_.phase() != Session::Phase::joining;
}

void Connection::go_on() {
  if (!can_read() || reading_) return;
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
  if (connection->state_ != State::closed) connection->on_read(error, size);
}

void Connection::on_read(const asio::error_code& error, std::size_t size) {
  if (error) return lose(error);
  if (state_ == State::ending) return;
  if (state_ == State::draining) return drop_input(size);
  if (is_entering()) return enter();
  if (tls() != nullptr) return go_on();
  process(ByteView(received_.data(), size));
  if (size == received_.size() && can_read()) read_more();
  go_on();
}

/// Draining: the client may not have read the reject yet, and closing with unread input would destroy it.
void Connection::drop_input(std::size_t size) {
  asio::error_code error;
  drained_ += static_cast<std::uint32_t>(size + socket_.read_some(asio::buffer(worker_.buffer()), error));
  const bool over = error && !would_block(error);
  return over || drained_ >= drain_bytes_max ? close() : read();
}

/// The socket holds more than the connection's own buffer: one read through the worker's.
void Connection::read_more() {
  asio::error_code error;
  auto& buffer = worker_.buffer();
  const std::size_t size = socket_.read_some(asio::buffer(buffer), error);
  if (error && !would_block(error)) return lose(error);
  if (!error) process(ByteView(buffer.data(), size));
}

/// Until there is no more: what TLS has already taken from the socket does not make it readable again.
void Connection::read_encrypted() {
  auto& buffer = worker_.buffer();
  while (can_read()) {
    asio::error_code error;
    const std::size_t size = tls()->read_some(buffer.data(), buffer.size(), error);
    if (would_block(error)) return wait(tls()->wants_output());
    if (error) return lose(error);
    process(ByteView(buffer.data(), size));
  }
}

// ---- Deciding ----

/// Feeds the session and does what it asks for, as long as the socket takes what is to be sent.
void Connection::process(ByteView input) {
  Output& output = worker_.output();
  output.clear();
  worker_.refresh_view();
  WorkerMeters& meters = worker_.meters();
  Stopwatch stopwatch(meters.answer);
  meters.received_bytes.add(input.size());
  if (traced_) watch();  // its time may have passed
  if (traced_ && !input.empty())
    worker_.tracer().received(session_.address(), session_.id(), input, worker_.rules().catalogue);
  for (;;) {
    const Session::Action action = session_.next(input, output.copied());
    switch (action.kind) {
      case Session::Action::Kind::wait:
        (void)send(output);
        return;
      case Session::Action::Kind::end:
        return end(output);
      case Session::Action::Kind::join:
        session_.keep(input);
        registered_ = true;
        worker_.ask_to_join(*this);
        (void)send(output);
        return;
      case Session::Action::Kind::answer:
        stopwatch.begin();
        worker_.was_heard(*this);
        const std::size_t before = output.size();
        const Basis basis = worker_.view()->answer(session_.cursor(), action.timestamp, output);
        meters.heartbeats.add();
        if (sends_full_list(basis)) meters.full_lists.add();
        pay(output.size() - before);
        if (!slowed_ && output.only_copies() && output.size() < output_bytes_max) break;
        if (!send(output) || slowed_) return session_.keep(input);
        output.clear();
    }
  }
}

/// Whoever asks too often, or for too much, is answered and then waits for the next tick.
void Connection::pay(std::size_t answer_bytes) {
  const Rate& rate = worker_.settings().heartbeats;
  const auto units = static_cast<std::uint32_t>(1 + answer_bytes / answer_bytes_unit);
  rate.charge(heartbeats_paid_until_, worker_.now(), units);
  if (!rate.is_used_up(heartbeats_paid_until_, worker_.now())) return;
  slowed_ = true;
  worker_.slow_down(*this);
  if (was_slowed_) return;
  was_slowed_ = true;
  trace("slowed: heartbeats come too fast");
  log_event(worker_.note_code(ErrorCode::heartbeats_too_fast), "slowed",
            {{"address", to_string(session_.address())},
             {"session", session_.id()},
             {"code", code_text(ErrorCode::heartbeats_too_fast)}});
}

void Connection::resume() {
  if (worker_.settings().heartbeats.is_used_up(heartbeats_paid_until_, worker_.now()))
    return worker_.slow_down(*this);
  slowed_ = false;
  if (state_ != State::open || blocked_ != nullptr) return;
  process({});
  go_on();
}

void Connection::joined(std::int64_t second) {
  if (state_ != State::open) return;
  joined_ = true;
  worker_.meters().joins.add();
  trace("joined");
  if (log_enabled(LogLevel::info))
    log_event(LogLevel::info, "join",
              {{"address", to_string(session_.address())},
               {"session", session_.id()},
               {"methods", worker_.rules().catalogue.describe(session_.methods())}});
  worker_.was_heard(*this);
  Output& output = worker_.output();
  output.clear();
  session_.joined(second, output.copied());
  // Requests of the setup may still wait for the socket; then this one waits behind them.
  if (blocked_ != nullptr) {
    if (traced_) trace_sent(output);
    blocked_->output.copied().append(output.copied());
    return;
  }
  if (!send(output)) return;
  process({});
  go_on();
}

void Connection::refuse(const Rejection& rejection) {
  if (state_ != State::open) return;
  // A client that does not read what it asked for will not read why it is refused either.
  if (blocked_ != nullptr) {
    (void)worker_.note_reject(session_.address(), rejection);
    leave(rejection.text());
    return close();
  }
  Output& output = worker_.output();
  output.clear();
  session_.reject(rejection, output.copied());
  end(output);
}

void Connection::expire() {
  if (state_ != State::open) return close();
  const WorkerSettings& settings = worker_.settings();
  const Session::Phase phase = session_.phase();
  if (phase != Session::Phase::heartbeat)
    return refuse({ErrorCode::handshake_timeout,
                   "handshake and setup took longer than " + format_duration(settings.handshake_timeout) +
                       "; the session was in the " + std::string(to_string(phase)) + " phase"});
  if (blocked_ != nullptr)
    return refuse({ErrorCode::reads_too_slowly, std::to_string(blocked_->output.size() - blocked_->sent) +
                                                    " bytes of an answer wait to be read"});
  // They were sent in time, and are read as soon as this thread gets to it.
  if (!is_silent()) return worker_.was_heard(*this);
  refuse(
      {ErrorCode::heartbeat_timeout,
       "no heartbeat came within " + format_duration(settings.heartbeat_timeout) + "; send them more often"});
}

bool Connection::is_silent() const {
  asio::error_code ignored;
  return blocked_ == nullptr && !slowed_ && socket_.available(ignored) == 0;
}

// ---- Ending ----

/// The session has written its reject into `output`.
void Connection::end(Output& output) {
  if (is_entering()) {
    const Bytes reject = std::exchange(output.copied(), Bytes());
    output.copied() = entrance_->last_words(reject);
    entrance_.reset();
  }
  log_event(worker_.note_reject(session_.address(), *session_.rejection()), "reject",
            {{"address", to_string(session_.address())},
             {"session", session_.id()},
             {"code", code_text(session_.rejection()->code)},
             {"message", session_.rejection()->message}});
  leave("rejected");
  state_ = State::ending;
  worker_.begins_draining(*this);
  if (send(output)) drain();
}

void Connection::drain() {
  asio::error_code error;
  state_ = State::draining;
  if (tls() != nullptr) tls()->end();
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  if (error) return close();
  if (!reading_) read();
}

void Connection::lose(const asio::error_code& error) {
  if (state_ == State::open) leave(error == asio::error::eof ? "closed by the client" : error.message());
  close();
}

/// Tells the writer that the session is over; the reason is for the log.
void Connection::leave(std::string_view reason) {
  const bool counts = joined_ && !worker_.is_stopping();
  if (joined_) worker_.meters().leaves.add();
  if (traced_) trace("ended: " + std::string(reason));
  log_event(counts ? LogLevel::info : LogLevel::debug, counts ? "leave" : "gone",
            {{"address", to_string(session_.address())}, {"session", session_.id()}, {"reason", reason}});
  if (registered_) worker_.has_left(*this);
  registered_ = joined_ = false;
}

void Connection::close() {
  if (state_ == State::closed) return;
  if (registered_) leave("closed");
  if (traced_) worker_.tracer().forget(session_.id());
  state_ = State::closed;
  asio::error_code ignored;
  socket_.close(ignored);
  worker_.was_closed(*this);
}

}  // namespace lekt
