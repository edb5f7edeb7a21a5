#include "common/delivery.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lekt {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t registration = 0x0123456789abcdef;

/// One side, and what the test knows of it.
class DeliveryTest : public testing::Test {
 protected:
  void send(Delivery& side, AwakeTime now) {
    Bytes datagram = encode_datagram(side.head(DatagramType::message, registration), ScreenMessage{});
    side.sent(std::move(datagram), now);
  }

  /// The other side has taken everything up to this number, and says nothing of its own.
  static DatagramHead acknowledges(std::uint32_t number) {
    return {DatagramType::acknowledgment, version_spoken, registration, 0, number};
  }
  static DatagramHead message(std::uint32_t number, std::uint32_t acknowledged = 0) {
    return {DatagramType::message, version_spoken, registration, number, acknowledged};
  }

  /// The numbers of what is sent again now.
  std::vector<std::uint32_t> repeated(AwakeTime now) {
    std::vector<std::uint32_t> numbers;
    while (const auto due = delivery_.next(now))
      if (due->repeated != nullptr) numbers.push_back(read_head_to_device(*due->repeated)->number);
    return numbers;
  }

  Delivery delivery_{50ms};
};

using Numbers = std::vector<std::uint32_t>;

TEST_F(DeliveryTest, has_four_messages_under_way_at_most) {
  for (int count = 0; count < 4; ++count) {
    EXPECT_TRUE(delivery_.has_room());
    send(delivery_, 0ms);
  }
  EXPECT_FALSE(delivery_.has_room());
  EXPECT_EQ(delivery_.receive(acknowledges(1), 10ms), Delivery::Receipt::not_numbered);
  EXPECT_TRUE(delivery_.has_room());
}

TEST_F(DeliveryTest, says_nothing_and_has_nothing_to_do_when_idle) {
  EXPECT_FALSE(delivery_.due());
  send(delivery_, 0ms);
  delivery_.receive(acknowledges(1), 10ms);
  EXPECT_FALSE(delivery_.due());
  EXPECT_TRUE(repeated(1h).empty());
}

TEST_F(DeliveryTest, repeats_the_oldest_alone_and_each_time_later) {
  send(delivery_, 0ms);
  send(delivery_, 0ms);
  EXPECT_EQ(delivery_.due(), 500ms);
  EXPECT_EQ(repeated(499ms), Numbers{});
  EXPECT_EQ(repeated(500ms), Numbers{1});
  EXPECT_EQ(delivery_.due(), 1500ms);
  EXPECT_EQ(repeated(1500ms), Numbers{1});
  EXPECT_EQ(delivery_.due(), 3500ms);
  EXPECT_EQ(repeated(3500ms), Numbers{1});
  EXPECT_EQ(delivery_.due(), 7500ms) << "four seconds are the longest";
  EXPECT_EQ(repeated(7500ms), Numbers{1});
  EXPECT_EQ(delivery_.due(), 11500ms);
}

TEST_F(DeliveryTest, sends_the_others_again_once_the_oldest_has_come) {
  for (int count = 0; count < 4; ++count) send(delivery_, 0ms);
  EXPECT_EQ(repeated(500ms), Numbers{1});
  delivery_.receive(acknowledges(1), 510ms);
  EXPECT_EQ(repeated(510ms), (Numbers{2, 3, 4}));
  delivery_.receive(acknowledges(2), 520ms);
  EXPECT_EQ(repeated(520ms), Numbers{}) << "an acknowledgment repeats nothing by itself";
}

TEST_F(DeliveryTest, repeats_nothing_for_an_acknowledgment_that_comes_twice) {
  for (int count = 0; count < 3; ++count) send(delivery_, 0ms);
  delivery_.receive(acknowledges(1), 10ms);
  for (int copies = 0; copies < 10; ++copies) delivery_.receive(acknowledges(1), 20ms);
  EXPECT_EQ(repeated(20ms), Numbers{});
}

TEST_F(DeliveryTest, carries_the_newest_acknowledgment_when_it_repeats) {
  send(delivery_, 0ms);
  delivery_.receive(message(1), 10ms);
  const auto due = delivery_.next(500ms);
  ASSERT_TRUE(due && due->repeated);
  EXPECT_EQ(read_head_to_device(*due->repeated)->acknowledged, 1u);
}

TEST_F(DeliveryTest, takes_its_timer_from_round_trips_within_limits) {
  send(delivery_, 0ms);
  delivery_.receive(acknowledges(1), 10ms);
  EXPECT_EQ(delivery_.round_trip(), 10ms);
  send(delivery_, 1000ms);
  EXPECT_EQ(delivery_.due(), 1200ms) << "no less than 0.2 s";
  delivery_.receive(acknowledges(2), 1000ms + 9s);
  send(delivery_, 20s);
  EXPECT_EQ(delivery_.due(), 24s) << "no more than 4 s";
}

TEST_F(DeliveryTest, takes_no_sample_of_a_message_that_was_sent_twice) {
  send(delivery_, 0ms);
  EXPECT_EQ(repeated(500ms), Numbers{1});
  delivery_.receive(acknowledges(1), 501ms);
  EXPECT_FALSE(delivery_.round_trip());
}

TEST_F(DeliveryTest, takes_no_sample_of_what_has_waited_for_such_a_message) {
  send(delivery_, 0ms);
  send(delivery_, 0ms);
  EXPECT_EQ(repeated(500ms), Numbers{1});
  delivery_.receive(acknowledges(2), 20s);
  EXPECT_FALSE(delivery_.round_trip());
}

TEST_F(DeliveryTest, takes_messages_in_order_and_drops_the_others) {
  EXPECT_EQ(delivery_.receive(message(2), 0ms), Delivery::Receipt::out_of_sequence);
  EXPECT_EQ(delivery_.receive(message(1), 0ms), Delivery::Receipt::next);
  EXPECT_EQ(delivery_.receive(message(1), 0ms), Delivery::Receipt::duplicate);
  EXPECT_EQ(delivery_.receive(message(2), 0ms), Delivery::Receipt::next);
  EXPECT_EQ(delivery_.counts().received, 2u);
  EXPECT_EQ(delivery_.counts().duplicates, 1u);
  EXPECT_EQ(delivery_.counts().out_of_sequence, 1u);
}

TEST_F(DeliveryTest, owes_an_acknowledgment_for_a_while_and_at_once_for_what_it_drops) {
  delivery_.receive(message(1), 0ms);
  EXPECT_FALSE(delivery_.next(49ms));
  auto due = delivery_.next(50ms);
  ASSERT_TRUE(due);
  EXPECT_TRUE(due->acknowledgment);
  delivery_.receive(message(1), 60ms);
  due = delivery_.next(60ms);
  ASSERT_TRUE(due);
  EXPECT_TRUE(due->acknowledgment);
  EXPECT_FALSE(delivery_.next(1h));
}

TEST_F(DeliveryTest, needs_no_acknowledgment_of_its_own_when_a_message_carries_it) {
  delivery_.receive(message(1), 0ms);
  EXPECT_EQ(delivery_.head(DatagramType::message, registration).acknowledged, 1u);
  send(delivery_, 10ms);
  delivery_.receive(acknowledges(1), 20ms);
  EXPECT_FALSE(delivery_.next(1h));
}

TEST_F(DeliveryTest, is_not_moved_by_an_acknowledgment_of_what_was_not_sent) {
  send(delivery_, 0ms);
  EXPECT_EQ(delivery_.receive(message(1, 2), 10ms), Delivery::Receipt::impossible);
  EXPECT_FALSE(delivery_.is_quiet());
  EXPECT_EQ(delivery_.received(), 0u);
}

TEST_F(DeliveryTest, sends_nothing_while_it_pauses_and_the_oldest_at_once_afterwards) {
  send(delivery_, 0ms);
  delivery_.receive(message(1), 0ms);
  delivery_.pause();
  EXPECT_FALSE(delivery_.due());
  EXPECT_FALSE(delivery_.next(1h));
  delivery_.resume(1h);
  EXPECT_EQ(repeated(1h), Numbers{1});
}

TEST_F(DeliveryTest, tells_since_when_the_other_side_is_silent) {
  EXPECT_FALSE(delivery_.unacknowledged_since());
  send(delivery_, 5ms);
  send(delivery_, 6ms);
  EXPECT_EQ(delivery_.unacknowledged_since(), 5ms);
  delivery_.receive(acknowledges(1), 10ms);
  EXPECT_EQ(delivery_.unacknowledged_since(), 6ms);
}

}  // namespace
}  // namespace lekt
