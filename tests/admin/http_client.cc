#include "tests/admin/http_client.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <stdexcept>

#include "tests/integration/patience.h"

namespace lekt::test {

HttpAnswer parse_answer(const std::string& text) {
  HttpAnswer answer;
  const auto end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || end == text.npos) return answer;
  answer.status = std::stoi(text.substr(9, 3));
  answer.body = text.substr(end + 4);
  std::istringstream head(text.substr(0, end + 2));
  std::string line;
  std::getline(head, line);
  while (std::getline(head, line)) {
    const auto colon = line.find(": ");
    std::string name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    answer.headers[name] = line.substr(colon + 2, line.size() - colon - 3);
  }
  return answer;
}

HttpConnection::HttpConnection(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect to the admin page");
}

bool HttpConnection::send(const std::string& text) {
  return ::send(socket_.value(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

std::string HttpConnection::read_until(const std::string& text) {
  const auto deadline = std::chrono::steady_clock::now() + patience();
  while (text.empty() || read_.find(text) == read_.npos) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waited{socket_.value(), POLLIN, 0};
    if (left.count() <= 0 || poll(&waited, 1, static_cast<int>(left.count())) <= 0)
      throw std::runtime_error("the server neither answers nor closes; so far: " + read_);
    char part[65536];
    const ssize_t size = recv(socket_.value(), part, sizeof part, 0);
    if (size <= 0) break;
    read_.append(part, static_cast<std::size_t>(size));
  }
  return std::exchange(read_, {});
}

std::string get_request(const std::string& path, const std::string& lines) {
  return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + lines + "\r\n";
}

HttpAnswer get(std::uint16_t port, const std::string& path, const std::string& lines) {
  HttpConnection connection(port);
  connection.send(get_request(path, lines));
  return parse_answer(connection.read_all());
}

}  // namespace lekt::test
