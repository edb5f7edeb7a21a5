#include "client/command/device_program/own_string.h"

#include <gtest/gtest.h>

#include "common/errors.h"

namespace lekt::command {
namespace {

std::string refusal_of_string(const std::string& string) {
  try {
    check_own_string(string);
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage_wrong);
    return error.what();
  }
  return "";
}

TEST(OwnString, says_what_a_server_reads) {
  const std::string string = with_size(make_own_string("joe@build-7", "lekt", "1.2.3"), 16, 26);
  EXPECT_TRUE(string.starts_with("LEKT~~~~lekt~16~26~1~2~3~~~joe@build-7~~~~~~"));
  const DeviceString read = read_own_string(string);
  EXPECT_EQ(read.uid, "joe@build-7");
  EXPECT_EQ(read.type, "lekt");
  EXPECT_EQ(read.version, "1.2.3");
  EXPECT_EQ(read.system, "Linux");
  EXPECT_EQ(read.rows, 16);
  EXPECT_EQ(read.columns, 26);
}

TEST(OwnString, parts_that_would_break_it_are_refused) {
  for (const auto& [uid, type] :
       std::vector<std::pair<std::string, std::string>>{{"", "t"},
                                                        {"a~b", "t"},
                                                        {"ä", "t"},
                                                        {std::string(33, 'u'), "t"},
                                                        {"u", "a~b"},
                                                        {"u", std::string(65, 't')}})
    EXPECT_THROW(make_own_string(uid, type, "1.2.3"), CodedError) << uid << " " << type;
}

TEST(OwnString, a_string_of_the_user_is_one_that_a_server_takes) {
  EXPECT_EQ(refusal_of_string("0~1~2~3~4~5~6~7~8~9~10~11~12~"), "");
  EXPECT_NE(refusal_of_string("0~1~2~").find("has 3 fields"), std::string::npos);
  EXPECT_NE(refusal_of_string("0~1~2~3~4~5~6~7~8~9~10~11~\n~").find("printable ASCII"), std::string::npos);
  EXPECT_NE(refusal_of_string(std::string(1025, '~')).find("more than 1024 bytes"), std::string::npos);
}

TEST(OwnString, another_uid_changes_nothing_else) {
  EXPECT_EQ(with_uid("0~1~2~3~4~5~6~7~8~9~10~11~12~13~", "me"), "0~1~2~3~4~5~6~7~8~9~10~11~me~13~");
  EXPECT_THROW(with_uid("0~1~2~3~4~5~6~7~8~9~10~11~12~", std::string(33, 'u')), CodedError);
}

}  // namespace
}  // namespace lekt::command
