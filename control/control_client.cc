#include "control/control_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "common/duration.h"
#include "common/errors.h"
#include "common/printable.h"
#include "control/socket_name.h"
#include "storage/lock_holder.h"

namespace lekt::control {

namespace fs = std::filesystem;

namespace {

/// Larger than any answer: the status with all that it may list has about 20 KB.
constexpr std::size_t answer_bytes_max = 16 * 1024 * 1024;

std::string words(int error_number) { return std::generic_category().message(error_number); }

[[noreturn]] void fail_at(const fs::path& socket, const std::string& why) {
  throw CodedError(ErrorCode::control_unreachable,
                   "cannot reach the server through " + printable(socket.string()) + ": " + why);
}

[[noreturn]] void fail_to_connect(const fs::path& socket, int error_number) {
  const bool denied = error_number == EACCES || error_number == EPERM;
  fail_at(socket,
          words(error_number) + (denied ? "; you have to be in the group of the socket, or its owner" : ""));
}

/// Who listens at the other end, as the kernel knows it; a process of another container has no number here.
std::string server_of(const Descriptor& descriptor) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  const bool known = getsockopt(descriptor.value(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0;
  return known && credentials.pid > 0 ? storage::process_text(credentials.pid) : "a server";
}

/// The name of the socket; empty for a path that cannot be a socket's, where nobody can listen.
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
  for (const ErrorInfo& known : error_catalogue())
    if (code_text(known.code) == text) return known.code;
  return ErrorCode::control_refused;
}

}  // namespace

ControlClient::ControlClient(fs::path socket, Descriptor descriptor, OnWait on_wait)
    : socket_(std::move(socket)),
      descriptor_(std::move(descriptor)),
      on_wait_(std::move(on_wait)),
      server_(server_of(descriptor_)) {}

std::optional<ControlClient> ControlClient::connect(const fs::path& socket, OnWait on_wait) {
  const auto name = name_of(socket);
  if (!name) return std::nullopt;
  Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!descriptor.is_open()) fail_to_connect(socket, errno);
  // Where many are waiting already, connecting waits as well.
  const timeval wait{std::chrono::seconds(patience).count(), 0};
  setsockopt(descriptor.value(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(name->text(), address.sun_path);
  if (::connect(descriptor.value(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return ControlClient(socket, std::move(descriptor), std::move(on_wait));
  if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
  if (errno == EAGAIN) fail_at(socket, "too many others are asking it");
  fail_to_connect(socket, errno);
}

void ControlClient::fail_to_read() {
  throw CodedError(ErrorCode::control_unreachable,
                   "the server's answer cannot be read; use the lektctl of its version");
}

void ControlClient::fail(const std::string& why) const { fail_at(socket_, why); }

Json ControlClient::request(const Json& request, std::chrono::milliseconds wait) {
  const auto deadline = Clock::now() + wait;
  told_at_ = on_wait_ && wait > notice ? std::optional(Clock::now() + notice) : std::nullopt;
  send(to_line(request) + "\n");
  const Envelope answer = read_answer(receive(deadline));
  if (answer.ok) return *answer.result;
  throw CodedError(parse_code(*answer.code), *answer.message);
}

Envelope ControlClient::read_answer(const std::string& line) const {
  try {
    auto answer = from_json<Envelope>(Json::parse(line));
    if (answer.ok ? answer.result.has_value() : answer.code && answer.message) return answer;
  } catch (const Json::exception&) {
  } catch (const WrongJson&) {
  }
  fail("what it answers is not an answer");
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

void ControlClient::await_input(Clock::time_point deadline) {
  if (told_at_) {
    if (has_input_before(*std::exchange(told_at_, std::nullopt))) return;
    const auto left = std::chrono::ceil<std::chrono::seconds>(deadline - Clock::now());
    on_wait_(server_ + " is there and has not answered for " + format_duration(notice) + "; waiting " +
             format_duration(left) + " more");
  }
  if (!has_input_before(deadline)) fail(server_ + " is there and does not answer");
}

bool ControlClient::has_input_before(Clock::time_point end) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    pollfd waiting{descriptor_.value(), POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

}  // namespace lekt::control
