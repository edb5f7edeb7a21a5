// Committed changes as server-sent events.
#include <gtest/gtest.h>

#include "admin/events.h"
#include "common/catalogue.h"

namespace lekt::admin {

namespace {

using namespace std::chrono_literals;

class EventsTest : public testing::Test {
 protected:
  /// So many changes, one an address.
  void publish(std::uint64_t count) {
    std::vector<storage::Change> changes;
    for (std::uint64_t index = 0; index < count; ++index) {
      ++sequence_;
      changes.push_back({sequence_,
                         1767323045,
                         UpdateKind::added,
                         Address::v4(0x0a000000 + static_cast<std::uint32_t>(sequence_)),
                         {{tcp_index, tcp_information(7890)}}});
    }
    feed_.publish(changes, catalogue_);
  }
  std::string next(EventStream& stream) { return stream.next(now_, 0ms).value_or("(end)"); }

  MethodCatalogue catalogue_;
  ChangeFeed feed_{0};
  std::uint64_t sequence_ = 0;
  EventStream::Clock::time_point now_{1h};
};

constexpr auto first = "retry: 2000\n\n";

}  // namespace

TEST_F(EventsTest, says_something_at_once_so_that_the_listener_knows_it_is_connected) {
  EventStream stream(feed_, 0);
  EXPECT_EQ(next(stream), first);
  EXPECT_EQ(next(stream), "");
}

TEST_F(EventsTest, a_change_is_an_event_with_its_sequence_number) {
  EventStream stream(feed_, 0);
  next(stream);
  publish(1);
  EXPECT_EQ(
      next(stream),
      "id: 1\nevent: change\ndata: {\"sequence\":1,\"time\":\"2026-01-02T03:04:05Z\",\"kind\":\"added\","
      "\"address\":\"10.0.0.1\",\"methods\":\"tcp:7890\",\"reason\":\"\"}\n\n");
  EXPECT_EQ(next(stream), "");
}

TEST_F(EventsTest, who_comes_back_gets_what_came_after) {
  publish(3);
  EventStream stream(feed_, 2);
  const std::string text = next(stream);
  EXPECT_EQ(text.find("id: 2"), text.npos);
  EXPECT_NE(text.find("id: 3\n"), text.npos);
}

TEST_F(EventsTest, who_was_away_for_too_long_is_told_and_goes_on_with_what_is_new) {
  publish(ChangeFeed::entries_max + 10);
  EventStream stream(feed_, 5);
  EXPECT_EQ(next(stream), std::string(first) + "id: 2010\nevent: missed\ndata: {\"sequence\":2010}\n\n");
  publish(1);
  EXPECT_TRUE(next(stream).starts_with("id: 2011\nevent: change\n"));
}

TEST_F(EventsTest, who_knows_more_than_there_is_has_missed_something) {
  publish(2);
  EventStream stream(feed_, 77);
  EXPECT_EQ(next(stream), std::string(first) + "id: 2\nevent: missed\ndata: {\"sequence\":2}\n\n");
  EXPECT_EQ(next(stream), "");
}

TEST_F(EventsTest, silence_is_filled_with_comments) {
  EventStream stream(feed_, 0);
  next(stream);
  now_ += EventStream::keep_alive - 1s;
  EXPECT_EQ(next(stream), "");
  now_ += 1s;
  EXPECT_EQ(next(stream), ": here\n\n");
  EXPECT_EQ(next(stream), "");
}

TEST_F(EventsTest, ends_when_the_server_stops_and_all_is_told) {
  EventStream stream(feed_, 0);
  next(stream);
  publish(1);
  feed_.close();
  EXPECT_TRUE(next(stream).starts_with("id: 1\n"));
  EXPECT_EQ(next(stream), "(end)");
}

TEST_F(EventsTest, places_are_counted_and_come_back) {
  Listeners listeners(2);
  auto one = listeners.enter();
  const auto other = listeners.enter();
  EXPECT_TRUE(one);
  EXPECT_TRUE(other);
  EXPECT_FALSE(listeners.enter());
  const auto copy = one;
  one.reset();
  EXPECT_FALSE(listeners.enter()) << "the copy still listens";
}

TEST_F(EventsTest, the_last_copy_frees_its_place) {
  Listeners listeners(1);
  { const auto place = listeners.enter(); }
  EXPECT_TRUE(listeners.enter());
}

}  // namespace lekt::admin
