// Any screens, and any moments at which messages are made: the device shows what the server thinks, and in the end the newest
// contents.
#include <gtest/gtest.h>

#include <deque>

#include "common/screen_pass.h"
#include "tests/support/screens.h"

namespace lekt {
namespace {

using namespace test;

TEST(ScreenPass, leads_from_any_screen_to_any_other) {
  Random random;
  Screen contents = random_screen(random);
  Screen device(1, 1);
  ScreenPass pass;
  Bytes items;
  for (int round = 0; round < (sanitized ? 150 : 1500); ++round) {
    while (pass.next_message(contents, round * ScreenPass::interval, true, items)) {
      ASSERT_FALSE(items.empty());
      ASSERT_LE(items.size(), ScreenPass::items_bytes_max);
      ASSERT_FALSE(device.apply(items).fault);
      ASSERT_EQ(flaw_of(device), "");
      ASSERT_TRUE(pass.shown() == device) << "round " << round;
    }
    ASSERT_TRUE(device == contents) << "round " << round;
    for (std::uint64_t changes = 1 + random.below(5); changes > 0; --changes)
      change_at_random(contents, random);
    if (random.chance(2)) pass.forget();
    pass.contents_changed();
  }
}

/// A device, a network that takes its time, and a host that goes on writing.
class SlowNetwork {
 public:
  explicit SlowNetwork(Random& random) : random_(random), contents_(random_screen(random)) {}

  void step(bool host_writes) {
    now_ += ScreenPass::Time(random_.below(15));
    if (host_writes && random_.chance(60)) {
      change_at_random(contents_, random_);
      pass_.contents_changed();
    }
    if (!on_their_way_.empty() && random_.chance(50)) arrive();
    send();
  }

  bool is_quiet() const { return on_their_way_.empty() && !pass_.is_under_way() && !pass_.due(true); }
  const Screen& contents() const { return contents_; }
  const Screen& device() const { return device_; }
  int passes() const { return passes_; }

 private:
  static constexpr std::size_t window = 4;

  void arrive() {
    EXPECT_FALSE(device_.apply(on_their_way_.front()).fault);
    on_their_way_.pop_front();
  }

  void send() {
    Bytes items;
    while (on_their_way_.size() < window) {
      const bool begins = !pass_.is_under_way();
      if (!pass_.next_message(contents_, now_, on_their_way_.empty(), items)) return;
      if (begins) expect_may_begin();
      on_their_way_.push_back(items);
    }
  }

  void expect_may_begin() {
    EXPECT_TRUE(on_their_way_.empty());
    EXPECT_TRUE(passes_++ == 0 || now_ - began_ >= ScreenPass::interval);
    began_ = now_;
  }

  Random& random_;
  Screen contents_;
  Screen device_{1, 1};
  ScreenPass pass_;
  ScreenPass::Time now_{0};
  ScreenPass::Time began_{0};
  std::deque<Bytes> on_their_way_;
  int passes_ = 0;
};

TEST(ScreenPass, ends_with_the_newest_contents_however_slow_the_network_is) {
  Random random;
  const int rounds = sanitized ? 20 : 200;
  int passes = 0;
  for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    SlowNetwork network(random);
    for (int step = 0; step < 100; ++step) network.step(true);
    for (int steps = 0; !network.is_quiet() && steps < 20'000; ++steps) network.step(false);
    ASSERT_TRUE(network.is_quiet());
    ASSERT_TRUE(network.device() == network.contents()) << "round " << round;
    passes += network.passes();
  }
  EXPECT_GT(passes, 2 * rounds) << "more than the first contents and the last";
}

}  // namespace
}  // namespace lekt
