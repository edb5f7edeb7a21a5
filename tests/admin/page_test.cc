// The page as text: what it may load and do. How it looks and behaves is browser_test.py's.
#include <gtest/gtest.h>

#include <openssl/evp.h>

#include <regex>

#include "admin/page.h"

namespace lekt::admin {

namespace {

/// "'sha256-...'" of a text, computed by another library than the one under test.
std::string hash_source(const std::string& text) {
  unsigned char hash[32];
  EVP_Digest(text.data(), text.size(), hash, nullptr, EVP_sha256(), nullptr);
  unsigned char base64[64];
  const int size = EVP_EncodeBlock(base64, hash, sizeof hash);
  return "'sha256-" + std::string(base64, base64 + size) + "'";
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto at = text.find(begin) + begin.size();
  return text.substr(at, text.find(end, at) - at);
}

}  // namespace

TEST(PageTest, the_policy_allows_exactly_its_own_style_and_script) {
  const Answer answer = page_answer();
  const std::string style = between(answer.body, "<style>", "</style>");
  const std::string script = between(answer.body, "<script type=\"module\">", "</script>");
  ASSERT_GT(style.size(), 1000u);
  ASSERT_GT(script.size(), 1000u);
  EXPECT_NE(answer.content_policy.find("style-src " + hash_source(style) + ";"), std::string::npos);
  EXPECT_NE(answer.content_policy.find("script-src " + hash_source(script) + ";"), std::string::npos);
  EXPECT_EQ(answer.content_policy.find("unsafe"), std::string::npos);
}

TEST(PageTest, loads_nothing_from_elsewhere) {
  const std::string page(page_text);
  static const std::regex outside(R"((src|href|url\()\s*=?\s*["']?(https?:)?//)");
  EXPECT_FALSE(std::regex_search(page, outside));
  EXPECT_EQ(page.find("@import"), page.npos);
}

TEST(PageTest, makes_no_markup_of_text) {
  const std::string page(page_text);
  for (const char* way : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser",
                          "eval(", "new Function", " style=\"", " onclick="})
    EXPECT_EQ(page.find(way), page.npos) << way;
}

}  // namespace lekt::admin
