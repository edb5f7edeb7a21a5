#include "tests/core/session_owner.h"

#include <stdexcept>

#include "tests/support/round_trip.h"

namespace lekt::test {

SessionOwner::SessionOwner(Joins joins, std::uint32_t methods_max, Features features)
    : rules_{example_catalogue(), methods_max, features, example_identity},
      session_(1, Address::v4(0x0a000007), rules_),
      joins_(joins) {}

void SessionOwner::receive(ByteView bytes) {
  for (;;) {
    const Session::Action action = session_.next(bytes, sent_);
    switch (action.kind) {
      case Session::Action::Kind::wait:
        if (!bytes.empty()) throw std::logic_error("a session that waits has taken everything");
        return;
      case Session::Action::Kind::join:
        decisions_.push_back("join " + to_string(session_.address()) + " " +
                             example_catalogue().describe(session_.methods()));
        join_waits_ = true;
        if (joins_ == Joins::at_once) decide_join();
        break;
      case Session::Action::Kind::answer:
        decisions_.push_back("answer " + std::to_string(action.timestamp));
        sent_ += closing(action.timestamp);
        break;
      case Session::Action::Kind::end:
        decisions_.push_back("end " + code_text(session_.rejection()->code));
        break;
    }
  }
}

void SessionOwner::decide_join() {
  join_waits_ = false;
  session_.joined(1700000010, sent_);
  if (joins_ == Joins::later) receive({});
}

std::string SessionOwner::refusal() const {
  return session_.rejection() == nullptr ? std::string() : session_.rejection()->text();
}

Bytes handshake(std::initializer_list<std::uint32_t> methods, Features asked) {
  HandshakePacket packet;
  packet.version = version_with(asked);
  for (const std::uint32_t method : methods) packet.support(method);
  return encode(packet);
}

Bytes response(std::uint32_t index, ByteView information) {
  return encode(ResponsePacket{version_spoken, {index, Bytes(information)}});
}

Bytes response_tcp(std::uint32_t port) {
  Bytes information;
  ByteWriter(information).u32(port);
  return response(tcp_index, information);
}

Bytes response_chat(ByteView content) {
  return response(2, MethodCatalogue::wrap({MethodForm::Kind::sized, 0}, content));
}

Bytes heartbeat(std::int64_t timestamp) { return encode(HeartbeatPacket{version_spoken, timestamp}); }
Bytes accept() { return encode(AcceptPacket{}); }
Bytes request(std::uint32_t index) { return encode(RequestPacket{version_spoken, index}); }
Bytes reject(const std::string& text) { return encode(RejectPacket{version_spoken, text}); }
Bytes closing(std::int64_t timestamp) {
  return encode(UpdatePacket{version_spoken, timestamp, UpdateKind::added, 0});
}

}  // namespace lekt::test
