#include "client/command/arguments.h"

#include <gtest/gtest.h>

#include "tests/support/support.h"

namespace lekt::command {
namespace {

using test::hex;

MethodCatalogue catalogue() {
  MethodCatalogue made;
  EXPECT_FALSE(made.add("2:chat:sized"));
  EXPECT_FALSE(made.add("3:key:fixed:3"));
  return made;
}

std::string refusal(std::string_view text) {
  try {
    parse_method(text, catalogue());
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage_wrong);
    return error.what();
  }
  return "";
}

TEST(MethodArgument, tcp_has_a_port) {
  EXPECT_EQ(parse_method("tcp:4000", catalogue()), (MethodInformation{1, hex("00000fa0")}));
}

TEST(MethodArgument, known_methods_are_wrapped_by_their_form) {
  EXPECT_EQ(parse_method("chat:0a0b", catalogue()), (MethodInformation{2, hex("00000002 0a0b0000")}));
  EXPECT_EQ(parse_method("2:0a0b", catalogue()), (MethodInformation{2, hex("00000002 0a0b0000")}));
  EXPECT_EQ(parse_method("chat:", catalogue()), (MethodInformation{2, hex("00000000")}));
  EXPECT_EQ(parse_method("key:010203", catalogue()), (MethodInformation{3, hex("01020300")}));
  EXPECT_EQ(parse_method("1:00000fa0", catalogue()), (MethodInformation{1, hex("00000fa0")}));
}

TEST(MethodArgument, unknown_methods_are_padded) {
  EXPECT_EQ(parse_method("9:0102030405", catalogue()), (MethodInformation{9, hex("01020304 05000000")}));
}

TEST(MethodArgument, refusals_say_what_would_be_right) {
  EXPECT_EQ(
      refusal("4000"),
      "E705 --method \"4000\": tcp:PORT, NAME:TEXT, NAME:HEX or INDEX:HEX is expected, for example tcp:4000");
  for (const char* text : {"tcp:0", "tcp:65536", "tcp:", "tcp:http"})
    EXPECT_NE(refusal(text).find("the port must be a number from 1 to 65535"), std::string::npos) << text;
  EXPECT_EQ(refusal("key:01"),
            "E705 --method \"key:01\": method key has 3 bytes of information; 1 are given");
  EXPECT_EQ(refusal("1:00000000"),
            "E705 --method \"1:00000000\": port 0 of method 1 (tcp) is not a port; 1 to 65535 "
            "would be right");
  EXPECT_EQ(refusal("voice:00"),
            "E705 --method \"voice:00\": no method has this name; known are tcp, chat, key, name, and "
            "--catalogue INDEX:NAME:FORM adds others");
  EXPECT_NE(refusal("9:xy").find("must be hexadecimal"), std::string::npos);
  EXPECT_NE(refusal("0:00").find("the index must be from 1 to 65536"), std::string::npos);
  EXPECT_NE(refusal("70000:00").find("the index must be from 1 to 65536"), std::string::npos);
  EXPECT_NE(refusal("chat:" + std::string(2 * 4097, '0')).find("at most 4096 are allowed"),
            std::string::npos);
  EXPECT_NE(refusal("9:" + std::string(2 * 4097, '0')).find("at most 4096 bytes are allowed"),
            std::string::npos);
}

/// What a method of the form text says, given like this.
std::string text_of_method(std::string_view text) {
  MethodCatalogue made = catalogue();
  EXPECT_FALSE(made.add("4:place:text"));
  const MethodInformation method = parse_method(text, made);
  return std::string(MethodCatalogue::content_of(made.find(method.index)->form, method.information));
}

TEST(MethodArgument, text_is_given_as_it_is_or_as_it_is_shown) {
  EXPECT_EQ(text_of_method("name:kitchen"), "kitchen");
  EXPECT_EQ(text_of_method("name:kitchen pi"), "kitchen pi");
  EXPECT_EQ(text_of_method(R"(name:"kitchen \"pi\"")"), R"(kitchen "pi")");
  EXPECT_EQ(text_of_method("3007:0a0b"), "0a0b") << "and not hexadecimal";
  EXPECT_EQ(text_of_method("place:a:b"), "a:b");
  EXPECT_EQ(parse_method("name:kitchen", catalogue()), parse_name("kitchen"));
}

TEST(MethodArgument, text_that_no_server_would_take_is_refused) {
  EXPECT_NE(refusal("name:a\x1b").find("the text of method 3007 (name) cannot be shown"), std::string::npos);
  EXPECT_NE(refusal(R"(name:"\x1b")").find("cannot be shown"), std::string::npos);
  EXPECT_NE(refusal("name:" + std::string(256, 'x')).find("at most 255 are allowed"), std::string::npos);
  EXPECT_NE(refusal("name:\"a").find("must end with one"), std::string::npos);
}

TEST(NameArgument, is_the_name_whatever_it_looks_like) {
  EXPECT_EQ(names_in({parse_name("\"a\" \\ b")}), std::vector<std::string>{"\"a\" \\ b"});
  for (const std::string& wrong :
       {std::string(), std::string(256, 'x'), std::string("a\nb"), std::string("\xff")}) {
    try {
      parse_name(wrong);
      ADD_FAILURE() << wrong;
    } catch (const CodedError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("E705 --name \"")) << error.what();
    }
  }
}

TEST(MethodArgument, nobody_can_offer_to_be_a_device) {
  for (const std::string text : {"3006:00", "device:00", "device:uid=a", "3006:"})
    EXPECT_EQ(refusal(text),
              "E705 --method \"" + text +
                  "\": method 3006 (device) cannot be offered by a program: the server lists its "
                  "devices with it by itself");
}

TEST(MethodArgument, an_index_is_given_once) {
  EXPECT_THROW(parse_methods({"tcp:1", "tcp:2"}, catalogue()), CodedError);
  EXPECT_EQ(parse_methods({"key:010203", "tcp:2"}, catalogue()).size(), 2u);
}

}  // namespace
}  // namespace lekt::command
