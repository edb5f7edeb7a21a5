#include "tests/common/examples.h"

#include "tests/support/support.h"

namespace lekt::test {

namespace {

template <class... Item>
Bytes encode_all(const Item&... items) {
  Bytes out;
  (write(out, items), ...);
  return out;
}

Bytes wrapped(std::uint32_t index, ByteView content) {
  return MethodCatalogue::wrap(example_catalogue().find(index)->form, content);
}

UpdatePacket update(std::int64_t timestamp, UpdateKind kind, std::uint32_t count) {
  return {version_spoken, timestamp, kind, count};
}

HandshakePacket handshake(std::initializer_list<std::uint32_t> methods) {
  HandshakePacket packet;
  for (const std::uint32_t method : methods) packet.support(method);
  return packet;
}

ResponsePacket response(MethodInformation method) { return {version_spoken, std::move(method)}; }
HeartbeatPacket heartbeat(std::int64_t timestamp) { return {version_spoken, timestamp}; }
RequestPacket request(std::uint32_t index) { return {version_spoken, index}; }

constexpr Address address(std::uint32_t last) { return Address::v4(0x0a000000 + last); }

/// Of the list of the example update_added.
const ListDigest list_of_two = [] {
  ListDigest list;
  const AddedEntry first{address(7), {{1, tcp_information(7890)}, {2, wrapped(2, "hello")}}, {}};
  for (const AddedEntry& entry : {first, AddedEntry{address(9), {}, {}}})
    list.add(digest_of_entry(encode(entry)));
  return list;
}();

std::vector<Example> make_examples() {
  using enum PacketForm;
  using enum UpdateKind;
  const std::string device = "uid=0015708E863F,type=PDT9090_E5,screen=16x26,version=9.1.107,group=default";
  const std::string refusal = "E101 protocol version 1.2 is not supported; this server speaks 0.0";
  return {
      {"handshake", handshake, hex("4c454b54 48000000 00000021 00000003 00000001"),
       encode(test::handshake({1, 2, 33}))},
      {"accept", accept, hex("4c454b54 41000000"), encode(AcceptPacket{})},
      {"accept_identity", accept, hex("4c454b54 41000008 00010203 04050607 08090a0b 0c0d0e0f"),
       encode(AcceptPacket{version_with({Feature::identity}),
                           {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}})},
      {"reject", reject,
       hex("4c454b54 52000000"
           "45313031 2070726f 746f636f 6c207665 7273696f 6e20312e 32206973 206e6f74 20737570 706f7274"
           "65643b20 74686973 20736572 76657220 73706561 6b732030 2e300000"),
       encode(RejectPacket{version_spoken, refusal})},
      {"request", request, hex("4c454b54 54000000 00000002"), encode(test::request(2))},
      {"setup_end", request, hex("4c454b54 54000000 00000000"), encode(test::request(0))},
      {"response_tcp", response, hex("4c454b54 54000000 00000001 00001ed2"),
       encode(test::response({1, tcp_information(7890)}))},
      {"response_sized", response, hex("4c454b54 54000000 00000002 00000005 68656c6c 6f000000"),
       encode(test::response({2, wrapped(2, "hello")}))},
      {"response_fixed", response, hex("4c454b54 54000000 00000003 61626364 65660000"),
       encode(test::response({3, wrapped(3, "abcdef")}))},
      {"response_text", response, hex("4c454b54 54000000 00000bbf 0000000a 6b697463 68656e20 70690000"),
       encode(test::response({3007, wrapped(3007, "kitchen pi")}))},
      {"heartbeat", heartbeat, hex("4c454b54 48000000 00000000 6553f103"),
       encode(test::heartbeat(1700000003))},
      {"update_added", PacketForm::update,
       hex("4c454b54 48000000 00000000 6553f105 41000002"
           "0000001c 0a000007 00000001 00001ed2 00000002 00000005 68656c6c 6f000000"
           "00000004 0a000009"),
       encode_all(test::update(1700000005, added, 2),
                  AddedEntry{address(7), {{1, tcp_information(7890)}, {2, wrapped(2, "hello")}}, {}},
                  AddedEntry{address(9), {}, {}})},
      {"update_device", PacketForm::update,
       hex("4c454b54 48000000 00000000 6553f106 41000001"
           "00000058 0a00000c 00000bbe 0000004b 7569643d 30303135 37303845 38363346"
           "2c747970 653d5044 54393039 305f4535 2c736372 65656e3d 31367832 362c7665"
           "7273696f 6e3d392e 312e3130 372c6772 6f75703d 64656661 756c7400"),
       encode_all(test::update(1700000006, added, 1),
                  AddedEntry{address(12), {{3006, wrapped(3006, device)}}, {}})},
      {"update_removed", PacketForm::update,
       hex("4c454b54 48000000 00000000 6553f105 52000002 0a000008 0a00000b"),
       encode_all(test::update(1700000005, removed, 2), RemovedEntry{address(8)}, RemovedEntry{address(11)})},
      {"update_closing", PacketForm::update, hex("4c454b54 48000000 00000000 6553f107 41000000"),
       encode(test::update(1700000007, added, 0))},
      {"update_closing_digest",
       PacketForm::update,
       hex("4c454b54 48000004 00000000 6553f107 41000000 00000002 839fd2ce fc1604d4"),
       encode(UpdatePacket{version_with({Feature::digest}), 1700000007, added, 0, list_of_two}),
       {Feature::digest}},
      {"update_reset", PacketForm::update, hex("4c454b54 48000000 00000000 00000000 52000001 00000000"),
       encode_all(test::update(0, removed, 1), RemovedEntry{forget_everyone})},
  };
}

}  // namespace

ReadContext Example::context() const {
  return {example_catalogue(), limits::methods_max_default, 0, from_server(form), features};
}

const std::vector<Example>& packet_examples() {
  static const std::vector<Example> examples = make_examples();
  return examples;
}

Bytes conversation_to_server() {
  return encode_all(handshake({1}), response({1, tcp_information(7890)}), heartbeat(0),
                    heartbeat(1700000003));
}

Bytes conversation_to_client() {
  return encode_all(AcceptPacket{}, request(1), request(0), update(0, UpdateKind::added, 2),
                    AddedEntry{address(9), {{1, tcp_information(9000)}}, {}},
                    AddedEntry{address(7), {{1, tcp_information(7890)}}, {}},
                    update(1700000003, UpdateKind::added, 0), update(1700000005, UpdateKind::removed, 1),
                    RemovedEntry{address(9)}, update(1700000007, UpdateKind::added, 0));
}

}  // namespace lekt::test
