#include "control/control_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "common/errors.h"
#include "common/text.h"
#include "control/socket_name.h"

namespace lekt::control {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

/// Beyond any answer: the status with all that it may list has some 20 KB.
constexpr std::size_t answer_bytes_max = 16 * 1024 * 1024;

std::string words(int error_number) { return std::generic_category().message(error_number); }

[[noreturn]] void fail_at(const fs::path& socket, const std::string& why) {
  throw CodedError(ErrorCode::control_unreachable,
                   "cannot reach the server through " + escape(socket.string()) + ": " + why);
}

[[noreturn]] void fail_to_connect(const fs::path& socket, int error_number) {
  const bool denied = error_number == EACCES || error_number == EPERM;
  fail_at(socket,
          words(error_number) + (denied ? "; you have to be in the group of the socket, or its owner" : ""));
}

/// Empty for a path that cannot be a socket's, which is as good as nobody listening there.
std::optional<SocketName> name_of(const fs::path& socket) {
  if (socket.empty()) return std::nullopt;
  try {
    return SocketName(socket);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::no_such_file_or_directory) return std::nullopt;
    fail_to_connect(socket, error.code().value());
  }
}

/// The code of an answer; E802 for one that this program does not know.
ErrorCode parse_code(const std::string& text) {
  int number = 0;
  const char* end = text.data() + text.size();
  if (!text.empty() && std::from_chars(text.data() + 1, end, number).ptr == end)
    for (const ErrorInfo& known : error_catalogue())
      if (static_cast<int>(known.code) == number) return known.code;
  return ErrorCode::control_refused;
}

}  // namespace

std::optional<ControlClient> ControlClient::connect(const fs::path& socket) {
  const auto name = name_of(socket);
  if (!name) return std::nullopt;
  Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!descriptor.is_open()) fail_to_connect(socket, errno);
  // Where many wait already, connecting waits as well.
  const timeval wait{std::chrono::seconds(patience).count(), 0};
  setsockopt(descriptor.value(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(name->text(), address.sun_path);
  if (::connect(descriptor.value(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return ControlClient(socket, std::move(descriptor));
  if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
  if (errno == EAGAIN) fail_at(socket, "too many others are asking it");
  fail_to_connect(socket, errno);
}

void ControlClient::fail(const std::string& why) const { fail_at(socket_, why); }

Json ControlClient::request(const Json& request, std::chrono::milliseconds wait) {
  const auto deadline = Clock::now() + wait;
  send(to_line(request) + "\n");
  std::optional<CodedError> refused;
  try {
    Json answer = Json::parse(receive(deadline));
    if (answer.at("ok").get<bool>()) return std::move(answer.at("result"));
    refused.emplace(parse_code(answer.at("code").get<std::string>()),
                    answer.at("message").get<std::string>());
  } catch (const Json::exception&) {
    fail("what it answers is not an answer");
  }
  throw *refused;
}

void ControlClient::send(std::string_view line) const {
  while (!line.empty()) {
    const ssize_t sent = ::send(descriptor_.value(), line.data(), line.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail(words(errno));
    line.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string ControlClient::receive(Clock::time_point deadline) {
  std::size_t end = received_.find('\n');
  while (end == received_.npos) {
    await_input(deadline);
    std::array<char, 16 * 1024> buffer;
    const ssize_t size = recv(descriptor_.value(), buffer.data(), buffer.size(), 0);
    if (size < 0) fail(words(errno));
    if (size == 0) fail("it has closed the connection; it may be stopping");
    received_.append(buffer.data(), static_cast<std::size_t>(size));
    if (received_.size() > answer_bytes_max) fail("its answer has no end");
    end = received_.find('\n');
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

void ControlClient::await_input(Clock::time_point deadline) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waiting{descriptor_.value(), POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return;
    if (ready < 0 && errno == EINTR) continue;
    fail("it does not answer");
  }
}

}  // namespace lekt::control
