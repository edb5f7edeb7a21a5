#include "server/token_bucket.h"

#include <gtest/gtest.h>

namespace lekt {
namespace {

using namespace std::chrono_literals;

int taken(TokenBucket& bucket, AwakeTime now) {
  int count = 0;
  while (count < 1'000'000 && bucket.take(now)) ++count;
  return count;
}

}  // namespace

TEST(TokenBucket, is_full_at_first) {
  TokenBucket bucket(20, 200);
  EXPECT_EQ(taken(bucket, 0ms), 200);
  EXPECT_EQ(taken(bucket, 0ms), 0);
}

TEST(TokenBucket, fills_at_its_rate_also_in_small_steps) {
  TokenBucket bucket(20, 200);
  taken(bucket, 0ms);
  EXPECT_EQ(taken(bucket, 49ms), 0);
  EXPECT_EQ(taken(bucket, 50ms), 1);
  int count = 0;
  for (AwakeTime now = 51ms; now <= 10'050ms; now += 1ms) count += taken(bucket, now);
  EXPECT_EQ(count, 200);
}

TEST(TokenBucket, holds_no_more_than_its_size_after_a_long_time) {
  TokenBucket bucket(20, 200);
  taken(bucket, 0ms);
  EXPECT_EQ(taken(bucket, 24h * 365 * 100), 200);
}

TEST(TokenBucket, bears_time_that_stands_still_or_goes_back) {
  TokenBucket bucket(1, 1);
  EXPECT_TRUE(bucket.take(5s));
  EXPECT_FALSE(bucket.take(5s));
  EXPECT_FALSE(bucket.take(1s));
  EXPECT_FALSE(bucket.take(5s));
  EXPECT_TRUE(bucket.take(6s));
}

}  // namespace lekt
