// Every packet cut at every byte, and every packet with every byte changed to every other value.
#include <gtest/gtest.h>

#include <algorithm>

#include "common/text.h"
#include "tests/common/examples.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::Example;
using test::keeps_the_law;
using test::packet_examples;
using test::round_trip_guarded;
using test::RoundTrip;

bool is_documented(ErrorCode code) {
  return std::ranges::any_of(error_catalogue(), [&](const ErrorInfo& info) { return info.code == code; });
}

/// Either complete and written back as it was, or wrong with a code and a message of one printable line, or
/// partial.
void expect_sound(const Example& example, const Bytes& input) {
  const RoundTrip result = round_trip_guarded(example.form, input, example.context());
  EXPECT_TRUE(keeps_the_law(example.form, input, result)) << to_hex(input) << "\n" << to_hex(result.encoded);
  if (result.status != ReadStatus::wrong) return;
  EXPECT_TRUE(is_documented(result.rejection.code)) << to_hex(input);
  EXPECT_GT(result.rejection.message.size(), 10u) << to_hex(input);
  EXPECT_TRUE(std::ranges::all_of(result.rejection.message, [](char c) { return c >= 0x20 && c < 0x7f; }))
      << result.rejection.message;
}

class EveryChange : public testing::TestWithParam<Example> {};

TEST_P(EveryChange, every_prefix_is_partial) {
  const Example& example = GetParam();
  for (std::size_t size = 0; size < example.bytes.size(); ++size) {
    const RoundTrip result =
        round_trip_guarded(example.form, ByteView(example.bytes).substr(0, size), example.context());
    EXPECT_EQ(result.status, ReadStatus::partial) << size << " bytes: " << result.rejection.text();
  }
}

TEST_P(EveryChange, every_other_value_of_every_byte_is_read_faithfully_or_refused) {
  Bytes bytes = GetParam().bytes;
  for (char& byte : bytes) {
    const char original = byte;
    for (int value = 0; value < 256; ++value) {
      byte = static_cast<char>(value);
      expect_sound(GetParam(), bytes);
    }
    byte = original;
  }
}

TEST_P(EveryChange, random_changes_are_read_faithfully_or_refused) {
  test::Random random;
  for (int round = 0; round < 3000; ++round) {
    Bytes bytes = GetParam().bytes;
    for (std::uint64_t changes = random.below(4); changes > 0; --changes)
      random.pick(bytes) = static_cast<char>(random.next());
    if (random.chance(30)) bytes.resize(random.below(bytes.size() + 1));
    if (random.chance(30)) bytes += random.bytes(random.below(40));
    expect_sound(GetParam(), bytes);
  }
}

TEST_P(EveryChange, the_first_eight_bytes_decide_type_and_version) {
  for (std::size_t position = 0; position < 5; ++position) {
    Bytes bytes = GetParam().bytes;
    bytes[position] = static_cast<char>(bytes[position] ^ 0x20);
    EXPECT_EQ(round_trip_guarded(GetParam().form, bytes, GetParam().context()).status, ReadStatus::wrong)
        << position;
  }
}

INSTANTIATE_TEST_SUITE_P(Packets, EveryChange, testing::ValuesIn(packet_examples()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace lekt
