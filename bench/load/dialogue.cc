#include "bench/load/dialogue.h"

#include "common/catalogue.h"
#include "common/packets.h"

namespace lekt::bench {

namespace {

/// A command as Redis's clients send it: an array of strings.
Bytes command(const std::vector<std::string>& words) {
  Bytes bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return bytes;
}

Exchange lekt_beat(std::int64_t timestamp) {
  HeartbeatPacket heartbeat;
  heartbeat.timestamp = timestamp;
  return {encode(heartbeat), {ReplyForm::Kind::answer}};
}

Exchange etcd_beat(const std::string& from) {
  // The keys from "lekt/" to before "lekt0", in base64.
  const std::string body =
      R"({"key":"bGVrdC8=","range_end":"bGVrdDA=","min_mod_revision":")" + from + R"("})";
  return {
      "POST /v3/kv/range HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body,
      {ReplyForm::Kind::http}};
}

std::vector<Exchange> lekt_joining() {
  HandshakePacket handshake;
  handshake.support(tcp_index);
  ResponsePacket response;
  response.method = {tcp_index, tcp_information(offered_port)};
  const std::size_t request_bytes = encode(RequestPacket{}).size();
  return {{encode(handshake), {ReplyForm::Kind::fixed, encode(AcceptPacket{}).size() + request_bytes}},
          {encode(response), {ReplyForm::Kind::fixed, request_bytes}}};
}

std::vector<Exchange> redis_joining(Address address) {
  const std::string name = to_string(address);
  const std::string methods = "tcp:" + std::to_string(offered_port);
  return {{command({"SET", "lekt:client:" + name, methods}) +
               command({"XADD", "lekt", "*", "kind", "A", "address", name, "methods", methods}),
           {ReplyForm::Kind::resp, 2}}};
}

/// MQTT 3.1.1, a clean session without keep-alive.
std::vector<Exchange> mosquitto_joining(Address address) {
  const std::string name = to_string(address);
  Bytes rest;
  ByteWriter writer(rest);
  const auto text = [&](const std::string& value) {
    writer.u8(static_cast<std::uint8_t>(value.size() >> 8));
    writer.u8(static_cast<std::uint8_t>(value.size()));
    writer.bytes(value);
  };
  text("MQTT");
  writer.u8(4);     // protocol level 3.1.1
  writer.u8(2);     // clean session
  writer.zeros(2);  // no keep-alive
  text(name);
  Bytes packet("\x10", 1);
  packet.push_back(static_cast<char>(rest.size()));  // below 128, so one byte
  return {{packet + rest, {ReplyForm::Kind::fixed, 4}}};
}

}  // namespace

Dialogue::Dialogue(Peer peer, std::string from) : peer_(peer), from_(std::move(from)) {
  if (peer_ == Peer::redis)
    beat_ = {command({"XREAD", "STREAMS", "lekt", from_}), {ReplyForm::Kind::resp, 1}};
  if (peer_ == Peer::etcd) beat_ = etcd_beat(from_);
}

std::vector<Exchange> Dialogue::joining(Address address) const {
  switch (peer_) {
    case Peer::lekt:
    case Peer::floor:
      return lekt_joining();
    case Peer::redis:
      return from_.empty() ? redis_joining(address) : std::vector<Exchange>();
    case Peer::mosquitto:
      return mosquitto_joining(address);
    case Peer::etcd:
      break;
  }
  return {};
}

Exchange Dialogue::beat(std::int64_t timestamp) const {
  return peer_ == Peer::lekt || peer_ == Peer::floor ? lekt_beat(timestamp) : beat_;
}

}  // namespace lekt::bench
