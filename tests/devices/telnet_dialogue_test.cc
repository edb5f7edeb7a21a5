#include "devices/telnet_dialogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "common/text.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::hex;

/// A dialogue of a terminal of 24 x 80, what the host was sent and what the terminal was given.
class Telnet final : public TelnetDialogue::Outside {
 public:
  void text_of_host(ByteView bytes) override {
    if (refuses) throw std::runtime_error("no memory");
    text += bytes;
  }
  void send_to_host(ByteView bytes) override {
    sent += bytes;
    ++times;
  }

  /// The host sends these; what it gets, as hexadecimal digits.
  std::string answer_to(std::string_view digits) {
    dialogue.receive(hex(digits));
    return take_sent();
  }
  std::string sent_for(ByteView typed) {
    dialogue.send(typed);
    return take_sent();
  }
  std::string sent_for_size(std::size_t rows, std::size_t columns) {
    dialogue.resize(rows, columns);
    return take_sent();
  }
  std::string take_sent() { return to_hex(std::exchange(sent, {})); }
  Bytes take_text() { return std::exchange(text, {}); }
  std::string fault() const { return dialogue.fault() ? dialogue.fault()->text() : ""; }

  bool refuses = false;
  Bytes sent;
  int times = 0;  ///< that something was sent
  Bytes text;
  TelnetDialogue dialogue{"vt220", 24, 80, *this};
};

constexpr int binary = 0, echo = 1, sga = 3, ttype = 24, naws = 31;

std::string option(std::string_view command, int number) {
  return std::string(command) + to_hex(Bytes(1, static_cast<char>(number)));
}

TEST(TelnetDialogue, says_nothing_before_the_host_does) {
  Telnet telnet;
  EXPECT_EQ(telnet.take_sent(), "");
  EXPECT_EQ(telnet.sent_for_size(16, 26), "");
}

TEST(TelnetDialogue, has_and_allows_the_options_of_a_terminal_and_refuses_all_others) {
  const std::vector<int> ours{binary, sga, ttype, naws};
  const std::vector<int> hosts{binary, echo, sga};
  for (int number = 0; number < 256; ++number) {
    Telnet telnet;
    const bool is_ours = std::ranges::find(ours, number) != ours.end();
    const bool is_hosts = std::ranges::find(hosts, number) != hosts.end();
    EXPECT_EQ(telnet.answer_to(option("fffd", number)).substr(0, 6),
              option(is_ours ? "fffb" : "fffc", number));
    EXPECT_EQ(telnet.answer_to(option("fffb", number)), option(is_hosts ? "fffd" : "fffe", number));
    EXPECT_EQ(telnet.text, "");
  }
}

TEST(TelnetDialogue, answers_only_what_changes_an_option) {
  Telnet telnet;
  EXPECT_EQ(telnet.answer_to("fffd03 fffb03 fffd18 fffb01"), "fffb03fffd03fffb18fffd01");
  EXPECT_EQ(telnet.answer_to("fffd03 fffb03 fffd18 fffb01"), "") << "agreed";
  EXPECT_EQ(telnet.answer_to("fffe1f fffc05"), "") << "neither side has it";
  EXPECT_EQ(telnet.answer_to("fffe03 fffc01"), "fffc03fffe01");
  EXPECT_EQ(telnet.answer_to("fffe03 fffc01"), "");
}

TEST(TelnetDialogue, answers_are_bounded_when_a_host_changes_its_mind_for_ever) {
  Telnet telnet;
  const Bytes round = hex("fffd1f fffe1f fffb00 fffc00 fffd05 fffb05");
  for (int count = 0; count < 10'000; ++count) telnet.dialogue.receive(round);
  EXPECT_EQ(telnet.sent.size(), 10'000 * (round.size() + 9));
}

TEST(TelnetDialogue, tells_the_type_of_terminal_each_time_the_host_asks) {
  Telnet telnet;
  EXPECT_EQ(telnet.answer_to("fffa1801fff0"), "") << "not agreed";
  EXPECT_EQ(telnet.answer_to("fffd18"), "fffb18");
  EXPECT_EQ(telnet.answer_to("fffa1801fff0"), "fffa18007674323230fff0");
  EXPECT_EQ(telnet.answer_to("fffa1801fff0"), "fffa18007674323230fff0")
      << "the same again: there is no other";
  EXPECT_EQ(telnet.answer_to("fffa18007874fff0 fffa1807fff0 fffa18fff0"), "") << "no questions";
  EXPECT_EQ(telnet.fault(), "");
}

TEST(TelnetDialogue, tells_the_size_when_it_is_agreed_and_each_time_it_changes) {
  Telnet telnet;
  EXPECT_EQ(telnet.answer_to("fffd1f"),
            "fffb1f"
            "fffa1f00500018fff0");
  EXPECT_EQ(telnet.sent_for_size(16, 26), "fffa1f001a0010fff0");
  EXPECT_EQ(telnet.sent_for_size(16, 26), "") << "the same";
  EXPECT_EQ(telnet.answer_to("fffe1f"), "fffc1f");
  EXPECT_EQ(telnet.sent_for_size(25, 80), "");
  EXPECT_EQ(telnet.answer_to("fffd1f"),
            "fffb1f"
            "fffa1f00500019fff0");
}

TEST(TelnetDialogue, what_is_answered_goes_in_one_piece) {
  Telnet telnet;
  EXPECT_EQ(telnet.answer_to("fffd01 fffd1f fffb01 fffb03"), "fffc01fffb1ffffa1f00500018fff0fffd01fffd03");
  EXPECT_EQ(telnet.times, 1) << "busybox takes 00500018 for text unless all of its command comes at once";
  telnet.sent_for_size(16, 26);
  EXPECT_EQ(telnet.times, 2);
  telnet.sent_for("a\xff\xff\r");
  EXPECT_EQ(telnet.times, 3);
}

TEST(TelnetDialogue, doubles_a_byte_of_255_in_a_size_and_in_text) {
  Telnet telnet;
  telnet.answer_to("fffd1f");
  EXPECT_EQ(telnet.sent_for_size(255, 511), "fffa1f01ffff00fffffff0");
  EXPECT_EQ(telnet.sent_for("a\xff\xff"), "61ffffffff");
  EXPECT_EQ(telnet.answer_to("61ffff62"), "");
  EXPECT_EQ(telnet.take_text(),
            "a\xff"
            "b");
}

TEST(TelnetDialogue, ends_typed_lines_with_cr_nul_unless_it_sends_binary) {
  Telnet telnet;
  EXPECT_EQ(telnet.sent_for("ls\r"), "6c730d00");
  EXPECT_EQ(telnet.sent_for("a\rb\r\r\n\n"), "610d00620d000d0a0a");
  telnet.answer_to("fffb00");
  EXPECT_EQ(telnet.sent_for("\r"), "0d00") << "only the host sends binary";
  telnet.answer_to("fffd00");
  EXPECT_EQ(telnet.sent_for("a\rb\r"), "610d620d");
  telnet.answer_to("fffe00");
  EXPECT_EQ(telnet.sent_for("\r"), "0d00");
}

TEST(TelnetDialogue, takes_cr_nul_of_the_host_for_cr_unless_the_host_sends_binary) {
  Telnet telnet;
  telnet.answer_to("610d00 0d0a 00 0d000d0062");
  EXPECT_EQ(telnet.take_text(), Bytes("a\r\r\n\0\r\rb", 8));
  for (const char byte : Bytes("\r\0\0x", 4)) telnet.dialogue.receive({&byte, 1});
  EXPECT_EQ(telnet.take_text(), Bytes("\r\0x", 3)) << "byte by byte";
  telnet.answer_to("0d fff1 0062");
  EXPECT_EQ(telnet.take_text(), "\rb") << "with a command between";
  telnet.answer_to("fffb00 0d0062");
  EXPECT_EQ(telnet.take_text(), Bytes("\r\0b", 3));
  telnet.answer_to("0d fffc00 0062");
  EXPECT_EQ(telnet.take_text(), Bytes("\r\0b", 3)) << "the CR was binary";
}

TEST(TelnetDialogue, hands_on_text_around_commands_that_mean_nothing) {
  Telnet telnet;
  EXPECT_EQ(telnet.answer_to("61 fff1 62 fff9 fff6 63 fffa27010203fff0 64 fffa2761ff0165"), "");
  EXPECT_EQ(telnet.take_text(), "abcde");
  EXPECT_EQ(telnet.fault(), "");
}

TEST(TelnetDialogue, takes_bytes_however_they_are_cut) {
  const Bytes stream = hex("48 fffd18 69 fffa1801fff0 0d00 fffd1f fffb01 ffff 0d0a fffd05 21");
  Telnet whole;
  whole.dialogue.receive(stream);
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    Telnet telnet;
    telnet.dialogue.receive(ByteView(stream).substr(0, cut));
    telnet.dialogue.receive(ByteView(stream).substr(cut));
    EXPECT_EQ(telnet.text, whole.text) << cut;
    EXPECT_EQ(telnet.sent, whole.sent) << cut;
  }
  EXPECT_EQ(whole.text, "Hi\r\xff\r\n!");
}

TEST(TelnetDialogue, a_host_that_compresses_is_not_followed) {
  Telnet telnet;
  EXPECT_EQ(telnet.answer_to("fffb56"), "fffe56") << "refused";
  // "hello", as zlib packs it.
  EXPECT_EQ(telnet.answer_to("61 fffa56fff0 789ccb48cdc9c907 00062c0215 62"), "");
  EXPECT_EQ(telnet.take_text(), "a");
  EXPECT_EQ(telnet.fault(),
            "E917 the host compresses (MCCP2) without having been asked; switch compression off at the host");
  EXPECT_EQ(telnet.answer_to("63 fffd03"), "");
  EXPECT_EQ(telnet.sent_for("x"), "");
  EXPECT_EQ(telnet.sent_for_size(16, 26), "");
  EXPECT_EQ(telnet.take_text(), "");
}

TEST(TelnetDialogue, a_host_whose_subnegotiation_does_not_end_is_not_followed) {
  Telnet telnet;
  telnet.dialogue.receive(hex("61 fffa18"));
  for (int count = 0; count < 1000; ++count) telnet.dialogue.receive(Bytes(16, 'x'));
  EXPECT_EQ(telnet.fault(), "") << "16,000 bytes";
  for (int count = 0; count < 1000; ++count) telnet.dialogue.receive(Bytes(16, 'x'));
  EXPECT_EQ(telnet.fault(),
            "E917 the host's telnet cannot be followed: subnegotiation buffer size limit reached");
  EXPECT_EQ(telnet.text, "a");
}

TEST(TelnetDialogue, the_terminal_may_answer_while_the_host_is_read) {
  struct Answering final : TelnetDialogue::Outside {
    void text_of_host(ByteView) override { dialogue->send("yes\r"); }
    void send_to_host(ByteView bytes) override {
      sent += bytes;
      ++times;
    }
    TelnetDialogue* dialogue = nullptr;
    Bytes sent;
    int times = 0;  ///< that something was sent
  } outside;
  TelnetDialogue dialogue("vt220", 24, 80, outside);
  outside.dialogue = &dialogue;
  dialogue.receive(hex("61 fffd03"));
  EXPECT_EQ(to_hex(outside.sent), "7965730d00fffb03");
}

TEST(TelnetDialogue, what_the_outside_throws_comes_back_from_the_call) {
  Telnet telnet;
  telnet.refuses = true;
  EXPECT_THROW(telnet.dialogue.receive(hex("61 fffd03")), std::runtime_error);
  telnet.refuses = false;
  telnet.answer_to("62");
  EXPECT_EQ(telnet.take_text(), "b");
}

TEST(TelnetDialogue, writes_nothing_to_standard_error_whatever_the_host_sends) {
  testing::internal::CaptureStderr();
  Telnet telnet;
  telnet.dialogue.receive(
      hex("fffa18fff0 fffa1807fff0 fffa5dfff0 fffa27ff01 fffa4607fff0 fffa56fff0 00112233"));
  EXPECT_NE(telnet.fault(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace lekt
