// What the storage tests share: short ways to write changes, and a second process.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/catalogue.h"
#include "common/errors.h"
#include "storage/database.h"
#include "tests/support/support.h"

namespace lekt::storage {

/// 2026-01-02 03:04:00 UTC, when the tests' servers start.
inline constexpr std::int64_t started = 1767323040;

/// A new directory, with what a Database needs to be opened in it.
class StorageTest : public testing::Test {
 protected:
  explicit StorageTest(const std::filesystem::path& parent = std::filesystem::temp_directory_path());

  std::filesystem::path path() const { return directory_ / "lekt.db"; }

  test::TempDirectory temporary_;
  std::filesystem::path directory_;  ///< without links, as in messages
  MethodCatalogue catalogue_;
  DatabaseSettings settings_;
};

Change added(std::uint64_t sequence, std::int64_t second, Address address, Methods methods);
Change added(std::uint64_t sequence, std::int64_t second, const char* address, std::uint16_t port = 7890);
Change removed(std::uint64_t sequence, std::int64_t second, const char* address,
               LeaveReason reason = LeaveReason::unknown);
Address address_of(const char* text);

/// Commits the changes with the state that follows from the last of them.
CommitResult commit(Database& database, const std::vector<Change>& changes,
                    const std::vector<Presence>& presences = {});

std::vector<Change> load_all(Database& database);

// Changes of a known history, in which the sequence number tells everything, so that they can be checked when
// they are read back.

/// Changes in one commit.
inline constexpr std::uint64_t known_batch = 3;
/// Commits the next ones.
CommitResult commit_next(Database& database);
/// The database holds, for each address of the known history, the newest change up to its sequence.
void expect_whole(Database& database);

/// "1 A 10.0.0.7 tcp:7890 @1700000000", to compare and to print.
std::string describe(const Change& change);
std::vector<std::string> describe(const std::vector<Change>& changes);

/// The error that the action throws, or a test failure.
CodedError error_of(const std::function<void()>& action);

/// What the sqlite3 shell prints, opened with mode=ro; `shell` can stand for another command that runs it.
std::string shell(const std::filesystem::path& path, const std::string& sql,
                  const std::string& command = SQLITE3_SHELL);

void write_file(const std::filesystem::path& path, const std::string& content);
std::vector<std::string> files_in(const std::filesystem::path& directory);

/// A forked process that runs the action with a descriptor to write to, and ends. It is killed at the end of
/// the scope.
class Child {
 public:
  explicit Child(const std::function<void(int output)>& action);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t id() const { return id_; }
  /// The next number that the child has written; false when it has ended.
  bool read(std::uint64_t& number);
  void kill();

 private:
  pid_t id_ = -1;
  int input_ = -1;
};

/// For use in a child: sends a number to the parent.
void send_number(int output, std::uint64_t number);

}  // namespace lekt::storage
