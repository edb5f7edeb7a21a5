// `lekt join --state`: what one program has learned, the next one goes on with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "tests/client/fake_server.h"
#include "tests/client/program.h"
#include "tests/support/support.h"

namespace lekt::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProgramState : public testing::Test {
 protected:
  std::string file() const { return (directory_.path() / "state").string(); }

  /// What a lekt prints that leaves after one answer.
  std::string join(const FakeServer& server) {
    Program program({"join", "--server", server.name(), "--count", "1", "--state", file()});
    EXPECT_EQ(program.wait(), 0) << program.error();
    errors_ = program.error();
    return program.out();
  }

  static FakeServer::Script answers(std::int64_t expected, std::int64_t closing,
                                    std::vector<AddedEntry> entries, LogIdentity identity = {1}) {
    return [=](FakeConnection& connection) {
      connection.let_join(identity);
      EXPECT_EQ(connection.answer(closing, entries), expected);
      connection.expect_end();
    };
  }

  TempDirectory directory_;
  std::string errors_;
};

TEST_F(ProgramState, has_the_server_send_only_what_is_new_and_prints_everyone) {
  FakeServer server({answers(0, 100, {added("10.0.0.1", tcp(1))}),
                     answers(100, 101, {added("10.0.0.2", tcp(2))}), answers(101, 101, {})});
  EXPECT_EQ(join(server), "+ 10.0.0.1 tcp:1\n");
  EXPECT_EQ(join(server), "+ 10.0.0.1 tcp:1\n+ 10.0.0.2 tcp:2\n");
  EXPECT_EQ(join(server), "+ 10.0.0.1 tcp:1\n+ 10.0.0.2 tcp:2\n");
}

TEST_F(ProgramState, of_another_log_is_not_gone_on_with) {
  FakeServer server({answers(0, 100, {added("10.0.0.1", tcp(1))}),
                     answers(0, 50, {added("10.0.0.2", tcp(2))}, {2}), answers(50, 51, {}, {2})});
  EXPECT_EQ(join(server), "+ 10.0.0.1 tcp:1\n");
  EXPECT_EQ(join(server), "+ 10.0.0.2 tcp:2\n");
  EXPECT_EQ(join(server), "+ 10.0.0.2 tcp:2\n");
}

TEST_F(ProgramState, that_cannot_be_used_is_reported_once_and_written_anew) {
  std::ofstream(file()) << "10.0.0.7 printer\n";
  FakeServer server({answers(0, 100, {added("10.0.0.1", tcp(1))}), answers(100, 100, {})});
  EXPECT_EQ(join(server), "+ 10.0.0.1 tcp:1\n");
  EXPECT_THAT(errors_,
              HasSubstr("lekt: E715 --state \"" + file() +
                        "\" cannot be used, so the whole list is asked for: it does not begin as the state "
                        "of a client does\n"));
  EXPECT_EQ(join(server), "+ 10.0.0.1 tcp:1\n");
  EXPECT_THAT(errors_, Not(HasSubstr("E715")));
}

TEST_F(ProgramState, is_on_the_disk_while_the_program_runs_and_survives_its_kill) {
  FakeServer server({[](FakeConnection& connection) {
                       connection.let_join(LogIdentity{1});
                       connection.answer(100, {added("10.0.0.1", tcp(1))});
                       try {
                         connection.expect_end();
                       } catch (const std::exception&) {
                         // However the kernel ends a connection of a process that was killed.
                       }
                     },
                     answers(100, 100, {})});
  {
    Program program({"join", "--server", server.name(), "--interval", "1h", "--state", file()});
    const auto written = [&] { return std::ifstream(file()).peek() != std::ifstream::traits_type::eof(); };
    for (int tries = 0; tries < 1000 && !written(); ++tries) ::usleep(10'000);
    EXPECT_TRUE(written());
    program.signal(SIGKILL);
    program.wait();
  }
  EXPECT_EQ(join(server), "+ 10.0.0.1 tcp:1\n");
}

TEST_F(ProgramState, that_cannot_be_written_is_an_error_before_joining) {
  Program program({"join", "--server", "127.0.0.1:1", "--state", directory_.path().string()});
  EXPECT_EQ(program.wait(), 2);
  EXPECT_THAT(program.error(),
              HasSubstr("E705 --state \"" + directory_.path().string() + "\" is a directory"));
}

}  // namespace
}  // namespace lekt::test
