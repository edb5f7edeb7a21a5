// The sending half of a connection; the other half is connection.cc.
#include <asio/buffer.hpp>

#include "server/connection.h"
#include "server/worker.h"

namespace lekt {

namespace {

/// Stretches of bytes that go into one system call; Asio passes on at most 64.
constexpr std::size_t gather_max = 64;

/// What fits one record of TLS (RFC 8446, section 5.1).
constexpr std::size_t record_bytes = 16 * 1024;

/// A client that reads more slowly than this is not using what it asked for, and keeps an old view in memory.
constexpr std::size_t reading_bytes_per_second_min = 64 * 1024;

}  // namespace

/// Sends what the socket takes now. The rest is kept and sent when the socket is ready; then this returns
/// false, and false as well when the connection is lost, or was closed because too much waits.
bool Connection::send(Output& output) {
  if (traced_) trace_sent(output);
  std::size_t sent = 0;
  if (send_from(output, sent)) return true;
  if (state_ == State::closed) return false;
  const std::size_t waiting = output.size() - sent;
  const AwakeTime least = worker_.settings().heartbeat_timeout;
  blocked_ = std::make_unique<Blocked>(
      Blocked{std::move(output), sent, worker_.view(),
              worker_.now() + least + std::chrono::seconds(waiting / reading_bytes_per_second_min)});
  if (waiting > worker_.settings().output_bytes_max) {
    expire();
    return false;
  }
  wait_writable();
  return false;
}

void Connection::trace_sent(Output& output) {
  worker_.tracer().sent(session_.address(), session_.id(), output, worker_.rules().catalogue);
}

bool Connection::send_from(Output& output, std::size_t& sent) {
  while (sent < output.size()) {
    asio::error_code error;
    const std::size_t before = sent;
    sent += tls() != nullptr ? send_encrypted(output, sent, error)
            : output.only_copies()
                ? socket_.send(asio::buffer(ByteView(output.copied()).substr(sent)), 0, error)
                : send_parts(output, sent, error);
    worker_.meters().sent_bytes.add(sent - before);
    if (would_block(error)) return false;
    if (error) {
      lose(error);
      return false;
    }
  }
  return true;
}

/// One system call for as many stretches as it takes.
std::size_t Connection::send_parts(Output& output, std::size_t sent, asio::error_code& error) {
  std::vector<asio::const_buffer>& parts = worker_.parts();
  parts.clear();
  output.each(sent, [&](ByteView part) {
    parts.push_back(asio::buffer(part));
    return parts.size() < gather_max;
  });
  return socket_.send(parts, 0, error);
}

/// One record at most.
std::size_t Connection::send_encrypted(Output& output, std::size_t sent, asio::error_code& error) {
  Bytes& record = worker_.record();
  output.copy(sent, record_bytes, record);
  return tls()->send(record, error);
}

bool Connection::reads_too_slowly() const {
  return blocked_ != nullptr && worker_.now() >= blocked_->deadline;
}

void Connection::wait_writable() {
  ++operations_;
  socket_.async_wait(asio::socket_base::wait_write, [this](const asio::error_code& error) {
    --operations_;
    if (state_ != State::closed) on_writable(error);
  });
}

void Connection::on_writable(const asio::error_code& error) {
  if (error) return lose(error);
  // A client that reads is alive, even if one answer takes it longer than the heartbeat timeout.
  if (state_ == State::open && joined_) worker_.was_heard(*this);
  if (!send_from(blocked_->output, blocked_->sent)) {
    if (state_ != State::closed) wait_writable();
    return;
  }
  blocked_.reset();
  if (state_ == State::ending) return drain();
  process({});
  go_on();
}

}  // namespace lekt
