#include "tests/ecosystem/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <sstream>
#include <stdexcept>

#include "common/address.h"
#include "common/bytes.h"
#include "common/descriptor.h"

namespace lekt::test {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Descriptor socket_of(int type) {
  Descriptor descriptor(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  if (!descriptor.is_open()) throw std::runtime_error("no socket");
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  ::setsockopt(descriptor.value(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return descriptor;
}

bool connect(const Descriptor& descriptor, std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  return ::connect(descriptor.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// A question for the addresses of one name (RFC 1035, section 4.1).
Bytes dns_question(const std::string& name) {
  Bytes question("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);  // recursion desired, one question
  std::istringstream labels(name);
  for (std::string label; std::getline(labels, label, '.');)
    question += static_cast<char>(label.size()) + label;
  return question + Bytes("\0\0\1\0\1", 5);  // type A, class IN
}

}  // namespace

std::uint16_t free_port() {
  const Descriptor descriptor = socket_of(SOCK_STREAM);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(descriptor.value(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::getsockname(descriptor.value(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no port is free");
  return ntohs(address.sin_port);
}

std::vector<std::string> resolve(std::uint16_t port, const std::string& name) {
  const Descriptor descriptor = socket_of(SOCK_DGRAM);
  const Bytes question = dns_question(name);
  std::array<char, 512> buffer{};
  if (!connect(descriptor, port) || ::send(descriptor.value(), question.data(), question.size(), 0) < 0)
    return {};
  const ssize_t size = ::recv(descriptor.value(), buffer.data(), buffer.size(), 0);
  if (size < static_cast<ssize_t>(question.size())) return {};
  // Each answer is 16 bytes: a pointer to the name, type, class, time to live, length, address.
  ByteReader answers(ByteView(buffer.data(), static_cast<std::size_t>(size)).substr(question.size()));
  std::vector<std::string> addresses;
  while (answers.left() >= 16) {
    answers.take(12);
    addresses.push_back(to_string(Address::v4(answers.u32())));
  }
  return addresses;
}

std::string fetch(std::uint16_t port) {
  const Descriptor descriptor = socket_of(SOCK_STREAM);
  const std::string request = "GET / HTTP/1.0\r\n\r\n";
  if (!connect(descriptor, port)) return {};
  if (::send(descriptor.value(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer;
  std::array<char, 4096> buffer{};
  ssize_t size = 0;
  while ((size = ::recv(descriptor.value(), buffer.data(), buffer.size(), 0)) > 0)
    answer.append(buffer.data(), static_cast<std::size_t>(size));
  const std::size_t body = answer.find("\r\n\r\n");
  if (body == answer.npos) return {};
  const std::string status = answer.substr(answer.find(' ') + 1, 3);
  return status == "200" ? answer.substr(body + 4) : status;
}

}  // namespace lekt::test
