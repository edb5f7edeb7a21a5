#include "tests/support/bad_input.h"

#include <array>
#include <utility>

#include "common/limits.h"
#include "common/text.h"

namespace lekt::test {

namespace {

constexpr std::uint32_t methods_max = limits::methods_max_default;
constexpr std::uint32_t information_max = 4096;

// ---- Bytes ----

Bytes u32(std::uint32_t value) {
  Bytes bytes;
  ByteWriter(bytes).u32(value);
  return bytes;
}

Bytes header(char type) { return Bytes("LEKT") + type + Bytes(3, '\0'); }

Bytes handshake(std::uint32_t known, const std::vector<std::uint32_t>& words) {
  Bytes bytes = header('H') + u32(known);
  for (const std::uint32_t word : words) bytes += u32(word);
  return bytes;
}

/// As many words as `known` methods need, with the bit of one method; 0 sets none.
Bytes handshake_with_bit(std::uint32_t known, std::uint32_t method) {
  std::vector<std::uint32_t> words((known + 31) / 32);
  if (method != 0) words.at((method - 1) / 32) = 1u << (method - 1) % 32;
  return handshake(known, words);
}

Bytes response(std::uint32_t index, const Bytes& information) {
  return header('T') + u32(index) + information;
}

Bytes tcp_response(std::uint32_t port) { return response(1, u32(port)); }

Bytes chat_response(std::uint32_t size, const Bytes& content) { return response(2, u32(size) + content); }

Bytes heartbeat(std::int64_t timestamp) {
  const auto bits = static_cast<std::uint64_t>(timestamp);
  return header('H') + u32(static_cast<std::uint32_t>(bits >> 32)) + u32(static_cast<std::uint32_t>(bits));
}

Bytes with(Bytes packet, std::size_t place, char value) {
  packet.at(place) = value;
  return packet;
}

// ---- Ways, and the packet that belongs next ----

const Way to_handshake{"handshake", {}, {}};
const Way to_tcp{"setup of tcp", handshake(1, {1}), {1}};
const Way to_chat{"setup of chat", handshake(2, {2}), {2}};
const Way to_key{"setup of key", handshake(3, {4}), {3}};
const Way to_first_of_two{"setup of tcp, then chat", handshake(2, {3}), {1}};
const Way to_second_of_two{"setup of chat after tcp", handshake(2, {3}) + tcp_response(7890), {1, 2}};
const Way to_heartbeat{"heartbeat", handshake(1, {1}) + tcp_response(7890), {1, 0}};

struct Next {
  const Way& way;
  Bytes packet;
  std::string expected;               ///< as a refusal names it
  Bytes rest;                         ///< that follows the packet
  std::vector<std::int64_t> answers;  ///< what the packet is answered with
};

const std::array phases = {Next{to_handshake, handshake(1, {1}), "'H' (handshake)", tcp_response(7890), {}},
                           Next{to_tcp, tcp_response(7890), "'T' (response)", {}, {}},
                           Next{to_heartbeat, heartbeat(5), "'H' (heartbeat)", {}, {5}}};

// ---- The words of refusals ----

std::string no_packet(const Bytes& bytes) {
  const std::string begin = "E102 the bytes " + quote_bytes(ByteView(bytes).substr(0, 8));
  if (bytes.starts_with("\x16\x03"))
    return begin +
           " are TLS, and this port takes plain text; connect without TLS, or to a port of --tls-listen";
  return begin + " begin no LEKT packet; every packet begins with \"LEKT\"";
}

std::string unexpected(char type, const std::string& expected) {
  return "E103 a packet of type '" + escape({&type, 1}) + "' came where " + expected + " is expected";
}

std::string other_version(int major, int minor) {
  return "E101 protocol version " + std::to_string(major) + "." + std::to_string(minor) +
         " is not supported; this server speaks 0.0";
}

std::string bit_beyond(std::uint32_t method, std::uint32_t known) {
  return "E105 the bit of method " + std::to_string(method) + " is set, but only " + std::to_string(known) +
         " methods are known; method m is bit (m-1) mod 32 of word (m-1) div 32";
}

std::string other_index(std::uint32_t found, std::uint32_t requested) {
  return "E201 a response for method " + std::to_string(found) + " came; method " +
         std::to_string(requested) + " was requested";
}

std::string padding(const std::string& method) {
  return "E204 the padding after the information of method " + method +
         " is not zero; pad to a multiple of 4 bytes with zeros";
}

// ---- The rows ----

using Inputs = std::vector<Input>;

Input wrong(const Way& way, std::string name, Bytes bytes, std::string refusal) {
  return {way.phase + ": " + std::move(name), &way, std::move(bytes), {}, std::move(refusal), {}};
}

Input right(const Way& way, std::string name, Bytes bytes, Bytes rest = {},
            std::vector<std::int64_t> answers = {}) {
  return {
      way.phase + ": " + std::move(name), &way, std::move(bytes), std::move(answers), {}, std::move(rest)};
}

void add_wrong_headers(Inputs& rows) {
  for (const Next& next : phases) {
    for (std::size_t place = 0; place < 4; ++place)
      for (const char value : {'\0', '\n', '\x1b', 'l', '\xff'}) {
        const Bytes bytes = with(next.packet, place, value);
        rows.push_back(
            wrong(next.way, "byte " + std::to_string(place) + " of \"LEKT\"", bytes, no_packet(bytes)));
      }
    for (int type = 0; type < 256; ++type) {
      const char letter = static_cast<char>(type);
      if (letter == next.packet[4]) continue;
      rows.push_back(wrong(next.way, "type " + std::to_string(type), with(next.packet, 4, letter),
                           unexpected(letter, next.expected)));
    }
    for (const int version : {1, 2, 127, 128, 255}) {
      const char value = static_cast<char>(version);
      rows.push_back(
          wrong(next.way, "major version", with(next.packet, 5, value), other_version(version, 0)));
      rows.push_back(
          wrong(next.way, "minor version", with(next.packet, 6, value), other_version(0, version)));
    }
    for (const Bytes& garbage : {Bytes("GET / HTTP/1.1\r\n"), Bytes("\x16\x03\x01\x02\x00\x01\x00\x01", 8),
                                 Bytes(8, '\0'), Bytes(8, '\xff')})
      rows.push_back(wrong(next.way, "another protocol", garbage, no_packet(garbage)));
  }
}

void add_wrong_handshakes(Inputs& rows) {
  for (const std::uint32_t known :
       {methods_max + 1, 65536u, 0x7fffffffu, 0x80000000u, 0xffffffe0u, 0xffffffe1u, 0xffffffffu})
    rows.push_back(wrong(to_handshake, "N beyond the limit", handshake(known, {}),
                         "E104 the number of known methods is " + std::to_string(known) +
                             "; this server allows at most " + std::to_string(methods_max)));
  for (const std::uint32_t known : {1u, 31u, 33u, 63u, 65u, methods_max - 1})
    for (const std::uint32_t method : {known + 1, (known + 31) / 32 * 32})
      rows.push_back(wrong(to_handshake, "a bit beyond N", handshake_with_bit(known, method),
                           bit_beyond(method, known)));
}

void add_wrong_responses(Inputs& rows) {
  for (const std::uint32_t index : {0u, 2u, 3u, 4u, 33u, 65536u, 0xffffffffu})
    rows.push_back(wrong(to_tcp, "index", response(index, u32(7890)), other_index(index, 1)));
  rows.push_back(wrong(to_chat, "index", tcp_response(7890), other_index(1, 2)));
  rows.push_back(wrong(to_first_of_two, "out of order", chat_response(0, {}), other_index(2, 1)));
  rows.push_back(wrong(to_second_of_two, "the first once more", tcp_response(7890), other_index(1, 2)));
  for (const std::uint32_t port : {0u, 65536u, 65537u, 0x80000000u, 0xffffffffu})
    rows.push_back(wrong(
        to_tcp, "port", tcp_response(port),
        "E202 port " + std::to_string(port) + " of method 1 (tcp) is not a port; 1 to 65535 would be right"));
  for (const std::uint32_t size :
       {information_max + 1, 65536u, 0x7fffffffu, 0x80000000u, 0xfffffffcu, 0xfffffffdu, 0xffffffffu})
    rows.push_back(wrong(to_chat, "size", chat_response(size, {}),
                         "E203 method 2 (chat) has " + std::to_string(size) +
                             " bytes of information; at most 4096 are allowed"));
  for (std::size_t size = 1; size < 4; ++size)
    for (std::size_t place = size; place < 4; ++place)
      rows.push_back(wrong(to_chat, "padding",
                           chat_response(static_cast<std::uint32_t>(size), with(Bytes(4, '\0'), place, 1)),
                           padding("2 (chat)")));
  for (const std::size_t place : {6u, 7u})
    rows.push_back(
        wrong(to_key, "padding", response(3, with(Bytes(8, '\0'), place, '\x80')), padding("3 (key)")));
}

/// Handshake and heartbeat share their type, so a second handshake is a heartbeat of a far future. What it
/// has beyond 16 bytes begins no packet.
void add_second_handshakes(Inputs& wrongs, Inputs& rights) {
  rights.push_back(right(to_heartbeat, "a second handshake", handshake(1, {1}), {}, {0x1'0000'0001}));
  const Bytes more(12, '\xff');
  Input longer = wrong(to_heartbeat, "a longer second handshake", handshake(33, {1}) + more, no_packet(more));
  longer.answers = {0x21'0000'0001};
  wrongs.push_back(std::move(longer));
}

void add_right_headers(Inputs& rows) {
  for (const Next& next : phases)
    for (const char extra : {'\x01', '\x80', '\xff'})
      rows.push_back(right(next.way, "extra version", with(next.packet, 7, extra), next.rest, next.answers));
}

void add_right_handshakes(Inputs& rows) {
  rows.push_back(right(to_handshake, "N = 0", handshake(0, {})));
  rows.push_back(right(to_handshake, "N = 1", handshake(1, {1}), tcp_response(7890)));
  for (const std::uint32_t known : {1u, 31u, 32u, 33u, 63u, 64u, 65u, methods_max - 1, methods_max}) {
    rows.push_back(right(to_handshake, "no bit", handshake_with_bit(known, 0)));
    if (known != 1) rows.push_back(right(to_handshake, "the last bit", handshake_with_bit(known, known)));
  }
}

void add_right_responses(Inputs& rows) {
  for (const std::uint32_t port : {1u, 65535u}) rows.push_back(right(to_tcp, "port", tcp_response(port)));
  for (const std::uint32_t size : {0u, 1u, 2u, 3u, 4u, 5u, information_max - 1, information_max})
    rows.push_back(
        right(to_chat, "size", chat_response(size, Bytes(size, 'x') + Bytes(padding_of(size), '\0'))));
}

void add_right_heartbeats(Inputs& rows) {
  for (const std::int64_t timestamp : {INT64_MIN, INT64_C(-1), INT64_C(0), INT64_C(1), INT64_C(1700000000),
                                       INT64_C(0xffffffff), INT64_MAX - 1, INT64_MAX})
    rows.push_back(right(to_heartbeat, "timestamp", heartbeat(timestamp), {}, {timestamp}));
}

std::pair<Inputs, Inputs> make_tables() {
  Inputs wrongs;
  Inputs rights;
  add_wrong_headers(wrongs);
  add_wrong_handshakes(wrongs);
  add_wrong_responses(wrongs);
  add_second_handshakes(wrongs, rights);
  add_right_headers(rights);
  add_right_handshakes(rights);
  add_right_responses(rights);
  add_right_heartbeats(rights);
  return {std::move(wrongs), std::move(rights)};
}

const std::pair<Inputs, Inputs>& tables() {
  static const std::pair<Inputs, Inputs> made = make_tables();
  return made;
}

}  // namespace

const std::vector<Input>& wrong_inputs() { return tables().first; }
const std::vector<Input>& right_inputs() { return tables().second; }

}  // namespace lekt::test
