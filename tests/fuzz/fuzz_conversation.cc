#include <vector>

#include "client/conversation.h"
#include "common/annotate.h"
#include "common/text.h"
#include "tests/fuzz/chunks.h"
#include "tests/fuzz/fuzzers.h"
#include "tests/support/round_trip.h"

namespace lekt::fuzz {

namespace {

const Methods& offered_methods() {
  static const Methods methods = {
      {1, tcp_information(7890)},
      {2, MethodCatalogue::wrap(test::example_catalogue().find(2)->form, "hello")},
  };
  return methods;
}

/// A client that asks as soon as it may, and writes down what happens.
class ConversationOwner {
 public:
  ConversationOwner() : conversation_(test::example_catalogue(), offered_methods(), view_, Features::all()) {
    sent_ += conversation_.take_output();
  }

  void receive(ByteView bytes) {
    const bool had_ended = ended_;
    const auto events = conversation_.receive(bytes);
    require(!had_ended || events.empty(), "nothing happens after the end");
    for (const ConversationEvent& event : events) std::visit([this](const auto& what) { note(what); }, event);
    sent_ += conversation_.take_output();
    require(conversation_.buffered() <= limits::packet_bytes_ceiling + 4,
            "at most one client object is kept");
  }

  bool may_ask() const { return conversation_.can_ask(); }
  void ask() {
    conversation_.heartbeat();
    require(!conversation_.can_ask() && conversation_.expects_bytes(), "one heartbeat at a time");
    sent_ += conversation_.take_output();
  }

  const Bytes& sent() const { return sent_; }

  /// Everything that must not depend on the chunks.
  std::string story() const {
    std::string text = events_ + "next " + std::to_string(view_.next_timestamp()) + "\n";
    for (const auto& [address, offer] : view_.peers())
      text += to_string(address) + " " + describe(offer, test::example_catalogue()) + "\n";
    return text + to_hex(sent_);
  }

 private:
  void note(const Accepted& accepted) {
    view_.connected_to({"coordinator:7890", Address::v4(0x0a000001), accepted.identity});
    events_ += "accepted with " + to_string(accepted.version.features()) + "\n";
  }
  void note(const Joined&) { events_ += "joined\n"; }
  void note(const Updated& updated) { events_ += "updated " + std::to_string(updated.changes.size()) + "\n"; }
  void note(const ListDiffers& differs) { events_ += "differs " + differs.message + "\n"; }
  void note(const Rejected& rejected) {
    events_ += "rejected " + rejected.text + "\n";
    ended_ = true;
  }
  void note(const Malformed& malformed) {
    // The message about bytes that are not LEKT quotes as many as had arrived.
    const std::string text = malformed.rejection.text();
    events_ += "malformed " + text.substr(0, text.find("the bytes ")) + "\n";
    ended_ = true;
  }

  PeerView view_;
  Conversation conversation_;
  bool ended_ = false;
  Bytes sent_;
  std::string events_;
};

}  // namespace

void fuzz_conversation(ByteView input) {
  if (input.empty()) return;
  const auto seed = static_cast<std::uint8_t>(input.front());
  input.remove_prefix(1);

  // Byte by byte; a turn is what arrives between two heartbeats.
  ConversationOwner slow;
  std::vector<ByteView> turns = {input.substr(0, 0)};
  for (std::size_t position = 0; position < input.size(); ++position) {
    slow.receive(input.substr(position, 1));
    turns.back() = ByteView(turns.back().data(), turns.back().size() + 1);
    if (!slow.may_ask()) continue;
    slow.ask();
    turns.push_back(input.substr(position + 1, 0));
  }
  const Annotation annotation = annotate(slow.sent(), Direction::to_server, test::example_catalogue());
  require(annotation.complete, "a client sends whole packets of the protocol and nothing else");

  for (const bool cut : {false, true}) {
    ConversationOwner other;
    for (const ByteView turn : turns) {
      if (!cut) other.receive(turn);
      if (cut)
        for (const ByteView chunk : Chunks(turn, seed)) other.receive(chunk);
      if (other.may_ask()) other.ask();
    }
    require(other.story() == slow.story(), "what happens does not depend on the chunks");
  }
}

}  // namespace lekt::fuzz
