// What a user does at a session, and what the host, the operators and the screen get of it. The terminal and the
// conversation are the real ones.
#include "devices/workplace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/devices/support.h"
#include "tests/support/screens.h"

namespace lekt::test {
namespace {

using namespace std::chrono_literals;
using State = Workplace::State;
using Words = std::vector<std::string>;

/// What the workplace wants, in words and in order.
class Owner final : public Workplace::Outside {
 public:
  void connect(const DeviceHost& host) override { words.push_back("connect " + host.name); }
  void disconnect() override { words.emplace_back("disconnect"); }
  void send_to_host(ByteView bytes) override { sent += bytes; }
  void screen_changed() override { ++changes; }
  void alert(const Rejection& rejection) override { words.push_back("alert " + rejection.text()); }
  void over(const Rejection& reason) override { words.push_back("over " + reason.text()); }

  Words words;
  Bytes sent;
  int changes = 0;
};

class WorkplaceTest : public testing::Test {
 protected:
  static std::shared_ptr<const DeviceGroups::Offer> offer_of(const std::vector<std::string>& hosts) {
    auto offer = std::make_shared<DeviceGroups::Offer>();
    offer->group = group_of("default");
    for (const std::string& host : hosts) offer->hosts.push_back(host_of(host));
    return offer;
  }
  static DeviceString device_of(std::uint8_t rows, std::uint8_t columns) {
    DeviceString device;
    device.uid = "UID";
    device.rows = rows;
    device.columns = columns;
    return device;
  }
  static Bytes text(std::string_view text) { return items_of(TypedItem{text}); }
  static Bytes key(Key key) { return items_of(KeyItem{key, 0}); }

  explicit WorkplaceTest(const std::vector<std::string>& hosts = {"wms=10.1.0.5:23",
                                                                  "mail=mail.example:2323"})
      : session_(1, Ticket{}, device_of(16, 26), "", offer_of(hosts), 0ms), workplace_(session_, owner_) {
    workplace_.begin();
  }

  Words take_words() { return std::exchange(owner_.words, {}); }
  Bytes take_sent() { return std::exchange(owner_.sent, {}); }
  bool take_change() { return std::exchange(owner_.changes, 0) > 0; }
  Words lines() const {
    Screen screen(3, 3);
    workplace_.draw(screen);
    EXPECT_EQ(screen.rows(), session_.device().rows);
    EXPECT_EQ(screen.columns(), session_.device().columns);
    Words lines;
    for (std::size_t row = 0; row < screen.rows(); ++row) lines.push_back(text_of(screen, row));
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
  }
  void work_on(std::string_view number) {
    workplace_.input(text(number));
    workplace_.connected();
    (void)take_words();
  }

  Owner owner_;
  DeviceSession session_;
  Workplace workplace_;
};

class OneHost : public WorkplaceTest {
 protected:
  OneHost() : WorkplaceTest({"wms=10.1.0.5:23"}) {}
};

class NoHost : public WorkplaceTest {
 protected:
  NoHost() : WorkplaceTest(std::vector<std::string>{}) {}
};

// ---- Beginning ----

TEST_F(NoHost, says_so_and_wants_nothing) {
  EXPECT_EQ(workplace_.state(), State::no_host);
  EXPECT_EQ(workplace_.host(), nullptr);
  workplace_.input(key(Key::enter));
  EXPECT_TRUE(take_words().empty());
  EXPECT_EQ(lines()[0], "Group default");
  const Words its = lines();
  EXPECT_NE(std::ranges::find(its, "This group has no host:"), its.end());
  EXPECT_EQ(its.back(), "ask your operator.");
}

TEST_F(OneHost, is_connected_at_once) {
  EXPECT_EQ(take_words(), Words{"connect wms"});
  EXPECT_EQ(workplace_.state(), State::connecting);
  EXPECT_EQ(lines(), (Words{"wms", "", "Connecting to wms ..."}));
  workplace_.connected();
  EXPECT_EQ(workplace_.state(), State::working);
  EXPECT_TRUE(lines().empty());
}

TEST_F(WorkplaceTest, lets_the_user_select_a_host) {
  EXPECT_TRUE(take_words().empty());
  EXPECT_EQ(workplace_.state(), State::selecting);
  EXPECT_EQ(lines(), (Words{"Select a host", "", "1 wms", "2 mail"}));
  workplace_.input(text("2"));
  EXPECT_TRUE(take_change());
  EXPECT_EQ(take_words(), Words{"connect mail"});
  EXPECT_EQ(workplace_.host()->name, "mail");
  EXPECT_EQ(lines()[2], "Connecting to mail ...");
}

TEST_F(WorkplaceTest, tells_of_each_change_of_the_selection) {
  workplace_.input(key(Key::down));
  EXPECT_TRUE(take_change());
}

// ---- Working ----

TEST_F(OneHost, gets_what_is_typed_and_its_text_is_shown) {
  workplace_.connected();
  EXPECT_TRUE(take_change());
  workplace_.input(text("ls"));
  EXPECT_FALSE(take_change()) << "the host echoes, or not";
  workplace_.input(items_of(KeyItem{Key::enter, 0}, ChordItem{modifiers::control, U'c'}));
  EXPECT_EQ(take_sent(), Bytes("ls\r\0\x03", 5));
  workplace_.received("stock\r\nprice");
  EXPECT_TRUE(take_change());
  EXPECT_EQ(lines(), (Words{"stock", "price"}));
}

TEST_F(OneHost, is_answered_by_the_terminal_and_in_the_conversation) {
  workplace_.connected();
  workplace_.received("\x1b[6n");
  EXPECT_EQ(take_sent(), "\x1b[1;1R");
  (void)take_change();
  workplace_.received("\xff\xfd\x18");
  EXPECT_EQ(take_sent(), "\xff\xfb\x18");
  EXPECT_FALSE(take_change()) << "nothing was drawn";
}

TEST_F(OneHost, is_told_another_size_and_draws_on_it) {
  workplace_.connected();
  workplace_.received("\xff\xfd\x1f");
  EXPECT_EQ(take_sent(), Bytes("\xff\xfb\x1f\xff\xfa\x1f\0\x1a\0\x10\xff\xf0", 12));
  session_.describe(device_of(26, 16), "");
  workplace_.resized();
  EXPECT_TRUE(take_change());
  EXPECT_EQ(take_sent(), Bytes("\xff\xfa\x1f\0\x10\0\x1a\xff\xf0", 9));
  workplace_.received("0123456789abcdefg");
  EXPECT_EQ(lines(), (Words{"0123456789abcdef", "g"}));
}

TEST_F(OneHost, rings_the_bell_once) {
  workplace_.connected();
  EXPECT_FALSE(workplace_.take_bell());
  workplace_.received("\a\a");
  EXPECT_TRUE(take_change());
  EXPECT_TRUE(workplace_.take_bell());
  EXPECT_FALSE(workplace_.take_bell());
}

TEST_F(WorkplaceTest, is_lively_while_a_host_draws) {
  EXPECT_EQ(workplace_.liveliness(), Liveliness::still);
  work_on("1");
  EXPECT_EQ(workplace_.liveliness(), Liveliness::lively);
  workplace_.hung_up("");
  EXPECT_EQ(workplace_.liveliness(), Liveliness::still);
}

TEST_F(WorkplaceTest, is_drawn_anew_when_the_size_changes) {
  session_.describe(device_of(3, 10), "");
  workplace_.resized();
  EXPECT_TRUE(take_change());
  EXPECT_EQ(lines()[0], "Select a h");
}

// ---- What is typed while the connection is being made ----

TEST_F(OneHost, gets_what_was_typed_before_it_was_there) {
  workplace_.input(text("user"));
  workplace_.input(key(Key::enter));
  EXPECT_TRUE(take_sent().empty());
  workplace_.connected();
  workplace_.input(text("secret"));
  EXPECT_EQ(take_sent(), Bytes("user\r\0secret", 12));
}

TEST_F(WorkplaceTest, delivers_what_follows_the_choice_in_one_input) {
  workplace_.input(items_of(TypedItem{"1"}, TypedItem{"user"}));
  workplace_.connected();
  EXPECT_EQ(take_sent(), "user");
}

TEST_F(WorkplaceTest, takes_an_enter_after_the_number_for_its_end) {
  workplace_.input(text("1"));
  workplace_.input(items_of(KeyItem{Key::enter, 0}, KeyItem{Key::enter, 0}));
  workplace_.connected();
  EXPECT_EQ(take_sent(), Bytes("\r\0", 2)) << "the second one is meant for the host";
}

TEST_F(WorkplaceTest, takes_no_enter_for_the_end_of_a_choice_by_keys) {
  workplace_.input(items_of(KeyItem{Key::down, 0}, KeyItem{Key::enter, 0}, KeyItem{Key::enter, 0}));
  workplace_.connected();
  EXPECT_EQ(take_sent(), Bytes("\r\0", 2));
}

TEST_F(OneHost, gets_no_half_of_what_was_typed_too_early_and_the_user_hears_it) {
  const std::string scan(98, 'x');  // 100 bytes as an item
  for (int times = 0; times < 40; ++times) workplace_.input(text(scan));
  EXPECT_FALSE(workplace_.take_bell());
  (void)take_change();
  workplace_.input(text(scan));
  EXPECT_TRUE(take_change());
  EXPECT_TRUE(workplace_.take_bell());
  workplace_.input(text("short"));
  workplace_.connected();
  EXPECT_EQ(take_sent(), std::string(40 * 98, 'x')) << "what follows the lost one is lost as well";
  workplace_.input(text("y"));
  EXPECT_EQ(take_sent(), "y");
}

// ---- Giving up ----

TEST_F(WorkplaceTest, goes_back_to_the_selection_with_escape) {
  workplace_.input(items_of(TypedItem{"2"}, TypedItem{"lost"}, KeyItem{Key::escape, 0}));
  EXPECT_EQ(take_words(), (Words{"connect mail", "disconnect"}));
  EXPECT_EQ(workplace_.state(), State::selecting);
  workplace_.connected();
  EXPECT_EQ(workplace_.state(), State::selecting) << "it came too late";
  work_on("1");
  EXPECT_EQ(take_sent(), "") << "what was typed for the other one";
}

TEST_F(OneHost, is_tried_again_with_enter_after_it_was_given_up) {
  workplace_.input(key(Key::escape));
  EXPECT_EQ(take_words(), (Words{"connect wms", "disconnect"}));
  EXPECT_EQ(lines(), (Words{"wms", "", "There is no connection to", "wms", "", "Enter: try again"}));
  workplace_.input(key(Key::escape));
  EXPECT_EQ(workplace_.state(), State::trouble) << "there is nowhere to go";
  workplace_.input(key(Key::enter));
  EXPECT_EQ(take_words(), Words{"connect wms"});
}

// ---- Trouble ----

TEST_F(WorkplaceTest, says_why_a_host_cannot_be_reached) {
  workplace_.input(text("1"));
  workplace_.input(text("lost"));
  (void)take_words();
  (void)take_change();
  workplace_.failed("connection refused");
  EXPECT_TRUE(take_change());
  EXPECT_EQ(take_words(), Words{"alert E909 wms (10.1.0.5:23) cannot be reached: connection refused"});
  EXPECT_EQ(workplace_.state(), State::trouble);
  EXPECT_EQ(lines(), (Words{"wms", "", "E909 wms (10.1.0.5:23)", "cannot be reached:", "connection refused",
                            "", "Enter: try again", "Escape: select another", "host"}));
  workplace_.input(text("1"));
  EXPECT_TRUE(take_words().empty());
  workplace_.input(key(Key::enter));
  EXPECT_EQ(take_words(), Words{"connect wms"});
  workplace_.connected();
  EXPECT_EQ(take_sent(), "") << "the user has read that the first attempt failed";
}

TEST_F(WorkplaceTest, goes_from_trouble_back_to_the_selection_with_escape) {
  workplace_.input(text("2"));
  workplace_.failed("no answer within 10 s");
  workplace_.input(key(Key::escape));
  EXPECT_EQ(workplace_.state(), State::selecting);
  EXPECT_EQ(lines(), (Words{"Select a host", "", "1 wms", "2 mail"}));
  (void)take_words();
  workplace_.input(key(Key::enter));
  EXPECT_EQ(take_words(), Words{"connect mail"}) << "the cursor is still on it";
}

TEST_F(WorkplaceTest, leaves_a_host_whose_stream_cannot_be_followed) {
  work_on("1");
  workplace_.received("text\xff\xfb\x56\xff\xfa\x56\xff\xf0");
  const Words words = take_words();
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[0], "disconnect");
  EXPECT_TRUE(words[1].starts_with("alert E917 wms (10.1.0.5:23): ")) << words[1];
  EXPECT_EQ(workplace_.state(), State::trouble);
  EXPECT_EQ(lines()[2], "E917 wms (10.1.0.5:23):");
  workplace_.received("more");
  EXPECT_EQ(lines()[2], "E917 wms (10.1.0.5:23):");
}

// ---- The host hangs up ----

TEST_F(WorkplaceTest, goes_back_to_the_selection_when_the_host_has_closed_the_connection) {
  work_on("1");
  workplace_.received("old");
  (void)take_change();
  workplace_.hung_up("");
  EXPECT_TRUE(take_change());
  EXPECT_TRUE(take_words().empty());
  EXPECT_EQ(lines(), (Words{"Select a host", "wms has closed the", "connection", "1 wms", "2 mail"}));
  workplace_.received("late");
  workplace_.hung_up("late");
  EXPECT_EQ(workplace_.state(), State::selecting);
  work_on("2");
  EXPECT_TRUE(lines().empty()) << "nobody sees what the other host has drawn";
}

TEST_F(WorkplaceTest, says_why_a_connection_broke) {
  work_on("2");
  workplace_.hung_up("connection reset by peer");
  EXPECT_EQ(lines()[1], "the connection to mail");
  EXPECT_EQ(lines()[2], "broke: connection reset by");
  EXPECT_EQ(lines()[3], "peer");
}

TEST_F(OneHost, ends_the_session_when_it_has_closed_the_connection) {
  (void)take_words();
  workplace_.connected();
  workplace_.hung_up("");
  EXPECT_EQ(take_words(), Words{"over E910 wms has closed the connection"});
  workplace_.input(text("x"));
  workplace_.input(key(Key::enter));
  workplace_.connected();
  workplace_.failed("late");
  workplace_.received("late");
  workplace_.hung_up("late");
  workplace_.resized();
  EXPECT_TRUE(take_words().empty());
  EXPECT_TRUE(take_sent().empty());
  EXPECT_EQ(lines(), (Words{"wms", "", "wms has closed the", "connection"}));
}

TEST_F(WorkplaceTest, keeps_a_bell_that_rang_when_the_host_hung_up) {
  work_on("1");
  workplace_.received("\a");
  workplace_.hung_up("");
  EXPECT_TRUE(workplace_.take_bell());
}

TEST_F(WorkplaceTest, shows_no_control_character_whatever_a_reason_says) {
  workplace_.input(text("1"));
  workplace_.failed("\x1b[2J\x9b\n\xff bad");
  EXPECT_EQ(lines()[3], "cannot be reached: [2J bad");
}

}  // namespace
}  // namespace lekt::test
