#include "server/net/tls.h"

#include <gtest/gtest.h>

#include "tests/support/support.h"

namespace lekt {
namespace {

using test::hex;
using testing::IsSubstring;

/// "complete", "missing 7", or the reject.
std::string judge(ByteView bytes) {
  std::size_t missing = 0;
  Rejection rejection{};
  switch (judge_first_record(bytes, missing, rejection)) {
    case ReadStatus::complete:
      return "complete";
    case ReadStatus::partial:
      return "missing " + std::to_string(missing);
    case ReadStatus::wrong:
      return rejection.text();
  }
  return "?";
}

}  // namespace

TEST(FirstRecord, is_asked_for_to_its_end_and_never_beyond) {
  const Bytes record = hex("16 0301 000a  01 000006  0303 aaaaaaaa");
  EXPECT_EQ(judge(""), "missing 9");
  EXPECT_EQ(judge(record.substr(0, 1)), "missing 8");
  EXPECT_EQ(judge(record.substr(0, 9)), "missing 6");
  EXPECT_EQ(judge(record.substr(0, 14)), "missing 1");
  EXPECT_EQ(judge(record), "complete");
}

TEST(FirstRecord, may_hold_a_part_of_the_hello) {
  EXPECT_EQ(judge(hex("16 0301 0004  01 000200")), "complete");
}

TEST(FirstRecord, is_refused_before_memory_is_taken_for_what_it_announces) {
  EXPECT_PRED_FORMAT2(IsSubstring, "E109 the TLS handshake failed: its first record announces 131000 bytes",
                      judge(hex("16 0301 000e  01 01ffb8")));
  EXPECT_PRED_FORMAT2(IsSubstring, "announces 16385 bytes", judge(hex("16 0301 4001  01 000200")));
}

TEST(FirstRecord, holds_a_hello) {
  EXPECT_PRED_FORMAT2(IsSubstring, "holds no client's hello", judge(hex("16 0301 0040  0b 000200")));
  EXPECT_PRED_FORMAT2(IsSubstring, "holds no client's hello", judge(hex("16 0301 0003  01 000200")));
}

TEST(FirstRecord, shows_plain_text_in_its_first_byte) {
  EXPECT_PRED_FORMAT2(IsSubstring, "E109 the TLS handshake failed: the bytes \"LEKTH\" do not begin it",
                      judge("LEKTH\0\0\0"));
  EXPECT_PRED_FORMAT2(IsSubstring, "the bytes \"G\"", judge("G"));
}

}  // namespace lekt
