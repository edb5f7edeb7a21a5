#include "client/command/device_program/ticket_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "common/errors.h"
#include "common/text.h"

namespace lekt::command {

namespace {

constexpr std::size_t text_bytes = 2 * sizeof(Ticket) + 1;

std::string in_quotes(const std::filesystem::path& path) { return '"' + escape(path.string()) + '"'; }

[[noreturn]] void fail_ticket(const std::string& what, const std::filesystem::path& path, int error) {
  throw CodedError(ErrorCode::output_failed,
                   "cannot " + what + " " + in_quotes(path) + ": " + std::strerror(error) +
                       "; --ticket FILE keeps the ticket elsewhere, --ticket none nowhere");
}

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

std::filesystem::path next_to(const std::filesystem::path& path, const char* suffix) {
  return path.string() + suffix;
}

}  // namespace

std::filesystem::path ticket_path(const std::string& uid) {
  std::string name = "device-";
  for (const char c : uid) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("._@+-").find(c) != std::string_view::npos;
    if (plain)
      name += c;
    else
      name += "%" + to_hex(ByteView(&c, 1));
  }
  if (const char* state = variable("XDG_STATE_HOME")) return std::filesystem::path(state) / "lekt" / name;
  if (const char* home = variable("HOME")) return std::filesystem::path(home) / ".local/state/lekt" / name;
  throw CodedError(
      ErrorCode::usage_wrong,
      "neither XDG_STATE_HOME nor HOME says where the ticket can be kept; --ticket FILE does, and "
      "--ticket none keeps none");
}

void TicketFile::make_directory_of(const std::filesystem::path& path) {
  std::filesystem::path directory;
  for (const auto& part : path.parent_path()) {
    directory /= part;
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST && !std::filesystem::is_directory(directory))
      fail_ticket("make the directory", directory, errno);
  }
}

TicketFile::TicketFile(std::filesystem::path path)
    : path_(std::move(path)),
      lock_(::open(next_to(path_, ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  if (!lock_.is_open()) fail_ticket("open", next_to(path_, ".lock"), errno);
  if (::flock(lock_.value(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail_ticket("lock", next_to(path_, ".lock"), errno);
    throw CodedError(
        ErrorCode::output_contested,
        "the ticket " + in_quotes(path_) + " is in use by another lekt device; two devices need two --uid");
  }
  read();
}

void TicketFile::read() {
  const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) {
    if (errno == ENOENT) return;
    fail_ticket("read", path_, errno);
  }
  std::array<char, text_bytes + 1> buffer{};
  const ssize_t size = ::read(file.value(), buffer.data(), buffer.size());
  if (size < 0) fail_ticket("read", path_, errno);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  const auto bytes = parse_hex(text);
  if (!bytes || bytes->size() != ticket_.size() || text.size() != text_bytes)
    throw CodedError(ErrorCode::usage_wrong,
                     "the file " + in_quotes(path_) + " holds no ticket, which is " +
                         std::to_string(text_bytes - 1) +
                         " hexadecimal digits and a line feed; remove it to begin a new session");
  std::ranges::copy(*bytes, ticket_.begin());
}

void TicketFile::keep(const Ticket& ticket) {
  if (ticket == ticket_) return;
  const std::filesystem::path fresh = next_to(path_, ".new");
  const std::string text = to_hex(ByteView(ticket.data(), ticket.size())) + "\n";
  ::unlink(fresh.c_str());  // which a program that was killed may have left
  const Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) fail_ticket("write", fresh, errno);
  const bool is_written =
      ::write(file.value(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file.value()) == 0 && ::rename(fresh.c_str(), path_.c_str()) == 0;
  if (!is_written) {
    const int error = errno;
    ::unlink(fresh.c_str());
    fail_ticket("write", path_, error);
  }
  ticket_ = ticket;
}

}  // namespace lekt::command
