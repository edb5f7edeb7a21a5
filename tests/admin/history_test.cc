// The samples of the last hour.
#include <gtest/gtest.h>

#include <atomic>

#include "admin/history.h"
#include "tests/integration/patience.h"
#include "tests/support/support.h"

namespace lekt::admin {

namespace {

using namespace std::chrono_literals;

Sample sample_at(std::int64_t second) {
  Sample sample;
  sample.second = second;
  return sample;
}

}  // namespace

TEST(SampleTest, rates_are_per_second_and_numbers_those_at_the_end) {
  Totals before, after;
  before.heartbeats = 100;
  before.added = 10;
  before.removed = 5;
  before.joins = 7;
  after.heartbeats = 350;
  after.added = 20;
  after.removed = 20;
  after.joins = 17;
  after.clients = 42;
  after.sessions = 43;
  const Sample sample = sample_between(before, after, 10);
  EXPECT_EQ(sample.clients, 42u);
  EXPECT_EQ(sample.sessions, 43u);
  EXPECT_DOUBLE_EQ(sample.heartbeats, 25);
  EXPECT_DOUBLE_EQ(sample.changes, 2.5);
  EXPECT_DOUBLE_EQ(sample.joins, 1);
}

TEST(SampleTest, commit_time_is_that_of_the_commits_between) {
  Totals before, after;
  before.commit.counts[17] = 1;  // a slow one, long ago
  before.commit.sum_seconds = 4;
  after.commit = before.commit;
  after.commit.counts[9] = 2;
  after.commit.counts[10] = 1;
  after.commit.sum_seconds = 4.012;
  const Sample sample = sample_between(before, after, 10);
  EXPECT_EQ(sample.commits, 3u);
  EXPECT_NEAR(sample.commit_mean_seconds, 0.004, 1e-9);
  EXPECT_DOUBLE_EQ(sample.commit_max_seconds, Histogram::bounds[10]);
}

TEST(SampleTest, without_commits_there_is_no_commit_time) {
  const Sample sample = sample_between({}, {}, 10);
  EXPECT_EQ(sample.commits, 0u);
  EXPECT_EQ(sample.commit_mean_seconds, 0);
  EXPECT_EQ(sample.commit_max_seconds, 0);
}

TEST(HistoryTest, keeps_an_hour_and_forgets_the_oldest) {
  History history;
  for (int index = 0; index < 1000; ++index) history.add(sample_at(10 * index));
  const auto kept = history.since(0);
  ASSERT_EQ(kept.size(), History::samples_max);
  EXPECT_EQ(kept.front().second, 10 * (1000 - 360));
  EXPECT_EQ(kept.back().second, 9990);
}

TEST(HistoryTest, gives_only_those_after_a_second) {
  History history;
  for (const std::int64_t second : {10, 20, 30}) history.add(sample_at(second));
  ASSERT_EQ(history.since(20).size(), 1u);
  EXPECT_EQ(history.since(20)[0].second, 30);
  EXPECT_TRUE(history.since(30).empty());
}

TEST(SamplerTest, samples_what_happens_between_its_looks) {
  History history;
  std::atomic<std::uint64_t> looks{0};
  const Sampler sampler(
      history,
      [&] {
        Totals totals;
        totals.clients = looks;
        totals.heartbeats = ++looks * 100;
        return totals;
      },
      5ms);
  ASSERT_TRUE(test::eventually([&] { return history.since(0).size() >= 3; }, test::patience()));
  const auto samples = history.since(0);
  EXPECT_EQ(samples[0].clients, 1u);
  EXPECT_EQ(samples[1].clients, 2u);
  EXPECT_GT(samples[1].heartbeats, 0);
  EXPECT_GT(samples[0].second, 1767323040);
}

TEST(SamplerTest, ends_at_once) {
  History history;
  const auto begin = std::chrono::steady_clock::now();
  {
    const Sampler sampler(history, [] { return Totals(); });
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, test::slowed(2s));
}

}  // namespace lekt::admin
