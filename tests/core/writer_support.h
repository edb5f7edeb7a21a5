// A writer on a real database in virtual time: seconds pass when a test says so.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "server/core/writer.h"
#include "tests/core/support.h"
#include "tests/support/support.h"

namespace lekt::test {

using Lines = std::vector<std::string>;

class WriterTest : public testing::Test {
 protected:
  static constexpr std::int64_t started = 1'700'000'000;

  explicit WriterTest(const std::filesystem::path& parent = std::filesystem::temp_directory_path());

  /// Opens the database and starts a writer on it, as the program does; ends the one before without a clean
  /// stop.
  void start();
  /// Both clocks go on.
  void pass(AwakeTime time);
  Writer::Turn turn() {
    Writer::Turn turn = writer_->turn(now_);
    writer_->check();
    return turn;
  }
  /// A turn now, and one each second after that.
  void turns(int seconds);

  void join(SessionId session, std::string_view dotted, std::uint16_t port = 7890);
  void leave(SessionId session, std::string_view dotted);

  std::filesystem::path path() const { return directory_.path() / "lekt.db"; }
  /// An operator's connection.
  SQLite::Database operator_connection() const {
    return SQLite::Database(path().string(), SQLite::OPEN_READWRITE);
  }

  /// The clients that are here, according to what clients are told, and to what the database holds.
  List told() const { return list_of(*writer_->view()); }
  List stored() const;
  std::int64_t closing() const { return writer_->view()->closing(); }

  TempDirectory directory_;
  MethodCatalogue catalogue_;
  storage::DatabaseSettings database_settings_;
  WriterSettings settings_;
  Moment now_{std::chrono::seconds(1000), started};
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Writer> writer_;
};

/// A foreign program that holds the write lock until the end of the scope.
class WriteLock {
 public:
  explicit WriteLock(const std::filesystem::path& path) : connection_(path.string(), SQLite::OPEN_READWRITE) {
    connection_.exec("BEGIN IMMEDIATE");
  }
  ~WriteLock() { connection_.exec("ROLLBACK"); }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

 private:
  SQLite::Database connection_;
};

/// Until the end of its scope, no file can be written beyond a number of bytes. To a program this looks like a full
/// or broken disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes = 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

/// "1 joined", "2 E403", in the order of the completions.
Lines words(const std::vector<Writer::Completion>& completions);
/// "+ 10.0.0.7 tcp:7890", "- 10.0.0.8"
Lines words(const std::vector<storage::Change>& changes);

}  // namespace lekt::test
