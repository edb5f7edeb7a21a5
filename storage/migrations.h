// The schema's numbered migrations. PRAGMA user_version holds the number of the last one that was applied.
#pragma once

#include <string_view>
#include <vector>

namespace SQLite {
class Database;
}

namespace lekt::storage {

/// The text of schema.sql, embedded by the build.
extern const std::string_view schema_text;

/// The sections of a schema's text in order; the first brings an empty database to version 1. A section
/// begins with a line "-- migration NUMBER"; text before the first one belongs to none. The views point into
/// the text.
std::vector<std::string_view> split_migrations(std::string_view text);

/// Applies the sections that the database does not have yet, each in a transaction of its own together with
/// its number. Throws SQLite::Exception; sections that were applied before stay.
void migrate(SQLite::Database& database, const std::vector<std::string_view>& migrations);

}  // namespace lekt::storage
