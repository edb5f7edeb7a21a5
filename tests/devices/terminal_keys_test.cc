// What keys send, compared with terminfo, where a machine has the entry.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <map>

#include "common/text.h"
#include "tests/devices/terminal_world.h"

namespace lekt::test {
namespace {

/// What `infocmp` says about a terminal, one capability a line; empty if it knows none.
std::map<std::string, std::string> capabilities_of(const std::string& term) {
  std::map<std::string, std::string> capabilities;
  const std::string command = "infocmp -1 -x " + term + " 2>/dev/null";
  FILE* const output = popen(command.c_str(), "r");
  if (output == nullptr) return capabilities;
  for (std::array<char, 1024> line{}; std::fgets(line.data(), line.size(), output) != nullptr;) {
    const std::string text(line.data());
    const auto equals = text.find('=');
    if (text.front() != '\t' || equals == std::string::npos) continue;
    capabilities[text.substr(1, equals - 1)] = text.substr(equals + 1, text.rfind(',') - equals - 1);
  }
  pclose(output);
  return capabilities;
}

/// As terminfo writes it.
std::string as_in_terminfo(const Bytes& sequence) {
  std::string text;
  for (const char byte : sequence) {
    if (byte == '\x1b')
      text += "\\E";
    else if (byte == '\x7f')
      text += "^?";
    else
      text += byte;
  }
  return text;
}

constexpr Key function_key_of(int number) { return static_cast<Key>(static_cast<int>(Key::f1) + number - 1); }

class TerminalKeys : public testing::TestWithParam<const char*> {};

TEST_P(TerminalKeys, send_what_terminfo_says) {
  const std::string term = GetParam();
  auto capabilities = capabilities_of(term);
  if (capabilities.empty()) GTEST_SKIP() << "no infocmp, or no entry of " << term;
  TerminalWorld world(4, 10, term);
  // "Keypad transmit": what a program writes that wants these keys.
  if (capabilities.contains("smkx")) world.write("\x1b[?1h\x1b=");
  std::map<std::string, Key> keys = {{"kcuu1", Key::up},
                                     {"kcud1", Key::down},
                                     {"kcub1", Key::left},
                                     {"kcuf1", Key::right},
                                     {"khome", Key::home},
                                     {"kend", Key::end},
                                     {"kfnd", Key::home},
                                     {"kslt", Key::end},
                                     {"kich1", Key::insert},
                                     {"kdch1", Key::remove},
                                     {"kpp", Key::page_up},
                                     {"knp", Key::page_down},
                                     {"khlp", function_key_of(15)},
                                     {"krdo", function_key_of(16)}};
  for (int number = 1; number <= 20; ++number) keys["kf" + std::to_string(number)] = function_key_of(number);
  // A VT220's key for deleting to the left sends DEL, and Linux expects that; the entry of ncurses says ^H.
  if (term != "vt220") keys["kbs"] = Key::backspace;
  int compared = 0;
  for (const auto& [name, key] : keys) {
    if (!capabilities.contains(name)) continue;
    EXPECT_EQ(as_in_terminfo(world.typed(KeyItem{key})), capabilities[name]) << name;
    ++compared;
  }
  EXPECT_GE(compared, 20);
  if (capabilities.contains("kcbt")) {
    EXPECT_EQ(as_in_terminfo(world.typed(KeyItem{Key::tab, modifiers::shift})), capabilities["kcbt"]);
  }
}

INSTANTIATE_TEST_SUITE_P(Terminal, TerminalKeys, testing::Values("vt220", "screen-256color"));

TEST(TerminalTyping, sends_text_as_it_is) {
  TerminalWorld world;
  EXPECT_EQ(world.typed(TypedItem{"4006381333931"}, KeyItem{Key::enter}), "4006381333931\r");
  EXPECT_EQ(world.typed(TypedItem{"é漢"}), "é漢");
  EXPECT_EQ(world.typed(), "");
}

TEST(TerminalTyping, follows_the_modes_of_the_host) {
  TerminalWorld world;
  EXPECT_EQ(world.typed(KeyItem{Key::up}), "\x1b[A");
  EXPECT_EQ(world.typed(KeyItem{Key::enter}), "\r");
  world.write("\x1b[?1h\x1b[20h");
  EXPECT_EQ(world.typed(KeyItem{Key::up}), "\x1bOA");
  EXPECT_EQ(world.typed(KeyItem{Key::enter}), "\r\n");
  world.write("\x1b[?1l\x1b[20l");
  EXPECT_EQ(world.typed(KeyItem{Key::left}), "\x1b[D");
}

TEST(TerminalTyping, has_a_sequence_for_every_key) {
  for (const std::string_view term : {"vt220", "screen-256color", "dumb"}) {
    TerminalWorld world(4, 10, term);
    std::map<Bytes, std::string> keys;
    for (int number = 0; number < 256; ++number) {
      const Key key = static_cast<Key>(number);
      if (key_name(key).empty()) continue;
      const Bytes sent = world.typed(KeyItem{key});
      EXPECT_FALSE(sent.empty()) << key_name(key);
      EXPECT_TRUE(keys.emplace(sent, key_name(key)).second)
          << key_name(key) << " sends what " << keys[sent] << " does";
      for (std::uint8_t held = 1; held <= modifiers::known; ++held)
        EXPECT_FALSE(world.typed(KeyItem{key, held}).empty()) << key_name(key);
    }
    EXPECT_EQ(keys.size(), 38u);
  }
}

TEST(TerminalTyping, tells_shift_and_control_as_xterm_does) {
  TerminalWorld world;
  EXPECT_EQ(world.typed(KeyItem{Key::up, modifiers::control}), "\x1b[1;5A");
  EXPECT_EQ(world.typed(KeyItem{Key::right, modifiers::shift}), "\x1b[1;2C");
  EXPECT_EQ(world.typed(KeyItem{Key::page_up, modifiers::shift | modifiers::control}), "\x1b[5;6~");
  EXPECT_EQ(world.typed(KeyItem{Key::f1, modifiers::shift}), "\x1b[1;2P");
  EXPECT_EQ(world.typed(KeyItem{Key::enter, modifiers::control}), "\r");
}

TEST(TerminalTyping, does_not_tell_them_on_a_vt220) {
  TerminalWorld world(4, 10, "vt220");
  EXPECT_EQ(world.typed(KeyItem{Key::up, modifiers::control}), "\x1b[A");
  EXPECT_EQ(world.typed(KeyItem{Key::page_up, modifiers::shift}), "\x1b[5~");
  EXPECT_EQ(world.typed(KeyItem{Key::f1, modifiers::shift}), "\x1bOP");
}

TEST(TerminalTyping, sends_an_escape_before_what_is_typed_with_alt) {
  TerminalWorld world;
  EXPECT_EQ(world.typed(ChordItem{modifiers::alt, U'x'}), "\x1bx");
  EXPECT_EQ(world.typed(ChordItem{modifiers::alt, U'é'}), "\x1bé");
  EXPECT_EQ(world.typed(ChordItem{modifiers::alt | modifiers::control, U'a'}), "\x1b\x01");
  EXPECT_EQ(world.typed(KeyItem{Key::enter, modifiers::alt}), "\x1b\r");
  EXPECT_EQ(world.typed(KeyItem{Key::up, modifiers::alt}), "\x1b\x1b[A");
  EXPECT_EQ(world.typed(KeyItem{Key::home, modifiers::alt}), "\x1b\x1b[1~");
  // It is over with the key.
  EXPECT_EQ(world.typed(KeyItem{Key::enter}), "\r");
}

TEST(TerminalTyping, makes_control_characters) {
  TerminalWorld world;
  const auto with_control = [&](char32_t character) {
    return world.typed(ChordItem{modifiers::control, character});
  };
  for (char32_t letter = U'a'; letter <= U'z'; ++letter) {
    const Bytes control(1, static_cast<char>(letter - U'a' + 1));
    EXPECT_EQ(with_control(letter), control);
    EXPECT_EQ(with_control(letter - U'a' + U'A'), control);
  }
  EXPECT_EQ(with_control(U' '), Bytes(1, '\0'));
  EXPECT_EQ(with_control(U'@'), Bytes(1, '\0'));
  EXPECT_EQ(with_control(U'['), "\x1b");
  EXPECT_EQ(with_control(U'3'), "\x1b");
  EXPECT_EQ(with_control(U'\\'), "\x1c");
  EXPECT_EQ(with_control(U'_'), "\x1f");
  EXPECT_EQ(with_control(U'7'), "\x1f");
  EXPECT_EQ(with_control(U'?'), "\x7f");
  // There is none of these.
  EXPECT_EQ(with_control(U'9'), "9");
  EXPECT_EQ(with_control(U'é'), "é");
}

TEST(TerminalTyping, deletes_to_the_left_with_del) {
  for (const std::string_view term : {"vt220", "screen-256color"}) {
    TerminalWorld world(4, 10, term);
    EXPECT_EQ(world.typed(KeyItem{Key::backspace}), "\x7f");
    EXPECT_EQ(world.typed(KeyItem{Key::backspace, modifiers::control}), "\b");
  }
}

}  // namespace
}  // namespace lekt::test
