// A worker and its connections, with real sockets and the clients of tests/net/driven_worker.h.
#include "server/net/worker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tests/core/support.h"
#include "tests/net/driven_worker.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

class WorkerTest : public testing::Test {
 protected:
  static constexpr std::uint32_t per_second = 10;
  static constexpr std::uint32_t at_once = 20;
  static constexpr std::uint32_t list_price = 2;  ///< for more than 64 KiB

  static WorkerSettings settings() {
    WorkerSettings settings;
    settings.members.heartbeats = Rate(per_second, at_once);
    settings.output_bytes_max = 100'000;
    return settings;
  }

  /// A list of 80 KB, which no socket of the tests takes at once.
  static PublishedView::Pointer large_list() {
    History history;
    for (std::uint32_t number = 1; number <= 40; ++number) history.add(numbered(number), filler(2000));
    return history.view();
  }

  ClientEnd joined(std::uint32_t number = 1) {
    ClientEnd client = worker_.connect(numbered(number));
    client.send(handshake_bytes());
    worker_.turn();
    worker_.decide_join();
    client.receive();
    return client;
  }

  /// Reads until nothing more comes.
  Bytes read_all(ClientEnd& client) {
    Bytes all;
    for (Bytes part = client.receive(); !part.empty(); part = client.receive()) {
      all += part;
      worker_.turn();
    }
    return all;
  }

  std::uint64_t lists() { return worker_.worker().meters().full_lists.value(); }

  DrivenWorker worker_{settings(), large_list()};
};

}  // namespace

TEST_F(WorkerTest, answers_a_slowed_client_no_sooner_because_it_reads) {
  ClientEnd client = joined();
  client.send(heartbeats(0));
  worker_.turn();
  read_all(client);
  // Behind one that is answered at once, the others are all taken from the socket.
  client.send(heartbeats(nothing_new) + heartbeats(0, 60));
  worker_.turn();
  read_all(client);
  EXPECT_EQ(lists(), at_once / list_price) << "all were read, and no time has passed";
  for (int round = 0; round < 100; ++round) {
    worker_.pass(10ms);
    read_all(client);
  }
  EXPECT_LE(lists(), (at_once + per_second) / list_price + 1);
}

TEST_F(WorkerTest, tells_a_client_that_waits_for_the_server_that_the_server_was_slow) {
  ClientEnd client = worker_.connect(numbered(1));
  worker_.pass(9s);
  client.send(handshake_bytes());
  worker_.pass(9s);
  EXPECT_EQ(worker_.codes(), "") << "its join is waited for, and it owes nothing";
  worker_.pass(2s);
  EXPECT_EQ(worker_.codes(), "E403");
  EXPECT_NE(client.receive().find("E403 the client could not be stored within 10s"), Bytes::npos);
  worker_.decide_join();
  EXPECT_EQ(worker_.sessions_kept(), 0u);
}

TEST_F(WorkerTest, tells_a_client_that_does_not_answer_that_it_was_slow) {
  ClientEnd client = worker_.connect(numbered(1));
  worker_.pass(11s);
  EXPECT_EQ(worker_.codes(), "E107");
}

TEST_F(WorkerTest, tells_the_writer_whether_who_has_left_had_been_told_that_it_has_joined) {
  { const ClientEnd client = joined(1); }
  worker_.turn();
  ClientEnd client = worker_.connect(numbered(2));
  client.send(handshake_bytes());
  worker_.pass(11s);
  EXPECT_EQ(worker_.codes(), "E403");
  EXPECT_EQ(worker_.leaves_told(), (std::vector{true, false}));
}

TEST_F(WorkerTest, refuses_who_was_banned_between_its_admission_and_now) {
  // It comes to the worker before the connection, which has been admitted by then.
  worker_.worker().post([&] { worker_.admission().ban({Block(numbered(1))}); });
  ClientEnd client = worker_.connect(numbered(1));
  EXPECT_EQ(worker_.codes(), "E408");
}

TEST_F(WorkerTest, sees_an_end_that_comes_together_with_a_heartbeat) {
  ClientEnd client = joined();
  client.send(heartbeats(0));
  worker_.turn();
  read_all(client);
  client.send(heartbeats(nothing_new));
  client.half_close();
  worker_.turn();  // epoll tells of both at once, and never again
  EXPECT_FALSE(client.receive().empty());
  EXPECT_TRUE(client.has_ended());
  EXPECT_EQ(worker_.leaves_told(), std::vector{true});
}

TEST_F(WorkerTest, forgets_a_client_that_is_slowed_blocked_and_gone_at_once) {
  ClientEnd stays = joined(2);
  {
    ClientEnd client = joined();
    client.send(heartbeats(0));
    read_all(client);
    client.send(heartbeats(nothing_new) + heartbeats(0, 30) + heartbeats(nothing_new, 150));
    for (int round = 0; round < 20; ++round) {
      client.receive(20000);
      worker_.turn();
    }
  }
  worker_.pass(100ms);
  EXPECT_EQ(worker_.admission().connections(), 1u);
  stays.send(heartbeats(nothing_new));
  worker_.turn();
  EXPECT_FALSE(stays.receive().empty());
}

TEST_F(WorkerTest, keeps_no_older_lists_than_it_may_for_who_does_not_read) {
  History history;
  const auto publish_anew = [&](std::uint32_t round) {
    for (std::uint32_t number = 1; number <= 40; ++number)
      history.add(numbered(number), filler(2000 + 4 * (round % 2)));
    worker_.publish(history.view());
    worker_.turn();
  };
  publish_anew(0);
  ClientEnd reader = joined(1000);
  reader.send(heartbeats(0));
  worker_.turn();
  std::vector<ClientEnd> silent;
  for (std::uint32_t round = 1; round <= 12; ++round) {
    silent.push_back(joined(1000 + round));
    silent.back().send(heartbeats(0));
    worker_.turn();
    reader.receive(5000);
    publish_anew(round);
  }
  const auto newest = history.view();
  EXPECT_LE(newest->bytes_of_older(), old_answers_max(0, *newest) + 2 * newest->full_list_bytes());
  EXPECT_EQ(worker_.codes().substr(0, 9), "E302 E302");
  EXPECT_TRUE(!silent.front().receive().empty() && silent.front().has_ended());
  EXPECT_FALSE(silent.back().has_ended());
  EXPECT_FALSE(reader.receive().empty());
  EXPECT_FALSE(reader.has_ended()) << "who reads, if slowly, is let go last";
}

TEST_F(WorkerTest, lets_nobody_go_who_reads_the_newest_list_for_what_others_hold) {
  History history;
  std::vector<PublishedView::Pointer> held;  // as clients of other workers hold them
  for (std::uint32_t round = 0; round < 12; ++round) {
    for (std::uint32_t number = 1; number <= 40; ++number)
      history.add(numbered(number), filler(2000 + 4 * (round % 2)));
    held.push_back(history.view());
  }
  const ChangeView& newest = *held.back();
  worker_.publish(held.back());
  ClientEnd client = joined(1000);
  ASSERT_GT(newest.bytes_of_older(), old_answers_max(settings().output_bytes_max, newest));
  client.send(heartbeats(0));
  worker_.pass(100ms);
  EXPECT_EQ(worker_.codes(), "");
  EXPECT_GT(read_all(client).size(), std::size_t{80'000});
}

TEST_F(WorkerTest, serves_a_list_of_any_length_to_who_reads_it) {
  History history;
  for (std::uint32_t number = 1; number <= 200; ++number) history.add(numbered(number), filler(4000));
  worker_.publish(history.view());
  ClientEnd client = joined();
  client.send(heartbeats(0));
  worker_.turn();
  EXPECT_GT(read_all(client).size(), std::size_t{800'000}) << "more than output may take otherwise";
}

TEST_F(WorkerTest, looks_after_everybody_between_handshakes_of_tls) {
  const auto tls = test_tls();
  const Bytes hello = client_hello();
  std::vector<ClientEnd> strangers;
  for (std::uint32_t number = 0; number < 200; ++number)
    strangers.push_back(worker_.connect(numbered(1 + number), false, tls));
  for (ClientEnd& stranger : strangers) stranger.send(hello);
  // A task that comes again with each turn of the worker's loop sees how many handshakes each of them held.
  std::size_t most_in_a_turn = 0;
  std::size_t before = 0;
  std::function<void()> look = [&] {
    const std::size_t answered = static_cast<std::size_t>(
        std::ranges::count_if(strangers, [](ClientEnd& stranger) { return stranger.has_bytes(); }));
    most_in_a_turn = std::max(most_in_a_turn, answered - std::exchange(before, answered));
    if (answered < strangers.size()) worker_.worker().post(look);
  };
  worker_.worker().post(look);
  worker_.turn();
  EXPECT_EQ(before, strangers.size());
  EXPECT_LT(most_in_a_turn, strangers.size() / 2);
}

TEST_F(WorkerTest, spends_no_handshake_on_who_has_gone) {
  const auto tls = test_tls();
  {
    ClientEnd stranger = worker_.connect(numbered(1), false, tls);
    stranger.send(client_hello());
  }
  worker_.pass(20ms);
  EXPECT_EQ(worker_.codes(), "") << "one that was made would have failed";
  EXPECT_EQ(worker_.admission().connections(), 0u);
}

TEST_F(WorkerTest, ends_slowed_and_blocked_clients_when_it_stops) {
  ClientEnd blocked = joined(1);
  blocked.send(heartbeats(0, 40));
  ClientEnd slowed = joined(2);
  slowed.send(heartbeats(0));
  worker_.turn();
  read_all(slowed);
  slowed.send(heartbeats(nothing_new, 40));
  worker_.turn();
  worker_.worker().stop();
  worker_.pass(20ms);
  EXPECT_TRUE(slowed.receive().find("E402") != Bytes::npos);
  worker_.end();
  EXPECT_EQ(worker_.admission().connections(), 0u);
}

}  // namespace lekt
