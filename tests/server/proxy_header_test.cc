#include "server/proxy_header.h"

#include <gtest/gtest.h>

#include <variant>

#include "tests/support/support.h"

namespace lekt {
namespace {

using test::hex;
using testing::IsSubstring;

const Bytes signature = hex("0d0a0d0a 000d0a51 5549540a");
const Bytes over_ipv4 = signature + hex("21 11 000c  c0000207 0a000001 c350 1ed2");

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

TEST(ProxyHeader, is_asked_for_to_its_end_and_never_beyond) {
  Bytes received;
  while (read(received) != "192.0.2.7") {
    const std::string said = read(received);
    ASSERT_TRUE(said.starts_with("missing ")) << said;
    const std::size_t missing = std::stoul(said.substr(8));
    ASSERT_GT(missing, 0u);
    ASSERT_LE(received.size() + missing, over_ipv4.size());
    received += over_ipv4.substr(received.size(), 1);  // it comes in single bytes
  }
  EXPECT_EQ(received, over_ipv4);
}

TEST(ProxyHeader, is_wrong_from_the_first_byte_that_does_not_fit) {
  for (std::size_t at = 0; at < signature.size(); ++at) {
    Bytes wrong = over_ipv4.substr(0, at + 1);
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    EXPECT_PRED_FORMAT2(IsSubstring, "E108", read(wrong)) << at;
  }
  EXPECT_PRED_FORMAT2(IsSubstring, "E108 the bytes \"PROXY TCP4 1\" begin no such header",
                      read("PROXY TCP4 192.0.2.7 10.0.0.1 50000 7890\r\n"));
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
