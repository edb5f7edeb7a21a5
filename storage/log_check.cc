#include "storage/log_check.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <system_error>

#include "common/bytes.h"
#include "common/calendar.h"
#include "common/descriptor.h"
#include "storage/database_files.h"
#include "storage/file_checks.h"
#include "storage/new_file.h"
#include "storage/open_errors.h"
#include "storage/read_only.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

// https://sqlite.org/fileformat.html, "WAL File Format".
constexpr std::size_t log_header_bytes = 32;
constexpr std::size_t log_checked_bytes = 24;
constexpr std::uint32_t log_magic = 0x377f0682;  // with the lowest bit set, checksums are of big-endian words
constexpr std::uint32_t log_version = 3007000;
constexpr std::size_t log_frame_header_bytes = 24;
constexpr std::size_t page_size_offset = 16;

std::uint32_t word_of(ByteView bytes, std::size_t offset, bool big_endian) {
  std::uint32_t word = 0;
  for (std::size_t index = 0; index < 4; ++index) {
    const auto byte = static_cast<std::uint8_t>(bytes[offset + (big_endian ? index : 3 - index)]);
    word = word << 8 | byte;
  }
  return word;
}

/// Whether a log has what SQLite requires before it reads a frame.
bool is_log_header(ByteView header) {
  if (header.size() < log_header_bytes) return false;
  const std::uint32_t magic = word_of(header, 0, true);
  if ((magic & ~1U) != log_magic || word_of(header, 4, true) != log_version) return false;
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  for (std::size_t offset = 0; offset < log_checked_bytes; offset += 8) {
    first += word_of(header, offset, (magic & 1U) != 0) + second;
    second += word_of(header, offset + 4, (magic & 1U) != 0) + first;
  }
  return first == word_of(header, log_checked_bytes, true) &&
         second == word_of(header, log_checked_bytes + 4, true);
}

/// The first bytes of a file, as many as there are; none if it is not open or cannot be read.
Bytes read_at(const Descriptor& file, std::size_t offset, std::size_t size) {
  Bytes bytes(size, '\0');
  const ssize_t read = pread(file.value(), bytes.data(), size, static_cast<off_t>(offset));
  bytes.resize(read < 0 ? 0 : static_cast<std::size_t>(read));
  return bytes;
}

std::size_t page_size_in(ByteView file_header) {
  const auto high = static_cast<std::uint8_t>(file_header[page_size_offset]);
  const auto low = static_cast<std::uint8_t>(file_header[page_size_offset + 1]);
  const std::size_t size = static_cast<std::size_t>(high) << 8 | low;
  return size == 1 ? 65536 : size;
}

/// Whether the error is about the file's content, as when the file lies between two states and lacks its log, and not
/// about the disk.
bool tells_of_the_content(const SQLite::Exception& error) {
  const int code = code_of(error) & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR;
}

}  // namespace

LogCheck::LogCheck(const fs::path& database)
    : path_(database),
      has_log_(is_log_header(read_first_bytes(log_of(database), log_header_bytes))),
      uses_log_(uses_log(database)) {
  read_without_log();
  if (!has_log_ && !stopped_ && row_) has_all_ = has_all_of_log();
}

void LogCheck::read_without_log() {
  try {
    SQLite::Database alone = connect_immutable(path_);
    row_ = read_server(alone);
    stopped_ = is_stopped(alone);
  } catch (const RowError&) {
    row_.reset();
  } catch (const SQLite::Exception& error) {
    if (!tells_of_the_content(error)) throw;
    row_.reset();
  }
}

/// Compares the pages in the log's frames, up to the last commit, with those of the file. Frames belong together if
/// they repeat the same salts.
bool LogCheck::has_all_of_log() const {
  const Descriptor log(open(log_of(path_).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  const Descriptor file(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  const Bytes header = read_at(file, 0, page_size_offset + 2);
  if (header.size() < page_size_offset + 2) return false;
  const std::size_t page_bytes = page_size_in(header);
  const Bytes first = read_at(log, log_header_bytes, log_frame_header_bytes);
  std::map<std::uint32_t, std::size_t> newest;  // offsets of pages in the log
  std::map<std::uint32_t, std::size_t> committed;
  for (std::size_t offset = log_header_bytes;; offset += log_frame_header_bytes + page_bytes) {
    const Bytes frame = read_at(log, offset, log_frame_header_bytes);
    if (frame.size() < log_frame_header_bytes || frame.compare(8, 8, first, 8, 8) != 0) break;
    newest[word_of(frame, 0, true)] = offset + log_frame_header_bytes;
    if (word_of(frame, 4, true) != 0) committed = newest;
  }
  const auto is_in_file = [&](const auto& page) {
    if (page.first == 0) return false;
    const Bytes logged = read_at(log, page.second, page_bytes);
    return logged.size() == page_bytes && logged == read_at(file, (page.first - 1) * page_bytes, page_bytes);
  };
  return !committed.empty() && std::ranges::all_of(committed, is_in_file);
}

bool LogCheck::is_older(const ServerRow& with_log) const {
  if (!has_log_ || !row_) return false;
  if (with_log.run >= row_->run && with_log.state.sequence >= row_->state.sequence &&
      with_log.state.second >= row_->state.second)
    return false;
  // A page that was half copied at a power loss can say anything, and the log is then the right one.
  SQLite::Database alone = connect_immutable(path_);
  try {
    return alone.execAndGet("PRAGMA quick_check(1)").getString() == "ok";
  } catch (const SQLite::Exception& error) {
    if (!tells_of_the_content(error)) throw;
    return false;
  }
}

fs::path move_log_away(const fs::path& database, std::int64_t now) {
  const fs::path kept = unused_name(log_of(database).string() + ".of-another-state-" + to_compact_iso(now));
  rename_exclusively(log_of(database), kept);
  std::error_code ignored;
  fs::remove(shared_memory_of(database), ignored);
  return kept;
}

void begin_history(SQLite::Database& database, std::int64_t begins) {
  begins = std::min(begins, second_max - 1);
  SQLite::Statement statement(database, "UPDATE server_record SET history_begins = ?1, second = ?2");
  statement.bind(1, begins);
  statement.bind(2, begins + 1);
  statement.exec();
}

}  // namespace lekt::storage
