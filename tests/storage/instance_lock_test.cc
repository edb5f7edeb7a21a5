#include "storage/instance_lock.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "tests/storage/support.h"

namespace {

/// Runs once, between opening the lock file and locking it.
std::function<void()> before_next_flock;

}  // namespace

/// Stands before the C library's, so that a test can let another process be faster.
extern "C" int flock(int descriptor, int operation) noexcept {
  if (const auto action = std::exchange(before_next_flock, nullptr)) action();
  return static_cast<int>(syscall(SYS_flock, descriptor, operation));
}

namespace lekt::storage {

namespace {

using InstanceLockTest = StorageTest;

TEST_F(InstanceLockTest, lets_in_one_and_names_him) {
  const InstanceLock lock(path());
  const CodedError error = error_of([&] { InstanceLock second(path()); });
  EXPECT_EQ(error.code(), ErrorCode::database_in_use);
  EXPECT_NE(std::string(error.what()).find("process " + std::to_string(getpid()) + " holds"),
            std::string::npos)
      << error.what();
}

TEST_F(InstanceLockTest, takes_its_file_away_when_it_ends) {
  { const InstanceLock lock(path()); }
  EXPECT_TRUE(files_in(directory_).empty());
  const InstanceLock again(path());
  EXPECT_EQ(files_in(directory_), std::vector<std::string>{"lekt.db.lock"});
}

TEST_F(InstanceLockTest, is_taken_over_from_a_killed_process) {
  Child child([&](int output) {
    const InstanceLock lock(path());
    send_number(output, 1);
    pause();
  });
  std::uint64_t held = 0;
  ASSERT_TRUE(child.read(held));
  const CodedError error = error_of([&] { InstanceLock second(path()); });
  EXPECT_NE(std::string(error.what()).find("process " + std::to_string(child.id())), std::string::npos)
      << error.what();
  child.kill();
  EXPECT_NO_THROW(InstanceLock third(path()));
}

TEST_F(InstanceLockTest, leaves_a_file_alone_that_has_its_name_by_chance) {
  write_file(path().string() + ".lock", "packages: 12");
  const CodedError error = error_of([&] { InstanceLock lock(path()); });
  EXPECT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
  EXPECT_EQ(test::read_text(path().string() + ".lock"), "packages: 12");
}

// The holder ends between our opening its file and our locking it, and a third one is there at once.
TEST_F(InstanceLockTest, is_not_fooled_by_a_file_that_has_lost_its_name) {
  std::optional<InstanceLock> first(path());
  std::optional<InstanceLock> third;
  before_next_flock = [&] {
    first.reset();
    third.emplace(path());
  };
  const CodedError error = error_of([&] { InstanceLock second(path()); });
  EXPECT_EQ(error.code(), ErrorCode::database_in_use) << error.what();
}

// The same without a script.
TEST_F(InstanceLockTest, is_never_held_by_two_however_often_it_changes_hands) {
  const auto take_turns = [&](int output) {
    const std::filesystem::path witness = directory_ / "witness";
    for (int turn = 0; turn < 500; ++turn) {
      try {
        const InstanceLock lock(path());
        if (!std::filesystem::create_directory(witness)) send_number(output, 1);
        std::filesystem::remove(witness);
      } catch (const CodedError& error) {
        if (error.code() != ErrorCode::database_in_use) send_number(output, 2);
      }
    }
  };
  Child first(take_turns);
  Child second(take_turns);
  Child third(take_turns);
  std::uint64_t violation = 0;
  for (Child* child : {&first, &second, &third})
    EXPECT_FALSE(child->read(violation))
        << "two held the lock (1), or it could not be had (2): " << violation;
}

}  // namespace

}  // namespace lekt::storage
