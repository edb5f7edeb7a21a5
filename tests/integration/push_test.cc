// Clients that are told of changes without asking, and a server that does without the feature.
#include <chrono>
#include <string>
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr Features push{Feature::push};

Bytes handshake_bytes() {
  HandshakePacket handshake;
  handshake.version = version_with(push);
  return encode(handshake);
}

class PushTest : public DaemonTest {
 protected:
  /// One that has joined, asks for pushes, and knows where it stands.
  static RawClient follower(std::uint16_t port, const char* address, const RawClient::Settings& settings) {
    RawClient client(port, address, settings);
    client.send(handshake_bytes());
    EXPECT_EQ(client.expect<AcceptPacket>().version.features(), push);
    EXPECT_EQ(client.expect<RequestPacket>().index, 0u);
    client.beat(0);
    return client;
  }
  static RawClient follower(std::uint16_t port, const char* address) { return follower(port, address, {}); }

  /// Clients that join one after the other.
  void let_join(std::size_t first, std::size_t count, std::size_t bytes = 4) {
    for (std::size_t number = first; number < first + count; ++number)
      others_.push_back(joined(daemon().port(), address_number(number), chat(Bytes(bytes, 'x'))));
  }

  std::vector<RawClient> others_;
};

}  // namespace

TEST_F(PushTest, tells_of_who_comes_and_goes_without_a_heartbeat) {
  const std::uint16_t port = start().port();
  RawClient client = follower(port, "127.0.0.2");
  {
    const RawClient other = joined(port, "127.0.0.3");
    EXPECT_EQ(client.read_answer().added, std::vector{ip("127.0.0.3")});
  }
  EXPECT_EQ(client.read_answer().removed, std::vector{ip("127.0.0.3")});
  // A heartbeat is answered all the same, and continues behind what was pushed whatever it says.
  const Answer answer = client.beat(1);
  EXPECT_EQ(answer.packets.size(), 1u);
}

TEST_F(PushTest, keeps_the_interval_and_leaves_nothing_out) {
  const auto interval = 200ms;
  Flags flags = catalogue_flags();
  flags.insert(flags.end(), {"--push-interval", "200ms"});
  start(flags);
  RawClient client = follower(daemon().port(), "127.0.0.2");
  const auto begun = Clock::now();
  int pushes = 0;
  for (std::size_t number = 0; number < 5; ++number) {
    let_join(10 * number, 10);
    client.read_answer();
    ++pushes;
  }
  while (client.peers().size() < 51) {
    client.read_answer();
    ++pushes;
  }
  EXPECT_GE(Clock::now() - begun, (pushes - 1) * interval);
}

TEST_F(PushTest, tells_who_did_not_read_everything_later_and_nobody_waits_for_it) {
  Flags flags = catalogue_flags();
  flags.insert(flags.end(), {"--threads", "1", "--push-interval", "10ms"});
  start(flags);
  RawClient slow = follower(daemon().port(), "127.0.0.2", {.receive_buffer = 4096});
  RawClient quick = follower(daemon().port(), "127.0.0.3");
  constexpr std::size_t others = 200;
  let_join(0, others, 4096);
  while (quick.peers().size() < others + 2) quick.read_answer();
  std::size_t answers = 0;
  for (; slow.peers().size() < others + 2; ++answers) slow.read_answer();
  EXPECT_LE(answers, others + 1);
  EXPECT_EQ(slow.peers(), quick.peers());
}

TEST_F(PushTest, is_not_in_force_at_a_server_that_does_without_it) {
  RawClient client(start({"--features", "none"}).port(), "127.0.0.2");
  client.send(handshake_bytes());
  EXPECT_EQ(client.expect<AcceptPacket>().version, (Version{0, 0, 0}));
}

}  // namespace lekt::test
