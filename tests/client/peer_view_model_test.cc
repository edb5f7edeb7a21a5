// Whatever is cut wherever: a client that sends next_timestamp() ends with the server's list, and what it
// reported on the way adds up to it, each difference once.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "client/conversation.h"
#include "tests/client/fake_server.h"
#include "tests/support/support.h"

namespace lekt::test {
namespace {

constexpr int rounds = 4000;

/// The server's side in a few lines: the newest change of each address, and answers in packets of random
/// sizes.
class ModelServer {
 public:
  explicit ModelServer(Random& random) : random_(random) {}

  void change_something() {
    if (random_.chance(50)) ++second_;
    const Address address = Address::v4(0x0a000001 + static_cast<std::uint32_t>(random_.below(12)));
    State& state = states_[address];
    state.second = second_;
    if (random_.chance(35))
      state.methods.reset();
    else
      state.methods = tcp(static_cast<std::uint16_t>(random_.between(1, 3)));
  }

  Bytes answer(std::int64_t requested) {
    const bool is_reset = requested > 0 && random_.chance(5);
    const bool is_full = requested <= 0 || is_reset;
    Bytes bytes;
    if (is_reset) bytes += update(requested, std::vector<std::string_view>{"0.0.0.0"});
    const auto entries = entries_since(is_full ? 0 : requested);
    // Sorted by time, every packet is safe to resume from at the second of its last change; unsorted, only at
    // the start.
    const bool is_sorted = random_.chance(50);
    const std::int64_t start = is_reset ? 0 : requested;
    for (std::size_t next = 0; next < entries.size();) {
      const auto& [second, address] = entries[next];
      const std::int64_t timestamp = is_sorted ? second : start;
      const State& state = states_.at(address);
      ++next;
      if (state.methods)
        bytes += update(timestamp, {AddedEntry{address, *state.methods, {}}});
      else if (!is_full)
        bytes += update(timestamp, std::vector<std::string_view>{to_string(address)});
    }
    return bytes + closing(second_);
  }

  Peers peers() const {
    Peers present;
    for (const auto& [address, state] : states_)
      if (state.methods) present[address] = Offer{*state.methods, {}};
    return present;
  }

 private:
  struct State {
    std::int64_t second = 0;
    std::optional<Methods> methods;
  };

  std::vector<std::pair<std::int64_t, Address>> entries_since(std::int64_t second) const {
    std::vector<std::pair<std::int64_t, Address>> entries;
    for (const auto& [address, state] : states_)
      if (state.second >= second) entries.emplace_back(state.second, address);
    std::ranges::sort(entries);
    return entries;
  }

  Random& random_;
  std::int64_t second_ = 1000;
  std::map<Address, State> states_;
};

/// Adds up what is reported, and fails on anything that is no difference.
class Mirror {
 public:
  void take(const PeerChange& change) {
    switch (change.kind) {
      case PeerChange::Kind::added:
        ASSERT_TRUE(peers_.emplace(change.address, change.now).second);
        break;
      case PeerChange::Kind::changed:
        ASSERT_EQ(peers_.at(change.address), change.before);
        ASSERT_NE(change.before, change.now);
        peers_.at(change.address) = change.now;
        break;
      case PeerChange::Kind::removed:
        ASSERT_EQ(peers_.at(change.address), change.before);
        peers_.erase(change.address);
        break;
    }
  }

  const Peers& peers() const { return peers_; }

 private:
  Peers peers_;
};

/// One connection: joins, asks some times, and may be cut anywhere.
void connect_once(Random& random, ModelServer& server, PeerView& view, Mirror& mirror) {
  const MethodCatalogue catalogue;
  const Methods offered;
  Conversation conversation(catalogue, offered, view);
  conversation.receive(encode(AcceptPacket{}) + encode(RequestPacket{}));
  for (auto asked = random.between(1, 4); asked > 0; --asked) {
    const std::int64_t timestamp = view.next_timestamp();
    conversation.heartbeat();
    Bytes answer = server.answer(timestamp);
    const bool is_cut = random.chance(40);
    if (is_cut) answer.resize(random.below(answer.size()));
    for (const ConversationEvent& event : conversation.receive(answer)) {
      const auto* updated = std::get_if<Updated>(&event);
      if (updated == nullptr) {
        ADD_FAILURE() << "an event of another kind";
        continue;
      }
      for (const PeerChange& change : updated->changes) mirror.take(change);
    }
    EXPECT_EQ(mirror.peers(), view.peers());
    if (is_cut) return;
    EXPECT_EQ(view.peers(), server.peers());
    while (random.chance(60)) server.change_something();
  }
}

TEST(PeerViewModel, ends_with_the_servers_list_and_reports_each_difference_once) {
  Random random;
  ModelServer server(random);
  PeerView view;
  Mirror mirror;
  for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    while (random.chance(70)) server.change_something();
    connect_once(random, server, view, mirror);
  }
}

}  // namespace
}  // namespace lekt::test
