#include "common/method_words.h"

#include <gtest/gtest.h>

#include "common/printable.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using Texts = std::vector<std::string>;
using Words = std::vector<std::string_view>;

TEST(MethodWords, quote_whatever_is_more_than_letters_and_digits) {
  EXPECT_EQ(text_word("kitchen-7.lan:80,[a]%"), "kitchen-7.lan:80,[a]%");
  EXPECT_EQ(text_word("kitchen pi"), R"("kitchen pi")");
  EXPECT_EQ(text_word(""), R"("")");
  EXPECT_EQ(text_word(R"(say "hi" \ now)"), R"("say \"hi\" \\ now")");
  EXPECT_EQ(text_word("a\xc2\xa0tcp:22"), "\"a\xc2\xa0tcp:22\"") << "what only looks like a blank";
  EXPECT_EQ(text_word("a\tb\n\x1b\xff"), R"("a\tb\n\x1b\xff")");
}

TEST(MethodWords, of_any_bytes_are_one_plain_word_that_means_them) {
  test::Random random;
  for (int turn = 0; turn < 5'000; ++turn) {
    const bool any = random.chance(50);
    Bytes text = any ? random.bytes(random.below(20)) : Bytes();
    for (std::size_t length = random.below(12); !any && length > 0; --length)
      text += "a \"\\:n\xc3\xbc"[random.below(8)];
    const std::string word = text_word(text);
    ASSERT_EQ(parse_text_word(word), text) << word;
    ASSERT_TRUE(is_plain_text(word)) << word;
    ASSERT_EQ(split_words("a:1 n:" + word + " b:2").size(), 3u) << word;
  }
}

TEST(MethodWords, stand_for_themselves_without_quotation_marks) {
  EXPECT_EQ(parse_text_word("kitchen pi"), "kitchen pi");
  EXPECT_EQ(parse_text_word(R"(C:\new "x")"), R"(C:\new "x")");
  EXPECT_EQ(parse_text_word(""), "");
}

TEST(MethodWords, that_nothing_is_written_as_mean_nothing) {
  for (const char* wrong : {R"(")", R"("a)", R"("a\")", R"("a"b")", R"("\q")", R"("\x")", R"("\x4")",
                            R"("\xzz")", R"("\x4:5")", "\"\x1b\"", "\"\xff\"", R"("a" )"})
    EXPECT_EQ(parse_text_word(wrong), std::nullopt) << wrong;
}

TEST(MethodWords, are_split_at_blanks_that_no_client_chose) {
  EXPECT_EQ(split_words(R"(tcp:7890 name:"x tcp:22 \" chat:00" chat:0a)"),
            (Words{"tcp:7890", R"(name:"x tcp:22 \" chat:00")", "chat:0a"}));
  EXPECT_EQ(split_words(""), Words{});
  EXPECT_EQ(split_words("  tcp:1  "), Words{"tcp:1"});
  EXPECT_EQ(split_words(R"(name:"cut off tcp:22...)"), Words{R"(name:"cut off tcp:22...)"});
}

TEST(MethodWords, are_found_by_the_name_of_their_method) {
  const std::string_view words = R"(tcp:7890 ?9:00 name:"x chat:22 y")";
  EXPECT_TRUE(has_method(words, "tcp"));
  EXPECT_TRUE(has_method(words, "?9"));
  EXPECT_TRUE(has_method(words, "name"));
  EXPECT_FALSE(has_method(words, "chat")) << "that is a part of a name";
  EXPECT_FALSE(has_method(words, "tc"));
  EXPECT_FALSE(has_method(words, "tcp:7890"));
  EXPECT_FALSE(has_method("", "tcp"));
}

TEST(MethodWords, tell_the_names) {
  EXPECT_EQ(names_in_words(R"(tcp:1 name:one name:"the \"other\"")"), (Texts{"one", R"(the "other")"}));
  EXPECT_EQ(names_in_words("tcp:1"), Texts{});
  EXPECT_EQ(names_in_words(R"(name:"\x1b")"), Texts{"\\x1b"});
  EXPECT_EQ(names_in_words(R"(name:"cut o...)"), Texts{R"("cut o...)"});
}

TEST(MethodWords, are_cut_between_words) {
  EXPECT_EQ(cut_words("tcp:7890 tcp:7891", 17), "tcp:7890 tcp:7891");
  EXPECT_EQ(cut_words("tcp:7890 tcp:7891", 16), "tcp:7890 ...");
  EXPECT_EQ(cut_words("tcp:7890 tcp:7891", 8), "tcp:7890 ...");
  EXPECT_EQ(cut_words("tcp:7890", 4), "...");
  EXPECT_EQ(cut_words(R"(tcp:1 name:"a b c d e f")", 14), "tcp:1 ...") << "and not within a text";
}

TEST(MethodWords, of_names_are_searched_without_their_case) {
  EXPECT_TRUE(is_in_a_name("CHEN p", {"other", "Kitchen Pi"}));
  EXPECT_TRUE(is_in_a_name("", {"x"}));
  EXPECT_FALSE(is_in_a_name("", {}));
  EXPECT_FALSE(is_in_a_name("pie", {"Kitchen Pi"}));
}

}  // namespace
}  // namespace lekt
