#include "common/short_bytes.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace lekt {
namespace {

TEST(ShortBytes, gives_back_what_it_was_given_whatever_the_size) {
  for (std::size_t size = 0; size < 64; ++size) {
    Bytes bytes;
    for (std::size_t index = 0; index < size; ++index) bytes += static_cast<char>(255 - index);
    const ShortBytes kept(bytes);
    EXPECT_EQ(kept.view(), bytes);
    EXPECT_EQ(kept.size(), size);
  }
}

TEST(ShortBytes, is_empty_at_first) { EXPECT_EQ(ShortBytes().view(), ""); }

TEST(ShortBytes, moves_short_and_long_ones_over_each_other) {
  const Bytes few = "few";
  const Bytes many(100, 'm');
  for (const Bytes& from : {few, many})
    for (const Bytes& to : {few, many}) {
      ShortBytes source(from);
      ShortBytes target(to);
      target = std::move(source);
      EXPECT_EQ(target.view(), from);
      const ShortBytes made(std::move(target));
      EXPECT_EQ(made.view(), from);
    }
}

}  // namespace
}  // namespace lekt
