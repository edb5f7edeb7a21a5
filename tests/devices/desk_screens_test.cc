// What the desk sends of screens that are drawn when it asks for them.
#include "common/text.h"
#include "tests/devices/desk.h"
#include "tests/support/screens.h"

namespace lekt::test {
namespace {

class DeskScreensTest : public DeskTest {
 protected:
  DeskScreensTest() { outside_.contents = screen_of(16, 26, TextItem{0, 0, "first"}); }

  /// The user sees this in the given row as well from now on.
  void write(std::uint8_t row, std::string_view text) {
    outside_.contents->draw(TextItem{row, 0, text}, StyleItem{});
    outside_.sent.clear();
    desk_.screen_changed(session(), now_);
  }
  void acknowledge(std::uint32_t number) {
    dedicated(port_, example_endpoint, datagram(first_number, Acknowledgment{}, 0, number));
  }
  /// The items of the only datagram that was sent, which is a screen.
  std::string items() {
    EXPECT_EQ(answer().head.type, DatagramType::message);
    return to_hex(answer().bytes.substr(limits::datagram_head_bytes));
  }

  std::uint16_t port_ = 0;
};

TEST_F(DeskScreensTest, are_drawn_when_a_message_can_be_made_and_not_before) {
  port_ = serve();
  EXPECT_EQ(outside_.drawn, 1);
  write(1, "second");
  EXPECT_EQ(outside_.drawn, 2);
  for (const std::string_view text : {"a", "b", "third"}) write(2, text);
  EXPECT_TRUE(outside_.sent.empty()) << "what was sent is not acknowledged";
  acknowledge(5);
  EXPECT_TRUE(outside_.sent.empty()) << "the last pass began just now";
  EXPECT_EQ(outside_.drawn, 2);
  wait(20ms);
  EXPECT_EQ(outside_.drawn, 3);
  EXPECT_EQ(items(), to_hex(items_of(TextItem{2, 0, "third"}))) << "the newest contents alone";
}

TEST_F(DeskScreensTest, that_are_lively_are_sent_as_differences) {
  outside_.liveliness = Liveliness::lively;
  port_ = serve();
  wait(1h);
  write(1, "second");
  EXPECT_EQ(items(), to_hex(items_of(TextItem{1, 0, "second"})));
  acknowledge(5);
  EXPECT_EQ(desk_.registration(port_)->due(), std::nullopt) << "what is kept asks for nothing";
}

TEST_F(DeskScreensTest, that_are_still_are_not_kept_and_are_sent_whole) {
  port_ = serve();
  write(1, "second");
  EXPECT_EQ(items(), to_hex(items_of(SizeItem{16, 26}, TextItem{0, 0, "first"}, TextItem{1, 0, "second"})));
}

TEST_F(DeskScreensTest, that_become_still_are_sent_as_a_difference_for_the_last_time) {
  outside_.liveliness = Liveliness::lively;
  port_ = serve();
  outside_.liveliness = Liveliness::still;
  write(1, "second");
  EXPECT_EQ(items(), to_hex(items_of(TextItem{1, 0, "second"})));
  acknowledge(5);
  wait(20ms);
  write(2, "third");
  EXPECT_EQ(items(), to_hex(items_of(SizeItem{16, 26}, TextItem{0, 0, "first"}, TextItem{1, 0, "second"},
                                     TextItem{2, 0, "third"})));
}

TEST_F(DeskScreensTest, that_are_told_of_and_have_not_changed_are_not_sent) {
  outside_.liveliness = Liveliness::lively;
  port_ = serve();
  write(0, "first");
  EXPECT_EQ(outside_.drawn, 2);
  EXPECT_TRUE(outside_.sent.empty());
  EXPECT_EQ(desk_.registration(port_)->due(), std::nullopt);
}

TEST_F(DeskScreensTest, are_sent_whole_to_each_new_registration) {
  outside_.liveliness = Liveliness::lively;
  (void)serve();
  const DeviceEndpoint elsewhere{Address::v4(9), 3771};
  const std::uint16_t port = register_device(elsewhere, 7);
  wait(100ms);
  dedicated(port, elsewhere, datagram(7, DeviceConfig{session().ticket(), its_string}, 1, 1));
  dedicated(port, elsewhere, datagram(7, Acknowledgment{}, 0, 3));
  EXPECT_EQ(items(), to_hex(items_of(SizeItem{16, 26}, TextItem{0, 0, "first"})));
}

TEST_F(DeskScreensTest, of_another_size_are_drawn_when_the_device_has_said_it) {
  outside_.liveliness = Liveliness::lively;
  port_ = serve();
  outside_.contents = screen_of(26, 16, TextItem{0, 0, "turned"});
  dedicated(port_, example_endpoint, datagram(first_number, DeviceConfig{no_ticket, its_string}, 2, 4));
  EXPECT_EQ(outside_.described, 1);
  EXPECT_EQ(items(), to_hex(items_of(SizeItem{26, 16}, TextItem{0, 0, "turned"})));
}

TEST_F(DeskScreensTest, have_a_bell) {
  outside_.liveliness = Liveliness::lively;
  port_ = serve();
  outside_.sent.clear();
  desk_.ring(session(), now_);
  EXPECT_EQ(items(), to_hex(items_of(BellItem{})));
}

TEST_F(DeskScreensTest, of_a_session_that_waits_are_not_drawn) {
  port_ = serve();
  dedicated(port_, example_endpoint, datagram(first_number, DeviceConfig{no_ticket, "unusable"}, 2, 4));
  EXPECT_EQ(desk_.registration(port_), nullptr);
  write(1, "second");
  desk_.ring(session(), now_);
  EXPECT_TRUE(outside_.sent.empty());
  EXPECT_EQ(outside_.drawn, 1);
}

TEST_F(DeskScreensTest, of_a_device_that_is_away_are_drawn_when_it_is_heard_again) {
  outside_.liveliness = Liveliness::lively;
  port_ = serve();
  write(1, "second");
  wait(31s);
  ASSERT_EQ(desk_.registration(port_)->state(), Registration::State::away);
  const int before = outside_.drawn;
  write(2, "third");
  EXPECT_TRUE(outside_.sent.empty());
  EXPECT_EQ(outside_.drawn, before);
  acknowledge(5);
  EXPECT_EQ(items(), to_hex(items_of(TextItem{2, 0, "third"})));
}

}  // namespace
}  // namespace lekt::test
