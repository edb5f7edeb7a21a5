#include "common/device_string.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/device_packets.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

constexpr std::string_view example =
    "AB~001~19~000~PDT9090_E5~16~26~09~01~0107~0000~000~0015708E863F~640~6006~1~20100118100852~S~"
    "WindowsCE      ~2~01~0~";

DeviceString device_of(std::string_view string) { return std::get<DeviceString>(read_device_string(string)); }
std::string fault_of(std::string_view string) { return std::get<std::string>(read_device_string(string)); }

/// A string of this many fields, of which each field is its own number but for one.
std::string string_of(std::size_t fields, std::size_t place, const std::string& value) {
  std::string string;
  for (std::size_t index = 0; index < fields; ++index)
    string += (index == place ? value : std::to_string(index)) + "~";
  return string;
}

DeviceString device_with(std::size_t place, const std::string& value) {
  return device_of(string_of(22, place, value));
}

DeviceString sized(const std::string& rows, const std::string& columns) {
  return device_of("~~~~~" + rows + "~" + columns + "~~~~~~u~");
}

bool has_default_size(const DeviceString& device) {
  return !device.has_size && device.rows == 24 && device.columns == 80;
}

std::string content_of_uid(const std::string& uid) {
  DeviceString device;
  device.uid = uid;
  const Bytes content = device_method_content(device, "");
  return content.substr(4, content.find(",type=") - 4);
}

TEST(DeviceString, says_what_the_device_is) {
  const DeviceString device = device_of(example);
  EXPECT_EQ(device.type, "PDT9090_E5");
  EXPECT_EQ(device.rows, 16);
  EXPECT_EQ(device.columns, 26);
  EXPECT_TRUE(device.has_size);
  EXPECT_EQ(device.version, "9.1.107");
  EXPECT_EQ(device.uid, "0015708E863F");
  EXPECT_EQ(device.system, "WindowsCE");
  EXPECT_TRUE(device.names_anybody());
}

TEST(DeviceString, has_thirteen_fields_or_more) {
  EXPECT_EQ(device_of(string_of(13, 12, "u")).uid, "u");
  EXPECT_EQ(device_of(string_of(13, 12, "u")).system, "");
  EXPECT_EQ(device_of(string_of(19, 12, "u")).system, "18");
  EXPECT_EQ(device_of(string_of(22, 12, "u")).uid, "u");
  EXPECT_EQ(device_of(string_of(40, 12, "u")).uid, "u");
}

TEST(DeviceString, of_twelve_fields_is_unusable) {
  EXPECT_EQ(fault_of(string_of(12, 0, "")),
            "the device string has 12 fields that end with '~'; at least 13 are needed, the last of them "
            "being the uid");
  EXPECT_EQ(fault_of("").substr(0, 26), "the device string has 0 fi");
}

TEST(DeviceString, has_no_field_after_its_last_end) {
  const std::string string = string_of(13, 12, "0015708E863F");
  for (std::size_t size = 0; size < string.size(); ++size)
    EXPECT_TRUE(std::holds_alternative<std::string>(read_device_string(string.substr(0, size)))) << size;
  EXPECT_EQ(device_of(string + "more").uid, "0015708E863F");
}

TEST(DeviceString, of_a_uid_beyond_32_bytes_is_unusable) {
  EXPECT_EQ(device_with(12, std::string(32, 'u')).uid, std::string(32, 'u'));
  EXPECT_EQ(fault_of(string_of(22, 12, std::string(33, 'u'))),
            "the uid '" + std::string(32, 'u') + "...' has 33 bytes; at most 32 are allowed");
}

TEST(DeviceString, is_unusable_in_one_printable_line) {
  const std::string fault = fault_of(string_of(22, 12, "\n\x1b\xff" + std::string(1000, '\\')));
  EXPECT_TRUE(std::ranges::all_of(fault, [](char c) { return c >= ' ' && c <= '~'; })) << fault;
  EXPECT_LE(fault.size(), 200u);
}

TEST(DeviceString, has_a_size_that_a_screen_can_have) {
  EXPECT_EQ(sized("1", "1").rows, 1);
  EXPECT_EQ(sized("100", "200").rows, limits::screen_rows_max);
  EXPECT_EQ(sized("100", "200").columns, limits::screen_columns_max);
  EXPECT_TRUE(sized("0016", "026").has_size);
}

TEST(DeviceString, has_24_rows_of_80_when_it_says_no_size) {
  for (const char* rows :
       {"", "0", "101", "255", "256", "-1", "+16", "16 ", " 16", "1x", "0x10", "99999999999"})
    EXPECT_TRUE(has_default_size(sized(rows, "26"))) << rows;
  for (const char* columns : {"", "0", "201", "256", "65536", "a"})
    EXPECT_TRUE(has_default_size(sized("16", columns))) << columns;
}

TEST(DeviceString, has_a_version_without_leading_zeros) {
  const auto version = [](const std::string& fields) {
    return device_of("~~~~~~~" + fields + "~~~u~").version;
  };
  EXPECT_EQ(version("09~01~0107"), "9.1.107");
  EXPECT_EQ(version("00~000~0"), "0.0.0");
  EXPECT_EQ(version("10~20~30"), "10.20.30");
  EXPECT_EQ(version("v2~0b~"), "v2.b.") << "what is no number is shown as it is";
  EXPECT_EQ(version(std::string(100, '9') + "~1~2"), std::string(24, '9'));
}

TEST(DeviceString, cuts_off_what_is_for_people) {
  EXPECT_EQ(device_with(4, std::string(65, 't')).type, std::string(64, 't'));
  EXPECT_EQ(device_with(18, "  " + std::string(65, 's') + "  ").system, std::string(64, 's'));
}

TEST(DeviceString, has_a_system_without_blanks_around_it) {
  EXPECT_EQ(device_with(18, "  Windows CE  ").system, "Windows CE");
  EXPECT_EQ(device_with(18, "    ").system, "");
}

TEST(DeviceString, keeps_type_and_uid_as_they_are) {
  EXPECT_EQ(device_with(4, " a\"b\\<c> ").type, " a\"b\\<c> ");
  EXPECT_EQ(device_with(12, " u ").uid, " u ");
}

TEST(DeviceString, names_nobody_with_an_empty_or_all_zero_uid) {
  for (const char* uid :
       {"", "0", "000000000000", "00:00:00:00:00:00", "00-00-00-00-00-00", "0000.0000.0000", "   "})
    EXPECT_FALSE(device_with(12, uid).names_anybody()) << uid;
  for (const char* uid : {"1", "000000000001", "00:00:00:00:00:0A", "O"})
    EXPECT_TRUE(device_with(12, uid).names_anybody()) << uid;
}

TEST(DeviceMethod, tells_programs_what_the_device_is) {
  EXPECT_EQ(device_method_content(device_of(example), "default"),
            "uid=0015708E863F,type=PDT9090_E5,screen=16x26,version=9.1.107,group=default");
}

TEST(DeviceMethod, of_a_device_that_says_nothing_has_empty_values) {
  EXPECT_EQ(device_method_content(device_of("~~~~~~~~~~~~~"), "trucks"),
            "uid=,type=,screen=24x80,version=..,group=trucks");
}

TEST(DeviceMethod, keeps_only_bytes_that_cannot_end_a_value) {
  for (int value = 0; value < 256; ++value) {
    const char byte = static_cast<char>(value);
    const bool kept =
        std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+@/-").find(byte) !=
        std::string_view::npos;
    EXPECT_EQ(content_of_uid(std::string(1, byte)), std::string(1, kept ? byte : '_')) << value;
  }
}

TEST(DeviceMethod, escapes_each_value) {
  EXPECT_EQ(device_method_content({"t,type=x", 1, 2, true, "1 2", "u=", ""}, "a,b"),
            "uid=u_,type=t_type_x,screen=1x2,version=1_2,group=a_b");
}

TEST(DeviceMethod, has_at_most_200_bytes) {
  const std::string huge(1000, 'x');
  const Bytes content = device_method_content({huge, 100, 200, true, huge, huge, huge}, huge);
  EXPECT_LE(content.size(), limits::device_method_bytes_max);
  EXPECT_TRUE(content.ends_with(",group=" + std::string(32, 'x'))) << content;
}

TEST(DeviceString, of_any_bytes_stays_within_its_limits) {
  test::Random random;
  for (int round = 0; round < 5000; ++round) {
    Bytes string = random.bytes(random.below(200));
    for (std::uint64_t fields = random.below(40); fields > 0; --fields)
      string.insert(random.below(string.size() + 1), "~");
    const auto read = read_device_string(string);
    const auto* device = std::get_if<DeviceString>(&read);
    ASSERT_EQ(device != nullptr || std::get<std::string>(read).starts_with("the uid"),
              std::ranges::count(string, '~') >= 13);
    if (device == nullptr) continue;
    ASSERT_LE(device->uid.size(), limits::device_uid_bytes_max);
    ASSERT_LE(device_method_content(*device, string).size(), limits::device_method_bytes_max);
    ASSERT_TRUE(device->rows >= 1 && device->rows <= limits::screen_rows_max);
    ASSERT_TRUE(device->columns >= 1 && device->columns <= limits::screen_columns_max);
  }
}

/// The rule as it is defined, in exponential time.
bool fits_by_definition(std::string_view pattern, std::string_view type) {
  if (pattern.empty()) return type.empty();
  if (pattern[0] == '*') {
    for (std::size_t taken = 0; taken <= type.size(); ++taken)
      if (fits_by_definition(pattern.substr(1), type.substr(taken))) return true;
    return false;
  }
  return !type.empty() && (pattern[0] == '?' || pattern[0] == type[0]) &&
         fits_by_definition(pattern.substr(1), type.substr(1));
}

TEST(DevicePattern, has_two_wildcards) {
  EXPECT_TRUE(fits_type("*", ""));
  EXPECT_TRUE(fits_type("*", "PDT9090_E5"));
  EXPECT_TRUE(fits_type("PDT90*", "PDT9090_E5"));
  EXPECT_TRUE(fits_type("PDT90*", "PDT90"));
  EXPECT_TRUE(fits_type("*_E?", "PDT9090_E5"));
  EXPECT_TRUE(fits_type("P*9*E5", "PDT9090_E5"));
  EXPECT_FALSE(fits_type("PDT90*", "PDT80"));
  EXPECT_FALSE(fits_type("PDT9090_E", "PDT9090_E5"));
  EXPECT_FALSE(fits_type("?", ""));
  EXPECT_FALSE(fits_type("", "x"));
}

TEST(DevicePattern, ignores_the_case_of_letters_and_nothing_else) {
  EXPECT_TRUE(fits_type("pdt*_e5", "PDT9090_E5"));
  EXPECT_TRUE(fits_type("PDT*", "pdt9090"));
  EXPECT_FALSE(fits_type("@", "`"));
  EXPECT_FALSE(fits_type("[", "{"));
}

TEST(DevicePattern, takes_no_longer_than_the_product_of_both_lengths) {
  std::string stars;
  for (int count = 0; count < 5000; ++count) stars += "a*";
  EXPECT_FALSE(fits_type(stars + "b", std::string(10'000, 'a')));
}

TEST(DevicePattern, is_what_its_definition_says) {
  test::Random random;
  constexpr std::string_view letters = "ab*?";
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern;
    std::string type;
    for (std::uint64_t count = random.below(7); count > 0; --count) pattern += letters[random.below(4)];
    for (std::uint64_t count = random.below(8); count > 0; --count) type += letters[random.below(2)];
    ASSERT_EQ(fits_type(pattern, type), fits_by_definition(pattern, type)) << pattern << " " << type;
  }
}

}  // namespace
}  // namespace lekt
