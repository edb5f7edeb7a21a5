#include "devices/host_selection.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "common/text.h"
#include "tests/devices/support.h"
#include "tests/support/screens.h"

namespace lekt::test {
namespace {

using Chosen = std::optional<std::size_t>;

class HostSelectionTest : public testing::Test {
 protected:
  /// A group with hosts that are named so.
  static DeviceGroups::Offer offer_of(const std::vector<std::string>& names,
                                      const std::string& group = "default") {
    DeviceGroups::Offer offer{group_of(group), {}};
    for (const std::string& name : names) offer.hosts.push_back(host_of(name + "=10.1.0.5:23"));
    return offer;
  }
  void offer_hosts(std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t number = 1; number <= count; ++number) names.push_back("host" + std::to_string(number));
    offer_ = offer_of(names);
  }

  Chosen type(std::string_view text) { return selection_.take(TypedItem{text}, rows_); }
  Chosen press(Key key) { return selection_.take(KeyItem{key, 0}, rows_); }
  Screen screen() const {
    Screen screen(rows_, columns_);
    selection_.draw(screen);
    return screen;
  }
  std::vector<std::string> lines() const {
    const Screen drawn = screen();
    std::vector<std::string> lines;
    for (std::size_t row = 0; row < drawn.rows(); ++row) lines.push_back(text_of(drawn, row));
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
  }

  std::size_t rows_ = 16;
  std::size_t columns_ = 26;
  DeviceGroups::Offer offer_ = offer_of({"wms", "mail"});
  HostSelection selection_{offer_};
};

using Lines = std::vector<std::string>;

TEST_F(HostSelectionTest, is_the_screen_of_the_worked_example) {
  ScreenPass pass;
  const auto messages = messages_of_pass(pass, screen(), ScreenPass::Time(0));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(to_hex(messages.front()),
            "01101a020800000300000d53656c656374206120686f737404000d0d02000000"
            "030200053120776d730303000632206d61696c05050001");
}

TEST_F(HostSelectionTest, names_the_group_where_there_is_room) {
  offer_ = offer_of({"wms", "mail"}, "trucks");
  EXPECT_EQ(lines()[0], "Select a host       trucks");
  offer_ = offer_of({"wms", "mail"}, "a-rather-long-name");
  EXPECT_EQ(lines()[0], "Select a host");
}

// ---- Numbers ----

TEST_F(HostSelectionTest, takes_a_digit_at_once) {
  EXPECT_EQ(type("2"), Chosen(1));
  EXPECT_EQ(type("1"), Chosen(0));
}

TEST_F(HostSelectionTest, takes_a_number_that_may_go_on_with_enter) {
  offer_hosts(12);
  EXPECT_EQ(type("1"), std::nullopt) << "it may be 10, 11 or 12";
  EXPECT_EQ(press(Key::enter), Chosen(0));
  EXPECT_EQ(type("1"), std::nullopt);
  EXPECT_EQ(type("2"), Chosen(11));
  EXPECT_EQ(type("2"), Chosen(1)) << "there is no host 20";
  EXPECT_EQ(type("10"), Chosen(9)) << "as a scanner sends it";
}

TEST_F(HostSelectionTest, shows_what_is_typed_below_the_hosts) {
  offer_hosts(12);
  (void)type("1");
  EXPECT_EQ(lines().size(), 16u);
  EXPECT_EQ(lines()[2], " 1 host1");
  EXPECT_EQ(lines()[13], "12 host12");
  EXPECT_EQ(lines()[15], "1");
  EXPECT_EQ(screen().cursor(), (CursorItem{15, 1, true}));
}

TEST_F(HostSelectionTest, chooses_nothing_by_a_text_that_is_no_number_of_a_host) {
  for (const std::string text : {"4006381333931", "0", "3", "x", "-1", "1 "}) {
    EXPECT_EQ(type(text), std::nullopt) << text;
    EXPECT_EQ(press(Key::enter), std::nullopt) << text;
    EXPECT_TRUE(lines()[1].starts_with("There is no host")) << text;
  }
}

TEST_F(HostSelectionTest, chooses_nothing_by_a_wrong_text_although_a_host_is_chosen) {
  (void)press(Key::down);
  (void)type("4006381333931");
  EXPECT_EQ(screen().cursor(), (CursorItem{5, 13, true}));
  EXPECT_EQ(press(Key::enter), std::nullopt);
  EXPECT_EQ(press(Key::enter), Chosen(0)) << "what was typed is gone";
}

TEST_F(HostSelectionTest, lets_what_is_typed_be_corrected) {
  (void)type("xü");
  EXPECT_EQ(screen().cursor(), (CursorItem{5, 2, true}));
  (void)press(Key::backspace);
  EXPECT_EQ(lines()[5], "x");
  (void)press(Key::backspace);
  (void)press(Key::backspace);
  EXPECT_EQ(type("2"), Chosen(1));
  (void)type("x");
  (void)press(Key::escape);
  EXPECT_EQ(press(Key::enter), std::nullopt);
  EXPECT_EQ(lines(), (Lines{"Select a host", "", "1 wms", "2 mail"})) << "nothing was typed";
}

TEST_F(HostSelectionTest, keeps_no_more_than_a_line_of_what_is_typed) {
  for (int times = 0; times < 1000; ++times) (void)type("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  EXPECT_EQ(lines()[5], std::string(26, 'x'));
  for (int times = 0; times < 32; ++times) (void)press(Key::backspace);
  EXPECT_EQ(lines().size(), 4u);
}

// ---- Keys ----

TEST_F(HostSelectionTest, goes_up_and_down_and_not_beyond) {
  EXPECT_EQ(press(Key::enter), std::nullopt) << "nothing is chosen at first";
  (void)press(Key::down);
  EXPECT_EQ(screen().cursor(), (CursorItem{2, 0, true}));
  (void)press(Key::down);
  (void)press(Key::down);
  EXPECT_EQ(screen().cursor(), (CursorItem{3, 0, true}));
  EXPECT_EQ(press(Key::enter), Chosen(1));
  (void)press(Key::up);
  (void)press(Key::up);
  EXPECT_EQ(press(Key::enter), Chosen(0));
  (void)press(Key::end);
  EXPECT_EQ(press(Key::enter), Chosen(1));
  (void)press(Key::home);
  EXPECT_EQ(press(Key::enter), Chosen(0));
}

TEST_F(HostSelectionTest, begins_at_the_end_with_up) {
  (void)press(Key::up);
  EXPECT_EQ(press(Key::enter), Chosen(1));
}

TEST_F(HostSelectionTest, passes_over_keys_without_a_meaning) {
  for (const Key key : {Key::left, Key::right, Key::tab, Key::insert, Key::f1})
    EXPECT_EQ(press(key), std::nullopt);
  EXPECT_EQ(selection_.take(ChordItem{modifiers::control, U'1'}, rows_), std::nullopt);
  EXPECT_EQ(press(Key::enter), std::nullopt);
}

// ---- More hosts than rows ----

TEST_F(HostSelectionTest, shows_a_page_of_the_hosts_and_which_it_is) {
  offer_hosts(30);
  EXPECT_EQ(lines()[2], " 1 host1");
  EXPECT_EQ(lines()[13], "12 host12");
  EXPECT_EQ(lines()[14], "1-12 of 30");
  (void)press(Key::page_down);
  EXPECT_EQ(lines()[2], "13 host13");
  EXPECT_EQ(lines()[14], "13-24 of 30");
  EXPECT_EQ(screen().cursor(), (CursorItem{2, 0, true}));
  (void)press(Key::up);
  EXPECT_EQ(lines()[14], "1-12 of 30");
  EXPECT_EQ(screen().cursor(), (CursorItem{13, 0, true}));
  (void)press(Key::end);
  EXPECT_EQ(lines().back(), "25-30 of 30");
  EXPECT_EQ(press(Key::enter), Chosen(29));
  (void)press(Key::page_down);
  EXPECT_EQ(press(Key::enter), Chosen(29)) << "there is no page below";
  (void)press(Key::page_up);
  EXPECT_EQ(press(Key::enter), Chosen(17));
  (void)press(Key::page_up);
  (void)press(Key::page_up);
  EXPECT_EQ(press(Key::enter), Chosen(0));
}

TEST_F(HostSelectionTest, can_be_used_on_the_smallest_screens) {
  offer_hosts(30);
  for (std::size_t rows = 1; rows <= 6; ++rows) {
    for (const std::size_t columns : {1u, 9u}) {
      rows_ = rows;
      columns_ = columns;
      (void)press(Key::home);
      for (std::size_t host = 0; host < 30; ++host) {
        const std::size_t row = screen().cursor().row;
        if (columns == 9) {
          const std::string number = std::to_string(host + 1);
          EXPECT_EQ(lines()[row].substr(0, 9), (" " + number).substr(number.size() - 1) + " host" + number);
        }
        (void)press(Key::down);
      }
      (void)type("3");
      EXPECT_EQ(press(Key::enter), Chosen(2));
    }
  }
}

// ---- Who comes back ----

TEST_F(HostSelectionTest, says_why_one_comes_back_until_the_next_key) {
  selection_.come_back(1, "mail is closed");
  EXPECT_EQ(lines(), (Lines{"Select a host", "mail is closed", "1 wms", "2 mail"}));
  EXPECT_EQ(screen().cursor(), (CursorItem{3, 0, true}));
  EXPECT_EQ(press(Key::enter), Chosen(1)) << "it is still chosen";
  EXPECT_EQ(lines()[1], "");
}

TEST_F(HostSelectionTest, makes_room_for_what_it_has_to_say) {
  selection_.come_back(1, "mail has closed the connection");
  EXPECT_EQ(lines(), (Lines{"Select a host", "mail has closed the", "connection", "1 wms", "2 mail"}));
  EXPECT_EQ(screen().cursor(), (CursorItem{4, 0, true}));
}

}  // namespace
}  // namespace lekt::test
