#include "client/conversation.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "common/text.h"

namespace lekt {

namespace {

constexpr std::size_t type_offset = 4;

HandshakePacket handshake_for(const Methods& offered, Features asked) {
  HandshakePacket packet;
  packet.version = version_with(asked);
  for (const MethodInformation& method : offered) {
    assert(method.index >= 1 && method.index <= limits::methods_max_ceiling);
    assert(!packet.supports(method.index));
    packet.support(method.index);
  }
  return packet;
}

std::string words(const ListDigest& list) {
  return std::to_string(list.clients) + " clients with the digest " + to_hex(list.sum);
}

}  // namespace

Conversation::Conversation(const MethodCatalogue& catalogue, const Methods& offered, PeerView& view,
                           Features asked)
    : context_{.catalogue = catalogue, .from_server = true}, asked_(asked), offered_(offered), view_(view) {
  write(output_, handshake_for(offered, asked));
}

std::vector<ConversationEvent> Conversation::receive(ByteView bytes) {
  Events events;
  if (phase_ == Phase::ended) return events;
  input_.append(bytes);
  ByteView rest = input_;
  while (step(rest, events)) {
  }
  input_.erase(0, input_.size() - rest.size());
  return events;
}

void Conversation::heartbeat() {
  assert(can_ask());
  // Something that was pushed may have come since the list was found wrong.
  const std::int64_t timestamp = doubts_ ? 0 : view_.next_timestamp();
  write(output_, HeartbeatPacket{.version = version(), .timestamp = timestamp});
  // What was pushed may still be on its way, and belongs to the list as it is: a full answer begins with a reset then.
  if (!context_.features.has(Feature::push) || !was_answered_) view_.request(timestamp);
  answer_expected_ = true;
}

/// Takes one packet, or one entry of an update. False when bytes are missing or the conversation has ended.
bool Conversation::step(ByteView& rest, Events& events) {
  if (phase_ == Phase::ended || rest.empty()) return false;
  if (entries_left_ > 0) return step_entry(rest, events);
  if (rest.size() > type_offset && rest[type_offset] == RejectPacket::type) return step_reject(rest, events);
  switch (phase_) {
    case Phase::handshake:
      return step_accept(rest, events);
    case Phase::setup:
      return step_request(rest, events);
    default:
      return step_update(rest, events);
  }
}

bool Conversation::step_reject(ByteView& rest, Events& events) {
  RejectPacket packet;
  if (!take(rest, packet, events)) return false;
  end();
  events.emplace_back(Rejected{std::move(packet.text)});
  return true;
}

bool Conversation::step_accept(ByteView& rest, Events& events) {
  AcceptPacket packet;
  const bool is_whole = take(rest, packet, events);
  if (phase_ == Phase::ended) return false;
  // What was not asked for makes the packet longer in ways that this client may not know. Its header says so already.
  const Features given = packet.version.features();
  if (const auto unasked = Features::from_extra(given.extra() & ~asked_.extra()); !unasked.empty()) {
    fail("the server puts features in force that were not asked for: " + to_string(unasked), events);
    return false;
  }
  if (!is_whole) return false;
  phase_ = Phase::setup;
  context_.features = given;
  Accepted accepted{packet.version};
  if (given.has(Feature::identity)) accepted.identity = packet.identity;
  events.emplace_back(accepted);
  return true;
}

bool Conversation::step_request(ByteView& rest, Events& events) {
  RequestPacket packet;
  if (!take(rest, packet, events)) return false;
  if (packet.index == 0) {
    phase_ = Phase::heartbeat;
    events.emplace_back(Joined{});
    return true;
  }
  const auto method = std::ranges::find(offered_, packet.index, &MethodInformation::index);
  if (method == offered_.end()) {
    fail("the server requests method " + std::to_string(packet.index) + ", which was not offered", events);
    return false;
  }
  // Ascending order makes the setup finite.
  if (!requested_.empty() && packet.index <= requested_.back()) {
    fail("the server requests method " + std::to_string(packet.index) + " after method " +
             std::to_string(requested_.back()) + "; ascending order would be right",
         events);
    return false;
  }
  requested_.push_back(packet.index);
  write(output_, ResponsePacket{.version = version(), .method = *method});
  return true;
}

bool Conversation::step_update(ByteView& rest, Events& events) {
  if (!take(rest, update_, events)) return false;
  const bool may_come = answer_expected_ || (context_.features.has(Feature::push) && was_answered_);
  if (!may_come) {
    fail("an update came that no heartbeat asked for", events);
    return false;
  }
  within_answer_ = true;
  entries_left_ = update_.count;
  if (entries_left_ == 0) finish_packet(events);
  return true;
}

bool Conversation::step_entry(ByteView& rest, Events& events) {
  if (update_.kind == UpdateKind::added) {
    AddedEntry entry;
    const ByteView before = rest;
    if (!take(rest, entry, events)) return false;
    view_.apply(entry, before.substr(0, before.size() - rest.size()));
  } else {
    RemovedEntry entry;
    if (!take(rest, entry, events)) return false;
    view_.apply(entry);
  }
  if (--entries_left_ == 0) finish_packet(events);
  return true;
}

void Conversation::finish_packet(Events& events) {
  std::vector<PeerChange> changes = view_.finish(update_);
  if (!update_.closes()) return;
  answer_expected_ = within_answer_ = false;
  was_answered_ = true;
  events.emplace_back(Updated{std::move(changes)});
  if (update_.list && compares_) compare(events);
}

/// Whether the list is the server's. A wrong one is asked for anew once; if that is wrong as well, asking again would never
/// end.
void Conversation::compare(Events& events) {
  if (doubts_ && !view_.was_all()) return;  // a change of the wrong list
  const ListDigest& held = view_.digest();
  const bool is_wrong = held != *update_.list;
  const bool again = std::exchange(doubts_, is_wrong) && is_wrong;
  if (!is_wrong) return;
  std::string message = "the list has " + words(held) + "; the server says " + words(*update_.list);
  if (again) {
    compares_ = doubts_ = false;
    message += "; it was sent as a whole, so it is not compared any more on this connection";
  } else {
    view_.doubt();
    message += "; all of it is asked for anew";
  }
  events.emplace_back(ListDiffers{std::move(message)});
}

void Conversation::end() {
  phase_ = Phase::ended;
  answer_expected_ = within_answer_ = false;
}

void Conversation::fail(std::string message, Events& events) {
  end();
  events.emplace_back(Malformed{{ErrorCode::answer_malformed, std::move(message)}});
}

template <class Packet>
bool Conversation::take(ByteView& rest, Packet& packet, Events& events) {
  Rejection rejection{ErrorCode::answer_malformed, {}};
  const ReadStatus status = read(rest, packet, context_, rejection);
  if (status == ReadStatus::wrong) fail(std::move(rejection.message), events);
  return status == ReadStatus::complete;
}

}  // namespace lekt
