// The writer on a disk of which every operation fails, once or from then on until it is mended.
#include <iostream>

#include "tests/core/writer_life.h"

namespace lekt {
namespace {

using namespace test;

/// Which operations are tried: all, or under a sanitizer one in seventeen, different ones in each run.
constexpr std::uint64_t stride = sanitized ? 17 : 1;

class WriterDiskTest : public WriterLife, public testing::WithParamInterface<DiskTrouble> {
 protected:
  std::uint64_t failures() const override { return disk_.failures(); }
  void mend() override { disk_.heal(); }
};

TEST_P(WriterDiskTest, whatever_fails_loses_nothing_and_is_recovered_from) {
  std::uint64_t tried = 0;
  std::uint64_t operation = random_.below(stride);
  for (bool hit = true; hit && !HasFailure(); operation += stride) {
    SCOPED_TRACE(operation);
    begin_anew();
    disk_.fail(GetParam().fault, operation, GetParam().lasts);
    hit = live();
    expect_recovered();
    ++tried;
  }
  std::cout << tried - 1 << " of " << operation << " operations have failed\n";
  EXPECT_GT(tried, 20u / stride);
}

INSTANTIATE_TEST_SUITE_P(Each, WriterDiskTest, testing::ValuesIn(disk_troubles),
                         [](const auto& trouble) { return trouble.param.name; });

}  // namespace
}  // namespace lekt
