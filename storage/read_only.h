// A read-only connection to a database that a server may have open: what Reader, the check and the backup
// look through.
//
// It never checkpoints, never writes, and opens no descriptor of the database but SQLite's own, so it may be
// used within the server's process too. It waits for a moment where SQLite is recovering a log.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>

namespace lekt::storage {

/// Throws CodedError E503 when it is missing or may not be read, E505 when it is not ours, E506 when it is
/// damaged, E507 when a newer program has written it. An older schema is accepted.
SQLite::Database open_read_only(const std::filesystem::path& path);

/// The same for a file that nobody changes meanwhile and that has no log beside it, such as a backup: no file
/// beside it is needed or made.
SQLite::Database open_immutable(const std::filesystem::path& path);

/// The number of the last migration that was applied.
int schema_version(SQLite::Database& database);

}  // namespace lekt::storage
