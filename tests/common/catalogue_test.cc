#include "common/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/limits.h"
#include "common/text.h"
#include "tests/support/round_trip.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::example_catalogue;
using test::hex;

/// What add() complains about; empty when it adds.
std::string complaint(MethodCatalogue& catalogue, std::string_view specification) {
  return catalogue.add(specification).value_or("");
}

constexpr std::size_t built_in_count = 3;

Bytes device_information(ByteView content) {
  return MethodCatalogue::wrap({MethodForm::Kind::sized, 0}, content);
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

TEST(Catalogue, has_tcp_device_and_name_built_in) {
  const MethodCatalogue catalogue;
  ASSERT_EQ(catalogue.methods().size(), built_in_count);
  EXPECT_EQ(catalogue.find(1), catalogue.find("tcp"));
  EXPECT_EQ(*catalogue.find(1), (Method{1, "tcp", {MethodForm::Kind::fixed, 4}}));
  EXPECT_EQ(catalogue.find(3006), catalogue.find("device"));
  EXPECT_EQ(*catalogue.find(3006), (Method{3006, "device", {MethodForm::Kind::sized, 0}, true}));
  EXPECT_EQ(catalogue.find(3007), catalogue.find("name"));
  EXPECT_EQ(*catalogue.find(3007), (Method{3007, "name", {MethodForm::Kind::text, 0}}));
  EXPECT_EQ(catalogue.find(2), nullptr);
  EXPECT_EQ(catalogue.find("udp"), nullptr);
}

TEST(Catalogue, keeps_methods_in_ascending_order_however_they_are_added) {
  MethodCatalogue catalogue;
  EXPECT_EQ(catalogue.add("7:seven:sized"), std::nullopt);
  EXPECT_EQ(catalogue.add("2:two:fixed:0"), std::nullopt);
  EXPECT_EQ(catalogue.add("4294967295:last:fixed:4096"), std::nullopt);
  std::vector<std::uint32_t> indexes;
  for (const Method& method : catalogue.methods()) indexes.push_back(method.index);
  EXPECT_EQ(indexes, (std::vector<std::uint32_t>{1, 2, 7, 3006, 3007, 4294967295}));
  EXPECT_EQ(*catalogue.find("two"), (Method{2, "two", {MethodForm::Kind::fixed, 0}}));
  EXPECT_EQ(*catalogue.find("seven"), (Method{7, "seven", {MethodForm::Kind::sized, 0}}));
}

TEST(Catalogue, refuses_to_redefine_what_is_built_in) {
  MethodCatalogue catalogue;
  EXPECT_PRED2(contains, complaint(catalogue, "1:other:sized"), "built-in tcp");
  EXPECT_EQ(complaint(catalogue, "2:tcp:sized"), "'tcp' is the built-in method 1; use another name");
  EXPECT_EQ(complaint(catalogue, "3006:other:sized"),
            "method 3006 is the built-in device and cannot be redefined; use another index");
  EXPECT_EQ(complaint(catalogue, "2:device:sized"), "'device' is the built-in method 3006; use another name");
  EXPECT_EQ(complaint(catalogue, "3007:motd:sized"),
            "method 3007 is the built-in name and cannot be redefined; use another index");
  EXPECT_EQ(complaint(catalogue, "9:name:text"), "'name' is the built-in method 3007; use another name");
  EXPECT_EQ(catalogue.methods().size(), built_in_count);
}

TEST(Catalogue, says_why_a_program_cannot_offer_what_the_server_gives) {
  EXPECT_EQ(
      example_catalogue().why_not_offered(3006),
      "method 3006 (device) cannot be offered by a program: the server lists its devices with it by itself");
  for (const std::uint32_t index : {0u, 1u, 2u, 9u, 3005u, 3007u})
    EXPECT_EQ(example_catalogue().why_not_offered(index), std::nullopt) << index;
}

TEST(Catalogue, says_what_is_wrong_with_a_specification) {
  struct Case {
    std::string specification;
    std::string_view complaint;
  };
  const std::vector<Case> cases = {
      {"", "INDEX:NAME:FORM"},       {"2", "INDEX:NAME:FORM"},
      {"2:chat", "INDEX:NAME:FORM"}, {"0:zero:sized", "0 ends the setup"},
      {"-1:minus:sized", "index"},   {"x:letter:sized", "index"},
      {":none:sized", "index"},      {"4294967296:big:sized", "index"},
      {"2::sized", "name"},          {"2:Upper:sized", "name"},
      {"2:a b:sized", "name"},       {"2:" + std::string(33, 'a') + ":sized", "name"},
      {"2:chat:", "form"},           {"2:chat:SIZED", "form"},
      {"2:chat:sized:4", "form"},    {"2:chat:fixed", "form"},
      {"2:chat:fixed:", "form"},     {"2:chat:fixed:4097", "form"},
      {"2:chat:fixed:-1", "form"},   {"2:chat:fixed:4 ", "form"},
      {"2:chat:text:4", "form"},     {"2:chat:texts", "form"},
  };
  for (const Case& wrong : cases) {
    MethodCatalogue catalogue;
    EXPECT_PRED2(contains, complaint(catalogue, wrong.specification), wrong.complaint) << wrong.specification;
    EXPECT_EQ(catalogue.methods().size(), built_in_count) << wrong.specification;
  }
}

TEST(Catalogue, refuses_an_index_or_a_name_twice) {
  MethodCatalogue catalogue;
  EXPECT_EQ(catalogue.add("2:chat:sized"), std::nullopt);
  EXPECT_NE(catalogue.add("2:other:sized"), std::nullopt);
  EXPECT_NE(catalogue.add("3:chat:sized"), std::nullopt);
  EXPECT_EQ(catalogue.methods().size(), built_in_count + 1);
}

TEST(Catalogue, is_full_at_its_limit_of_methods_that_a_setup_asks_for) {
  MethodCatalogue catalogue;
  for (std::size_t index = 2; index <= limits::catalogue_methods_max; ++index)
    ASSERT_EQ(catalogue.add(std::to_string(index) + ":m" + std::to_string(index) + ":sized"), std::nullopt);
  EXPECT_PRED2(contains, complaint(catalogue, "1000:more:sized"), "full");
}

TEST(Catalogue, writes_each_form_as_a_specification_has_it) {
  for (const char* form : {"fixed:0", "fixed:4096", "sized", "text"}) {
    MethodCatalogue catalogue;
    ASSERT_EQ(catalogue.add("2:some:" + std::string(form)), std::nullopt);
    EXPECT_EQ(to_string(catalogue.find(2)->form), form);
  }
}

/// The code with which a client's own information of method 3007 is refused; 0 if it is taken.
int code_of_name(ByteView content, MethodCatalogue::Source source = MethodCatalogue::Source::offer) {
  const MethodCatalogue catalogue;
  const Bytes information = MethodCatalogue::wrap(catalogue.find(3007)->form, content);
  ByteReader reader(information);
  Bytes read;
  const auto rejection = catalogue.read_information(*catalogue.find(3007), reader, read, source);
  if (rejection) return static_cast<int>(rejection->code);
  EXPECT_EQ(read, information);
  return 0;
}

TEST(Catalogue, takes_text_of_any_script_up_to_255_bytes) {
  for (const Bytes& text :
       {Bytes(), Bytes("kitchen pi"), Bytes("Küche \"7\" \\ <b>"), Bytes("うるさい"), Bytes(255, 'x')})
    EXPECT_EQ(code_of_name(text), 0) << text;
  EXPECT_EQ(code_of_name(Bytes(256, 'x')), 203);
}

TEST(Catalogue, refuses_text_that_breaks_a_line_or_hides_or_turns_a_part_of_it) {
  for (const ByteView text :
       {ByteView("a\0b", 3), ByteView("a\nb"), ByteView("\x1b[2J"), ByteView("\x7f"), ByteView("\xc2\x9b"),
        ByteView("\xff"), ByteView("\xc3"), ByteView("\xed\xa0\x80"),
        ByteView("a\xe2\x80\xae"
                 "b"),
        ByteView("\xe2\x80\x8b"), ByteView("\xe2\x80\xa8"), ByteView("\xef\xbb\xbf")})
    EXPECT_EQ(code_of_name(text), 206) << to_hex(text);
}

TEST(Catalogue, reads_what_is_no_text_in_the_list_of_another_server) {
  EXPECT_EQ(code_of_name("\x1b[2J", MethodCatalogue::Source::list), 0);
  EXPECT_EQ(code_of_name(Bytes(4096, '\xff'), MethodCatalogue::Source::list), 0);
  EXPECT_EQ(code_of_name(Bytes(4097, 'x'), MethodCatalogue::Source::list), 203);
}

TEST(Catalogue, rejects_text_that_is_too_long_by_its_length_alone) {
  const MethodCatalogue catalogue;
  const Bytes length = hex("00000100");
  ByteReader reader(length);
  Bytes read;
  EXPECT_TRUE(catalogue.read_information(*catalogue.find(3007), reader, read));
}

TEST(Catalogue, shows_text_as_text_and_whatever_else_it_is_as_escapes) {
  const auto shown = [](ByteView content) {
    return MethodCatalogue().describe(
        MethodInformation{name_index, MethodCatalogue::wrap({MethodForm::Kind::text, 0}, content)});
  };
  EXPECT_EQ(shown("kitchen"), "name:kitchen");
  EXPECT_EQ(shown("kitchen pi"), "name:\"kitchen pi\"");
  EXPECT_EQ(shown("Küche"), "name:\"Küche\"");
  EXPECT_EQ(shown(""), "name:\"\"");
  EXPECT_EQ(shown("\x1b]0;x\n\xff"), "name:\"\\x1b]0;x\\n\\xff\"");
  EXPECT_EQ(MethodCatalogue().describe(MethodInformation{name_index, hex("000000ff 61626300")}), "name:\"\"");
  EXPECT_EQ(MethodCatalogue().describe(MethodInformation{name_index, {}}), "name:\"\"");
}

TEST(Catalogue, finds_the_names_among_methods) {
  const MethodForm text{MethodForm::Kind::text, 0};
  const Methods methods = {{tcp_index, tcp_information(1)},
                           {name_index, MethodCatalogue::wrap(text, "a b")},
                           {name_index, MethodCatalogue::wrap(text, "\x1b")}};
  EXPECT_EQ(names_in(methods), (std::vector<std::string>{"a b", "\\x1b"}));
  EXPECT_EQ(names_in({{tcp_index, tcp_information(1)}}), std::vector<std::string>{});
}

TEST(Catalogue, wraps_content_with_length_and_padding) {
  const MethodForm sized{MethodForm::Kind::sized, 0};
  EXPECT_EQ(MethodCatalogue::wrap(sized, ""), hex("00000000"));
  EXPECT_EQ(MethodCatalogue::wrap(sized, "hello"), hex("00000005 68656c6c 6f000000"));
  EXPECT_EQ(MethodCatalogue::wrap(sized, "four"), hex("00000004 666f7572"));
  EXPECT_EQ(MethodCatalogue::wrap({MethodForm::Kind::fixed, 6}, "abcdef"), hex("61626364 65660000"));
  EXPECT_EQ(MethodCatalogue::wrap({MethodForm::Kind::fixed, 0}, ""), "");
}

TEST(Catalogue, describes_methods_as_the_command_line_writes_them) {
  const MethodCatalogue& catalogue = example_catalogue();
  EXPECT_EQ(catalogue.describe(MethodInformation{1, tcp_information(7890)}), "tcp:7890");
  EXPECT_EQ(catalogue.describe(MethodInformation{2, hex("00000005 68656c6c 6f000000")}), "chat:68656c6c6f");
  EXPECT_EQ(catalogue.describe(MethodInformation{3, hex("61626364 65660000")}), "key:616263646566");
  EXPECT_EQ(catalogue.describe(MethodInformation{9, hex("0000000a")}), "?9:0000000a");
  EXPECT_EQ(catalogue.describe(Methods{{1, tcp_information(1)}, {9, {}}}), "tcp:1 ?9:");
  const Bytes device = "uid=0015708E863F,type=PDT9090_E5,screen=16x26,version=9.1.107,group=default";
  EXPECT_EQ(catalogue.describe(MethodInformation{3006, device_information(device)}), "device:" + device);
  EXPECT_EQ(catalogue.describe(Methods{}), "");
}

TEST(Catalogue, describes_a_device_in_one_word_whoever_wrote_its_information) {
  const Bytes hostile = "uid=a b,\"c\\<d>\x1b[2J\n,x\xff:y";
  EXPECT_EQ(example_catalogue().describe(MethodInformation{3006, device_information(hostile)}),
            "device:uid=a_b,_c__d___2J_,x__y");
  EXPECT_EQ(example_catalogue().describe(MethodInformation{3006, hex("000000ff 75696400")}), "device:");
  EXPECT_EQ(example_catalogue().describe(MethodInformation{3006, {}}), "device:");
}

TEST(Catalogue, describes_information_that_is_cut_without_reading_beyond_it) {
  EXPECT_EQ(example_catalogue().describe(MethodInformation{1, hex("00")}), "tcp:0");
  EXPECT_EQ(example_catalogue().describe(MethodInformation{2, hex("ffffffff 00000000")}), "chat:");
}

TEST(Methods, are_ordered_by_index_then_information_without_duplicates) {
  Methods methods = {{2, "b"}, {1, "z"}, {2, "a"}, {1, "z"}, {2, "b"}};
  normalise(methods);
  EXPECT_EQ(methods, (Methods{{1, "z"}, {2, "a"}, {2, "b"}}));
}

TEST(Methods, of_equal_sets_have_equal_bytes) {
  test::Random random;
  Methods methods;
  for (std::uint32_t index = 1; index <= 20; ++index)
    methods.push_back({index % 5 + 1, random.bytes(4 * random.below(3))});
  Methods shuffled = methods;
  std::shuffle(shuffled.begin(), shuffled.end(), random.engine());
  shuffled.push_back(methods.front());
  normalise(methods);
  normalise(shuffled);
  Bytes one;
  Bytes other;
  ByteWriter one_writer(one);
  ByteWriter other_writer(other);
  append_methods(one_writer, methods);
  append_methods(other_writer, shuffled);
  EXPECT_EQ(one, other);
  EXPECT_EQ(one.size(), encoded_size(methods));
}

TEST(Catalogue, a_summary_measures_long_information_and_counts_what_has_no_room) {
  MethodCatalogue catalogue;
  ASSERT_FALSE(catalogue.add("2:chat:sized"));
  const Bytes text = MethodCatalogue::wrap({MethodForm::Kind::sized, 0}, Bytes(4096, 'x'));
  EXPECT_EQ(catalogue.summary({{1, tcp_information(7890)}, {2, text}, {9, text}}),
            "tcp:7890 chat:(4100 bytes) ?9:(4100 bytes)");
  const Methods many(1000, {2, text});
  const std::string summary = catalogue.summary(many);
  EXPECT_LT(summary.size(), 500u);
  EXPECT_TRUE(summary.ends_with(" more")) << summary;
}

}  // namespace
}  // namespace lekt
