// How the writers of tables run a statement that they have prepared.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>

namespace lekt::storage {

/// Runs a statement that gives no rows. One that failed can be used again. Throws SQLite::Exception.
inline void execute(SQLite::Statement& statement) {
  try {
    statement.exec();
  } catch (const SQLite::Exception&) {
    statement.tryReset();
    throw;
  }
  statement.reset();
}

inline void execute(SQLite::Statement& statement, std::int64_t value) {
  statement.bind(1, value);
  execute(statement);
}

}  // namespace lekt::storage
