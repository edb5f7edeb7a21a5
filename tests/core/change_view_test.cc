#include "server/core/change_view.h"

#include <gtest/gtest.h>

#include "tests/core/support.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace test;

Basis basis_of(const ChangeView& view, Cursor cursor, std::int64_t timestamp) {
  Output output;
  return view.answer(cursor, timestamp, {}, output);
}

/// What an answer tells, in words: "A 10.0.0.1", "R 10.0.0.2", without its closing packet.
std::vector<std::string> told(ByteView answer) {
  std::vector<std::string> lines;
  for (const AnswerPacket& packet : take_apart(answer)) {
    for (const AddedEntry& entry : packet.added) lines.push_back("A " + to_string(entry.address));
    for (const Address removed : packet.removed) lines.push_back("R " + to_string(removed));
  }
  return lines;
}
using Told = std::vector<std::string>;

// ---- The ladder of reasons ----

TEST(Basis, a_timestamp_of_0_or_less_asks_for_all) {
  History history;
  const auto view = history.at(1005).add("10.0.0.1").view();
  Cursor later = history.join();
  answer_of(*view, later, 0);
  for (const std::int64_t timestamp : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}})
    for (const Cursor& cursor : {history.join(), later})
      EXPECT_EQ(basis_of(*view, cursor, timestamp), Basis::asked_for_all) << timestamp;
}

TEST(Basis, a_timestamp_before_this_database_began_is_before_history) {
  History history;
  const auto view = history.at(1005).add("10.0.0.1").view();
  Cursor later = history.join();
  answer_of(*view, later, 0);
  for (const Cursor& cursor : {history.join(), later}) {
    EXPECT_EQ(basis_of(*view, cursor, 1), Basis::before_history);
    EXPECT_EQ(basis_of(*view, cursor, History::begins - 1), Basis::before_history);
    EXPECT_EQ(basis_of(*view, cursor, History::begins), Basis::second_again);
  }
}

TEST(Basis, a_first_timestamp_at_or_after_the_join_was_never_given_out) {
  History history;
  const auto view = history.at(1005).add("10.0.0.1").view();
  const Cursor cursor = history.join();
  EXPECT_EQ(basis_of(*view, cursor, 1004), Basis::second_again);
  EXPECT_EQ(basis_of(*view, cursor, 1005), Basis::never_given_out);
  EXPECT_EQ(basis_of(*view, cursor, INT64_MAX), Basis::never_given_out);
}

TEST(Basis, a_first_timestamp_after_the_join_was_never_given_out_even_if_the_log_has_moved_on) {
  History history;
  const Cursor cursor = history.at(1005).join();
  const auto view = history.add("10.0.0.1").at(1050).add("10.0.0.2").view();
  EXPECT_EQ(basis_of(*view, cursor, 1005), Basis::never_given_out);
}

TEST(Basis, the_last_closing_timestamp_or_a_later_one_continues_exactly) {
  History history;
  const auto view = history.at(1005).add("10.0.0.1").view();
  Cursor cursor = history.join();
  answer_of(*view, cursor, 0);
  ASSERT_EQ(cursor.second, 1004);
  EXPECT_EQ(basis_of(*view, cursor, 1003), Basis::second_again);
  EXPECT_EQ(basis_of(*view, cursor, 1004), Basis::exact);
  EXPECT_EQ(basis_of(*view, cursor, INT64_MAX), Basis::exact);
}

TEST(Basis, a_connection_that_slept_through_a_forgotten_removal_cannot_continue) {
  History history;
  Cursor awake = history.at(1005).add("10.0.0.1").join();
  Cursor asleep = awake;
  answer_of(*history.view(), asleep, 0);
  answer_of(*history.at(1006).remove("10.0.0.1").view(), awake, 0);
  const auto view = history.at(2000).forget(1900).view();
  EXPECT_EQ(basis_of(*view, asleep, asleep.second), Basis::before_history);
  EXPECT_EQ(basis_of(*view, asleep, INT64_MAX), Basis::before_history);
  EXPECT_EQ(basis_of(*view, awake, awake.second), Basis::exact);
}

TEST(Basis, of_a_connection_that_is_pushed_to_is_exact_whatever_second_it_names) {
  History history;
  Cursor cursor = history.at(1005).add("10.0.0.1").join();
  const Features push{Feature::push};
  Output output;
  EXPECT_EQ(history.view()->answer(cursor, 1004, push, output), Basis::second_again) << "the first one";
  for (const std::int64_t second : {1, 1003, 2000}) {
    history.at(history.second() + 1).add("10.0.0.2");
    EXPECT_EQ(history.view()->answer(cursor, second, push, output), Basis::exact) << second;
  }
  Cursor asleep = cursor;
  history.view()->answer(cursor, 1, push, output);
  history.at(1100).remove("10.0.0.1");
  EXPECT_EQ(history.at(3000).forget(2000).view()->answer(asleep, 1, push, output), Basis::before_history);
}

TEST(Basis, every_reason_has_a_name) {
  EXPECT_EQ(to_string(Basis::asked_for_all), "asked_for_all");
  EXPECT_EQ(to_string(Basis::before_history), "before_history");
  EXPECT_EQ(to_string(Basis::never_given_out), "never_given_out");
  EXPECT_EQ(to_string(Basis::exact), "exact");
  EXPECT_EQ(to_string(Basis::second_again), "second_again");
}

// ---- Golden bytes ----

TEST(Answer, is_the_closing_packet_alone_when_nothing_has_changed) {
  History history;
  const auto view = history.at(1700000007).view();
  Cursor cursor = history.join();
  EXPECT_EQ(answer_of(*view, cursor, 0), hex("4c454b54 48000000 00000000 6553f106 41000000"));
  EXPECT_EQ(answer_of(*view, cursor, 1700000006), hex("4c454b54 48000000 00000000 6553f106 41000000"));
}

TEST(Answer, has_removals_then_additions_then_the_closing_packet) {
  History history;
  history.at(1700000005).add("10.0.0.7").add("10.0.0.9").remove("10.0.0.8");
  const auto view = history.at(1700000007).view();
  Cursor cursor = history.join();
  EXPECT_EQ(answer_of(*view, cursor, 1700000001),
            hex("4c454b54 48000000 00000000 6553f105 52000001 0a000008"
                "4c454b54 48000000 00000000 6553f105 41000002"
                "0000000c 0a000007 00000001 00001ed2 0000000c 0a000009 00000001 00001ed2"
                "4c454b54 48000000 00000000 6553f106 41000000"));
}

TEST(Answer, begins_with_a_reset_when_the_log_cannot_continue) {
  History history;
  const auto view = history.at(1700000007).view();
  const Bytes reset = hex("4c454b54 48000000 00000000 00000000 52000001 00000000");
  const Bytes closing = hex("4c454b54 48000000 00000000 6553f106 41000000");
  for (const std::int64_t timestamp : {std::int64_t{1}, std::int64_t{1800000000}}) {
    Cursor cursor = history.join();
    EXPECT_EQ(answer_of(*view, cursor, timestamp), reset + closing);
  }
}

TEST(Answer, to_nothing_new_allocates_no_entries_and_shares_none) {
  History history;
  const auto view = history.at(1005).add("10.0.0.1").view();
  Cursor cursor = history.join();
  answer_of(*view, cursor, 0);
  Output output;
  view->answer(cursor, cursor.second, {}, output);
  EXPECT_TRUE(output.only_copies());
  EXPECT_EQ(output.size(), limits::update_header_bytes);
}

// ---- Pushing ----

TEST(Push, is_the_answer_that_a_heartbeat_would_get) {
  History history;
  Cursor pushed_to = history.at(1005).add("10.0.0.1").join();
  answer_of(*history.view(), pushed_to, 0);
  Cursor asks = pushed_to;
  const auto view = history.at(1006).add("10.0.0.2").remove("10.0.0.1").view();
  Output output;
  EXPECT_EQ(view->push(pushed_to, {}, output), Basis::exact);
  EXPECT_EQ(flatten(output), answer_of(*view, asks, asks.second));
}

TEST(Push, is_nothing_when_no_client_has_changed) {
  History history;
  Cursor cursor = history.at(1005).add("10.0.0.1").join();
  answer_of(*history.view(), cursor, 0);
  Output output;
  EXPECT_EQ(history.at(1050).view()->push(cursor, {}, output), std::nullopt);
  EXPECT_EQ(output.size(), 0u);
}

TEST(Push, begins_with_a_reset_when_a_removal_was_forgotten_meanwhile) {
  History history;
  Cursor cursor = history.at(1005).add("10.0.0.1").join();
  answer_of(*history.view(), cursor, 0);
  history.at(1006).remove("10.0.0.1");
  Output output;
  EXPECT_EQ(history.at(2000).forget(1900).view()->push(cursor, {}, output), Basis::before_history);
  EXPECT_EQ(told(flatten(output)), Told{"R 0.0.0.0"});
}

TEST(Push, in_force_makes_a_later_full_list_begin_with_a_reset) {
  History history;
  const auto view = history.at(1005).add("10.0.0.1").view();
  Cursor cursor = history.join();
  for (const bool is_first : {true, false}) {
    Output output;
    view->answer(cursor, 0, {Feature::push}, output);
    const Told full = is_first ? Told{"A 10.0.0.1"} : Told{"R 0.0.0.0", "A 10.0.0.1"};
    EXPECT_EQ(told(flatten(output)), full);
  }
}

// ---- Continuing and resuming ----

TEST(Answer, on_one_connection_tells_each_change_once_even_within_one_second) {
  History history;
  Cursor cursor = history.at(1005).add("10.0.0.1").join();
  EXPECT_EQ(told(answer_of(*history.view(), cursor, 0)), Told{"A 10.0.0.1"});
  history.add("10.0.0.2");
  EXPECT_EQ(told(answer_of(*history.view(), cursor, cursor.second)), Told{"A 10.0.0.2"});
  history.remove("10.0.0.1");
  EXPECT_EQ(told(answer_of(*history.view(), cursor, cursor.second)), Told{"R 10.0.0.1"});
  EXPECT_EQ(told(answer_of(*history.view(), cursor, cursor.second)), Told{});
}

TEST(Answer, to_the_clients_own_clock_continues_exactly_after_the_first) {
  History history;
  Cursor cursor = history.at(1005).add("10.0.0.1").join();
  answer_of(*history.view(), cursor, 0);
  history.add("10.0.0.2");
  EXPECT_EQ(told(answer_of(*history.view(), cursor, 1'900'000'000)), Told{"A 10.0.0.2"});
}

TEST(Answer, on_a_new_connection_begins_with_all_changes_of_the_second_asked_for) {
  History history;
  history.at(1001).add("10.0.0.1").at(1002).add("10.0.0.2").commit().add("10.0.0.3").at(1003).add("10.0.0.4");
  const auto view = history.at(1010).view();
  const auto first = [&](std::int64_t timestamp) {
    Cursor cursor = history.join();
    return told(answer_of(*view, cursor, timestamp));
  };
  EXPECT_EQ(first(1000), (Told{"A 10.0.0.1", "A 10.0.0.2", "A 10.0.0.3", "A 10.0.0.4"}));
  EXPECT_EQ(first(1002), (Told{"A 10.0.0.2", "A 10.0.0.3", "A 10.0.0.4"}));
  EXPECT_EQ(first(1003), Told{"A 10.0.0.4"});
  EXPECT_EQ(first(1004), Told{});
  EXPECT_EQ(first(1009), Told{});
}

TEST(Answer, to_an_earlier_second_tells_everything_since_again) {
  History history;
  Cursor cursor = history.at(1001).add("10.0.0.1").at(1005).add("10.0.0.2").join();
  const auto view = history.at(1010).view();
  EXPECT_EQ(told(answer_of(*view, cursor, 0)), (Told{"A 10.0.0.1", "A 10.0.0.2"}));
  EXPECT_EQ(told(answer_of(*view, cursor, 1005)), Told{"A 10.0.0.2"});
  EXPECT_EQ(told(answer_of(*view, cursor, 1005)), Told{"A 10.0.0.2"});
  EXPECT_EQ(told(answer_of(*view, cursor, cursor.second)), Told{});
}

TEST(Answer, to_who_asks_for_all_leaves_nobody_in_the_list_who_is_gone) {
  History history;
  history.at(1001).add("10.0.0.1").add("10.0.0.2").at(1002).remove("10.0.0.1");
  EXPECT_EQ(list_of(*history.at(1010).view()), (List{{"10.0.0.2", "tcp:7890"}}));
}

TEST(Answer, has_a_closing_timestamp_before_the_second_that_is_not_over) {
  History history;
  Cursor cursor = history.at(1005).add("10.0.0.1").join();
  const auto packets = take_apart(answer_of(*history.view(), cursor, 0));
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_TRUE(packets[1].head.closes());
  EXPECT_EQ(packets[1].head.timestamp, 1004);
  EXPECT_EQ(packets[0].head.timestamp, 1004) << "not later than the closing one";
}

// ---- Packets of limited size ----

/// A third of what a packet of the smallest allowed size has room for.
const Methods third = filler((limits::packet_bytes_floor - limits::update_header_bytes) / 3 - 12);

std::vector<std::size_t> sizes(const std::vector<AnswerPacket>& packets) {
  std::vector<std::size_t> result;
  for (const AnswerPacket& packet : packets) result.push_back(packet.size);
  return result;
}

TEST(PacketSize, entries_may_fill_a_packet_exactly) {
  History history(limits::packet_bytes_floor);
  for (std::uint32_t number = 1; number <= 3; ++number) history.add(numbered(number), third);
  Cursor cursor = history.join();
  EXPECT_EQ(sizes(take_apart(answer_of(*history.view(), cursor, 0))), (std::vector<std::size_t>{8192, 20}));
  history.add(numbered(4), third);
  cursor = history.join();
  EXPECT_EQ(sizes(take_apart(answer_of(*history.view(), cursor, 0))),
            (std::vector<std::size_t>{8192, 20 + 2724, 20}));
}

TEST(PacketSize, entries_of_the_encoded_full_list_may_fill_a_packet_exactly) {
  History history(limits::packet_bytes_floor);
  for (std::uint32_t number = 1; number <= 31; ++number) history.add(numbered(number), third);
  Cursor cursor = history.join();
  const auto view = history.view();
  ASSERT_EQ(history.log().encodings_of_full_list(), 1u);
  std::vector<std::size_t> expected(10, 8192);
  expected.insert(expected.end(), {20 + 2724, 20});
  EXPECT_EQ(sizes(take_apart(answer_of(*view, cursor, 0))), expected);
}

TEST(PacketSize, one_entry_may_fill_a_packet_alone) {
  History history(limits::packet_bytes_floor);
  const Methods largest = filler(limits::packet_bytes_floor - limits::update_header_bytes - 12);
  for (std::uint32_t number = 1; number <= 20; ++number) history.add(numbered(number), largest).commit();
  Cursor cursor = history.join();
  const auto packets = take_apart(answer_of(*history.view(), cursor, 0));
  ASSERT_EQ(packets.size(), 21u);
  for (std::size_t index = 0; index < 20; ++index) EXPECT_EQ(packets[index].size, 8192u);
}

TEST(PacketSize, removals_are_split_as_well) {
  History history(limits::packet_bytes_floor);
  for (std::uint32_t number = 0; number < 2044; ++number) history.remove(numbered(number));
  Cursor cursor = history.join();
  EXPECT_EQ(sizes(take_apart(answer_of(*history.view(), cursor, 1000))),
            (std::vector<std::size_t>{8192, 24, 20}));
}

TEST(PacketSize, the_encoded_full_list_has_timestamp_0) {
  History history(limits::packet_bytes_floor);
  for (std::uint32_t number = 0; number < 5000; ++number) history.add(numbered(number), tcp(7890));
  ASSERT_EQ(history.view()->parts().full->sequence, 5000u);
  Cursor cursor = history.at(1005).add("10.9.9.9").join();
  const auto packets = take_apart(answer_of(*history.at(1010).view(), cursor, 0));
  ASSERT_GT(packets.size(), 3u);
  for (std::size_t index = 0; index + 2 < packets.size(); ++index) {
    EXPECT_EQ(packets[index].head.timestamp, 0) << "who is cut off here has to ask for all again";
    EXPECT_LE(packets[index].size, limits::packet_bytes_floor);
  }
  EXPECT_EQ(packets[packets.size() - 2].head.timestamp, 1005);
  EXPECT_EQ(packets.back().head.timestamp, 1009);
}

}  // namespace
}  // namespace lekt
