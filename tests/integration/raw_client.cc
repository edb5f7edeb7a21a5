#include "tests/integration/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <type_traits>
#include <utility>

#include "tests/support/round_trip.h"

namespace lekt::test {

namespace {

constexpr std::size_t read_bytes = 64 * 1024;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  SocketAddress(const std::string& address, std::uint16_t port) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port);
      size = sizeof *v4;
    } else if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port);
      size = sizeof *v6;
    } else {
      throw std::invalid_argument("no address: " + address);
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

bool wait_for(int socket, short events, std::chrono::milliseconds time) {
  pollfd waiting{socket, events, 0};
  return poll(&waiting, 1, static_cast<int>(time.count())) > 0;
}

}  // namespace

RawClient::RawClient(std::uint16_t port, const std::string& from, const Settings& settings) {
  const SocketAddress source(from, 0);
  const SocketAddress target(settings.to, port);
  socket_ = socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) fail("socket");
  const int yes = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  // The port is chosen when connecting, so many clients of one address do not use the ports up.
  setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  if (settings.receive_buffer != 0)
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &settings.receive_buffer, sizeof settings.receive_buffer);
  if (bind(socket_, source.get(), source.size) != 0 || connect(socket_, target.get(), target.size) != 0) {
    const int error = std::exchange(errno, 0);
    close();
    throw std::system_error(error, std::generic_category(), "connect from " + from);
  }
}

RawClient::~RawClient() { close(); }

RawClient::RawClient(RawClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      received_(std::move(other.received_)),
      used_(other.used_),
      ended_(other.ended_),
      view_(std::move(other.view_)) {}

void RawClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void RawClient::reset() {
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void RawClient::half_close() {
  if (shutdown(socket_, SHUT_WR) != 0) fail("shutdown");
}

// ---- Bytes ----

bool RawClient::try_send(ByteView bytes) {
  const Deadline deadline(patience());
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait_for(socket_, POLLOUT, deadline.left())) throw UnexpectedInput("the server does not read");
    } else {
      return false;
    }
  }
  return true;
}

void RawClient::send(ByteView bytes) {
  if (!try_send(bytes)) fail("send");
}

/// Appends what has come, after waiting for it; notes the end of the stream.
void RawClient::fill(const Deadline& deadline) {
  if (ended_) throw UnexpectedInput("the server has closed the connection");
  if (!wait_for(socket_, POLLIN, deadline.left())) throw UnexpectedInput("nothing came in time");
  received_.erase(0, std::exchange(used_, 0));
  const std::size_t before = received_.size();
  received_.resize(before + read_bytes);
  const ssize_t size = recv(socket_, received_.data() + before, read_bytes, 0);
  const int error = errno;
  received_.resize(before + static_cast<std::size_t>(size > 0 ? size : 0));
  if (size < 0) throw std::system_error(error, std::generic_category(), "recv");
  ended_ = size == 0;
}

/// A packet, or an entry of one. Where a packet is due, a reject may come.
template <class Part>
Part RawClient::read_part(const Deadline& deadline) {
  const ReadContext context{catalogue(), limits::methods_max_default, 0, true};
  constexpr bool is_entry = std::is_same_v<Part, AddedEntry> || std::is_same_v<Part, RemovedEntry>;
  for (;; fill(deadline)) {
    ByteView input = ByteView(received_).substr(used_);
    Part part;
    Rejection wrong{};
    const ReadStatus status = read(input, part, context, wrong);
    if (status == ReadStatus::complete) {
      used_ = received_.size() - input.size();
      return part;
    }
    if constexpr (!is_entry && !std::is_same_v<Part, RejectPacket>) {
      RejectPacket reject;
      Rejection ignored{};
      if (status == ReadStatus::wrong && input.size() > 4 && input[4] == RejectPacket::type) {
        while (read(input, reject, context, ignored) == ReadStatus::partial) {
          fill(deadline);
          input = ByteView(received_).substr(used_);
        }
        throw UnexpectedInput("instead of " + std::string(Part::name) + " came the reject: " + reject.text);
      }
    }
    if (status == ReadStatus::wrong) throw UnexpectedInput(wrong.text());
  }
}

template AcceptPacket RawClient::read_part(const Deadline&);
template RejectPacket RawClient::read_part(const Deadline&);
template RequestPacket RawClient::read_part(const Deadline&);
template UpdatePacket RawClient::read_part(const Deadline&);

std::string RawClient::expect_reject() {
  std::string text = expect<RejectPacket>().text;
  expect_end();
  return text;
}

void RawClient::expect_end() {
  const Deadline deadline(patience());
  while (!ended_) fill(deadline);
  if (used_ != received_.size())
    throw UnexpectedInput(std::to_string(received_.size() - used_) + " bytes came before the end");
}

Bytes RawClient::take(std::size_t bytes) {
  const Deadline deadline(patience());
  while (received_.size() - used_ < bytes) fill(deadline);
  return received_.substr(std::exchange(used_, used_ + bytes), bytes);
}

void RawClient::read_a_drop(std::size_t bytes) {
  Bytes drop(bytes, 0);
  (void)recv(socket_, drop.data(), drop.size(), MSG_DONTWAIT);
}

bool RawClient::receives_within(std::chrono::milliseconds time) {
  return used_ != received_.size() || wait_for(socket_, POLLIN, time);
}

// ---- Conversation ----

std::uint32_t RawClient::begin_setup(const Methods& methods) {
  send(encode(handshake_for(methods)));
  expect<AcceptPacket>();
  return methods.empty() ? 0 : expect<RequestPacket>().index;
}

void RawClient::join(const Methods& methods) {
  send(setup_bytes(methods));
  expect<AcceptPacket>();
  for (const MethodInformation& method : methods)
    if (expect<RequestPacket>().index != method.index) throw UnexpectedInput("a request for another method");
  if (expect<RequestPacket>().index != 0) throw UnexpectedInput("a request that is not the last");
}

void RawClient::ask(std::int64_t timestamp) {
  view_.request(timestamp);
  send(heartbeat_bytes(timestamp));
}

Answer RawClient::read_answer() {
  const Deadline deadline(patience());
  Answer answer;
  for (;;) {
    const auto packet = read_part<UpdatePacket>(deadline);
    std::size_t bytes = limits::update_header_bytes;
    for (std::uint32_t entry = 0; entry < packet.count; ++entry) {
      if (packet.kind == UpdateKind::added) {
        const auto added = read_part<AddedEntry>(deadline);
        bytes += encode(added).size();
        answer.added.push_back(added.address);
        view_.apply(added);
      } else {
        const auto removed = read_part<RemovedEntry>(deadline);
        bytes += encode(removed).size();
        answer.removed.push_back(removed.address);
        view_.apply(removed);
      }
    }
    answer.packets.push_back({packet, bytes});
    answer.changes = view_.finish(packet);
    if (packet.closes()) return answer;
  }
}

Answer RawClient::beat(std::int64_t timestamp) {
  ask(timestamp);
  return read_answer();
}

Answer RawClient::beat_until_news() {
  const Deadline deadline(patience());
  for (;;) {
    Answer answer = beat();
    if (answer.packets.size() > 1) return answer;
    if (deadline.over()) throw UnexpectedInput("there is no news");
  }
}

std::vector<std::string> RawClient::peers() const {
  std::vector<std::string> lines;
  for (const auto& [address, offer] : view_.peers())
    lines.push_back(to_string(address) + " " + describe(offer, catalogue()));
  return lines;
}

// ---- Words for tests ----

const MethodCatalogue& catalogue() { return example_catalogue(); }

std::vector<std::string> catalogue_flags() {
  return {"--method", "2:chat:sized", "--method", "3:key:fixed:6"};
}

Methods tcp(std::uint16_t port) { return {{tcp_index, tcp_information(port)}}; }

Methods chat(std::string_view content) {
  const Method& method = *catalogue().find("chat");
  return {{method.index, MethodCatalogue::wrap(method.form, content)}};
}

HandshakePacket handshake_for(const Methods& methods) {
  HandshakePacket handshake;
  for (const MethodInformation& method : methods) handshake.support(method.index);
  return handshake;
}

Bytes setup_bytes(const Methods& methods) {
  Bytes bytes = encode(handshake_for(methods));
  for (const MethodInformation& method : methods) {
    ResponsePacket response;
    response.method = method;
    write(bytes, response);
  }
  return bytes;
}

Bytes heartbeat_bytes(std::int64_t timestamp) {
  HeartbeatPacket heartbeat;
  heartbeat.timestamp = timestamp;
  return encode(heartbeat);
}

RawClient joined(std::uint16_t port, const std::string& from, const Methods& methods) {
  RawClient client(port, from);
  client.join(methods);
  return client;
}

std::string address_number(std::size_t number) {
  return "127.0." + std::to_string(1 + number / 250) + "." + std::to_string(1 + number % 250);
}

Address ip(const std::string& text) { return parse_address(text).value(); }

bool has_ipv6() {
  const SocketAddress loopback("::1", 0);
  const int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool bound = probe >= 0 && bind(probe, loopback.get(), loopback.size) == 0;
  if (probe >= 0) close(probe);
  return bound;
}

}  // namespace lekt::test
