#include "client/command/device_program/ticket_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <functional>

#include "common/errors.h"
#include "tests/support/support.h"

namespace lekt::command {
namespace {

Ticket ticket_of(char byte) {
  Ticket ticket;
  ticket.fill(byte);
  return ticket;
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const CodedError& error) {
    return error.what();
  }
  return "";
}

class TicketFileTest : public testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }

  test::TempDirectory directory_;
  const std::filesystem::path path_ = directory_.path() / "device-1";
};

TEST_F(TicketFileTest, holds_none_at_first_and_the_last_one_later) {
  {
    TicketFile file(path_);
    EXPECT_EQ(file.ticket(), no_ticket);
    file.keep(no_ticket);
    EXPECT_FALSE(std::filesystem::exists(path_));
    file.keep(ticket_of('a'));
    file.keep(ticket_of('b'));
    EXPECT_EQ(file.ticket(), ticket_of('b'));
  }
  EXPECT_EQ(TicketFile(path_).ticket(), ticket_of('b'));
  EXPECT_EQ(test::read_text(path_), "62626262626262626262626262626262\n");
}

TEST_F(TicketFileTest, is_for_its_owner_alone) {
  TicketFile(path_).keep(ticket_of('a'));
  struct stat found {};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(TicketFileTest, a_writer_that_was_killed_leaves_nothing_in_the_way) {
  std::ofstream(path_.string() + ".new") << "cut";
  TicketFile(path_).keep(ticket_of('a'));
  EXPECT_EQ(TicketFile(path_).ticket(), ticket_of('a'));
  EXPECT_FALSE(std::filesystem::exists(path_.string() + ".new"));
}

TEST_F(TicketFileTest, what_is_no_ticket_is_refused) {
  const std::string right(32, '1');
  for (const std::string& text :
       {std::string(), right, right + "\n\n", right.substr(1) + "\n", right.substr(1) + "x\n",
        std::string(1000, '1'), right.substr(2) + "  \n"}) {
    write(text);
    EXPECT_EQ(error_of([&] { TicketFile file(path_); }),
              "E705 the file \"" + path_.string() +
                  "\" holds no ticket, which is 32 hexadecimal digits and a line feed; remove it to begin a "
                  "new session")
        << text;
  }
}

TEST_F(TicketFileTest, one_device_alone_has_it) {
  {
    const TicketFile file(path_);
    EXPECT_EQ(error_of([&] { TicketFile other(path_); }),
              "E714 the ticket \"" + path_.string() +
                  "\" is in use by another lekt device; two devices need two --uid");
  }
  EXPECT_EQ(error_of([&] { TicketFile other(path_); }), "");
}

TEST_F(TicketFileTest, what_cannot_be_written_leaves_the_old_ticket) {
  TicketFile file(path_);
  file.keep(ticket_of('a'));
  std::filesystem::create_directories(path_.string() + ".new/in the way");
  EXPECT_TRUE(error_of([&] { file.keep(ticket_of('b')); }).starts_with("E706 cannot write "));
  EXPECT_EQ(file.ticket(), ticket_of('a'));
  EXPECT_TRUE(
      error_of([&] { TicketFile none(directory_.path() / "none/device"); }).starts_with("E706 cannot open "));
}

TEST_F(TicketFileTest, directories_are_made_for_their_owner) {
  const auto path = directory_.path() / "a/b/device-1";
  TicketFile::make_directory_of(path);
  struct stat found {};
  ASSERT_EQ(::stat((directory_.path() / "a").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700u);
  write("a file");
  EXPECT_TRUE(
      error_of([&] { TicketFile::make_directory_of(path_ / "b/device"); }).starts_with("E706 cannot make "));
}

TEST(TicketPath, follows_the_environment_and_has_no_part_of_the_uid_but_its_name) {
  ::setenv("XDG_STATE_HOME", "/state", 1);
  EXPECT_EQ(ticket_path("joe@build-7"), "/state/lekt/device-joe@build-7");
  EXPECT_EQ(ticket_path("../a b%"), "/state/lekt/device-..%2fa%20b%25");
  ::unsetenv("XDG_STATE_HOME");
  ::setenv("HOME", "/home/joe", 1);
  EXPECT_EQ(ticket_path("1"), "/home/joe/.local/state/lekt/device-1");
  ::unsetenv("HOME");
  EXPECT_TRUE(error_of([] { ticket_path("1"); }).starts_with("E705 neither XDG_STATE_HOME nor HOME"));
}

}  // namespace
}  // namespace lekt::command
