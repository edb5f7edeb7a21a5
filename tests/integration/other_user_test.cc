// Another user of the file's group reads the database: while the server runs, after a clean stop, after kill
// -9.
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <exception>
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

constexpr uid_t other_user = 65534;
constexpr gid_t readers_group = 65533;

class OtherUserTest : public DaemonTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    // The set-group-ID bit makes new files belong to the directory's group.
    ASSERT_EQ(chown(directory_.path().c_str(), 0, readers_group), 0);
    ASSERT_EQ(chmod(directory_.path().c_str(), 02750), 0);
  }

  /// The answer that the other user gets, or the trouble in words.
  std::string ask_as_other(const std::string& sql) const {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) throw std::runtime_error("pipe");
    const pid_t child = fork();
    if (child == 0) {
      const std::string answer = become_other() ? ask(sql) : "cannot become another user";
      [[maybe_unused]] const ssize_t written = ::write(ends[1], answer.data(), answer.size());
      _exit(0);
    }
    close(ends[1]);
    std::string answer(1024, '\0');
    const ssize_t size = ::read(ends[0], answer.data(), answer.size());
    answer.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    close(ends[0]);
    waitpid(child, nullptr, 0);
    return answer;
  }

 private:
  static bool become_other() {
    return setgroups(0, nullptr) == 0 && setgid(readers_group) == 0 && setuid(other_user) == 0;
  }

  std::string ask(const std::string& sql) const {
    try {
      return Operator(database()).ask_one(sql);
    } catch (const std::exception& error) {
      return error.what();
    }
  }
};

}  // namespace

TEST_F(OtherUserTest, reads_while_the_server_runs_after_a_clean_stop_and_after_a_kill) {
  const std::string question = "SELECT group_concat(address, ' ') FROM clients";
  RawClient first = joined(start().port(), "127.0.0.2");
  EXPECT_EQ(ask_as_other(question), "127.0.0.2");
  ASSERT_EQ(daemon().stop(SIGTERM), 0);
  EXPECT_EQ(ask_as_other(question), "127.0.0.2");
  RawClient second = joined(start({"--restart-grace", "1h"}).port(), "127.0.0.3");
  daemon().kill();
  EXPECT_EQ(ask_as_other(question), "127.0.0.2 127.0.0.3");
}

TEST_F(OtherUserTest, cannot_write) {
  start();
  EXPECT_EQ(ask_as_other("DELETE FROM client_record").substr(0, 38),
            "attempt to write a readonly database i");
}

}  // namespace lekt::test
