// An operator: somebody who opens the server's database with SQLite while the server runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

struct sqlite3;

namespace lekt::test {

class Operator {
 public:
  enum class Access { read_only, read_write };

  /// Throws std::runtime_error with SQLite's words, as everything here does.
  explicit Operator(const std::filesystem::path& database, Access access = Access::read_only);
  ~Operator();
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  /// Rows as the shell prints them: columns separated by '|'.
  std::vector<std::string> ask(const std::string& sql);
  /// The first row; empty when there is none.
  std::string ask_one(const std::string& sql);

 private:
  sqlite3* database_ = nullptr;
};

/// A write transaction that is open until the end of the scope.
class WriteLock {
 public:
  explicit WriteLock(const std::filesystem::path& database)
      : writer_(database, Operator::Access::read_write) {
    writer_.ask("BEGIN IMMEDIATE");
  }
  ~WriteLock() { writer_.ask("ROLLBACK"); }

 private:
  Operator writer_;
};

/// Addresses that the database lists, ascending by their numbers.
std::vector<std::string> listed(const std::filesystem::path& database);

}  // namespace lekt::test
