// The items of screens and inputs: each item's bytes, each way in which one can be wrong, and every change of a byte.
#include "common/device_items.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "common/text.h"
#include "common/utf8.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::hex;

std::string name_of(std::uint8_t key) { return key_name(static_cast<Key>(key)); }

/// All items up to the one that is wrong, written again.
template <class Item>
Bytes rewritten(ByteView items, std::optional<std::string>& fault) {
  Bytes again;
  const auto append = [&](const auto& item) { append_item(again, item); };
  fault = for_each_item<Item>(items, append);
  return again;
}

/// What is wrong with the items; "" if nothing is.
template <class Item>
std::string fault_of(ByteView items) {
  std::optional<std::string> fault;
  const Bytes again = rewritten<Item>(items, fault);
  EXPECT_EQ(to_hex(again), to_hex(items.substr(0, again.size()))) << "what is read is written back the same";
  EXPECT_EQ(fault.has_value(), again.size() != items.size()) << to_hex(items);
  return fault.value_or("");
}

std::string screen_fault(std::string_view digits) { return fault_of<ScreenItem>(hex(digits)); }
std::string input_fault(std::string_view digits) { return fault_of<InputItem>(hex(digits)); }

/// One of each item of a screen, as in the document's example.
Bytes example_screen() {
  Bytes items;
  append_item(items, SizeItem{16, 26});
  append_item(items, StyleItem{style::reverse, 0, 0});
  append_item(items, TextItem{0, 0, "Select"});
  append_item(items, BlanksItem{0, 13, 13});
  append_item(items, CursorItem{5, 0, true});
  append_item(items, BellItem{});
  return items;
}

Bytes example_input() {
  Bytes items;
  append_item(items, TypedItem{"1\u00e4"});
  append_item(items, KeyItem{Key::enter, 0});
  append_item(items, ChordItem{modifiers::control, U'c'});
  return items;
}

TEST(DeviceItems, are_written_as_their_bytes) {
  EXPECT_EQ(to_hex(example_screen()),
            "01101a"
            "02080000"
            "03000006"
            "53656c656374"
            "04000d0d"
            "05050001"
            "06");
  EXPECT_EQ(to_hex(example_input()),
            "0103"
            "31c3a4"
            "020100"
            "030400000063");
}

TEST(DeviceItems, of_a_screen_are_visited_in_their_order) {
  const Bytes items = example_screen();
  std::vector<ScreenItem> seen;
  EXPECT_EQ(for_each_screen_item(items, [&](const auto& item) { seen.push_back(item); }), std::nullopt);
  const std::vector<ScreenItem> expected = {SizeItem{16, 26},         StyleItem{style::reverse, 0, 0},
                                            TextItem{0, 0, "Select"}, BlanksItem{0, 13, 13},
                                            CursorItem{5, 0, true},   BellItem{}};
  EXPECT_EQ(seen, expected);
}

TEST(DeviceItems, of_an_input_are_visited_in_their_order) {
  const Bytes items = example_input();
  std::vector<InputItem> seen;
  EXPECT_EQ(for_each_input_item(items, [&](const auto& item) { seen.push_back(item); }), std::nullopt);
  const std::vector<InputItem> expected = {TypedItem{"1\u00e4"}, KeyItem{Key::enter, 0},
                                           ChordItem{modifiers::control, U'c'}};
  EXPECT_EQ(seen, expected);
}

TEST(DeviceItems, before_the_wrong_one_have_been_visited) {
  Bytes items = example_screen() + Bytes(1, 7) + example_screen();
  std::size_t visited = 0;
  const auto fault = for_each_screen_item(items, [&](const auto&) { ++visited; });
  EXPECT_EQ(fault, "an item of kind 7 came; 1 to 6 would be right");
  EXPECT_EQ(visited, 6u);
  ItemReader reader(items);
  ScreenItem item;
  while (reader.next(item)) continue;
  EXPECT_EQ(reader.consumed(), example_screen().size());
  EXPECT_FALSE(reader.next(item)) << "the wrong item is never passed";
}

TEST(DeviceItems, may_be_none) {
  EXPECT_EQ(screen_fault(""), "");
  EXPECT_EQ(input_fault(""), "");
}

TEST(DeviceItems, cut_off_at_any_byte_break_the_message_unless_an_item_ends_there) {
  const auto try_all = [](const Bytes& items, const std::vector<std::size_t>& ends, auto fault) {
    for (std::size_t size = 0; size < items.size(); ++size) {
      const bool is_end = std::ranges::find(ends, size) != ends.end();
      EXPECT_EQ(fault(ByteView(items).substr(0, size)).empty(), is_end) << size;
    }
  };
  try_all(example_screen(), {0, 3, 7, 17, 21, 25}, fault_of<ScreenItem>);
  try_all(example_input(), {0, 5, 8}, fault_of<InputItem>);
}

struct WrongItem {
  const char* digits;
  const char* fault;
};

TEST(DeviceItems, of_a_screen_that_break_a_rule_say_which_value_and_what_would_be_right) {
  const WrongItem table[] = {
      {"00", "an item of kind 0 came; 1 to 6 would be right"},
      {"07", "an item of kind 7 came; 1 to 6 would be right"},
      {"ff", "an item of kind 255 came; 1 to 6 would be right"},
      {"01001a", "rows 0 came in the item \"size\"; 1 or more would be right"},
      {"011000", "columns 0 came in the item \"size\"; 1 or more would be right"},
      {"0110", "the item \"size\" is cut off by the end of the datagram"},
      {"02200000", "flags 0x20 came in the item \"style\"; bits of 0xdf would be right"},
      {"020800", "the item \"style\" is cut off by the end of the datagram"},
      {"03000000",
       "text \"\" came in the item \"text\"; some UTF-8 without control characters would be right"},
      {"03000001ff",
       "text 0xff came in the item \"text\"; some UTF-8 without control characters would be right"},
      {"0300000161 0300000203", "the item \"text\" is cut off by the end of the datagram"},
      {"030000011b",
       "text 0x1b came in the item \"text\"; some UTF-8 without control characters would be right"},
      {"04000d", "the item \"blanks\" is cut off by the end of the datagram"},
      {"05000002", "shown 2 came in the item \"cursor\"; 0 or 1 would be right"},
      {"050000", "the item \"cursor\" is cut off by the end of the datagram"},
  };
  for (const WrongItem& wrong : table) EXPECT_EQ(screen_fault(wrong.digits), wrong.fault) << wrong.digits;
}

TEST(DeviceItems, of_an_input_that_break_a_rule_say_which_value_and_what_would_be_right) {
  const WrongItem table[] = {
      {"00", "an item of kind 0 came; 1 to 3 would be right"},
      {"04000000", "an item of kind 4 came; 1 to 3 would be right"},
      {"01", "the item \"text\" is cut off by the end of the datagram"},
      {"0100", "text \"\" came in the item \"text\"; some UTF-8 without control characters would be right"},
      {"010209c3",
       "text 0x09c3 came in the item \"text\"; some UTF-8 without control characters would be right"},
      {"020000", "key 0 came in the item \"key\"; 1 to 14, or 33 to 56 for F1 to F24 would be right"},
      {"020f00", "key 15 came in the item \"key\"; 1 to 14, or 33 to 56 for F1 to F24 would be right"},
      {"022000", "key 32 came in the item \"key\"; 1 to 14, or 33 to 56 for F1 to F24 would be right"},
      {"023900", "key 57 came in the item \"key\"; 1 to 14, or 33 to 56 for F1 to F24 would be right"},
      {"020108", "modifiers 8 came in the item \"key\"; 0 to 7 would be right"},
      {"0201", "the item \"key\" is cut off by the end of the datagram"},
      {"030000000063", "modifiers 0 came in the item \"chord\"; 1 to 7 would be right"},
      {"030800000063", "modifiers 8 came in the item \"chord\"; 1 to 7 would be right"},
      {"03040000001f",
       "character 31 came in the item \"chord\"; a code point from 32, and no surrogate would be right"},
      {"03040000d800",
       "character 55296 came in the item \"chord\"; a code point from 32, and no surrogate would be "
       "right"},
      {"030400110000",
       "character 1114112 came in the item \"chord\"; a code point from 32, and no surrogate would be "
       "right"},
      {"0304000000", "the item \"chord\" is cut off by the end of the datagram"},
  };
  for (const WrongItem& wrong : table) EXPECT_EQ(input_fault(wrong.digits), wrong.fault) << wrong.digits;
}

TEST(DeviceItems, take_what_lies_at_the_edge_of_each_rule) {
  for (const char* digits :
       {"010101", "01ffff", "02df0000", "0200ffff", "03ffff0120", "04ffff00", "05ffff00"})
    EXPECT_EQ(screen_fault(digits), "") << digits;
  for (const char* digits : {"020100", "020e07", "022100", "023800", "030100000020", "03070010ffff"})
    EXPECT_EQ(input_fault(digits), "") << digits;
}

TEST(DeviceItems, a_text_may_be_as_long_as_its_length_can_say) {
  const std::string longest(limits::item_text_bytes_max, 'x');
  Bytes items;
  append_item(items, TextItem{1, 2, longest});
  EXPECT_EQ(fault_of<ScreenItem>(items), "");
  EXPECT_EQ(items.size(), 4u + 255u);
}

TEST(DeviceItems, a_text_has_no_control_characters) {
  for (char32_t value = 0; value < 0x200; ++value) {
    std::string text = "a";
    append_character(text, value);
    EXPECT_EQ(is_item_text(text), value >= 0x20 && (value < 0x7f || value > 0x9f)) << static_cast<int>(value);
  }
  EXPECT_FALSE(is_item_text(""));
  EXPECT_FALSE(is_item_text(hex("c3")));
  EXPECT_FALSE(is_item_text(hex("eda080"))) << "a surrogate";
  EXPECT_FALSE(is_item_text(hex("c0af"))) << "an overlong form";
  EXPECT_TRUE(is_item_text("\u200b")) << "what is invisible is no control character";
}

TEST(DeviceItems, keys_have_names) {
  EXPECT_EQ(name_of(1), "enter");
  EXPECT_EQ(name_of(10), "delete");
  EXPECT_EQ(name_of(14), "page down");
  EXPECT_EQ(name_of(33), "F1");
  EXPECT_EQ(name_of(44), "F12");
  EXPECT_EQ(name_of(56), "F24");
  for (const int number : {0, 15, 32, 57, 255})
    EXPECT_EQ(name_of(static_cast<std::uint8_t>(number)), "") << number;
}

TEST(DeviceItems, changed_at_random_are_written_back_as_read_or_refused) {
  test::Random random;
  const std::vector<Bytes> seeds = {example_screen(), example_input()};
  for (int round = 0; round < 20000; ++round) {
    Bytes items = random.pick(seeds);
    for (std::uint64_t changes = random.below(4); changes > 0; --changes)
      random.pick(items) = static_cast<char>(random.below(random.chance(50) ? 8 : 256));
    if (random.chance(30)) items.resize(random.below(items.size() + 1));
    fault_of<ScreenItem>(items);  // checks by itself that what is read is written back
    fault_of<InputItem>(items);
  }
}

}  // namespace
}  // namespace lekt
