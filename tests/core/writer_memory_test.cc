// The writer while every allocation of SQLite fails, once or from then on until there is memory again.
//
// A life has tens of thousands of allocations. A part of them is tried, different ones in each run;
// LEKT_TEST_STRIDE=1 tries all of them, which takes minutes.
//
// A program of its own: SQLite takes another allocator only before it is used.
#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "tests/core/writer_life.h"

namespace lekt {
namespace {

using namespace test;

constexpr std::uint64_t stride_default = sanitized ? 307 : 31;

std::uint64_t stride() {
  const char* given = std::getenv("LEKT_TEST_STRIDE");
  return given == nullptr ? stride_default : std::max(std::strtoull(given, nullptr, 10), 1ULL);
}

/// SQLite's allocator, which fails when a test says so.
struct Memory {
  static inline sqlite3_mem_methods real{};
  static inline std::uint64_t failures = 0;
  static inline std::uint64_t left = UINT64_MAX;  ///< allocations that still work
  static inline bool lasts = false;

  static void fail(std::uint64_t passed, bool from_then_on) {
    left = passed;
    lasts = from_then_on;
  }
  static void mend() { left = UINT64_MAX; }

  static bool fails() {
    if (left > 0) {
      --left;
      return false;
    }
    ++failures;
    if (!lasts) mend();
    return true;
  }

  static bool install() {
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
    sqlite3_mem_methods failing = real;
    failing.xMalloc = [](int size) { return fails() ? nullptr : real.xMalloc(size); };
    failing.xRealloc = [](void* memory, int size) { return fails() ? nullptr : real.xRealloc(memory, size); };
    // Small blocks too come from here, not from a buffer of the connection.
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) == SQLITE_OK &&
           sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK;
  }
};

const bool installed = Memory::install();

class WriterMemoryTest : public WriterLife, public testing::WithParamInterface<bool> {
 protected:
  std::uint64_t failures() const override { return Memory::failures; }
  void mend() override { Memory::mend(); }
};

TEST_P(WriterMemoryTest, whatever_allocation_fails_loses_nothing_and_is_recovered_from) {
  ASSERT_TRUE(installed);
  std::uint64_t tried = 0;
  std::uint64_t allocation = random_.below(stride());
  for (bool hit = true; hit && !HasFailure(); allocation += stride()) {
    SCOPED_TRACE(allocation);
    begin_anew();
    Memory::fail(allocation, GetParam());
    hit = live();
    expect_recovered();
    ++tried;
  }
  std::cout << tried - 1 << " of " << allocation << " allocations have failed\n";
  EXPECT_GT(tried, 10u);
}

INSTANTIATE_TEST_SUITE_P(Each, WriterMemoryTest, testing::Bool(),
                         [](const auto& lasts) { return lasts.param ? "from_then_on" : "once"; });

}  // namespace
}  // namespace lekt
