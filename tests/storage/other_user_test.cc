// Another user, a member of the file's group who cannot write the directory, reads with mode=ro: after a
// clean stop, after a kill, and while the server writes.
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>

#include "common/descriptor.h"
#include "storage/check.h"
#include "storage/reader.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

using namespace std::chrono_literals;

constexpr uid_t other_user = 65534;
constexpr gid_t readers_group = 65533;

/// The index of a running server's log. Spoilt, it looks as it does while it is written anew.
class Index {
 public:
  explicit Index(const std::string& path) : file_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    if (pread(file_.value(), header_.data(), header_.size(), 0) != static_cast<ssize_t>(header_.size()))
      throw std::runtime_error("no index of the log");
  }
  void spoil() { write(Header()); }
  void mend() { write(header_); }

 private:
  using Header = std::array<char, 96>;  // both copies (sqlite.org/walformat.html)
  void write(const Header& header) {
    if (pwrite(file_.value(), header.data(), header.size(), 0) != static_cast<ssize_t>(header.size()))
      throw std::runtime_error("the index of the log cannot be written");
  }

  const Descriptor file_;
  Header header_{};
};

/// While it lives, this process opens files as the other user.
class AsOtherUser {
 public:
  AsOtherUser() {
    if (setegid(readers_group) != 0 || seteuid(other_user) != 0) throw std::runtime_error("not allowed");
  }
  ~AsOtherUser() {
    if (seteuid(0) != 0 || setegid(0) != 0) std::abort();
  }
  AsOtherUser(const AsOtherUser&) = delete;
  AsOtherUser& operator=(const AsOtherUser&) = delete;
};

/// How long it takes until this fails.
std::chrono::steady_clock::duration fails_after(const std::function<void()>& action) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "readonly database", error_of(action).what());
  return std::chrono::steady_clock::now() - begin;
}

class OtherUserTest : public StorageTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    // The set-group-ID bit makes new files belong to the directory's group.
    ASSERT_EQ(chown(directory_.c_str(), 0, readers_group), 0);
    ASSERT_EQ(chmod(directory_.c_str(), 02750), 0);
  }

  std::string ask_as(gid_t group, const std::string& sql) const {
    return shell(path(), sql,
                 "setpriv --reuid=" + std::to_string(other_user) + " --regid=" + std::to_string(group) +
                     " --clear-groups " SQLITE3_SHELL);
  }

  /// The newest sequence as the other user sees it.
  std::uint64_t newest_seen() const {
    // SQLite tells a reader that may not write the log's index so, for a moment, while it is written anew.
    constexpr int tries_max = 50;
    std::string answer;
    for (int tries = 0; tries == 0 || (tries < tries_max && answer.find("readonly database") != answer.npos);
         ++tries)
      answer = ask_as(readers_group, "select newest_change from server");
    const std::size_t line = answer.find("\n-------------\n");
    EXPECT_NE(line, std::string::npos) << answer;
    return line == std::string::npos ? 0 : std::strtoull(answer.c_str() + line + 15, nullptr, 10);
  }

  static void commit_next(Database& database) {
    const std::uint64_t sequence = database.state().sequence + 1;
    commit(database,
           {added(sequence, started + 1, Address::v4(0x0a000001u + static_cast<std::uint32_t>(sequence % 10)),
                  {{tcp_index, tcp_information(7890)}})});
  }
};

TEST_F(OtherUserTest, reads_after_a_clean_stop) {
  {
    Database database(settings_);
    commit_next(database);
  }
  EXPECT_EQ(newest_seen(), 1u);
  EXPECT_EQ(ask_as(readers_group, "select address from clients"), "address \n--------\n10.0.0.2\n");
}

TEST_F(OtherUserTest, reads_what_is_only_in_the_log_after_a_kill) {
  Child child([&](int output) {
    Database database(settings_);
    for (int i = 0; i < 5; ++i) commit_next(database);
    send_number(output, 5);
    pause();
  });
  std::uint64_t committed = 0;
  ASSERT_TRUE(child.read(committed));
  EXPECT_EQ(newest_seen(), 5u) << "while it runs";
  child.kill();
  EXPECT_EQ(newest_seen(), 5u) << "after it was killed";
  const Database database(settings_);
  EXPECT_EQ(newest_seen(), 5u) << "after the next start";
}

TEST_F(OtherUserTest, reads_while_the_server_writes_and_checkpoints) {
  settings_.checkpoint_bytes = 64 * 1024;
  Child child([&](int output) {
    Database database(settings_);
    for (;;) {
      commit_next(database);
      send_number(output, database.state().sequence);
    }
  });
  std::uint64_t committed = 0;
  for (int question = 0; question < 50; ++question) {
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(child.read(committed));
    EXPECT_GE(newest_seen(), committed);
  }
}

TEST_F(OtherUserTest, waits_a_while_for_the_index_of_the_log) {
  Child child([&](int output) {
    Database database(settings_);
    commit_next(database);
    send_number(output, 1);
    pause();
  });
  std::uint64_t committed = 0;
  ASSERT_TRUE(child.read(committed));
  Index index(path().string() + "-shm");
  const AsOtherUser user;
  index.spoil();
  EXPECT_GE(fails_after([&] { Reader reader(path()); }), 500ms) << "to open";
  EXPECT_GE(fails_after([&] { check(path()); }), 500ms);
  index.mend();
  Reader reader(path());
  index.spoil();
  EXPECT_GE(fails_after([&] { reader.server(); }), 500ms) << "to read";
  index.mend();
  EXPECT_EQ(reader.server().log.sequence, 1u);
}

TEST_F(OtherUserTest, cannot_write) {
  { Database database(settings_); }
  EXPECT_NE(ask_as(readers_group, "delete from client_record").find("readonly"), std::string::npos);
}

TEST_F(OtherUserTest, is_told_which_file_he_cannot_use_when_he_starts_a_server) {
  { Database database(settings_); }
  ASSERT_EQ(chown(directory_.c_str(), other_user, readers_group), 0);
  ASSERT_EQ(chown(path().c_str(), other_user, readers_group), 0);
  Child child([&](int output) {
    if (setgroups(0, nullptr) != 0 || setgid(readers_group) != 0 || setuid(other_user) != 0) return;
    const CodedError error = error_of([&] { Database database(settings_); });
    const std::string expected = "E503 cannot read and write " + path().string() + "-wal as user ";
    const std::string owner =
        "Permission denied; it belongs to user root (0), so run this as that user or as root";
    const std::string told = error.what();
    send_number(output, told.starts_with(expected) && told.ends_with(owner) ? 1 : 0);
  });
  std::uint64_t told = 0;
  ASSERT_TRUE(child.read(told));
  EXPECT_EQ(told, 1u);
}

TEST_F(OtherUserTest, who_is_not_in_the_group_sees_nothing) {
  { Database database(settings_); }
  ASSERT_EQ(chmod(directory_.c_str(), 02755), 0);
  EXPECT_NE(ask_as(other_user, "select * from server").find("unable to open"), std::string::npos);
}

}  // namespace

}  // namespace lekt::storage
