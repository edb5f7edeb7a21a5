// What a worker tells its clients without being asked, and when.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/core/support.h"
#include "tests/net/driven_worker.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

class WorkerPushTest : public testing::Test {
 protected:
  static constexpr auto interval = 200ms;

  static WorkerSettings settings() {
    WorkerSettings settings;
    settings.members.heartbeats = Rate(10, 20);
    settings.push_interval = interval;
    return settings;
  }

  ClientEnd joined(std::uint32_t number, Features asked = {Feature::push}) {
    ClientEnd client = worker_.connect(numbered(number));
    client.send(handshake_bytes(asked));
    worker_.turn();
    worker_.decide_join();
    client.receive();
    return client;
  }

  /// One that has been told everything.
  ClientEnd follower(std::uint32_t number, Features asked = {Feature::push}) {
    ClientEnd client = joined(number, asked);
    client.send(heartbeats(0));
    worker_.turn();
    EXPECT_EQ(apply(client), 1u);
    return client;
  }

  /// Something changes, and the worker hears of it.
  void change(std::size_t bytes = 100) {
    publish(bytes);
    worker_.turn();
  }
  void publish(std::size_t bytes = 100) {
    history_.at(history_.second() + 1).add(numbered(++changes_), filler(bytes));
    worker_.publish(history_.view());
  }

  /// Takes what has come, and says how many answers that is. Each has entries, unless it was asked for.
  std::size_t apply(ClientEnd& client) {
    const auto packets = take_apart(client.receive());
    bool has_entries = false;
    for (const AnswerPacket& packet : packets) {
      has_entries_in_all_ = has_entries_in_all_ && (!packet.head.closes() || has_entries);
      has_entries = !packet.head.closes();
    }
    follower_.apply(packets);
    return static_cast<std::size_t>(
        std::ranges::count_if(packets, [](const AnswerPacket& packet) { return packet.head.closes(); }));
  }

  std::uint64_t pushes() { return worker_.worker().meters().pushes.value(); }

  History history_;
  std::uint32_t changes_ = 100;
  bool has_entries_in_all_ = true;
  Follower follower_;  ///< of a test with one client
  DrivenWorker worker_{settings(), history_.add(numbered(1), filler(12)).view()};
};

}  // namespace

TEST_F(WorkerPushTest, tells_of_a_change_without_a_heartbeat) {
  ClientEnd client = follower(1);
  change();
  EXPECT_EQ(apply(client), 1u);
  EXPECT_EQ(follower_.list(), history_.list());
  EXPECT_EQ(pushes(), 1u);
}

TEST_F(WorkerPushTest, tells_nothing_to_who_does_not_ask_for_the_feature) {
  ClientEnd client = follower(1, {});
  change();
  worker_.pass(1s);
  EXPECT_FALSE(client.has_bytes());
}

TEST_F(WorkerPushTest, tells_nothing_before_the_first_heartbeat_which_gets_it_all) {
  ClientEnd client = joined(1);
  change();
  worker_.pass(1s);
  EXPECT_FALSE(client.has_bytes());
  client.send(heartbeats(0));
  worker_.turn();
  EXPECT_EQ(apply(client), 1u);
  EXPECT_EQ(follower_.list(), history_.list());
  change();
  EXPECT_EQ(apply(client), 1u) << "and what is newer is pushed";
}

TEST_F(WorkerPushTest, keeps_the_interval_and_then_tells_everything_at_once) {
  ClientEnd client = follower(1);
  change();
  EXPECT_EQ(apply(client), 1u);
  change();
  change();
  worker_.pass(interval - 10ms);
  EXPECT_FALSE(client.has_bytes());
  worker_.pass(10ms);
  EXPECT_EQ(apply(client), 1u);
  EXPECT_EQ(follower_.list(), history_.list());
  worker_.pass(1s);
  EXPECT_FALSE(client.has_bytes()) << "there is nothing more";
}

TEST_F(WorkerPushTest, uses_another_interval_from_now_on) {
  ClientEnd client = follower(1);
  change();
  change();
  EXPECT_EQ(apply(client), 1u);
  WorkerSettings faster = settings();
  faster.push_interval = 10ms;
  worker_.worker().use(faster, worker_.worker().rules());
  worker_.pass(10ms);
  EXPECT_EQ(apply(client), 1u);
}

TEST_F(WorkerPushTest, never_pushes_what_a_heartbeat_has_asked_for_meanwhile) {
  ClientEnd client = follower(1);
  change();
  change();
  client.send(heartbeats(1));
  worker_.turn();
  EXPECT_EQ(apply(client), 2u);
  worker_.pass(1s);
  EXPECT_FALSE(client.has_bytes());
}

TEST_F(WorkerPushTest, tells_a_client_that_did_not_read_in_one_answer) {
  ClientEnd client = follower(1);
  for (int i = 0; i < 20; ++i) {
    change(60'000);
    worker_.pass(interval);
  }
  EXPECT_EQ(pushes(), 1u) << "the socket is full";
  // What it sends meanwhile is looked at afterwards.
  client.send(heartbeats(1));
  worker_.turn();
  Bytes all;
  for (int i = 0; i < 400; ++i) {
    all += client.receive();
    worker_.pass(10ms);
  }
  const auto packets = take_apart(all);
  follower_.apply(packets);
  EXPECT_EQ(follower_.list(), history_.list());
  EXPECT_LE(pushes(), 2u);
  const auto closing = [](const AnswerPacket& packet) { return packet.head.closes(); };
  EXPECT_EQ(std::ranges::count_if(packets, closing), static_cast<std::ptrdiff_t>(1 + pushes()));
}

TEST_F(WorkerPushTest, charges_for_what_is_pushed_and_puts_off_what_is_too_much) {
  WorkerSettings faster = settings();
  faster.push_interval = 10ms;
  worker_.worker().use(faster, worker_.worker().rules());
  ClientEnd client = follower(1);
  for (int i = 0; i < 100; ++i) {
    change();
    worker_.pass(10ms);
    apply(client);
  }
  EXPECT_GE(pushes(), 20u);
  EXPECT_LE(pushes(), 20u + 10u + 1u) << "the rate of heartbeats, for a second";
  worker_.pass(200ms);
  apply(client);
  EXPECT_EQ(follower_.list(), history_.list()) << "nothing was lost";
}

TEST_F(WorkerPushTest, tells_everybody_while_some_leave) {
  std::vector<ClientEnd> clients;
  for (std::uint32_t number = 1; number <= 10; ++number) clients.push_back(follower(number));
  for (std::size_t index : {std::size_t{0}, std::size_t{4}, std::size_t{7}}) clients[index].close();
  change();
  std::size_t told = 0;
  for (ClientEnd& client : clients)
    if (client.is_open()) told += apply(client);
  EXPECT_EQ(told, 7u);
  clients.clear();
  worker_.turn();
  change();
  ClientEnd late = follower(20);
  worker_.pass(interval);
  change();
  EXPECT_EQ(apply(late), 1u) << "after nobody was there";
}

TEST_F(WorkerPushTest, begins_with_a_view_that_comes_while_the_first_heartbeat_is_answered) {
  ClientEnd client = joined(1);
  client.send(heartbeats(0));
  publish();
  worker_.turn();
  publish();
  worker_.pass(2 * interval);
  apply(client);
  EXPECT_EQ(follower_.list(), history_.list());
}

TEST_F(WorkerPushTest, sends_no_answer_without_entries) {
  ClientEnd client = follower(1);
  history_.at(history_.second() + 10);
  worker_.publish(history_.view());
  worker_.pass(1s);
  EXPECT_FALSE(client.has_bytes());
  change();
  apply(client);
  EXPECT_TRUE(has_entries_in_all_);
}

}  // namespace lekt
