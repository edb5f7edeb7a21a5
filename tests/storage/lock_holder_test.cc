#include "storage/lock_holder.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "storage/instance_lock.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

using LockHolderTest = StorageTest;

TEST_F(LockHolderTest, is_the_process_that_holds_the_lock_and_nobody_afterwards) {
  std::ofstream(path()) << "a database";
  EXPECT_FALSE(lock_holder(path())) << "there is no lock";
  {
    const InstanceLock lock(path());
    EXPECT_EQ(lock_holder(path()), getpid());
    std::filesystem::create_symlink(path(), directory_ / "other-name.db");
    EXPECT_EQ(lock_holder(directory_ / "other-name.db"), getpid());
    EXPECT_EQ(process_text(getpid()), "process " + std::to_string(getpid()) + " (storage_test)");
  }
  std::ofstream(path().string() + ".lock") << "1\n";
  EXPECT_FALSE(lock_holder(path())) << "a killed server has left its file";
}

TEST_F(LockHolderTest, is_read_from_the_kernels_list) {
  const auto holder = [](const std::string& list) {
    std::istringstream locks(list);
    return holder_in(locks, {.device = 0xfe00, .number = 123, .written = 4711});
  };
  EXPECT_EQ(
      holder("1: POSIX  ADVISORY  WRITE 9 fe:00:123 0 EOF\n2: FLOCK  ADVISORY  WRITE 7 fe:00:123 0 EOF\n"),
      7);
  EXPECT_EQ(holder("2: FLOCK  ADVISORY  WRITE 4711 00:2a:123 0 EOF\n"), 4711)
      << "stat(2) tells another device";
  EXPECT_FALSE(holder("2: FLOCK  ADVISORY  WRITE 7 00:2a:123 0 EOF\n")) << "of another file system";
  EXPECT_FALSE(holder("2: -> FLOCK  ADVISORY  WRITE 7 fe:00:123 0 EOF\n")) << "waits for it";
  EXPECT_FALSE(holder("2: FLOCK  ADVISORY  WRITE 7 fe:00:1234 0 EOF\n"));
  for (const char* nonsense :
       {"", "\n", "FLOCK", "2: FLOCK ADVISORY WRITE x y", "2: FLOCK ADVISORY WRITE 7 ::: 0 EOF\n"})
    EXPECT_FALSE(holder(nonsense)) << nonsense;
}

}  // namespace

}  // namespace lekt::storage
