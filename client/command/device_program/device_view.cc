#include "client/command/device_program/device_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <string_view>

// After all others: it defines macros with short names.
#include <ncurses.h>

#include "common/errors.h"
#include "common/text.h"

namespace lekt::command {

namespace {

constexpr int escape_delay = 50;   // ms that a terminal may take for the rest of a key's bytes
constexpr wint_t menu_key = 0x1d;  // Ctrl-]

/// A colour of the palette of 256 as one of the eight that every terminal with colours has.
short basic_colour(std::uint8_t colour) {
  if (colour < 16) return static_cast<short>(colour % 8);
  if (colour >= 232) return colour >= 244 ? COLOR_WHITE : COLOR_BLACK;
  const int cube = colour - 16;
  const auto bit = [](int level, int value) { return level >= 3 ? value : 0; };
  return static_cast<short>(bit(cube / 36, COLOR_RED) | bit(cube / 6 % 6, COLOR_GREEN) |
                            bit(cube % 6, COLOR_BLUE));
}

int colour_for_terminal(std::uint8_t colour, bool holds) {
  if (!holds) return -1;
  return COLORS > colour ? colour : basic_colour(colour);
}

attr_t attributes_of(const Cell& cell) {
  attr_t attributes = A_NORMAL;
  if ((cell.flags & style::bold) != 0) attributes |= A_BOLD;
  if ((cell.flags & style::underline) != 0) attributes |= A_UNDERLINE;
  if ((cell.flags & style::blink) != 0) attributes |= A_BLINK;
  if ((cell.flags & style::reverse) != 0) attributes |= A_REVERSE;
  if ((cell.flags & style::italic) != 0) attributes |= A_ITALIC;
  return attributes;
}

int colour_pair_of(const Cell& cell) {
  const bool foreground = (cell.flags & style::foreground_holds) != 0;
  const bool background = (cell.flags & style::background_holds) != 0;
  if (!has_colors() || (!foreground && !background)) return 0;
  return std::max(0, alloc_pair(colour_for_terminal(cell.foreground, foreground),
                                colour_for_terminal(cell.background, background)));
}

/// Takes the locale, which says what the terminal's bytes mean. If nothing is said, they are UTF-8.
void take_locale() {
  const auto is_set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  const bool says_so = is_set("LC_ALL") || is_set("LC_CTYPE") || is_set("LANG");
  if (std::setlocale(LC_CTYPE, says_so ? "" : "C.UTF-8") == nullptr) std::setlocale(LC_CTYPE, "C.UTF-8");
}

struct KeyMeaning {
  int code;
  Key key;
  std::uint8_t modifiers;
};

constexpr std::array key_meanings = {
    KeyMeaning{KEY_ENTER, Key::enter, 0},
    KeyMeaning{KEY_BTAB, Key::tab, modifiers::shift},
    KeyMeaning{KEY_BACKSPACE, Key::backspace, 0},
    KeyMeaning{KEY_UP, Key::up, 0},
    KeyMeaning{KEY_DOWN, Key::down, 0},
    KeyMeaning{KEY_LEFT, Key::left, 0},
    KeyMeaning{KEY_RIGHT, Key::right, 0},
    KeyMeaning{KEY_IC, Key::insert, 0},
    KeyMeaning{KEY_DC, Key::remove, 0},
    KeyMeaning{KEY_HOME, Key::home, 0},
    KeyMeaning{KEY_END, Key::end, 0},
    KeyMeaning{KEY_PPAGE, Key::page_up, 0},
    KeyMeaning{KEY_NPAGE, Key::page_down, 0},
    KeyMeaning{KEY_SR, Key::up, modifiers::shift},
    KeyMeaning{KEY_SF, Key::down, modifiers::shift},
    KeyMeaning{KEY_SLEFT, Key::left, modifiers::shift},
    KeyMeaning{KEY_SRIGHT, Key::right, modifiers::shift},
    KeyMeaning{KEY_SIC, Key::insert, modifiers::shift},
    KeyMeaning{KEY_SDC, Key::remove, modifiers::shift},
    KeyMeaning{KEY_SHOME, Key::home, modifiers::shift},
    KeyMeaning{KEY_SEND, Key::end, modifiers::shift},
    KeyMeaning{KEY_SPREVIOUS, Key::page_up, modifiers::shift},
    KeyMeaning{KEY_SNEXT, Key::page_down, modifiers::shift},
};

/// Keys with modifiers have no codes, but descriptions of terminals that follow xterm name them: "kUP5" is ctrl up. The
/// digit is 1 plus the modifiers, which have the same bits as ours.
constexpr std::array<std::pair<std::string_view, Key>, 10> keys_of_xterm = {{
    {"kUP", Key::up},
    {"kDN", Key::down},
    {"kLFT", Key::left},
    {"kRIT", Key::right},
    {"kIC", Key::insert},
    {"kDC", Key::remove},
    {"kHOM", Key::home},
    {"kEND", Key::end},
    {"kPRV", Key::page_up},
    {"kNXT", Key::page_down},
}};

}  // namespace

struct DeviceView::Terminal {
  Terminal() {
    take_locale();
    set_escdelay(escape_delay);
    // initscr() would end the program.
    screen = newterm(nullptr, stdout, stdin);
    const char* type = std::getenv("TERM");
    if (screen == nullptr)
      throw CodedError(
          ErrorCode::output_failed,
          "this terminal cannot be drawn on: its type (TERM) is \"" + escape(type == nullptr ? "" : type) +
              "\", which the machine does not know; without a terminal use --expect, --send or --print");
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    if (has_colors()) {
      start_color();
      use_default_colors();
    }
  }
  ~Terminal() {
    endwin();
    delscreen(screen);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  SCREEN* screen = nullptr;
};

DeviceView::DeviceView() : terminal_(std::make_unique<Terminal>()) {
  for (const auto& [name, key] : keys_of_xterm)
    for (std::uint8_t bits = modifiers::alt; bits <= modifiers::known; ++bits)
      named_keys_[std::string(name) + std::to_string(1 + bits)] = {key, bits};
}

DeviceView::~DeviceView() = default;

DeviceView::Size DeviceView::size() const {
  return {static_cast<std::size_t>(getmaxy(stdscr)), static_cast<std::size_t>(getmaxx(stdscr))};
}

void DeviceView::take_size() {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 && window.ws_col > 0)
    resizeterm(window.ws_row, window.ws_col);
  clearok(curscr, TRUE);  // terminals differ in what they do with the old contents
}

// ---- Drawing ----

void DeviceView::draw(const Picture& picture) {
  erase();
  if (picture.screen != nullptr) draw_screen(*picture.screen);
  const int columns = getmaxx(stdscr);
  for (std::size_t line = 0; line < picture.message.size(); ++line)
    draw_text(static_cast<int>(line), 0, picture.message[line], picture.screen != nullptr);
  if (!picture.indicator.empty())
    draw_text(0, std::max(0, columns - static_cast<int>(picture.indicator.size())), picture.indicator, true);
  if (!picture.question.empty()) draw_text(getmaxy(stdscr) - 1, 0, picture.question, true);
  curs_set(picture.screen != nullptr && picture.screen->cursor().is_shown ? 1 : 0);
  if (picture.screen != nullptr) move(picture.screen->cursor().row, picture.screen->cursor().column);
  if (picture.rings) beep();
  refresh();
}

void DeviceView::draw_screen(const Screen& screen) {
  const std::size_t rows = std::min(screen.rows(), size().rows);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto cells = screen.row(row);
    for (std::size_t column = 0; column < std::min(cells.size(), size().columns); ++column) {
      const Cell& cell = cells[column];
      if (cell.width == 0 || (cell.is_blank() && cell.flags == 0)) continue;
      std::array<wchar_t, 2> text = {static_cast<wchar_t>(cell.character), L'\0'};
      // What this terminal would not draw, or would draw in other cells than the server believes, would move the rest.
      const bool is_drawn =
          ::wcwidth(text[0]) == static_cast<int>(cell.width) && column + cell.width <= size().columns;
      if (!is_drawn) text[0] = L'?';
      cchar_t drawn;
      int pair = colour_pair_of(cell);
      setcchar(&drawn, text.data(), attributes_of(cell), 0, &pair);
      mvadd_wch(static_cast<int>(row), static_cast<int>(column), &drawn);
    }
  }
}

void DeviceView::draw_text(int row, int column, const std::string& text, bool highlighted) {
  if (highlighted) attron(A_REVERSE);
  mvaddnstr(row, column, text.c_str(), -1);
  if (highlighted) attroff(A_REVERSE);
}

// ---- Keys ----

std::optional<DeviceView::Pressed> DeviceView::read_key(TypedText& typed) {
  wint_t code = 0;
  const int kind = get_wch(&code);
  if (kind == ERR) return std::nullopt;
  if (kind == KEY_CODE_YES) return take_function_key(code, 0, typed);
  if (code == menu_key) return Pressed{0, true};
  if (code == 0x1b) {
    // A terminal sends alt as an escape before the key.
    wint_t next = 0;
    const int next_kind = get_wch(&next);
    if (next_kind == KEY_CODE_YES) return take_function_key(next, modifiers::alt, typed);
    if (next_kind == OK) {
      typed.add(static_cast<char32_t>(next), modifiers::alt);
      return Pressed{};
    }
  }
  typed.add(static_cast<char32_t>(code));
  return Pressed{static_cast<char32_t>(code), false};
}

std::optional<DeviceView::Pressed> DeviceView::take_function_key(unsigned code, std::uint8_t more,
                                                                 TypedText& typed) {
  const auto add = [&](Key key, unsigned bits) { typed.add(key, static_cast<std::uint8_t>(bits | more)); };
  const auto meaning = std::ranges::find(key_meanings, static_cast<int>(code), &KeyMeaning::code);
  if (meaning != key_meanings.end()) {
    add(meaning->key, meaning->modifiers);
  } else if (code >= KEY_F(1) && code <= KEY_F(24)) {
    add(static_cast<Key>(static_cast<unsigned>(Key::f1) + code - KEY_F(1)), 0);
  } else if (const char* name = keyname(static_cast<int>(code))) {
    if (const auto found = named_keys_.find(name); found != named_keys_.end())
      add(found->second.first, found->second.second);
  }
  return Pressed{};
}

}  // namespace lekt::command
