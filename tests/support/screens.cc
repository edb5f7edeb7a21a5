#include "tests/support/screens.h"

#include <array>
#include <span>

#include "common/character_width.h"
#include "common/device_packets.h"
#include "common/utf8.h"

namespace lekt::test {

namespace {

/// With 1, 2, 3 and 4 bytes, with one cell, two and none.
constexpr std::array<char32_t, 16> characters = {U'a', U'x', U'~',      U'0',     U'é',  U'─',
                                                 U'│', U'€', U'漢',     U'字',    U'ー', U'한',
                                                 U'😀', U'𝛼', U'\u0301', U'\u200b'};

StyleItem random_style(Random& random) {
  if (random.chance(40)) return {};
  const auto byte = [&] { return static_cast<std::uint8_t>(random.next()); };
  if (random.chance(20)) return {byte(), byte(), byte()};
  constexpr std::array<StyleItem, 5> usual = {{{style::bold, 0, 0},
                                               {style::reverse, 0, 0},
                                               {style::underline, 0, 0},
                                               {style::bold | style::foreground_holds, 12, 0},
                                               {style::background_holds, 0, 4}}};
  return random.pick(usual);
}

std::uint8_t below(Random& random, std::size_t end) { return static_cast<std::uint8_t>(random.below(end)); }

void write_at_random(Screen& screen, Random& random) {
  std::string text;
  for (std::uint64_t count = 1 + random.below(30); count > 0; --count)
    append_character(text, random.chance(25) ? U' ' : random.pick(characters));
  // As often as not it begins or ends beyond the grid.
  screen.draw(TextItem{below(random, screen.rows() + 2), below(random, screen.columns() + 2), text},
              random_style(random));
}

void blank_at_random(Screen& screen, Random& random) {
  screen.draw(BlanksItem{below(random, screen.rows()), below(random, screen.columns()),
                         below(random, screen.columns() + 3)},
              random_style(random));
}

void move_cursor_at_random(Screen& screen, Random& random) {
  screen.draw(CursorItem{below(random, screen.rows()), below(random, screen.columns()), random.chance(80)});
}

void scroll(Screen& screen) {
  const Screen before = screen;
  for (std::size_t row = 0; row + 1 < screen.rows(); ++row) {
    const auto cells = before.row(row + 1);
    for (std::size_t column = 0; column < cells.size(); column += cells[column].width)
      screen.put(row, column, cells[column].character, cells[column].style());
  }
  screen.draw(BlanksItem{static_cast<std::uint8_t>(screen.rows() - 1), 0, limits::screen_columns_max}, {});
}

bool is_sound(std::span<const Cell> row, std::size_t column) {
  const Cell& cell = row[column];
  if (seen_style(cell.style(), cell.is_blank()) != cell.style()) return false;
  if (cell.width == 1) return cells_of(cell.character) == 1;
  if (cells_of(cell.character) != 2) return false;
  if (cell.width != 0 && cell.width != 2) return false;
  // Both halves are alike but for their widths.
  if (cell.width == 0 && column == 0) return false;
  if (cell.width == 2 && column + 1 == row.size()) return false;
  Cell other = row[cell.width == 2 ? column + 1 : column - 1];
  if (other.width + cell.width != 2) return false;
  other.width = cell.width;
  return other == cell;
}

}  // namespace

std::string text_of(const Screen& screen, std::size_t row) {
  std::string text;
  for (const Cell& cell : screen.row(row))
    if (cell.width != 0) append_character(text, cell.character);
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string flaw_of(const Screen& screen) {
  if (screen.rows() < 1 || screen.rows() > limits::screen_rows_max || screen.columns() < 1 ||
      screen.columns() > limits::screen_columns_max)
    return "a size of " + std::to_string(screen.rows()) + "x" + std::to_string(screen.columns());
  if (screen.cursor().row >= screen.rows() || screen.cursor().column >= screen.columns())
    return "a cursor outside of the grid";
  for (std::size_t row = 0; row < screen.rows(); ++row)
    for (std::size_t column = 0; column < screen.columns(); ++column)
      if (!is_sound(screen.row(row), column))
        return "the cell at " + std::to_string(row) + "," + std::to_string(column);
  return {};
}

Screen random_screen(Random& random) {
  constexpr std::size_t rows_max = limits::screen_rows_max;
  constexpr std::size_t columns_max = limits::screen_columns_max;
  constexpr std::array<std::array<std::size_t, 2>, 8> sizes = {{{1, 1},
                                                                {1, 2},
                                                                {16, 26},
                                                                {16, 26},
                                                                {24, 80},
                                                                {3, columns_max},
                                                                {rows_max, 7},
                                                                {rows_max, columns_max}}};
  const auto size = random.pick(sizes);
  Screen screen(size[0], size[1]);
  for (std::uint64_t count = random.below(3 * screen.rows()); count > 0; --count) {
    if (random.chance(80))
      write_at_random(screen, random);
    else
      blank_at_random(screen, random);
  }
  move_cursor_at_random(screen, random);
  return screen;
}

void change_at_random(Screen& screen, Random& random) {
  switch (random.below(24)) {
    case 0:
      screen = random_screen(random);
      break;
    case 1:
      screen.resize(screen.rows(), screen.columns());
      break;
    case 2:
      screen.resize(1 + random.below(30), 1 + random.below(90));
      break;
    case 3:
    case 4:
    case 5:
      scroll(screen);
      break;
    case 6:
    case 7:
      move_cursor_at_random(screen, random);
      break;
    case 8:
    case 9:
      blank_at_random(screen, random);
      break;
    default:
      write_at_random(screen, random);
  }
}

std::vector<Bytes> messages_of_pass(ScreenPass& pass, const Screen& contents, ScreenPass::Time now) {
  std::vector<Bytes> messages;
  pass.contents_changed();
  for (Bytes items; pass.next_message(contents, now, true, items);) messages.push_back(items);
  return messages;
}

std::vector<Bytes> difference(const Screen& from, const Screen& to) {
  ScreenPass pass;
  messages_of_pass(pass, from, ScreenPass::Time(0));
  return messages_of_pass(pass, to, ScreenPass::interval);
}

}  // namespace lekt::test
