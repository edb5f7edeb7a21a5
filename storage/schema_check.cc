#include "storage/schema_check.h"

#include <map>
#include <utility>

#include "common/text.h"
#include "storage/migrations.h"
#include "storage/read_only.h"

namespace lekt::storage {

namespace {

using Name = std::pair<std::string, std::string>;  ///< an object's type and name: "view", "clients"

/// Each object with the table that it belongs to and its definition.
std::map<Name, std::string> objects_of(SQLite::Database& database) {
  std::map<Name, std::string> objects;
  SQLite::Statement row(database,
                        "SELECT type, name, tbl_name || ' ' || coalesce(sql, '') FROM sqlite_schema "
                        "WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'");
  while (row.executeStep())
    objects[{row.getColumn(0).getString(), row.getColumn(1).getString()}] = row.getColumn(2).getString();
  return objects;
}

std::string named(const Name& name) { return "schema: the " + name.first + " " + escape(name.second); }

}  // namespace

std::vector<std::string> schema_findings(SQLite::Database& database) {
  SQLite::Database own(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  auto migrations = split_migrations(schema_text);
  const auto version = static_cast<std::size_t>(schema_version(database));
  if (version < migrations.size()) migrations.resize(version);
  migrate(own, migrations);
  const std::map<Name, std::string> found = objects_of(database);
  const std::map<Name, std::string> right = objects_of(own);
  std::vector<std::string> findings;
  for (const auto& [name, definition] : found) {
    const auto known = right.find(name);
    if (known == right.end())
      findings.push_back(named(name) + " is not of this program; drop it");
    else if (known->second != definition)
      findings.push_back(named(name) + " is not defined as this program defines it");
  }
  for (const auto& [name, definition] : right)
    if (!found.contains(name)) findings.push_back(named(name) + " is missing");
  return findings;
}

std::string foreign_trigger(SQLite::Database& database) {
  SQLite::Statement row(database, "SELECT name FROM sqlite_schema WHERE type = 'trigger' LIMIT 1");
  return row.executeStep() ? row.getColumn(0).getString() : std::string();
}

}  // namespace lekt::storage
