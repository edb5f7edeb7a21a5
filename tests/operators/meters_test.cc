// What the server keeps for those who look at it: histograms, the newest rejects, the feed of changes.
#include <gtest/gtest.h>

#include <thread>

#include "server/operators/change_feed.h"
#include "server/operators/code_counts.h"
#include "server/operators/meters.h"
#include "server/operators/recent_rejects.h"
#include "server/operators/warnings.h"
#include "tests/core/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

TEST(Histogram, counts_a_duration_in_the_first_bucket_that_holds_it) {
  Histogram histogram;
  histogram.add(0ns);
  histogram.add(2500ns);  // a bound belongs to its bucket
  histogram.add(2501ns);
  histogram.add(5s);
  histogram.add(5s + 1ns);
  const Histogram::Copy copy = histogram.copy();
  EXPECT_EQ(copy.counts[0], 2u);
  EXPECT_EQ(copy.counts[1], 1u);
  EXPECT_EQ(copy.counts[Histogram::bounds.size() - 1], 1u);
  EXPECT_EQ(copy.counts[Histogram::bounds.size()], 1u);
  EXPECT_EQ(copy.count(), 5u);
  EXPECT_NEAR(copy.sum_seconds, 10.0 + 5002e-9, 1e-9);
}

TEST(Histogram, copies_add_up) {
  Histogram one;
  Histogram other;
  one.add(1ms);
  other.add(1ms);
  other.add(2s);
  Histogram::Copy sum = one.copy();
  sum += other.copy();
  EXPECT_EQ(sum.count(), 3u);
  EXPECT_NEAR(sum.sum_seconds, 2.002, 1e-9);
}

TEST(Stopwatch, counts_only_when_it_was_begun) {
  Histogram histogram;
  { const Stopwatch unused(histogram); }
  EXPECT_EQ(histogram.copy().count(), 0u);
  {
    Stopwatch stopwatch(histogram);
    stopwatch.begin();
    stopwatch.begin();
  }
  EXPECT_EQ(histogram.copy().count(), 1u);
}

/// Counts 1 with the first meter of the list, 2 with the second, and so on.
struct CountingUp {
  template <class Names>
  void counter(const char*, const Names&, Meter& meter) {
    meter.add(++count);
  }
  void histogram(const char*, const char*, Histogram& histogram) {
    for (std::uint64_t times = ++count; times-- > 0;) histogram.add(1ms);
  }

  std::uint64_t count = 0;
};

/// Expects of each number of the list that it was added up twice.
struct CountedTwice {
  template <class Names>
  void counter(const char* name, const Names&, std::uint64_t sum) {
    EXPECT_EQ(sum, 2 * ++count) << name;
  }
  void histogram(const char* name, const char*, const Histogram::Copy& sum) {
    EXPECT_EQ(sum.count(), 2 * ++count) << name;
  }

  std::uint64_t count = 0;
};

TEST(Meters, of_all_threads_add_up_each_in_its_own_sum) {
  Meters meters;
  CountingUp counting;
  Meters::counters(counting, meters);
  Meters::durations(counting, meters);
  Totals totals;
  for (int threads = 0; threads < 2; ++threads) {
    add_counters(totals, meters);
    add_durations(totals, meters);
  }
  CountedTwice expected;
  Totals::counters(expected, totals);
  Totals::durations(expected, totals);
  EXPECT_EQ(expected.count, counting.count);
}

TEST(CodeCounts, keep_their_totals_when_what_is_new_is_taken) {
  CodeCounts counts;
  counts.count(ErrorCode::not_lekt);
  counts.count(ErrorCode::not_lekt);
  ASSERT_EQ(counts.take().size(), 1u);
  EXPECT_EQ(counts.take().size(), 0u);
  counts.count(ErrorCode::not_lekt);
  EXPECT_EQ(counts.take().at(0).count, 1u);
  EXPECT_EQ(counts.totals().at(0).count, 3u);
}

TEST(RecentRejects, are_listed_newest_first_and_bounded) {
  RecentRejects rejects;
  for (std::uint32_t number = 1; number <= RecentRejects::kept_max + 10; ++number)
    rejects.note(numbered(number), "", {ErrorCode::not_lekt, std::to_string(number)});
  const auto all = rejects.list(std::nullopt, SIZE_MAX);
  ASSERT_EQ(all.size(), RecentRejects::kept_max);
  EXPECT_EQ(all.front().message, std::to_string(RecentRejects::kept_max + 10));
  EXPECT_EQ(all.back().message, "11");
  EXPECT_EQ(rejects.list(std::nullopt, 3).size(), 3u);
  EXPECT_EQ(rejects.list(Block(numbered(100)), 3).at(0).message, "100");
  EXPECT_TRUE(rejects.list(Block(numbered(1)), 3).empty()) << "forgotten";
}

class ChangeFeedTest : public testing::Test {
 protected:
  void publish(std::uint64_t from, std::uint64_t to) {
    std::vector<storage::Change> changes;
    for (std::uint64_t sequence = from; sequence <= to; ++sequence)
      changes.push_back({sequence, 1000, UpdateKind::added, numbered(1), tcp(80)});
    feed_.publish(changes, catalogue_);
  }

  MethodCatalogue catalogue_;
  ChangeFeed feed_{10};
};

TEST_F(ChangeFeedTest, gives_what_came_after_a_sequence) {
  publish(11, 13);
  publish(14, 14);
  const ChangeFeed::News news = feed_.wait(12, 0ms);
  ASSERT_EQ(news.entries.size(), 2u);
  EXPECT_EQ(news.entries[0].sequence, 13u);
  EXPECT_EQ(news.entries[1].methods, "tcp:80");
  EXPECT_FALSE(news.missed);
}

TEST_F(ChangeFeedTest, says_when_something_was_missed) {
  publish(11, 12);
  EXPECT_TRUE(feed_.wait(9, 0ms).missed) << "before its beginning";
  EXPECT_FALSE(feed_.wait(10, 0ms).missed);
  publish(13, 13 + ChangeFeed::entries_max);
  const ChangeFeed::News news = feed_.wait(12, 0ms);
  EXPECT_TRUE(news.missed);
  EXPECT_EQ(news.entries.size(), ChangeFeed::entries_max);
  EXPECT_TRUE(feed_.wait(1'000'000, 0ms).missed) << "a sequence of another life";
}

TEST_F(ChangeFeedTest, keeps_words_as_short_as_the_database_does) {
  const std::vector<storage::Change> changes = {
      {11, 1000, UpdateKind::added, numbered(1), {{9, Bytes(4000, 'x')}}}};
  feed_.publish(changes, catalogue_);
  EXPECT_EQ(feed_.wait(10, 0ms).entries.at(0).methods.size(), 500u);
}

TEST_F(ChangeFeedTest, tells_everybody_of_a_gap_after_a_recovery) {
  publish(11, 12);
  feed_.begin_anew(13);
  publish(14, 14);
  EXPECT_TRUE(feed_.wait(12, 0ms).missed);
  EXPECT_TRUE(feed_.wait(11, 0ms).missed);
  EXPECT_FALSE(feed_.wait(13, 0ms).missed);
}

TEST_F(ChangeFeedTest, waits_until_there_is_something_or_it_is_closed) {
  EXPECT_TRUE(feed_.wait(10, 1ms).entries.empty());
  std::thread publisher([&] { publish(11, 11); });
  EXPECT_EQ(feed_.wait(10, 10s).entries.size(), 1u);
  publisher.join();
  std::thread closer([&] { feed_.close(); });
  EXPECT_TRUE(feed_.wait(11, 10s).closed);
  closer.join();
}

TEST(Warnings, hold_until_they_are_cleared_and_reach_the_database) {
  Warnings warnings;
  EXPECT_FALSE(warnings.take()) << "nothing has changed";
  warnings.raise(ErrorCode::mass_silence, "many");
  warnings.raise(ErrorCode::mass_silence, "more");
  warnings.note(ErrorCode::commit_failed, "not to the database");
  ASSERT_EQ(warnings.list().size(), 2u);
  EXPECT_EQ(warnings.list()[0].message, "more");
  const auto stored = warnings.take();
  ASSERT_TRUE(stored);
  ASSERT_EQ(stored->size(), 1u);
  EXPECT_EQ(stored->front().code, ErrorCode::mass_silence);
  EXPECT_FALSE(warnings.take()) << "taken already";
  warnings.clear(ErrorCode::commit_failed);
  EXPECT_FALSE(warnings.take()) << "the database does not show it";
  warnings.clear(ErrorCode::mass_silence);
  warnings.clear(ErrorCode::mass_silence);
  const auto none = warnings.take();
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  EXPECT_TRUE(warnings.list().empty());
}

}  // namespace
}  // namespace lekt
