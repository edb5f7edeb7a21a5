#include "devices/token.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "common/text.h"
#include "tests/devices/support.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;

TokenSecret secret_of(char byte) {
  TokenSecret secret{};
  secret.fill(byte);
  return secret;
}

Token token_of(std::string_view digits) {
  const Bytes bytes = test::hex(digits);
  Token token{};
  EXPECT_EQ(bytes.size(), token.size());
  std::ranges::copy(bytes, token.begin());
  return token;
}

class TokenTest : public testing::Test {
 protected:
  static constexpr TokenMaker::Time now_ = 1264408182s;
  static constexpr TokenSubject subject_{
      .address = test::example_device, .port = 5007, .registration = 0x0123456789abcdef, .extra = 0};

  bool is_good_after(TokenMaker::Time age) const {
    return maker_.is_good(maker_.make(subject_, now_), subject_, now_ + age);
  }

  TokenMaker maker_{secret_of(0x11)};
};

}  // namespace

TEST_F(TokenTest, is_that_of_the_worked_example) {
  const Token token = token_of("4b5d5676 74c4b0df dfcd4b77 5135261f");
  EXPECT_EQ(maker_.make(subject_, now_), token);
  EXPECT_EQ(maker_.make(subject_, now_ + 999ms), token);
  EXPECT_TRUE(maker_.is_good(token, subject_, now_));
}

TEST_F(TokenTest, is_good_for_its_subject_alone) {
  const Token token = maker_.make(subject_, now_);
  std::vector<TokenSubject> others(5, subject_);
  others[0].address = Address::v4(0x0a0ae197);
  others[1].port = 5008;
  others[2].port = static_cast<std::uint16_t>(subject_.port ^ 0x100);
  others[3].registration ^= std::uint64_t{1} << 63;
  others[4].extra = extra_dtls;
  for (const TokenSubject& other : others) {
    EXPECT_FALSE(maker_.is_good(token, other, now_));
    EXPECT_TRUE(maker_.is_good(maker_.make(other, now_), other, now_));
  }
}

TEST_F(TokenTest, of_another_secret_is_not_good) {
  for (const std::size_t place : {std::size_t{0}, std::size_t{31}}) {
    TokenSecret other = secret_of(0x11);
    other.at(place) ^= 1;
    EXPECT_FALSE(maker_.is_good(TokenMaker(other).make(subject_, now_), subject_, now_)) << place;
  }
}

TEST_F(TokenTest, with_any_bit_changed_is_not_good) {
  const Token token = maker_.make(subject_, now_);
  for (std::size_t bit = 0; bit < 8 * token.size(); ++bit) {
    Token changed = token;
    changed.at(bit / 8) = static_cast<char>(changed.at(bit / 8) ^ 1 << bit % 8);
    // So late that the changed second alone would not make it too old or too young.
    EXPECT_FALSE(maker_.is_good(changed, subject_, now_ + 8s)) << bit;
  }
}

TEST_F(TokenTest, is_good_for_15_seconds) {
  EXPECT_TRUE(is_good_after(0s));
  EXPECT_TRUE(is_good_after(14'999ms));
  EXPECT_TRUE(is_good_after(15s));
  EXPECT_FALSE(is_good_after(15'001ms));
  EXPECT_FALSE(is_good_after(24h));
}

TEST_F(TokenTest, is_never_older_than_15_seconds_because_its_second_had_begun_before) {
  EXPECT_TRUE(maker_.is_good(maker_.make(subject_, now_ + 999ms), subject_, now_ + 15s));
  EXPECT_FALSE(maker_.is_good(maker_.make(subject_, now_ + 999ms), subject_, now_ + 15'500ms));
}

TEST_F(TokenTest, from_the_future_is_not_good) {
  EXPECT_FALSE(maker_.is_good(maker_.make(subject_, now_ + 1s), subject_, now_ + 999ms));
  EXPECT_FALSE(is_good_after(-1ms));
}

TEST_F(TokenTest, is_made_from_the_first_second_of_a_server) {
  const Token token = maker_.make(subject_, 0ms);
  EXPECT_EQ(to_hex(ByteView(token.data(), 4)), "00000000");
  EXPECT_TRUE(maker_.is_good(token, subject_, 15s));
  EXPECT_FALSE(maker_.is_good(Token{}, subject_, 0ms));
}

TEST_F(TokenTest, is_the_same_however_many_were_made_between) {
  const Token first = maker_.make(subject_, now_);
  test::Random random;
  for (int round = 0; round < 1000; ++round) {
    const TokenSubject other{Address::v4(static_cast<std::uint32_t>(random.next())),
                             static_cast<std::uint16_t>(random.next()), random.next(),
                             static_cast<std::uint8_t>(random.next())};
    ASSERT_TRUE(maker_.is_good(maker_.make(other, now_), other, now_));
    Token guessed{};
    std::ranges::copy(random.bytes(guessed.size()), guessed.begin());
    std::copy_n(first.begin(), 4, guessed.begin());
    ASSERT_FALSE(maker_.is_good(guessed, other, now_));
  }
  EXPECT_EQ(maker_.make(subject_, now_), first);
}

}  // namespace lekt
