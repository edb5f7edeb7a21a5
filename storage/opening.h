// Opens a database for writing: looks at the file and its log before SQLite does, opens the connection, begins
// history anew if the newest state is lost, and brings the schema up to date. The server's Database and the
// operator's StoppedDatabase both use it. The caller holds the lock.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "storage/connection.h"
#include "storage/file_checks.h"

namespace lekt::storage {

/// The absolute path without links. Throws CodedError E503, E508 if the file would lie on a network file
/// system, and E513 if it has more than one name.
std::filesystem::path local_path(const std::filesystem::path& path);

struct OpeningSettings {
  std::filesystem::path path;
  std::chrono::milliseconds busy_wait{0};
  std::size_t checkpoint_bytes = 0;
  bool durable = true;
  std::int64_t now = 0;  ///< wall clock, Unix seconds
};

struct Opened {
  std::unique_ptr<Connection> connection;  ///< not settled yet
  std::string lost_log;                    ///< why history has begun anew; empty if it has not
};

/// Opens a database that this process has not opened yet. Throws CodedError and SQLite::Exception.
Opened open_for_writing(const OpeningSettings& settings, FileState found);

/// Opens a database that was open before in this process and is known to be whole. Throws like
/// open_for_writing().
std::unique_ptr<Connection> open_again(const OpeningSettings& settings);

}  // namespace lekt::storage
