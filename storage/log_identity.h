// The identity of the change log in the database: made once, and kept by everything that happens to the file.
//
// Everything here throws SQLite::Exception. Transactions are the caller's.
#pragma once

#include <functional>

#include "common/features.h"

namespace SQLite {
class Database;
}

namespace lekt::storage {

/// Sixteen bytes from the kernel's generator. Throws std::system_error.
LogIdentity random_identity();

/// Gives the log an identity unless it has one. The server's row is there.
void name_log(SQLite::Database& database, const std::function<LogIdentity()>& make);

/// Reads the identity. Throws RowError if there is no sensible one.
LogIdentity read_identity(SQLite::Database& database);

}  // namespace lekt::storage
