// A client that does not read costs the others nothing, and gets everything when it reads at last.
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"

namespace lekt::test {

namespace {

constexpr std::size_t others = 300;
/// How many full lists fit into no socket's buffers: each has 1.2 MB.
constexpr int lists_asked_for = 20;

class SlowClientTest : public DaemonTest {
 protected:
  SlowClientTest() {
    Flags flags = catalogue_flags();
    flags.insert(flags.end(), {"--threads", "1"});  // all sessions share the thread that must not wait
    start(flags);
    for (std::size_t number = 0; number < others; ++number)
      others_.push_back(joined(daemon().port(), address_number(number), chat(Bytes(4096, 'x'))));
  }

  std::vector<RawClient> others_;
};

}  // namespace

TEST_F(SlowClientTest, delays_nobody_and_reads_everything_later) {
  RawClient slow(daemon().port(), "127.0.0.2", {.receive_buffer = 4096});
  slow.join(tcp(7890));
  for (int list = 0; list < lists_asked_for; ++list) slow.send(heartbeat_bytes(0));
  ASSERT_TRUE(slow.receives_within(patience()));
  for (RawClient& other : others_) EXPECT_EQ(other.beat(INT64_MAX).packets.size() > 0, true);
  const RawClient late = joined(daemon().port(), "127.0.0.3");
  EXPECT_EQ(others_.front().beat().added, std::vector{ip("127.0.0.3")});
  for (int list = 0; list < lists_asked_for; ++list) {
    const Answer answer = slow.read_answer();
    ASSERT_GE(answer.added.size(), others + 1);
  }
  slow.beat();
  EXPECT_EQ(slow.peers().size(), others + 2);
}

TEST_F(SlowClientTest, who_never_reads_is_removed_when_the_heartbeat_timeout_is_over) {
  Flags flags = catalogue_flags();
  flags.insert(flags.end(),
               {"--threads", "1", "--heartbeat-timeout", duration_flag(std::chrono::seconds(1))});
  start(flags);
  // The others, from before the restart, are still listed, so the list is as long as it was.
  RawClient slow(daemon().port(), "127.0.0.2", {.receive_buffer = 4096});
  slow.join(tcp(7890));
  for (int list = 0; list < lists_asked_for; ++list) slow.send(heartbeat_bytes(0));
  EXPECT_TRUE(daemon().logs("event=leave address=127.0.0.2"));
}

}  // namespace lekt::test
