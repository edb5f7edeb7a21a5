#include "tests/client/fake_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "common/text.h"

namespace lekt::test {

namespace {

constexpr int patience_milliseconds = 10'000;

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

/// False when nothing came in time.
bool readable(int descriptor) {
  pollfd waiting{descriptor, POLLIN, 0};
  return ::poll(&waiting, 1, patience_milliseconds) > 0;
}

/// OpenSSL's reason for the last failure.
std::string tls_reason() {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  return reason != nullptr ? reason : "no reason";
}

std::shared_ptr<SSL_CTX> make_context(const FakeTls& tls) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX_set_max_proto_version(context.get(), tls.version_last);
  const bool loaded =
      SSL_CTX_use_certificate_chain_file(context.get(), tls.certificate.certificate.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context.get(), tls.certificate.key.c_str(), SSL_FILETYPE_PEM) == 1;
  if (!loaded) throw std::runtime_error("the server's certificate: " + tls_reason());
  if (tls.client_authority.empty()) return context;
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  if (SSL_CTX_load_verify_file(context.get(), tls.client_authority.c_str()) != 1)
    throw std::runtime_error("the clients' authority: " + tls_reason());
  return context;
}

Address address(std::string_view text) { return parse_address(text).value(); }

sockaddr_in socket_address(std::string_view address, std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(parse_address(address).value().as_v4());
  return name;
}

int listen_at(std::string_view address, std::uint16_t port, int backlog) {
  const int listener = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  const int yes = 1;  // a port of a server that has just ended is free
  checked(::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), "setsockopt");
  const sockaddr_in name = socket_address(address, port);
  checked(::bind(listener, reinterpret_cast<const sockaddr*>(&name), sizeof name), "bind");
  checked(::listen(listener, backlog), "listen");
  return listener;
}

std::uint16_t port_of(int listener) {
  sockaddr_in name{};
  socklen_t size = sizeof name;
  checked(::getsockname(listener, reinterpret_cast<sockaddr*>(&name), &size), "getsockname");
  return ntohs(name.sin_port);
}

}  // namespace

AddedEntry added(std::string_view text, Methods methods) { return {address(text), std::move(methods), {}}; }

Methods tcp(std::uint16_t port) { return {{tcp_index, tcp_information(port)}}; }

Bytes update(std::int64_t timestamp, const std::vector<AddedEntry>& entries) {
  Bytes bytes =
      encode(UpdatePacket{.timestamp = timestamp, .count = static_cast<std::uint32_t>(entries.size())});
  for (const AddedEntry& entry : entries) write(bytes, entry);
  return bytes;
}

Bytes update(std::int64_t timestamp, const std::vector<std::string_view>& removed) {
  Bytes bytes = encode(UpdatePacket{.timestamp = timestamp,
                                    .kind = UpdateKind::removed,
                                    .count = static_cast<std::uint32_t>(removed.size())});
  for (const std::string_view text : removed) write(bytes, RemovedEntry{address(text)});
  return bytes;
}

Bytes closing(std::int64_t timestamp) { return encode(UpdatePacket{.timestamp = timestamp}); }

FakeConnection::~FakeConnection() {
  if (tls_) SSL_shutdown(tls_.get());
  ::close(descriptor_);
}

std::string FakeConnection::begin_tls(const FakeTls& tls) {
  const timeval patience{patience_milliseconds / 1000, 0};
  checked(::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "setsockopt");
  const std::shared_ptr<SSL> begun(SSL_new(make_context(tls).get()), SSL_free);
  SSL_set_fd(begun.get(), descriptor_);
  ERR_clear_error();
  if (SSL_accept(begun.get()) != 1) throw std::runtime_error("the TLS handshake failed: " + tls_reason());
  tls_ = begun;
  const char* name = SSL_get_servername(begun.get(), TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? name : "";
}

void FakeConnection::send(ByteView bytes) {
  while (!bytes.empty()) {
    const auto sent = tls_ ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()))
                           : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    bytes.remove_prefix(static_cast<std::size_t>(checked(static_cast<int>(sent), "send")));
  }
}

/// Yields 0 at a clean end; anything else that is not bytes throws.
int FakeConnection::receive_into(char* bytes, std::size_t size) {
  if (!tls_) {
    if (!readable(descriptor_)) throw std::runtime_error("the client sent nothing and did not close");
    return checked(static_cast<int>(::recv(descriptor_, bytes, size, 0)), "recv");
  }
  ERR_clear_error();
  const int received = SSL_read(tls_.get(), bytes, static_cast<int>(size));
  if (received > 0 || SSL_get_error(tls_.get(), received) == SSL_ERROR_ZERO_RETURN) return received;
  throw std::runtime_error("the client's TLS does not end cleanly: " + tls_reason());
}

void FakeConnection::receive_some() {
  std::array<char, 4096> buffer;
  const int size = receive_into(buffer.data(), buffer.size());
  if (size == 0) throw std::runtime_error("the client closed the connection");
  input_.append(buffer.data(), static_cast<std::size_t>(size));
}

void FakeConnection::receive_bytes(ByteView expected) {
  while (input_.size() < expected.size()) receive_some();
  if (!input_.starts_with(expected))
    throw std::runtime_error("the client sent other bytes: " + to_hex(input_));
  input_.erase(0, expected.size());
}

void FakeConnection::expect_end() {
  char byte = 0;
  if (!input_.empty()) throw std::runtime_error("the client sent more than it should");
  if (receive_into(&byte, 1) != 0) throw std::runtime_error("the client sent more than it should");
}

Methods FakeConnection::let_join(const std::optional<LogIdentity>& identity) {
  const auto handshake = receive<HandshakePacket>();
  const Features own = identity ? Features{Feature::identity} : Features();
  const Version version = version_with(handshake.version.features() & own);
  send(encode(AcceptPacket{version, identity.value_or(LogIdentity())}));
  Methods offered;
  for (std::uint32_t index = 1; index <= handshake.methods_known; ++index) {
    if (!handshake.supports(index)) continue;
    send(encode(RequestPacket{version, index}));
    offered.push_back(receive<ResponsePacket>(index).method);
  }
  send(encode(RequestPacket{.version = version}));
  return offered;
}

std::int64_t FakeConnection::answer(std::int64_t timestamp, const std::vector<AddedEntry>& entries) {
  const std::int64_t requested = receive<HeartbeatPacket>().timestamp;
  send((entries.empty() ? Bytes() : update(requested, entries)) + closing(timestamp));
  return requested;
}

void FakeConnection::reset() {
  const linger at_once{1, 0};
  checked(::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "setsockopt");
}

FakeServer::FakeServer(std::vector<Script> scripts, std::string_view address, std::uint16_t port)
    : address_(address), listener_(listen_at(address, port, 8)), port_(port_of(listener_)) {
  thread_ = std::thread([this, scripts = std::move(scripts)] { work(scripts); });
}

FakeServer::~FakeServer() {
  thread_.join();
  ::close(listener_);
  if (!failure_.empty()) ADD_FAILURE() << "the scripted server: " << failure_;
}

void FakeServer::work(const std::vector<Script>& scripts) {
  // OpenSSL writes to sockets as if they were files. A client that has gone must not end the test.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  for (std::size_t number = 0; number < scripts.size(); ++number) try {
      sockaddr_in peer{};
      socklen_t size = sizeof peer;
      if (!readable(listener_)) throw std::runtime_error("nobody connected");
      const int descriptor =
          checked(::accept4(listener_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC), "accept");
      FakeConnection connection(descriptor, Address::v4(ntohl(peer.sin_addr.s_addr)));
      scripts[number](connection);
    } catch (const std::exception& error) {
      failure_ = "connection " + std::to_string(number + 1) + ": " + error.what();
      return;
    }
}

DroppingPort::DroppingPort(std::string_view address, std::uint16_t port)
    : listener_(listen_at(address, port, 0)), port_(port_of(listener_)) {
  const sockaddr_in name = socket_address(address, port_);
  // One fits into a queue of length 0; what comes behind it is dropped.
  for (int i = 0; i < 3; ++i) {
    fillers_.push_back(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
    static_cast<void>(::connect(fillers_.back(), reinterpret_cast<const sockaddr*>(&name), sizeof name));
  }
}

DroppingPort::~DroppingPort() {
  for (const int filler : fillers_) ::close(filler);
  ::close(listener_);
}

}  // namespace lekt::test
