#include "tests/client/fake_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
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

Ipv4Address address(std::string_view text) { return parse_ipv4(text).value(); }

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

FakeConnection::~FakeConnection() { ::close(descriptor_); }

void FakeConnection::send(ByteView bytes) {
  while (!bytes.empty()) {
    const int sent =
        checked(static_cast<int>(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL)), "send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void FakeConnection::receive_some() {
  std::array<char, 4096> buffer;
  if (!readable(descriptor_)) throw std::runtime_error("the client sent nothing");
  const int size = checked(static_cast<int>(::recv(descriptor_, buffer.data(), buffer.size(), 0)), "recv");
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
  if (!readable(descriptor_)) throw std::runtime_error("the client does not close the connection");
  if (checked(static_cast<int>(::recv(descriptor_, &byte, 1, 0)), "recv") != 0)
    throw std::runtime_error("the client sent more than it should");
}

Methods FakeConnection::let_join() {
  const auto handshake = receive<HandshakePacket>();
  send(encode(AcceptPacket{}));
  Methods offered;
  for (std::uint32_t index = 1; index <= handshake.methods_known; ++index) {
    if (!handshake.supports(index)) continue;
    send(encode(RequestPacket{.index = index}));
    offered.push_back(receive<ResponsePacket>(index).method);
  }
  send(encode(RequestPacket{}));
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

FakeServer::FakeServer(std::vector<Script> scripts)
    : listener_(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  checked(::bind(listener_, reinterpret_cast<sockaddr*>(&name), size), "bind");
  checked(::listen(listener_, 8), "listen");
  checked(::getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size), "getsockname");
  port_ = ntohs(name.sin_port);
  thread_ = std::thread([this, scripts = std::move(scripts)] { work(scripts); });
}

FakeServer::~FakeServer() {
  thread_.join();
  ::close(listener_);
  if (!failure_.empty()) ADD_FAILURE() << "the scripted server: " << failure_;
}

void FakeServer::work(const std::vector<Script>& scripts) {
  for (std::size_t number = 0; number < scripts.size(); ++number) try {
      sockaddr_in peer{};
      socklen_t size = sizeof peer;
      if (!readable(listener_)) throw std::runtime_error("nobody connected");
      const int descriptor =
          checked(::accept4(listener_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC), "accept");
      FakeConnection connection(descriptor, Ipv4Address{ntohl(peer.sin_addr.s_addr)});
      scripts[number](connection);
    } catch (const std::exception& error) {
      failure_ = "connection " + std::to_string(number + 1) + ": " + error.what();
      return;
    }
}

}  // namespace lekt::test
