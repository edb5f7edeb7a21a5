// Checks that a database has the schema that this program gives it, and nothing else. A trigger could make joins
// vanish, and a view with a name that a later migration needs would make that migration fail.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>
#include <vector>

namespace lekt::storage {

/// Everything that should not be there, is missing, or differs from what the migrations up to the database's own
/// version make. What ANALYZE has collected does not count as a difference. Throws SQLite::Exception.
std::vector<std::string> schema_findings(SQLite::Database& database);

/// The name of the first trigger; empty if there is none, as it should be. Throws SQLite::Exception.
std::string foreign_trigger(SQLite::Database& database);

}  // namespace lekt::storage
