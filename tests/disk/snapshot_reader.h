// Another program that holds a read transaction on a database: the log cannot be copied back beyond what it
// sees, and the log's index stays as it is while the server closes and opens the database, or dies.
//
// It goes around the faulty disk: its own troubles are nobody's. Ends before a power loss, which it does not
// survive.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>

namespace lekt::test {

class SnapshotReader {
 public:
  /// Reads nothing when there is no database.
  explicit SnapshotReader(const std::filesystem::path& path) {
    sqlite3* connection = nullptr;
    sqlite3_open_v2(path.c_str(), &connection, SQLITE_OPEN_READONLY, "unix");
    connection_.reset(connection);
    sqlite3_exec(connection, "BEGIN; SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr);
  }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close(connection); }
  };
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace lekt::test
