#include "storage/migrations.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <cassert>
#include <string>

namespace lekt::storage {

std::vector<std::string_view> split_migrations(std::string_view text) {
  std::vector<std::string_view> sections;
  const auto marker = [&] { return "\n-- migration " + std::to_string(sections.size() + 1) + ":"; };
  std::size_t begin = text.find(marker());
  while (begin != text.npos) {
    sections.push_back(text.substr(begin));
    const std::size_t end = sections.back().find(marker());
    if (end == text.npos) break;
    sections.back() = sections.back().substr(0, end);
    begin += end;
  }
  return sections;
}

void migrate(SQLite::Database& database, const std::vector<std::string_view>& migrations) {
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  assert(version >= 0);
  for (std::size_t number = static_cast<std::size_t>(version) + 1; number <= migrations.size(); ++number) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(std::string(migrations[number - 1]));
    database.exec("PRAGMA user_version = " + std::to_string(number));
    transaction.commit();
  }
}

}  // namespace lekt::storage
