// What answers hold: exact continuation, inclusive resume, reset, and the size of packets.
#include <algorithm>
#include <chrono>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

class AnswersTest : public DaemonTest {};

bool has(const std::vector<Address>& addresses, const std::string& address) {
  return std::ranges::find(addresses, ip(address)) != addresses.end();
}

}  // namespace

TEST_F(AnswersTest, hold_exactly_what_came_after_the_last_one_of_the_connection) {
  const std::uint16_t port = start().port();
  RawClient client = joined(port, "127.0.0.2");
  client.beat();
  RawClient other = joined(port, "127.0.0.3");
  const Answer one = client.beat_until_news();
  EXPECT_EQ(one.added, std::vector{ip("127.0.0.3")});
  EXPECT_TRUE(one.removed.empty());
  const Answer nothing = client.beat();
  ASSERT_EQ(nothing.packets.size(), 1u);
  EXPECT_EQ(nothing.packets[0].bytes, limits::update_header_bytes);
  other.close();
  const Answer last = client.beat_until_news();
  EXPECT_EQ(last.removed, std::vector{ip("127.0.0.3")});
  EXPECT_TRUE(last.added.empty());
}

TEST_F(AnswersTest, give_a_later_timestamp_on_the_connection_what_the_last_closing_one_gets) {
  const std::uint16_t port = start().port();
  RawClient client = joined(port, "127.0.0.2");
  client.beat();
  const RawClient other = joined(port, "127.0.0.3");
  Answer answer;
  ASSERT_TRUE(eventually([&] { return !(answer = client.beat(INT64_MAX)).added.empty(); }, patience()));
  EXPECT_EQ(answer.added, std::vector{ip("127.0.0.3")});
}

TEST_F(AnswersTest, close_with_timestamps_that_never_descend_and_are_not_in_the_future) {
  const std::uint16_t port = start().port();
  RawClient client = joined(port, "127.0.0.2");
  std::int64_t last = 0;
  for (int turn = 0; turn < 50; ++turn) {
    const RawClient other = joined(port, address_number(static_cast<std::size_t>(turn)));
    const std::int64_t closing = client.beat().closing();
    EXPECT_GE(closing, last);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    EXPECT_LE(closing, std::chrono::duration_cast<std::chrono::seconds>(now).count());
    last = closing;
  }
}

TEST_F(AnswersTest, lose_nothing_when_a_client_resumes_on_a_new_connection) {
  const std::uint16_t port = start().port();
  RawClient staying = joined(port, "127.0.0.4");
  RawClient leaving = joined(port, "127.0.0.5");
  RawClient client = joined(port, "127.0.0.2");
  client.beat();
  client.close();
  leaving.close();
  const RawClient missed = joined(port, "127.0.0.3");
  ASSERT_TRUE(eventually([&] { return staying.beat(), staying.peers().size() == 2; }, patience()));
  RawClient back = joined(port, "127.0.0.2");
  back.continue_from(client);
  const Answer answer = back.beat();
  EXPECT_FALSE(answer.is_reset());
  EXPECT_TRUE(has(answer.added, "127.0.0.3"));
  EXPECT_TRUE(has(answer.removed, "127.0.0.5"));
  EXPECT_EQ(back.peers().size(), 3u);
}

TEST_F(AnswersTest, leave_out_what_a_resuming_client_has_long_known) {
  const std::uint16_t port = start().port();
  RawClient old = joined(port, "127.0.0.2");
  RawClient client = joined(port, "127.0.0.3");
  const std::int64_t first = client.beat().closing();
  // Once the second of both joins is over, the closing timestamp moves beyond it.
  ASSERT_TRUE(eventually([&] { return client.beat().closing() > first + 1; }, patience()));
  RawClient back = joined(port, "127.0.0.3");
  back.continue_from(client);
  EXPECT_EQ(back.beat().packets.size(), 1u) << "the closing packet alone";
  EXPECT_EQ(back.peers(), client.peers());
}

TEST_F(AnswersTest, reset_a_client_that_comes_with_a_timestamp_of_the_future) {
  const std::uint16_t port = start().port();
  RawClient other = joined(port, "127.0.0.3");
  RawClient client = joined(port, "127.0.0.2");
  const Answer answer = client.beat(std::int64_t{1} << 40);
  EXPECT_TRUE(answer.is_reset());
  EXPECT_EQ(answer.added.size(), 2u);
  EXPECT_EQ(client.beat().packets.size(), 1u) << "and then it continues exactly";
}

TEST_F(AnswersTest, reset_a_client_that_comes_from_before_the_history) {
  RawClient client = joined(start().port(), "127.0.0.2");
  const Answer answer = client.beat(1);
  EXPECT_TRUE(answer.is_reset());
  EXPECT_EQ(answer.added.size(), 1u);
}

TEST_F(AnswersTest, reset_a_client_that_slept_longer_than_the_retention) {
  const std::uint16_t port = start({"--retention", "1s"}).port();
  RawClient client = joined(port, "127.0.0.2");
  client.beat();
  client.close();
  joined(port, "127.0.0.3").close();
  RawClient staying = joined(port, "127.0.0.4");
  Operator reader(database());
  const auto forgotten = [&] {
    staying.beat();
    return reader.ask_one("SELECT removed FROM server") == "0" &&
           reader.ask_one("SELECT count(*) FROM changes WHERE kind = 'removed'") == "2";
  };
  ASSERT_TRUE(eventually(forgotten, slowed(std::chrono::seconds(60))));
  RawClient back = joined(port, "127.0.0.2");
  back.continue_from(client);
  EXPECT_TRUE(back.beat().is_reset());
  EXPECT_EQ(back.peers().size(), 2u);
}

TEST_F(AnswersTest, begin_anew_for_any_timestamp_of_zero_or_less) {
  const std::uint16_t port = start().port();
  RawClient client = joined(port, "127.0.0.2");
  client.beat();
  for (const std::int64_t timestamp : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    const Answer answer = client.beat(timestamp);
    EXPECT_FALSE(answer.is_reset());
    EXPECT_EQ(answer.added, std::vector{ip("127.0.0.2")});
  }
}

TEST_F(AnswersTest, come_in_as_many_packets_as_the_size_limit_asks_for) {
  constexpr std::size_t packet_bytes = 8192;
  constexpr std::size_t others = 40;
  Flags flags = catalogue_flags();
  flags.insert(flags.end(), {"--max-packet-bytes", std::to_string(packet_bytes), "--threads", "1"});
  const std::uint16_t port = start(flags).port();
  RawClient client = joined(port, "127.0.0.2");
  client.beat();
  std::vector<RawClient> clients;
  for (std::size_t number = 0; number < others; ++number)
    clients.push_back(joined(port, address_number(number), chat(Bytes(1000 + number, 'c'))));
  const auto check = [&](const Answer& answer) {
    EXPECT_GE(answer.packets.size(), 1 + others * 1000 / packet_bytes);
    for (const Answer::Packet& packet : answer.packets) EXPECT_LE(packet.bytes, packet_bytes);
    for (const Answer::Packet& packet : answer.packets)
      EXPECT_EQ(packet.header.closes(), &packet == &answer.packets.back());
    EXPECT_EQ(client.peers().size(), 1 + others);
  };
  check(client.beat());   // what came after the last answer
  check(client.beat(0));  // everything
}

}  // namespace lekt::test
