#include "tests/integration/sqlite.h"

#include <sqlite3.h>

#include <stdexcept>

namespace lekt::test {

namespace {

int take_row(void* rows, int columns, char** values, char**) {
  std::string row;
  for (int column = 0; column < columns; ++column) {
    if (column != 0) row += '|';
    if (values[column] != nullptr) row += values[column];
  }
  static_cast<std::vector<std::string>*>(rows)->push_back(row);
  return 0;
}

}  // namespace

Operator::Operator(const std::filesystem::path& database, Access access) {
  const int flags = access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (sqlite3_open_v2(database.c_str(), &database_, flags, nullptr) != SQLITE_OK) {
    const std::string message = sqlite3_errmsg(database_);
    sqlite3_close_v2(database_);
    throw std::runtime_error(message);
  }
  sqlite3_busy_timeout(database_, 5000);
  // A second connection that checkpoints can damage the file; see docs/architecture.md, "Storage".
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_wal_autocheckpoint(database_, 0);
}

Operator::~Operator() { sqlite3_close_v2(database_); }

std::vector<std::string> Operator::ask(const std::string& sql) {
  std::vector<std::string> rows;
  char* error = nullptr;
  if (sqlite3_exec(database_, sql.c_str(), take_row, &rows, &error) == SQLITE_OK) return rows;
  const std::string message = error != nullptr ? error : "unknown error";
  sqlite3_free(error);
  throw std::runtime_error(message + " in: " + sql);
}

std::string Operator::ask_one(const std::string& sql) {
  const std::vector<std::string> rows = ask(sql);
  return rows.empty() ? std::string() : rows.front();
}

std::vector<std::string> listed(const std::filesystem::path& database) {
  return Operator(database).ask("SELECT address FROM clients");
}

}  // namespace lekt::test
