#include "client/server_name.h"

#include <gtest/gtest.h>

#include "common/errors.h"

namespace lekt {
namespace {

std::string refusal(std::string_view text) {
  try {
    parse_server_name(text);
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage_wrong);
    return error.what();
  }
  return "";
}

TEST(ServerName, has_the_default_port_if_none_is_given) {
  EXPECT_EQ(parse_server_name("coordinator"), (ServerName{"coordinator", 7890}));
}

TEST(ServerName, may_have_a_port) {
  EXPECT_EQ(parse_server_name("10.0.0.1:1234"), (ServerName{"10.0.0.1", 1234}));
  EXPECT_EQ(to_string(parse_server_name("10.0.0.1:1234")), "10.0.0.1:1234");
}

TEST(ServerName, refuses_ipv6_with_the_reason) {
  for (const char* text : {"::1", "[::1]", "[::1]:7890", "fe80::1"})
    EXPECT_NE(refusal(text).find("IPv6 is not possible, since the protocol names clients by IPv4 addresses"),
              std::string::npos);
}

TEST(ServerName, refuses_a_port_that_is_none) {
  for (const char* text : {"host:", "host:0", "host:65536", "host:http", "host:1 ", "host:-1", "host:+1"})
    EXPECT_NE(refusal(text).find("the port must be a number from 1 to 65535"), std::string::npos) << text;
}

TEST(ServerName, refuses_what_is_no_host) {
  for (const std::string& text : {std::string(), std::string(":1"), std::string("a b"), std::string("a\nb"),
                                  std::string("http//x"), std::string(254, 'a')})
    EXPECT_NE(refusal(text).find("HOST or HOST:PORT is expected"), std::string::npos) << text;
}

}  // namespace
}  // namespace lekt
