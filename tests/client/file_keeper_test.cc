#include "client/command/file_keeper.h"

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>

#include "common/descriptor.h"
#include "tests/support/support.h"

namespace lekt::command {
namespace {

using namespace std::chrono_literals;

/// While it lives, no file that this process writes gets larger.
class LimitOfFiles {
 public:
  explicit LimitOfFiles(rlim_t bytes) : handler_before_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit lower = before_;
    lower.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &lower);
  }
  ~LimitOfFiles() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_before_);
  }
  LimitOfFiles(const LimitOfFiles&) = delete;
  LimitOfFiles& operator=(const LimitOfFiles&) = delete;

 private:
  rlimit before_{};
  void (*handler_before_)(int);
};

/// How many events have come since the last call.
std::size_t events_of(const Descriptor& watch) {
  alignas(inotify_event) std::array<char, 4096> buffer;
  const ssize_t size = ::read(watch.value(), buffer.data(), buffer.size());
  std::size_t events = 0;
  for (ssize_t at = 0; at < size; ++events)
    at += static_cast<ssize_t>(sizeof(inotify_event)) +
          reinterpret_cast<const inotify_event*>(buffer.data() + at)->len;
  return events;
}

class FileKeeperTest : public testing::Test {
 protected:
  FileKeeperTest() {
    std::filesystem::create_directory(at("place"));
    testing::internal::CaptureStderr();
  }
  ~FileKeeperTest() override {
    if (!captured_) testing::internal::GetCapturedStderr();
  }

  std::string at(const std::string& name) const { return (directory_.path() / name).string(); }
  std::string said() {
    captured_ = true;
    return testing::internal::GetCapturedStderr();
  }
  bool holds(const std::string& text) const {
    return test::eventually([&] {
      return std::filesystem::is_regular_file(at("place/hosts")) &&
             test::read_text(at("place/hosts")) == text;
    });
  }

  const test::TempDirectory directory_;
  const FileKeeper::Times quick_{.look_every = 5ms, .retry_first = 1ms, .retry_last = 5ms};
  std::atomic<std::uint64_t> version_ = 0;
  bool captured_ = false;
};

TEST_F(FileKeeperTest, writes_the_newest_text_and_tells_its_version) {
  FileKeeper keeper(OutputFile(at("place/hosts")), [this](std::uint64_t version) { version_ = version; });
  for (std::uint64_t version = 1; version <= 100; ++version) keeper.put(std::to_string(version), version);
  EXPECT_TRUE(keeper.finish(20s));
  EXPECT_EQ(test::read_text(at("place/hosts")), "100");
  EXPECT_EQ(version_, 100u);
}

TEST_F(FileKeeperTest, trouble_is_said_once_and_tried_again_until_it_works) {
  {
    FileKeeper keeper(
        OutputFile(at("place/hosts")), [this](std::uint64_t version) { version_ = version; }, quick_);
    std::filesystem::remove_all(at("place"));
    keeper.put("one\n", 1);
    EXPECT_FALSE(keeper.finish(20s));
    EXPECT_TRUE(keeper.has_failed());
    keeper.put("two\n", 2);
    EXPECT_EQ(version_, 0u);
    std::filesystem::create_directory(at("place"));
    EXPECT_TRUE(holds("two\n"));
    EXPECT_TRUE(test::eventually([&] { return version_ == 2; }));
  }
  EXPECT_EQ(said(), "lekt: E706 cannot create a file beside \"" + at("place/hosts") +
                        "\": No such file or directory; it is tried again until it works\nlekt: \"" +
                        at("place/hosts") + "\" could be written again\n");
}

TEST_F(FileKeeperTest, trouble_that_lasts_is_said_once_however_often_it_is_tried) {
  // Each attempt makes a temporary file, which is too large then.
  const Descriptor watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(::inotify_add_watch(watch.value(), at("place").c_str(), IN_CREATE), 0);
  {
    const LimitOfFiles limit(10'000);
    FileKeeper keeper(OutputFile(at("place/hosts")), {}, quick_);
    keeper.put(std::string(20'000, 'x'), 1);
    std::size_t attempts = 0;
    EXPECT_TRUE(test::eventually([&] { return (attempts += events_of(watch)) >= 10; }));
  }
  EXPECT_EQ(said(), "lekt: E706 cannot write \"" + at("place/hosts") +
                        "\": File too large; it is tried again until it works\n");
}

TEST_F(FileKeeperTest, what_is_written_in_place_is_said_once) {
  std::ofstream(at("place/hosts")) << "old\n";
  std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(at("place/hosts"), std::filesystem::perms(0666));
  std::filesystem::permissions(at("place"), std::filesystem::perms(0555));
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(1);
    FileKeeper keeper(OutputFile(at("place/hosts")), {}, quick_);
    for (std::uint64_t version = 1; version <= 3; ++version) {
      keeper.put(std::to_string(version) + "\n", version);
      if (!keeper.finish(20s)) ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(test::read_text(at("place/hosts")), "3\n");
  std::filesystem::permissions(at("place"), std::filesystem::perms(0755));
  EXPECT_EQ(said(), "lekt: \"" + at("place/hosts") +
                        "\" is written in place, since no file can be created beside it (Permission denied): "
                        "who reads it at that moment can see a part of it\n");
}

TEST_F(FileKeeperTest, what_others_remove_or_change_is_written_anew) {
  {
    FileKeeper keeper(OutputFile(at("place/hosts")), {}, quick_);
    keeper.put("text\n", 1);
    EXPECT_TRUE(holds("text\n"));
    std::filesystem::rename(at("place"), at("gone"));
    std::filesystem::create_directory(at("place"));
    EXPECT_TRUE(holds("text\n"));
    std::ofstream(at("place/other")) << "other\n";
    std::filesystem::rename(at("place/other"), at("place/hosts"));
    EXPECT_TRUE(holds("text\n"));
  }
  EXPECT_NE(said().find("lekt: E714 \"" + at("place/hosts") + "\" was changed by another program"),
            std::string::npos);
}

TEST_F(FileKeeperTest, two_keepers_of_equal_texts_leave_each_other_alone) {
  {
    FileKeeper one(OutputFile(at("place/hosts")), {}, quick_);
    FileKeeper two(OutputFile(at("place/hosts")), {}, quick_);
    one.put("text\n", 1);
    EXPECT_TRUE(one.finish(20s));
    two.put("text\n", 1);
    EXPECT_TRUE(two.finish(20s));
    std::filesystem::last_write_time(at("place/hosts"), std::filesystem::file_time_type::clock::now());
    EXPECT_TRUE(holds("text\n"));
  }
  EXPECT_EQ(said(), "");
}

TEST_F(FileKeeperTest, the_end_tries_once_more) {
  {
    FileKeeper keeper(OutputFile(at("place/hosts")), {}, {.retry_first = 1h, .retry_last = 1h});
    std::filesystem::remove_all(at("place"));
    keeper.put("text\n", 1);
    EXPECT_FALSE(keeper.finish(20s));
    std::filesystem::create_directory(at("place"));
  }
  EXPECT_TRUE(holds("text\n"));
}

}  // namespace
}  // namespace lekt::command
