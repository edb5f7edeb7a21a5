// Hosts that write anything: the terminal keeps what it promises, and works again after a reset.
#include <gtest/gtest.h>
#include <malloc.h>

#include <array>

#include "tests/devices/terminal_world.h"

namespace lekt::test {
namespace {

/// What libtsm parses, in pieces, so that random ones meet.
constexpr std::array<std::string_view, 44> pieces = {"\x1b",
                                                     "[",
                                                     "]",
                                                     "\x1b[",
                                                     "?",
                                                     ">",
                                                     "$p",
                                                     "!p",
                                                     ";",
                                                     "0",
                                                     "9999999",
                                                     "38;5;",
                                                     "m",
                                                     "h",
                                                     "l",
                                                     "r",
                                                     "1049",
                                                     "1047",
                                                     "47",
                                                     "25",
                                                     "6",
                                                     "4",
                                                     "H",
                                                     "A",
                                                     "B",
                                                     "C",
                                                     "D",
                                                     "S",
                                                     "T",
                                                     "L",
                                                     "M",
                                                     "@",
                                                     "P",
                                                     "X",
                                                     "\x1b"
                                                     "7",
                                                     "\x1b"
                                                     "8",
                                                     "\t",
                                                     "\n",
                                                     "漢",
                                                     "\xcc\x81",
                                                     "\xc2\x9b",
                                                     "\x1bP",
                                                     "\x1b]",
                                                     "abc"};

Bytes random_writing(Random& random) {
  Bytes bytes;
  for (std::uint64_t count = random.below(200); count > 0; --count) {
    if (random.chance(10))
      bytes += random.bytes(1 + random.below(8));
    else
      bytes += random.pick(pieces);
  }
  return bytes;
}

void expect_works_after_reset(TerminalWorld& world) {
  world.write(
      "\x18\x1b"
      "c");
  world.said.clear();
  world.write("x\x1b[6n");
  EXPECT_EQ(world.rows(), std::vector<std::string>{"x"});
  EXPECT_TRUE(world.screen().cursor().is_shown);
  EXPECT_EQ(world.style(), StyleItem{});
  EXPECT_TRUE(world.said.starts_with("\x1b[1;"));
}

TEST(HostileHost, does_not_break_a_terminal) {
  Random random;
  for (int round = 0; round < (sanitized ? 300 : 2000) && !testing::Test::HasFailure(); ++round) {
    TerminalWorld world(1 + random.below(8), 1 + random.below(12),
                        random.chance(50) ? "vt220" : "screen-256color");
    for (std::uint64_t steps = 1 + random.below(6); steps > 0; --steps) {
      const Bytes bytes = random_writing(random);
      world.said.clear();
      world.write(bytes);
      EXPECT_LE(world.said.size(), 8 * bytes.size() + 16);
      if (random.chance(40)) world.terminal.resize(1 + random.below(12), 1 + random.below(20));
      if (random.chance(20))
        world.terminal.type(items_of(KeyItem{Key::up}, TypedItem{"1"}, KeyItem{Key::enter}));
      const Screen screen = world.screen();
      EXPECT_EQ(screen.rows(), world.terminal.rows());
      EXPECT_EQ(screen.columns(), world.terminal.columns());
      EXPECT_EQ(flaw_of(screen), "");
    }
    expect_works_after_reset(world);
  }
}

TEST(HostileHost, is_seen_the_same_however_its_bytes_come) {
  Random random;
  for (int round = 0; round < (sanitized ? 100 : 500); ++round) {
    const Bytes bytes = random_writing(random);
    TerminalWorld whole;
    whole.write(bytes);
    TerminalWorld cut;
    for (ByteView rest = bytes; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(1 + random.below(7), rest.size());
      cut.write(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    ASSERT_EQ(cut.screen(), whole.screen());
    ASSERT_EQ(cut.said, whole.said);
    ASSERT_EQ(cut.terminal.take_bell(), whole.terminal.take_bell());
  }
}

TEST(HostileHost, gets_no_memory_by_strings_that_do_not_end) {
  TerminalWorld world(24, 80);
  const Bytes much(1 << 20, 'x');
  for (const std::string_view begin :
       {"\x1b]0;", "\x1bP", "\x1b_", "\x1bk", "\x1b[1;", "\x1b[", "\x1b(", "\x1b"}) {
    world.write(begin).write("x");
    const std::size_t before = mallinfo2().uordblks;
    world.write(begin).write(much);
    const std::size_t after = mallinfo2().uordblks;
    EXPECT_LE(after, before + 16384) << begin.substr(1);
  }
  expect_works_after_reset(world);
}

TEST(HostileHost, gets_no_memory_by_scrolling_or_by_accents) {
  TerminalWorld world(24, 80);
  Bytes much;
  for (int line = 0; line < 20000; ++line) much += "e\xcc\x81 line " + std::to_string(line) + "\r\n";
  world.write(much);
  const std::size_t before = mallinfo2().uordblks;
  world.write(much);
  EXPECT_LE(mallinfo2().uordblks, before + 16384);
}

TEST(HostileHost, waits_for_no_large_number) {
  TerminalWorld world(24, 80);
  for (const char last : std::string_view("@ABCDEFGHIJKLMPSTXZ`abcdefghlmnqrstux"))
    for (const std::string_view number : {"2147483647", "65535", "99999999999999999999", "0"})
      world.write("\x1b[" + std::string(number) + ";" + std::string(number) + last + "x");
  EXPECT_EQ(flaw_of(world.screen()), "");
  expect_works_after_reset(world);
}

/// What terminal.h says of memory. A sanitizer's allocator tells nothing.
TEST(Terminal, takes_the_memory_that_its_header_says) {
  if (sanitized) GTEST_SKIP() << "this allocator does not tell";
  const auto bytes_of = [](std::size_t rows, std::size_t columns) {
    const std::size_t before = mallinfo2().uordblks;
    const TerminalWorld world(rows, columns);
    return mallinfo2().uordblks - before;
  };
  bytes_of(24, 80);
  EXPECT_LE(bytes_of(24, 80), 128u * 1024);
  EXPECT_LE(bytes_of(16, 26), 90u * 1024);
}

}  // namespace
}  // namespace lekt::test
