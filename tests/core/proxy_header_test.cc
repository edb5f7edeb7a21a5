#include "server/core/proxy_header.h"

#include <gtest/gtest.h>

#include <variant>

#include "tests/support/support.h"

namespace lekt {
namespace {

using test::hex;
using testing::IsSubstring;

const Bytes signature = hex("0d0a0d0a 000d0a51 5549540a");
const Bytes over_ipv4 = signature + hex("21 11 000c  c0000207 0a000001 c350 1ed2");

const Bytes line_over_ipv4 = "PROXY TCP4 192.0.2.7 10.0.0.1 50000 7890\r\n";

/// "192.0.2.7", "the proxy", or the reject.
std::string read(ByteView bytes) {
  ProxyHeader header;
  std::size_t missing = 0;
  Rejection rejection{};
  switch (read_proxy_header(bytes, header, missing, rejection)) {
    case ReadStatus::complete:
      return header.client ? to_string(*header.client) : "the proxy";
    case ReadStatus::partial:
      return "missing " + std::to_string(missing);
    case ReadStatus::wrong:
      return rejection.text();
  }
  return "?";
}

}  // namespace

TEST(ProxyHeader, names_the_client) { EXPECT_EQ(read(over_ipv4), "192.0.2.7"); }

TEST(ProxyHeader, may_have_extensions) {
  EXPECT_EQ(read(signature + hex("21 11 0013  c0000207 0a000001 c350 1ed2  04 0004 00000000")), "192.0.2.7");
}

TEST(ProxyHeader, of_a_health_check_names_nobody) {
  EXPECT_EQ(read(signature + hex("20 00 0000")), "the proxy");
  EXPECT_EQ(read(signature + hex("20 11 000c  c0000207 0a000001 c350 1ed2")), "the proxy");
}

TEST(ProxyHeader, takes_a_mapped_address_as_ipv4_and_refuses_another_of_ipv6) {
  const Bytes rest = hex("00000000000000000000000000000001 c350 1ed2");
  EXPECT_EQ(read(signature + hex("21 21 0024  00000000000000000000ffffc0000207") + rest), "192.0.2.7");
  EXPECT_PRED_FORMAT2(IsSubstring, "E106",
                      read(signature + hex("21 21 0024  20010db8000000000000000000000007") + rest));
}

/// It comes in single bytes.
void expect_asked_for_to_its_end(const Bytes& header, const std::string& client) {
  Bytes received;
  while (read(received) != client) {
    const std::string said = read(received);
    ASSERT_TRUE(said.starts_with("missing ")) << said;
    const std::size_t missing = std::stoul(said.substr(8));
    ASSERT_GT(missing, 0u);
    ASSERT_LE(received.size() + missing, header.size()) << received;
    received += header.substr(received.size(), 1);
  }
  EXPECT_EQ(received, header);
}

TEST(ProxyHeader, is_asked_for_to_its_end_and_never_beyond) {
  expect_asked_for_to_its_end(over_ipv4, "192.0.2.7");
  expect_asked_for_to_its_end(line_over_ipv4, "192.0.2.7");
  expect_asked_for_to_its_end("PROXY TCP4 1.1.1.1 2.2.2.2 1 0\r\n", "1.1.1.1");
  expect_asked_for_to_its_end("PROXY TCP6 ::ffff:1.1.1.1 :: 1 2\r\n", "1.1.1.1");
  expect_asked_for_to_its_end("PROXY UNKNOWN\r\n", "the proxy");
  expect_asked_for_to_its_end("PROXY UNKNOWN a \r b\r\n", "the proxy");
}

TEST(ProxyHeader, of_version_1_names_the_client) {
  EXPECT_EQ(read(line_over_ipv4), "192.0.2.7");
  EXPECT_EQ(read("PROXY TCP6 ::ffff:192.0.2.7 2001:db8::1 50000 7890\r\n"), "192.0.2.7");
  EXPECT_EQ(read("PROXY UNKNOWN\r\n"), "the proxy");
  EXPECT_EQ(read("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), "the proxy");
  EXPECT_PRED_FORMAT2(IsSubstring, "E106 you came from 2001:db8::7 to a proxy",
                      read("PROXY TCP6 2001:db8::7 2001:db8::1 50000 7890\r\n"));
}

TEST(ProxyHeader, of_version_1_is_read_to_the_letter) {
  for (const char* line :
       {"PROXY TCP4 192.0.2.7 10.0.0.1 50000\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 50000 7890 1\r\n",
        "PROXY TCP4  192.0.2.7 10.0.0.1 50000 7890\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 50000 7890 \r\n",
        "PROXY TCP4 192.0.2.07 10.0.0.1 50000 7890\r\n", "PROXY TCP4 192.0.2.7 nobody 50000 7890\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 65536 7890\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 050 7890\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 -1 7890\r\n", "PROXY TCP4 ::ffff:192.0.2.7 ::1 50000 7890\r\n",
        "PROXY TCP6 192.0.2.7 10.0.0.1 50000 7890\r\n", "PROXY TCP5 192.0.2.7 10.0.0.1 50000 7890\r\n",
        "PROXY tcp4 192.0.2.7 10.0.0.1 50000 7890\r\n", "PROXY UNKNOWNS 192.0.2.7\r\n"})
    EXPECT_PRED_FORMAT2(IsSubstring, "names no client; a PROXY protocol header of version 1 or 2", read(line))
        << line;
  EXPECT_PRED_FORMAT2(IsSubstring, "E108 a line has no end within 107 bytes",
                      read("PROXY UNKNOWN " + Bytes(93, 'x') + "\r\n"));
  EXPECT_EQ(read("PROXY UNKNOWN " + Bytes(91, 'x') + "\r\n"), "the proxy");
  EXPECT_PRED_FORMAT2(IsSubstring, "E108 the bytes \"PROXY\\r\" begin no such header", read("PROXY\r\n"));
}

TEST(ProxyHeader, names_nobody_whom_the_protocol_cannot_name) {
  for (const char* address : {"00000000", "00000001", "e0000001", "ffffffff"}) {
    EXPECT_PRED_FORMAT2(IsSubstring, "is not the address of a client",
                        read(signature + hex("21 11 000c") + hex(address) + hex("0a000001 c350 1ed2")));
    EXPECT_PRED_FORMAT2(IsSubstring, "is not the address of a client",
                        read(signature + hex("21 21 0024 00000000000000000000ffff") + hex(address) +
                             hex("00000000000000000000000000000001 c350 1ed2")));
  }
  EXPECT_PRED_FORMAT2(IsSubstring, "E108 0.0.0.0 is not the address of a client",
                      read("PROXY TCP4 0.0.0.0 10.0.0.1 50000 7890\r\n"));
}

TEST(ProxyHeader, is_wrong_from_the_first_byte_that_does_not_fit) {
  for (std::size_t at = 0; at < signature.size(); ++at) {
    Bytes wrong = over_ipv4.substr(0, at + 1);
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    EXPECT_PRED_FORMAT2(IsSubstring, "E108", read(wrong)) << at;
  }
  EXPECT_PRED_FORMAT2(IsSubstring, "E108 the bytes \"PROXX\" begin no such header", read("PROXX"));
  EXPECT_PRED_FORMAT2(IsSubstring, "E108", read(hex("4c454b54 48000000 00000000")));
}

TEST(ProxyHeader, refuses_other_versions_commands_families_and_lengths) {
  const Bytes addresses = hex("c0000207 0a000001 c350 1ed2");
  for (const char* command : {"11", "00", "22", "2f", "31"})
    EXPECT_PRED_FORMAT2(IsSubstring, "E108", read(signature + hex(command) + hex("11 000c") + addresses))
        << command;
  for (const char* family : {"00", "12", "22", "31", "32", "ff"})
    EXPECT_PRED_FORMAT2(IsSubstring, "E108",
                        read(signature + hex("21") + hex(family) + hex("000c") + addresses))
        << family;
  EXPECT_PRED_FORMAT2(IsSubstring, "E108", read(signature + hex("21 11 000b") + addresses));
  EXPECT_PRED_FORMAT2(IsSubstring, "E108 a header of 4097 bytes is too long",
                      read(signature + hex("21 11 1001")));
  EXPECT_EQ(read(signature + hex("21 11 1000")), "missing 4096");
}

}  // namespace lekt
