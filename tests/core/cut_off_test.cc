// A client may be cut off between any two packets of an answer. It resumes on a new connection from the
// timestamp of the last packet that it has received, and must end with the list of the server.
#include <gtest/gtest.h>

#include "tests/core/support.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace test;

/// Room for two small entries: every answer is many packets.
constexpr std::size_t tiny_packet = limits::update_header_bytes + 32;

/// On a new connection, until one answer is complete.
void resume(const History& history, const ChangeView& view, Follower& follower) {
  Cursor cursor = history.join();
  follower.apply(take_apart(answer_of(view, cursor, follower.ask())));
}

/// Cuts the follower off behind each packet of the answer that `cursor` gets.
void expect_no_loss_wherever_cut(History& history, const Cursor& cursor, Follower follower) {
  const auto view = history.view();
  Cursor answered = cursor;
  const auto packets = take_apart(answer_of(*view, answered, follower.ask()));
  for (std::size_t received = 0; received <= packets.size(); ++received) {
    Follower cut = follower;
    for (std::size_t index = 0; index < received; ++index) cut.apply(packets[index]);
    resume(history, *view, cut);
    ASSERT_EQ(cut.list(), history.list()) << "cut off behind packet " << received << " of " << packets.size()
                                          << ", asked for " << follower.timestamp();
  }
}

/// Some changes of few addresses in few seconds, in commits of random size.
void change(History& history, Random& random, int changes) {
  for (int count = 0; count < changes; ++count) {
    const Address address = numbered(static_cast<std::uint32_t>(random.below(30)));
    if (random.chance(60))
      history.add(address, tcp(static_cast<std::uint16_t>(1 + random.below(3))));
    else
      history.remove(address);
    if (random.chance(40)) history.commit();
    if (random.chance(30)) history.at(history.second() + random.between(1, 3));
  }
}

TEST(CutOff, in_the_middle_of_everything) {
  Random random;
  for (int round = 0; round < 100; ++round) {
    History history(tiny_packet);
    change(history, random, 40);
    ASSERT_NO_FATAL_FAILURE(expect_no_loss_wherever_cut(history, history.join(), Follower()));
  }
}

TEST(CutOff, in_the_middle_of_a_continuation) {
  Random random;
  for (int round = 0; round < 100; ++round) {
    History history(tiny_packet);
    change(history, random, 20);
    Cursor cursor = history.join();
    Follower follower;
    follower.apply(take_apart(answer_of(*history.view(), cursor, follower.ask())));
    change(history, random, 20);
    ASSERT_NO_FATAL_FAILURE(expect_no_loss_wherever_cut(history, cursor, follower));
  }
}

TEST(CutOff, in_the_middle_of_a_resumption) {
  Random random;
  for (int round = 0; round < 100; ++round) {
    History history(tiny_packet);
    change(history, random, 20);
    Follower follower;
    resume(history, *history.view(), follower);
    change(history, random, 20);
    ASSERT_NO_FATAL_FAILURE(expect_no_loss_wherever_cut(history, history.join(), follower));
  }
}

TEST(CutOff, in_the_middle_of_a_reset) {
  Random random;
  for (int round = 0; round < 50; ++round) {
    History history(tiny_packet);
    change(history, random, 20);
    Follower follower;
    resume(history, *history.view(), follower);
    change(history, random, 20);
    history.at(history.second() + 100).forget(history.second() - 50);
    ASSERT_NO_FATAL_FAILURE(expect_no_loss_wherever_cut(history, history.join(), follower));
  }
}

TEST(CutOff, again_and_again_while_everything_changes) {
  Random random;
  for (int round = 0; round < 50; ++round) {
    History history(tiny_packet);
    Follower follower;
    for (int attempt = 0; attempt < 30; ++attempt) {
      change(history, random, 5);
      if (random.chance(10)) history.at(history.second() + 20).forget(history.second() - 10);
      const auto view = history.view();
      Cursor cursor = history.join();
      const auto packets = take_apart(answer_of(*view, cursor, follower.ask()));
      const std::size_t received = random.below(packets.size() + 1);
      for (std::size_t index = 0; index < received; ++index) follower.apply(packets[index]);
    }
    resume(history, *history.view(), follower);
    ASSERT_EQ(follower.list(), history.list());
  }
}

TEST(CutOff, in_the_middle_of_an_encoded_full_list_and_the_changes_behind_it) {
  Random random;
  History history(limits::packet_bytes_floor);
  for (std::uint32_t number = 0; number < 3000; ++number) history.add(numbered(number), tcp(80));
  ASSERT_NE(history.view()->parts().full->sequence, 0u);
  for (int count = 0; count < 200; ++count) {
    history.remove(numbered(static_cast<std::uint32_t>(random.below(3000))));
    if (random.chance(20)) history.at(history.second() + 1);
  }
  expect_no_loss_wherever_cut(history, history.join(), Follower());
}

TEST(Timestamps, of_packets_are_never_later_than_a_change_not_yet_delivered_nor_than_the_closing_one) {
  Random random;
  for (int round = 0; round < 300; ++round) {
    History history(tiny_packet);
    std::map<std::string, std::int64_t> changed_in;
    for (int count = 0; count < 40; ++count) {
      const Address address = numbered(static_cast<std::uint32_t>(random.below(30)));
      random.chance(60) ? history.add(address, tcp(80)) : history.remove(address);
      changed_in[to_string(address)] = history.second();
      if (random.chance(40)) history.at(history.second() + random.between(0, 2));
    }
    const std::int64_t asked = random.between(0, 1) == 0 ? 0 : random.between(1000, history.second() - 1);
    Cursor cursor = history.join();
    const auto packets = take_apart(answer_of(*history.view(), cursor, asked));
    std::int64_t limit = packets.back().head.timestamp;
    for (auto packet = packets.rbegin(); packet != packets.rend(); ++packet) {
      ASSERT_LE(packet->head.timestamp, limit);
      for (const AddedEntry& entry : packet->added)
        limit = std::min(limit, changed_in[to_string(entry.address)]);
      for (const Address removed : packet->removed)
        if (changed_in.contains(to_string(removed))) limit = std::min(limit, changed_in[to_string(removed)]);
    }
  }
}

}  // namespace
}  // namespace lekt
