// A restart of the server under devices: each comes back by itself, and nobody hears that it was gone.
#include <csignal>

#include "tests/integration/devices.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

constexpr std::size_t devices_count = 20;

class DevicesRestartTest : public DevicesTest {
 protected:
  static Who who(std::size_t number) {
    return {"A" + std::to_string(number), "127.0.0." + std::to_string(10 + number)};
  }

  void serve_within_a_grace() { serve({"--restart-grace", "1h"}); }

  /// A peer that knows all devices.
  RawClient knowing_peer() {
    RawClient peer = joined(daemon().port(), "127.0.0.2");
    EXPECT_TRUE(
        eventually([&] { return peer.beat(), peer.peers().size() == devices_count + 1; }, patience()));
    return peer;
  }

  /// What `peer` knew before the restart is what it hears after it.
  void expect_nothing_was_heard(const RawClient& peer) {
    RawClient back = joined(daemon().port(), "127.0.0.2");
    back.continue_from(peer);
    EXPECT_TRUE(are_there(devices_count));
    const Answer answer = back.beat();
    EXPECT_FALSE(answer.is_reset());
    EXPECT_TRUE(answer.changes.empty());
    EXPECT_EQ(back.peers().size(), devices_count + 1);
  }

  /// The log is that of the server that runs now.
  void expect_new_sessions() {
    EXPECT_TRUE(daemon().logs("event=device_join", devices_count)) << daemon().log();
    EXPECT_EQ(count(daemon().log(), "event=device_resume"), 0u);
  }
};

}  // namespace

TEST_F(DevicesRestartTest, that_is_clean_brings_them_back_by_themselves) {
  serve_within_a_grace();
  std::vector<std::unique_ptr<Process>> running;
  for (std::size_t number = 0; number < devices_count; ++number) running.push_back(stay(who(number)));
  ASSERT_TRUE(are_there(devices_count));
  const RawClient peer = knowing_peer();
  ASSERT_EQ(daemon().stop(SIGTERM), 0);
  serve_within_a_grace();
  expect_nothing_was_heard(peer);
  expect_new_sessions();
  for (const auto& device : running) {
    EXPECT_FALSE(device->has_ended());
    EXPECT_PRED_FORMAT2(IsSubstring, "E402", device->errors());
  }
}

TEST_F(DevicesRestartTest, after_a_crash_brings_them_back_with_their_next_key) {
  serve_within_a_grace();
  std::vector<std::unique_ptr<Terminal>> running;
  for (std::size_t number = 0; number < devices_count; ++number) running.push_back(on_terminal(who(number)));
  ASSERT_TRUE(are_there(devices_count));
  const RawClient peer = knowing_peer();
  daemon().kill();
  serve_within_a_grace();
  EXPECT_EQ(devices().size(), 0u) << "a device that says nothing does not know of it";
  for (const auto& device : running) device->press("x");
  expect_nothing_was_heard(peer);
  expect_new_sessions();
}

}  // namespace lekt::test
