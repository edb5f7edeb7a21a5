#include "server/core/change_log.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/support.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace test;

void expect_logarithmic(const ChangeLog& log, const ChangeView& view) {
  const auto entries = static_cast<double>(std::max<std::size_t>(log.entries(), 1));
  ASSERT_LE(static_cast<double>(view.parts().pieces.size()), 2 + 2 * std::log2(entries)) << log.entries();
}

// ---- What it tells ----

TEST(ChangeLog, is_empty_at_first) {
  History history;
  EXPECT_EQ(list_of(*history.view()), List{});
  EXPECT_EQ(history.log().entries(), 0u);
}

TEST(ChangeLog, lists_each_address_in_its_newest_state) {
  History history;
  history.add("10.0.0.1", 80).add("10.0.0.2", 80).at(1002).add("10.0.0.1", 443).at(1003).remove("10.0.0.2");
  EXPECT_EQ(list_of(*history.view()), (List{{"10.0.0.1", "tcp:443"}}));
  history.at(1004).add("10.0.0.2", 25);
  EXPECT_EQ(list_of(*history.view()), (List{{"10.0.0.1", "tcp:443"}, {"10.0.0.2", "tcp:25"}}));
}

TEST(ChangeLog, seconds_that_are_centuries_apart_stand_in_pieces_of_their_own) {
  constexpr std::int64_t century = 3'155'760'000;
  History history;
  history.add("10.0.0.1", 1);
  for (std::int64_t number = 1; number <= 6; ++number)
    history.at(History::begins + number * century)
        .add(numbered(static_cast<std::uint32_t>(100 + number)), {});
  for (std::int64_t number = 0; number <= 5; ++number) {
    Cursor cursor = history.join();
    std::size_t added = 0;
    const std::int64_t since = History::begins + number * century;
    for (const AnswerPacket& packet : take_apart(answer_of(*history.view(), cursor, since)))
      added += packet.added.size();
    // Whatever has the closing timestamp's second or a later one is told again.
    EXPECT_EQ(added, static_cast<std::size_t>(7 - number)) << number;
  }
}

TEST(ChangeLog, tells_how_old_the_oldest_removals_are) {
  History history;
  history.add("10.0.0.1", 1).add("10.0.0.2", 1).add("10.0.0.3", 1);
  history.at(1010).remove("10.0.0.1").at(1020).remove("10.0.0.2").at(1030).remove("10.0.0.3");
  history.at(1040).add("10.0.0.2", 1).commit();
  EXPECT_EQ(history.log().removals(), 2u) << "one has come back";
  EXPECT_EQ(history.log().second_after_oldest(1), 1011);
  EXPECT_EQ(history.log().second_after_oldest(2), 1031);
  history.forget(1011);
  EXPECT_EQ(history.log().removals(), 1u);
}

TEST(ChangeLog, a_published_view_never_changes) {
  History history;
  const auto before = history.add("10.0.0.1", 80).view();
  for (std::uint32_t number = 0; number < 10'000; ++number)
    history.add(address("10.0.0.1"), tcp(443)).remove(numbered(number + 100));
  EXPECT_EQ(list_of(*before), (List{{"10.0.0.1", "tcp:80"}}));
  EXPECT_EQ(list_of(*history.view()), (List{{"10.0.0.1", "tcp:443"}}));
}

TEST(ChangeLog, all_ways_to_follow_it_end_with_the_same_list) {
  Random random;
  History history(limits::packet_bytes_floor);
  Follower connected;
  Follower reconnecting;
  Cursor connection = history.join();
  for (int step = 0; step < 2000; ++step) {
    for (std::uint64_t changes = random.below(8); changes > 0; --changes) {
      const Address address = numbered(static_cast<std::uint32_t>(random.below(500)));
      if (random.chance(60))
        history.add(address, tcp(static_cast<std::uint16_t>(random.between(1, 65535))));
      else
        history.remove(address);
    }
    if (random.chance(50)) history.at(history.second() + random.between(0, 5));
    if (random.chance(2)) history.forget(history.second() - 60);
    const auto view = history.view();
    ASSERT_NO_FATAL_FAILURE(expect_logarithmic(history.log(), *view));
    if (random.chance(20)) {
      connected.apply(take_apart(answer_of(*view, connection, connected.ask())));
      ASSERT_EQ(connected.list(), history.list());
    }
    if (random.chance(10)) {
      Cursor cursor = history.join();
      reconnecting.apply(take_apart(answer_of(*view, cursor, reconnecting.ask())));
      ASSERT_EQ(reconnecting.list(), history.list());
    }
    if (step % 50 == 0) {
      ASSERT_EQ(list_of(*view), history.list());
    }
  }
}

// ---- What it costs ----

TEST(ChangeLog, the_number_of_pieces_grows_with_the_logarithm_of_the_entries) {
  History history;
  for (std::uint32_t number = 0; number < 10'000; ++number) {
    history.add(numbered(number), tcp(80)).commit();
    if (number % 100 == 0) {
      ASSERT_NO_FATAL_FAILURE(expect_logarithmic(history.log(), *history.view()));
    }
  }
  EXPECT_LE(history.view()->parts().pieces.size(), 14u);
  EXPECT_EQ(history.log().entries(), 10'000u);
}

TEST(ChangeLog, keeps_no_more_than_few_addresses_need_however_often_they_change) {
  Random random;
  History history;
  for (int change = 0; change < 50'000; ++change) {
    const Address address = numbered(static_cast<std::uint32_t>(random.below(20)));
    random.chance(50) ? history.add(address, tcp(80)) : history.remove(address);
    history.commit();
    ASSERT_LE(history.log().entries(), 2 * history.log().addresses() + 5000);
  }
  EXPECT_LE(history.log().addresses(), 20u);
  EXPECT_EQ(list_of(*history.view()), history.list());
}

TEST(ChangeLog, encodes_the_full_list_a_few_times_while_ten_thousand_join) {
  History history;
  for (std::uint32_t number = 0; number < 10'000; ++number) history.add(numbered(number), tcp(80)).view();
  EXPECT_GE(history.log().encodings_of_full_list(), 1u);
  EXPECT_LE(history.log().encodings_of_full_list(), 12u);
  EXPECT_EQ(list_of(*history.view()), history.list());
}

TEST(ChangeLog, ten_thousand_that_ask_for_all_share_one_encoding) {
  History history;
  for (std::uint32_t number = 0; number < 10'000; ++number) history.add(numbered(number), tcp(80));
  const auto view = history.view();
  ASSERT_EQ(history.log().encodings_of_full_list(), 1u);
  for (int client = 0; client < 10'000; ++client) {
    Cursor cursor = history.join();
    Output output;
    view->answer(cursor, 0, {}, output);
    const FullList& full = *view->parts().full;
    ASSERT_EQ(output.copied().size(), (full.packets.size() + 1) * limits::update_header_bytes);
    std::vector<const char*> parts;
    output.each(0, [&](ByteView part) {
      parts.push_back(part.data());
      return true;
    });
    ASSERT_EQ(parts.size(), 2 * full.packets.size() + 1);
    for (std::size_t packet = 0; packet < full.packets.size(); ++packet)
      ASSERT_EQ(parts[2 * packet + 1],
                full.entries.data() + (packet == 0 ? 0 : full.packets[packet - 1].end));
  }
  EXPECT_EQ(history.log().encodings_of_full_list(), 1u);
}

// ---- The digest ----

/// What the closing packet of an answer says of the list.
std::optional<ListDigest> digest_in(const ChangeView& view, Features features) {
  Cursor cursor;
  Output output;
  view.answer(cursor, 0, features, output);
  ByteView closing(output.copied());
  const bool is_longer = features.has(Feature::digest);
  closing.remove_prefix(closing.size() - limits::update_header_bytes - (is_longer ? 12 : 0));
  const MethodCatalogue catalogue;
  const ReadContext context{.catalogue = catalogue, .from_server = true, .features = features};
  UpdatePacket packet;
  Rejection rejection{};
  EXPECT_EQ(read(closing, packet, context, rejection), ReadStatus::complete) << rejection.message;
  EXPECT_TRUE(packet.closes() && closing.empty());
  EXPECT_EQ(packet.version.features(), features);
  return packet.list;
}

std::uint64_t digest_of(std::string_view dotted, const Methods& methods) {
  return digest_of_entry(encode(AddedEntry{address(dotted), methods, {}}));
}

TEST(ListDigest, is_the_sum_of_the_digests_of_who_is_present) {
  constexpr Features digest{Feature::digest};
  History history;
  EXPECT_EQ(digest_in(*history.view(), digest), ListDigest());
  history.add("10.0.0.1", 1).add("10.0.0.2", 2);
  EXPECT_EQ(digest_in(*history.view(), digest),
            (ListDigest{2, digest_of("10.0.0.1", tcp(1)) + digest_of("10.0.0.2", tcp(2))}));
  history.add("10.0.0.2", 22).remove("10.0.0.1");
  EXPECT_EQ(digest_in(*history.view(), digest), (ListDigest{1, digest_of("10.0.0.2", tcp(22))}));
  history.remove("10.0.0.2");
  EXPECT_EQ(digest_in(*history.view(), digest), ListDigest());
}

TEST(ListDigest, is_told_only_where_it_is_in_force) {
  History history;
  history.add("10.0.0.1", 1);
  EXPECT_EQ(digest_in(*history.view(), {}), std::nullopt);
  EXPECT_EQ(digest_in(*history.view(), {Feature::identity}), std::nullopt);
}

// ---- What it forgets ----

TEST(ChangeLog, says_what_could_be_forgotten_and_forgets_nothing_by_that) {
  History history;
  history.add("10.0.0.1").add("10.0.0.2").add("10.0.0.3");
  history.at(1002).remove("10.0.0.1").at(1003).remove("10.0.0.2").at(1004).remove("10.0.0.3").commit();
  const ChangeLog& log = history.log();
  EXPECT_EQ(log.forgettable(1002).count, 0u);
  EXPECT_EQ(log.forgettable(1003).count, 1u);
  EXPECT_EQ(log.forgettable(1004).count, 2u);
  EXPECT_EQ(log.forgettable(1004).newest_second, 1003);
  EXPECT_EQ(log.forgettable(1004).newest_sequence, 5u);
  EXPECT_EQ(log.addresses(), 3u);
}

TEST(ChangeLog, forgets_old_removals_and_nothing_else) {
  History history;
  history.add("10.0.0.1").add("10.0.0.2").add("10.0.0.3");
  history.at(1002).remove("10.0.0.1").at(1003).remove("10.0.0.2").at(2000).forget(1003);
  EXPECT_EQ(history.log().addresses(), 2u);
  EXPECT_EQ(history.log().forgettable(1003).count, 0u);
  EXPECT_EQ(history.log().forgettable(1004).count, 1u);
  EXPECT_EQ(list_of(*history.view()), history.list());
}

TEST(ChangeLog, does_not_forget_who_has_come_back) {
  History history;
  history.add("10.0.0.1").at(1002).remove("10.0.0.1").at(1003).add("10.0.0.1");
  EXPECT_EQ(history.commit().log().forgettable(2000).count, 0u);
  EXPECT_EQ(list_of(*history.at(2000).forget(1999).view()), history.list());
}

TEST(ChangeLog, who_resumes_from_before_a_forgotten_removal_gets_everything) {
  History history;
  Follower follower;
  Cursor cursor = history.add("10.0.0.1").add("10.0.0.2").at(1010).join();
  follower.apply(take_apart(answer_of(*history.view(), cursor, follower.ask())));
  history.remove("10.0.0.1").at(5000).forget(4000);
  const auto view = history.view();
  EXPECT_EQ(view->history_begins(), 1011);
  Output output;
  Cursor resumed = history.join();
  EXPECT_EQ(view->answer(resumed, follower.ask(), {}, output), Basis::before_history);
  follower.apply(take_apart(flatten(output)));
  EXPECT_EQ(follower.list(), (List{{"10.0.0.2", "tcp:7890"}}));
}

TEST(ChangeLog, who_is_forgotten_does_not_come_back_from_an_older_full_list) {
  History history;
  for (std::uint32_t number = 0; number < 3000; ++number) history.add(numbered(number), tcp(80));
  ASSERT_EQ(history.view()->parts().full->sequence, 3000u);
  history.at(1002).remove(numbered(7)).at(5000).forget(4000);
  history.at(5001).add("10.9.9.1").at(5002).add("10.9.9.2");
  EXPECT_EQ(list_of(*history.view()), history.list());
}

TEST(ChangeLog, memory_follows_the_clients_when_all_removals_are_forgotten) {
  History history;
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t number = 0; number < 10'000; ++number) history.add(numbered(number), tcp(80));
    history.at(history.second() + 10);
    for (std::uint32_t number = 0; number < 10'000; ++number) history.remove(numbered(number));
    history.at(history.second() + 10).forget(history.second() - 1);
    EXPECT_EQ(history.log().addresses(), 0u);
    EXPECT_EQ(history.log().entries(), 0u);
    EXPECT_TRUE(history.view()->parts().pieces.empty());
  }
  EXPECT_EQ(list_of(*history.view()), List{});
}

// ---- After a restart ----

TEST(ChangeLog, restored_from_the_newest_changes_it_tells_the_same) {
  ChangeLog log(limits::packet_bytes_default);
  log.restore({3, 1002, UpdateKind::removed, address("10.0.0.3"), {}});
  log.restore({5, 1004, UpdateKind::added, address("10.0.0.1"), tcp(80)});
  log.restore({9, 1009, UpdateKind::added, address("10.0.0.2"), tcp(443)});
  log.settle();
  const auto view = log.publish({1010, 9, 1000, 0}, 1009);
  EXPECT_EQ(list_of(*view), (List{{"10.0.0.1", "tcp:80"}, {"10.0.0.2", "tcp:443"}}));
  Cursor cursor;
  cursor.second = 1010;
  const auto packets = take_apart(answer_of(*view, cursor, 1002));
  ASSERT_EQ(packets.size(), 3u);
  EXPECT_EQ(packets[0].removed, std::vector{address("10.0.0.3")});
  EXPECT_EQ(packets[1].added.size(), 2u);
}

TEST(ChangeLog, restored_it_keeps_centuries_apart) {
  constexpr std::int64_t century = 3'155'760'000;
  ChangeLog log(limits::packet_bytes_default);
  for (std::uint32_t number = 0; number <= 6; ++number)
    log.restore({number + 1, 1000 + number * century, UpdateKind::added, numbered(100 + number), {}});
  log.settle();
  const std::int64_t last = 1000 + 6 * century;
  const auto view = log.publish({last + 1, 7, 1000, 0}, last);
  for (std::uint32_t number = 0; number <= 6; ++number) {
    Cursor cursor;
    cursor.second = last + 1;
    std::size_t added = 0;
    for (const AnswerPacket& packet : take_apart(answer_of(*view, cursor, 1000 + number * century)))
      added += packet.added.size();
    EXPECT_EQ(added, 7 - number) << number;
  }
}

TEST(ChangeLog, restored_it_goes_on) {
  ChangeLog log(limits::packet_bytes_default);
  log.restore({5, 1004, UpdateKind::added, address("10.0.0.1"), tcp(80)});
  log.settle();
  const std::vector<storage::Change> next = {{6, 1010, UpdateKind::removed, address("10.0.0.1"), {}}};
  log.append(next);
  EXPECT_EQ(list_of(*log.publish({1010, 6, 1000, 0}, 1009)), List{});
}

TEST(ChangeLog, settling_nothing_is_nothing) {
  ChangeLog log(limits::packet_bytes_default);
  log.settle();
  log.append({});
  EXPECT_EQ(log.entries(), 0u);
  EXPECT_EQ(list_of(*log.publish({}, 0)), List{});
}

}  // namespace
}  // namespace lekt
