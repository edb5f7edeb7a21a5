#include "server/operators/handler_log_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <future>
#include <iterator>

#include "tests/core/support.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;
using namespace handler_event;

const Address terminal = address("10.10.225.150");
const DeviceEndpoint terminal_endpoint{terminal, 3771};

/// 25 January 2010, 08:29:42 and some milliseconds.
LoggedTime logged_after(std::chrono::milliseconds after) { return {1264408182s + after, 0s}; }

HandlerEvent numbered_event(int number) { return {HandlerLevel::session, "line " + std::to_string(number)}; }

class HandlerLogFilesTest : public testing::Test {
 protected:
  explicit HandlerLogFilesTest(const HandlerLogFiles::Limits& limits = {{4096, 4}, 100'000, 0ms})
      : files_(path_, limits) {
    files_.use({HandlerLevel::socket, {}});
  }

  void note(Address device, int number) { files_.note(device, {}, numbered_event(number)); }
  std::string text(Address device) { return text_of(handler_log_file(device)); }
  std::string text_of(const std::string& name) {
    EXPECT_TRUE(files_.flush(10s));
    std::ifstream file(path_ / name);
    return {std::istreambuf_iterator(file), {}};
  }
  bool warns() {
    files_.tell(warnings_);
    const auto list = warnings_.list();
    return !list.empty() && list.at(0).code == ErrorCode::device_log_failed;
  }

  TempDirectory directory_;
  const std::filesystem::path path_ = directory_.path() / "x.devices";
  Warnings warnings_;
  HandlerLogFiles files_;
};

TEST_F(HandlerLogFilesTest, has_the_lines_of_the_choreography) {
  const Address server = address("192.168.100.12");
  files_.note(terminal, logged_after(549ms), starting_session(terminal));
  files_.note(terminal, logged_after(597ms), attempting_to_open(server, 5000, 6000));
  files_.note(terminal, logged_after(723ms), using_socket(server, 5007));
  files_.note(terminal, logged_after(723ms), sending_connect_accept(terminal_endpoint));
  files_.note(terminal, logged_after(1029ms), processing_registration(terminal_endpoint));
  files_.note(terminal, logged_after(1029ms), sending_registration_accept(terminal_endpoint));
  files_.note(terminal, logged_after(1170ms), getting_device_config());
  files_.note(terminal, logged_after(1248ms), got_device_config("AB~001~"));
  EXPECT_EQ(text_of("device-10.10.225.150.log"),
            "01/25/2010 08:29:42:549 - Device Handler Starting Session for 10.10.225.150\n"
            "01/25/2010 08:29:42:597 - Device Handler: Attempting to open a socket on IP 192.168.100.12 on a "
            "UDP port between 5000 and 6000\n"
            "01/25/2010 08:29:42:723 - Device Handler is using socket on IP: 192.168.100.12  Port: 5007\n"
            "01/25/2010 08:29:42:723 - Sending Connect Accept to: 10.10.225.150:3771\n"
            "01/25/2010 08:29:43:029 - Device Handler Processing Registration for 10.10.225.150 at "
            "10.10.225.150:3771\n"
            "01/25/2010 08:29:43:029 - Sending Registration Accept to: 10.10.225.150:3771\n"
            "01/25/2010 08:29:43:170 - esp_GetDeviceConfig()\n"
            "01/25/2010 08:29:43:248 - esp_GetDeviceConfig() returns'AB~001~'\n");
}

TEST_F(HandlerLogFilesTest, makes_its_directory_with_the_first_line_and_for_the_group_alone) {
  EXPECT_FALSE(std::filesystem::exists(path_));
  note(terminal, 1);
  EXPECT_NE(text(terminal), "");
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0027, 0u);
  ASSERT_EQ(stat((path_ / handler_log_file(terminal)).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0137, 0u);
}

TEST_F(HandlerLogFilesTest, has_what_its_level_and_its_addresses_say_at_that_time) {
  const Address other = address("10.0.0.1");
  files_.use({HandlerLevel::off, {}});
  files_.note(terminal, {}, {HandlerLevel::off, "never"});
  note(terminal, 1);
  files_.use({HandlerLevel::session, {Block(terminal)}});
  files_.note(terminal, {}, getting_device_config());
  note(terminal, 2);
  note(other, 3);
  EXPECT_TRUE(files_.covers(terminal, HandlerLevel::session));
  EXPECT_FALSE(files_.covers(terminal, HandlerLevel::protocol));
  EXPECT_FALSE(files_.covers(other, HandlerLevel::session));
  EXPECT_EQ(text(terminal), handler_line(HandlerLevel::session, {}, numbered_event(2)));
  EXPECT_FALSE(std::filesystem::exists(path_ / handler_log_file(other)));
}

TEST_F(HandlerLogFilesTest, a_full_file_becomes_the_one_older_copy) {
  std::string all;
  for (int number = 0; number < 500; ++number) {
    note(terminal, number);
    all += handler_line(HandlerLevel::socket, {}, numbered_event(number));
  }
  const std::string kept = text_of(handler_log_older_file(terminal)) + text(terminal);
  EXPECT_GT(kept.size(), 4096u);
  EXPECT_LE(text(terminal).size(), 4096u);
  EXPECT_LE(text_of(handler_log_older_file(terminal)).size(), 4096u);
  EXPECT_TRUE(all.ends_with(kept)) << "whole lines, in their order, and none missing between both";
}

TEST_F(HandlerLogFilesTest, of_one_address_too_many_the_file_written_to_the_longest_ago_goes) {
  for (std::uint32_t number = 1; number <= 4; ++number) {
    note(numbered(number), 1);
    EXPECT_NE(text(numbered(number)), "");
  }
  note(numbered(1), 2);
  EXPECT_NE(text(numbered(1)), "");
  note(numbered(5), 1);
  EXPECT_NE(text(numbered(5)), "");
  EXPECT_EQ(text(numbered(2)), "");
  EXPECT_NE(text(numbered(1)), "");
}

TEST_F(HandlerLogFilesTest, a_thousand_and_one_addresses_have_a_thousand_files) {
  HandlerLogFiles files(path_);
  files.use({HandlerLevel::session, {}});
  for (std::uint32_t number = 1; number <= 1001; ++number) {
    files.note(numbered(number), {}, numbered_event(1));
    ASSERT_TRUE(number > 2 || files.flush(10s));
  }
  ASSERT_TRUE(files.flush(10s));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path_), {}), 1000);
  EXPECT_FALSE(std::filesystem::exists(path_ / handler_log_file(numbered(1))));
}

TEST_F(HandlerLogFilesTest, follows_no_link_and_leaves_other_names_alone) {
  std::filesystem::create_directory(path_);
  const std::filesystem::path precious = directory_.path() / "precious";
  std::ofstream(precious) << "as it was";
  std::ofstream(path_ / "device-notes.log") << "as it was";
  std::filesystem::create_symlink(precious, path_ / handler_log_file(terminal));
  note(terminal, 1);
  EXPECT_NE(text(terminal), "as it was");
  EXPECT_FALSE(std::filesystem::is_symlink(path_ / handler_log_file(terminal)));
  std::ifstream file(precious);
  EXPECT_EQ(std::string(std::istreambuf_iterator(file), {}), "as it was");
  EXPECT_EQ(text_of("device-notes.log"), "as it was");
}

TEST_F(HandlerLogFilesTest, begins_anew_when_files_and_directory_are_taken_away) {
  note(terminal, 1);
  EXPECT_NE(text(terminal), "");
  std::filesystem::remove_all(path_);
  note(terminal, 2);
  EXPECT_EQ(text(terminal), handler_line(HandlerLevel::socket, {}, numbered_event(2)));
}

TEST_F(HandlerLogFilesTest, a_full_disk_is_told_once_and_what_is_missing_is_in_the_file) {
  note(terminal, 1);
  const std::string before = text(terminal);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  rlimit full = limit;
  full.rlim_cur = before.size() + 10;  // the first bytes of a line still fit
  setrlimit(RLIMIT_FSIZE, &full);
  for (int number = 2; number <= 4; ++number) note(terminal, number);
  EXPECT_TRUE(files_.flush(10s));
  setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_EQ(text(terminal), before) << "no part of a line";
  EXPECT_EQ(files_.lost(), 3u);
  EXPECT_TRUE(warns());
  EXPECT_EQ(warnings_.list().size(), 1u);
  note(terminal, 5);
  EXPECT_EQ(text(terminal), before + "# 3 lines are missing here: the disk did not take them\n" +
                                handler_line(HandlerLevel::socket, {}, numbered_event(5)));
  EXPECT_FALSE(warns());
}

TEST_F(HandlerLogFilesTest, a_disk_that_hangs_holds_nobody_up_and_what_is_missing_is_counted) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::promise<void> hangs;
  bool is_first = true;
  HandlerLogFiles files(path_, {{100'000, 4}, 1000, 0ms}, [&, released](int at, const std::string& name) {
    if (std::exchange(is_first, false)) hangs.set_value();
    released.wait();
    return HandlerLogDirectory::open_file(at, name);
  });
  files.use({HandlerLevel::session, {}});
  files.note(terminal, {}, numbered_event(0));
  hangs.get_future().wait();
  for (int number = 1; number <= 100; ++number) files.note(terminal, {}, numbered_event(number));
  const std::uint64_t lost = files.lost();
  EXPECT_GT(lost, 0u);
  files.tell(warnings_);
  EXPECT_EQ(warnings_.list().size(), 1u);
  release.set_value();
  ASSERT_TRUE(files.flush(10s));
  const std::string written = text(terminal);
  EXPECT_EQ(static_cast<std::uint64_t>(std::ranges::count(written, '\n')), 101 - lost + 1);
  EXPECT_TRUE(written.ends_with("# " + std::to_string(lost) +
                                " lines are missing here: the disk did not take them\n"))
      << written;
}

}  // namespace
}  // namespace lekt
