// A database on a disk that fails and loses power when a test says so.
#pragma once

#include "tests/disk/disk.h"
#include "tests/storage/support.h"

namespace lekt::storage {

class FaultyDiskTest : public StorageTest {
 protected:
  FaultyDiskTest() : StorageTest(test::directory_in_memory()) { settings_.checkpoint_bytes = 32 * 1024; }

  /// A new database each time.
  void begin_anew(std::uint64_t number) { settings_.path = directory_ / (std::to_string(number) + ".db"); }

  test::Random random_;
  test::Disk disk_{random_.next()};
};

}  // namespace lekt::storage
