#include "tests/net/driven_worker.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>

#include "common/packets.h"
#include "server/operators/clock.h"
#include "tests/support/certificates.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

/// Later than any closing timestamp of the tests' histories.
constexpr std::int64_t joined_second = 1'000'000;

}  // namespace

Admission::Limits limits_without_effect() {
  return {.connections_max = 1000,
          .handshakes_max = 1000,
          .handshakes_per_address_max = 1000,
          .connections = Rate(1'000'000, 1'000'000),
          .connections_per_address = Rate(1'000'000, 1'000'000)};
}

// ---- The client's end ----

bool ClientEnd::send(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.value(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

Bytes ClientEnd::receive(std::size_t bytes_max) {
  Bytes received;
  while (received.size() < bytes_max) {
    char buffer[4096];
    const ssize_t size =
        recv(socket_.value(), buffer, std::min(sizeof(buffer), bytes_max - received.size()), MSG_DONTWAIT);
    if (size <= 0) break;
    received.append(buffer, static_cast<std::size_t>(size));
  }
  return received;
}

bool ClientEnd::has_bytes() {
  char byte = 0;
  return recv(socket_.value(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
}

bool ClientEnd::has_ended() {
  char byte = 0;
  const ssize_t size = recv(socket_.value(), &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  return size == 0 || (size < 0 && errno != EAGAIN);
}

void ClientEnd::half_close() { shutdown(socket_.value(), SHUT_WR); }

// ---- The worker ----

DrivenWorker::DrivenWorker(const WorkerSettings& settings, PublishedView::Pointer view)
    : doors_(std::move(view), {}, limits_without_effect(), {.patience = 0ms}, seen_.codes),
      worker_(std::make_unique<Worker>(0, 1, settings, Worker::Shared{rules_, doors_, seen_})) {
  std::signal(SIGPIPE, SIG_IGN);  // as in the server: OpenSSL writes to sockets whose other end may be closed
}

ClientEnd DrivenWorker::connect(Address address, bool proxied, std::shared_ptr<TlsContext> tls) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category());
  Arrival arrival{Descriptor(ends[0]), address, doors_.admission.admit(address, steady_now()), proxied,
                  std::move(tls)};
  const int smallest = 1;  // the kernel makes it some KB
  setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest));
  std::vector<Arrival> arrivals;
  arrivals.push_back(std::move(arrival));
  worker_->adopt(std::move(arrivals));
  turn();
  return ClientEnd(Descriptor(ends[1]));
}

void DrivenWorker::pass(std::chrono::milliseconds time) {
  for (const auto end = now_ + time; now_ < end;) {
    now_ = std::min(now_ + 10ms, end);
    turn();
  }
}

std::chrono::milliseconds DrivenWorker::passed() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now_ - began_);
}

void DrivenWorker::take_commands() {
  doors_.inbox.take(commands_, 0ms);
  for (const Command& command : commands_) {
    if (const auto* join = std::get_if<JoinCommand>(&command)) {
      joining_.push_back(join->session);
      sessions_.insert(join->session);
    }
    if (const auto* leave = std::get_if<LeaveCommand>(&command)) {
      if (sessions_.erase(leave->session) != 1) throw std::logic_error("a session leaves that is not there");
      std::erase(joining_, leave->session);
      leaves_told_.push_back(leave->was_told);
    }
  }
}

std::size_t DrivenWorker::joins_waiting() {
  take_commands();
  return joining_.size();
}

void DrivenWorker::decide_join(std::optional<Rejection> rejection) {
  if (joins_waiting() == 0) return;
  if (rejection) sessions_.erase(joining_.front());
  std::vector<Writer::Completion> completions;
  completions.push_back({joining_.front(), joined_second, std::move(rejection)});
  worker_->deliver(std::move(completions));
  joining_.erase(joining_.begin());
  turn();
}

std::size_t DrivenWorker::sessions_kept() {
  take_commands();
  return sessions_.size();
}

std::vector<bool> DrivenWorker::leaves_told() {
  take_commands();
  return leaves_told_;
}

std::string DrivenWorker::codes() const {
  std::string text;
  for (const RejectStatus& reject : seen_.rejects.list({}, SIZE_MAX))
    text += (text.empty() ? "" : " ") + code_text(reject.code);
  return text;
}

void DrivenWorker::end() { worker_.reset(); }

// ---- Bytes ----

Bytes handshake_bytes(Features asked) {
  Bytes bytes;
  HandshakePacket handshake;
  handshake.version = version_with(asked);
  write(bytes, handshake);
  return bytes;
}

Bytes client_hello() {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
  SSL_connect(ssl.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::shared_ptr<TlsContext> test_tls() {
  const TestCertificates certificates;
  return std::make_shared<TlsContext>(
      TlsSettings{certificates.server.certificate, certificates.server.key, {}, false});
}

Bytes heartbeats(std::int64_t timestamp, std::size_t count) {
  Bytes bytes;
  HeartbeatPacket packet;
  packet.timestamp = timestamp;
  while (count-- > 0) write(bytes, packet);
  return bytes;
}

}  // namespace lekt::test
