// One end of a conversation in a test, and what it was told as text.
#pragma once

#include <string>
#include <variant>

#include "client/command/output.h"
#include "client/conversation.h"
#include "tests/support/support.h"

namespace lekt::test {

struct EventText {
  std::string operator()(const Accepted& event) const {
    return "accepted" +
           (event.version.features().empty() ? "" : " with " + to_string(event.version.features())) +
           (event.identity ? " by " + to_string(*event.identity) : "") + "\n";
  }
  std::string operator()(const Joined&) const { return "joined\n"; }
  std::string operator()(const ListDiffers& event) const { return "differs: " + event.message + "\n"; }
  std::string operator()(const Rejected& event) const { return "rejected: " + event.text + "\n"; }
  std::string operator()(const Malformed& event) const { return event.rejection.text() + "\n"; }
  std::string operator()(const Updated& event) const {
    std::string text = "updated\n";
    for (const PeerChange& change : event.changes) text += command::text_of(change, MethodCatalogue());
    return text;
  }
};

/// A conversation that offers tcp:4000 and method 3, and asks as soon as it may.
class Peer {
 public:
  explicit Peer(Features features = {}) : asked(features) { sent += conversation.take_output(); }

  void receive(ByteView bytes) {
    for (const ConversationEvent& event : conversation.receive(bytes)) {
      events += std::visit(EventText(), event);
      if (std::holds_alternative<Joined>(event)) conversation.heartbeat();
    }
    sent += conversation.take_output();
  }

  MethodCatalogue catalogue;
  Methods offered = {{tcp_index, tcp_information(4000)}, {3, hex("aabbccdd")}};
  PeerView view;
  Features asked;
  Conversation conversation{catalogue, offered, view, asked};
  std::string events;
  Bytes sent;
};

}  // namespace lekt::test
