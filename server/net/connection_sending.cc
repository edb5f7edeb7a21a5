// The sending half of a connection; the other half is connection.cc.
#include <asio/buffer.hpp>

#include "server/net/connection.h"
#include "server/net/worker.h"

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
/// false, and false as well when the connection is lost.
bool Connection::send(Output& output) {
  if (traced_) trace_sent(output);
  std::size_t sent = 0;
  asio::error_code error;
  if (send_from(output, sent, error)) return true;
  if (!would_block(error)) {
    lose(error);
    return false;
  }
  const std::size_t waiting = output.size() - sent;
  const AwakeTime least = worker().settings().members.heartbeat_timeout;
  // Its own bytes are few (process() sees to it), and those of a view are counted with the view.
  auto view = output.only_copies() ? nullptr : worker().view();
  const AwakeTime deadline =
      worker().now() + least + std::chrono::seconds(waiting / reading_bytes_per_second_min);
  give(&Extras::blocked,
       std::unique_ptr<Blocked>(
           new Blocked{std::move(output), sent, std::move(view), deadline, {worker().blocked(), *this}}));
  wait_writable();
  return false;
}

void Connection::trace_sent(Output& output) {
  worker().tracer().sent(member_.address(), member_.id(), output, worker().rules().catalogue);
}

/// Sends on until everything is sent, or an error says why not. It touches nothing but `output`, `sent` and
/// the socket: what is waiting for the socket is dropped when the connection is lost.
bool Connection::send_from(Output& output, std::size_t& sent, asio::error_code& error) {
  while (sent < output.size()) {
    const std::size_t before = sent;
    sent += tls() != nullptr ? send_encrypted(output, sent, error)
            : output.only_copies()
                ? socket_.send(asio::buffer(ByteView(output.copied()).substr(sent)), 0, error)
                : send_parts(output, sent, error);
    worker().meters().sent_bytes.add(sent - before);
    if (error) return false;
  }
  return true;
}

/// Sends as many stretches of bytes as one system call takes.
std::size_t Connection::send_parts(Output& output, std::size_t sent, asio::error_code& error) {
  std::vector<asio::const_buffer>& parts = worker().parts();
  parts.clear();
  output.each(sent, [&](ByteView part) {
    parts.push_back(asio::buffer(part));
    return parts.size() < gather_max;
  });
  return socket_.send(parts, 0, error);
}

/// Sends one record of TLS at most.
std::size_t Connection::send_encrypted(Output& output, std::size_t sent, asio::error_code& error) {
  Bytes& record = worker().record();
  output.copy(sent, record_bytes, record);
  return tls()->send(record, error);
}

bool Connection::holds_other_than(const std::shared_ptr<const ChangeView>& view) const {
  const auto& blocked = extras().blocked;
  return blocked != nullptr && blocked->view != nullptr && blocked->view != view;
}

bool Connection::reads_too_slowly(AwakeTime now) const {
  return extras().blocked != nullptr && now >= extras().blocked->deadline;
}

/// Answers without having been asked, if there is something new.
Connection::Pushed Connection::push() {
  Worker& worker = this->worker();
  const ChangeView& view = *worker.view();
  if (!member_.is_behind(view) || extras().blocked != nullptr) return Pushed::nothing;
  const MemberSettings& settings = worker.settings().members;
  if (extras().place != nullptr || member_.asks_too_fast(settings, worker.now())) return Pushed::later;
  Output& output = worker.output();
  output.clear();
  const std::optional<Basis> basis = member_.push(view, settings, worker.now(), output);
  if (!basis) return Pushed::nothing;
  worker.meters().pushes.add();
  if (sends_full_list(*basis)) worker.meters().full_lists.add();
  if (traced_) watch();  // its time may have passed
  (void)send(output);
  return Pushed::sent;
}

/// The socket has taken what rounds found waiting: there may be something newer by now.
void Connection::catch_up() {
  if (member_.is_pushed_to() && member_.is_behind(*worker().view())) worker().want_round();
}

void Connection::wait_writable() {
  ++operations_;
  socket_.async_wait(asio::socket_base::wait_write, [this](const asio::error_code& error) {
    --operations_;
    if (!is_closed()) on_writable(error);
  });
}

void Connection::on_writable(const asio::error_code& error) {
  if (error) return lose(error);
  // A client that reads is alive, even if one answer takes it longer than the heartbeat timeout.
  if (member_.is_established()) member_.was_heard(worker().now());
  Blocked& blocked = *extras().blocked;
  blocked.place.move_to(worker().blocked());
  asio::error_code failure;
  if (!send_from(blocked.output, blocked.sent, failure))
    return would_block(failure) ? wait_writable() : lose(failure);
  drop(&Extras::blocked);
  if (member_.state() == Member::State::ending) return drain();
  catch_up();
  proceed();
}

}  // namespace lekt
