#include "server/operators/handler_log_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "common/errors.h"

namespace lekt {

namespace {

constexpr mode_t directory_mode = 0750;
constexpr mode_t log_file_mode = 0640;

/// Whose file this is, or the older copy of whose; nothing for any other name.
std::optional<Address> owner_of(std::string_view name) {
  constexpr std::string_view prefix = "device-";
  constexpr std::string_view suffix = ".log";
  const std::size_t end = name.rfind(suffix);
  if (!name.starts_with(prefix) || end == name.npos || end < prefix.size()) return std::nullopt;
  const auto address = parse_address(name.substr(prefix.size(), end - prefix.size()));
  if (!address || (name != handler_log_file(*address) && name != handler_log_older_file(*address)))
    return std::nullopt;
  return address;
}

/// The longest beginning of whole lines with at most so many bytes.
std::string_view lines_that_fit(std::string_view lines, std::size_t bytes) {
  if (lines.size() <= bytes) return lines;
  const std::size_t end = bytes == 0 ? lines.npos : lines.rfind('\n', bytes - 1);
  return end == lines.npos ? std::string_view() : lines.substr(0, end + 1);
}

/// All of it, or nothing: false with errno then.
bool write_whole(const Descriptor& file, std::string_view text, std::size_t bytes_before) {
  while (!text.empty()) {
    const ssize_t written = ::write(file.value(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int why = errno;
      if (ftruncate(file.value(), static_cast<off_t>(bytes_before)) != 0) return errno = why, false;
      errno = why;
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Descriptor HandlerLogDirectory::open_file(int directory, const std::string& name) {
  // Without O_NONBLOCK a pipe of that name would keep the thread until somebody reads it.
  return Descriptor(openat(directory, name.c_str(),
                           O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                           log_file_mode));
}

void HandlerLogDirectory::append(Address device, std::string_view& lines) {
  const Descriptor directory = open_directory();
  const std::string name = handler_log_file(device);
  make_room(directory, device);
  while (!lines.empty()) {
    Opened file = open_regular(directory, name);
    if (!file.descriptor.is_open()) {
      set_aside(directory, device);
      continue;
    }
    std::string_view part =
        lines_that_fit(lines, limits_.file_bytes - std::min(file.bytes, limits_.file_bytes));
    if (part.empty() && file.bytes > 0) {
      set_aside(directory, device);
      continue;
    }
    if (part.empty()) part = lines.substr(0, lines.find('\n') + 1);
    if (!write_whole(file.descriptor, part, file.bytes)) fail("write", name);
    lines.remove_prefix(part.size());
  }
  note_written(device, newest_ + 1);
}

/// Makes it unless it is there; what is in it counts from the beginning.
Descriptor HandlerLogDirectory::open_directory() {
  const auto open_it = [this] { return Descriptor(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); };
  Descriptor directory = open_it();
  if (!directory.is_open() && errno == ENOENT) {
    if (mkdir(path_.c_str(), directory_mode) != 0 && errno != EEXIST) fail("make", {});
    is_listed_ = false;
    directory = open_it();
  }
  if (!directory.is_open()) fail("open", {});
  if (!is_listed_) list_files(directory);
  return directory;
}

void HandlerLogDirectory::list_files(const Descriptor& directory) {
  written_.clear();
  by_time_.clear();
  const int again = openat(directory.value(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(again < 0 ? nullptr : fdopendir(again), closedir);
  if (entries == nullptr) fail("read", {});
  while (const dirent* entry = readdir(entries.get())) {
    const auto device = owner_of(entry->d_name);
    struct stat status {};
    if (!device || fstatat(directory.value(), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    constexpr std::int64_t second = 1'000'000'000;
    const std::int64_t when = status.st_mtim.tv_sec * second + status.st_mtim.tv_nsec;
    const auto known = written_.find(*device);
    note_written(*device, known == written_.end() ? when : std::max(when, known->second));
  }
  is_listed_ = true;
}

/// The oldest go until there is room for the file of this address.
void HandlerLogDirectory::make_room(const Descriptor& directory, Address device) {
  const std::size_t others = limits_.files - (written_.contains(device) ? 0 : 1);
  while (written_.size() > others) {
    auto oldest = by_time_.begin();
    if (oldest->second == device) ++oldest;
    const Address gone = oldest->second;
    for (const std::string& name : {handler_log_file(gone), handler_log_older_file(gone)})
      unlinkat(directory.value(), name.c_str(), 0);
    by_time_.erase(oldest);
    written_.erase(gone);
  }
}

void HandlerLogDirectory::note_written(Address device, std::int64_t when) {
  const auto [known, is_new] = written_.try_emplace(device, when);
  if (!is_new) by_time_.erase({std::exchange(known->second, when), device});
  by_time_.emplace(when, device);
  newest_ = std::max(newest_, when);
}

/// Not open when something that is no file has the name.
HandlerLogDirectory::Opened HandlerLogDirectory::open_regular(const Descriptor& directory,
                                                              const std::string& name) {
  Descriptor file = open_(directory.value(), name);
  if (!file.is_open()) {
    if (errno == ELOOP || errno == ENXIO) return {Descriptor(-1), 0};
    fail("open", name);
  }
  struct stat status {};
  if (fstat(file.value(), &status) != 0) fail("read", name);
  if (!S_ISREG(status.st_mode)) return {Descriptor(-1), 0};
  return {std::move(file), static_cast<std::size_t>(status.st_size)};
}

/// It becomes the older copy.
void HandlerLogDirectory::set_aside(const Descriptor& directory, Address device) {
  const std::string name = handler_log_file(device);
  if (renameat(directory.value(), name.c_str(), directory.value(), handler_log_older_file(device).c_str()) !=
      0)
    fail("move", name);
}

void HandlerLogDirectory::fail(const std::string& what, const std::string& name) const {
  const char* why = std::strerror(errno);
  throw CodedError(ErrorCode::device_log_failed,
                   "cannot " + what + " " + (name.empty() ? path_ : path_ / name).string() + ": " + why +
                       "; lines of the devices' handler log are missing until it can be done");
}

}  // namespace lekt
