#include "devices/terminal.h"

#include <libtsm.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <utility>

#include "common/character_width.h"
#include "common/device_items.h"
#include "common/device_packets.h"
#include "devices/terminal_filter.h"
#include "devices/terminal_keys.h"

namespace lekt {

namespace {

/// What libtsm reads at a time.
constexpr std::size_t slice_bytes = 512;

/// What libtsm says to the host while it reads a slice or a key: at most `CSI ? 6 0 ; 1 ; 6 ; 9 ; 1 5 c` for each DECID, which
/// has two bytes, and one for a sequence that began in the slice before.
struct Answers {
  std::array<char, Terminal::answers_max * slice_bytes + 64> bytes;
  std::size_t size = 0;

  void add(ByteView more) {
    const std::size_t fitting = std::min(more.size(), bytes.size() - size);
    std::copy_n(more.begin(), fitting, bytes.begin() + size);
    size += fitting;
  }
  ByteView view() const { return {bytes.data(), size}; }
};

/// Keys as libtsm names them: the numbers of X11's <X11/keysymdef.h>, of which it has its own from libxkbcommon.
struct NamedKey {
  Key key;
  std::uint32_t name;
};

constexpr NamedKey keys_of_libtsm[] = {
    {Key::enter, 0xff0d}, {Key::left, 0xff51}, {Key::up, 0xff52}, {Key::right, 0xff53}, {Key::down, 0xff54},
};

/// The colours of the palette from 16 on: a cube of these levels, and 24 greys.
constexpr std::array<int, 6> cube_levels = {0, 95, 135, 175, 215, 255};
constexpr int grey_level(int grey) { return 8 + 10 * grey; }

struct Rgb {
  int red = 0;
  int green = 0;
  int blue = 0;

  int distance(const Rgb& other) const {
    const auto square = [](int value) { return value * value; };
    return square(red - other.red) + square(green - other.green) + square(blue - other.blue);
  }
};

/// The nearest entry of the palette from 16 on. A colour that came from there yields its own entry.
std::uint8_t nearest_entry(const Rgb& colour) {
  const auto nearest_level = [](int value) {
    int nearest = 0;
    for (int level = 1; level < 6; ++level)
      if (std::abs(cube_levels.at(level) - value) < std::abs(cube_levels.at(nearest) - value))
        nearest = level;
    return nearest;
  };
  const int red = nearest_level(colour.red);
  const int green = nearest_level(colour.green);
  const int blue = nearest_level(colour.blue);
  const int grey = std::clamp(((colour.red + colour.green + colour.blue) / 3 - 3) / 10, 0, 23);
  const Rgb of_cube{cube_levels.at(red), cube_levels.at(green), cube_levels.at(blue)};
  const Rgb of_greys{grey_level(grey), grey_level(grey), grey_level(grey)};
  const int entry =
      colour.distance(of_greys) < colour.distance(of_cube) ? 232 + grey : 16 + 36 * red + 6 * green + blue;
  return static_cast<std::uint8_t>(entry);
}

/// Puts the cells of libtsm on a screen, from left to right and from top to bottom.
class Painter {
 public:
  /// Makes the screen blank, with libtsm's cursor.
  Painter(Screen& screen, std::size_t rows, std::size_t columns, tsm_screen* cells, bool italic_stands_out)
      : screen_(screen),
        cursor_row_(tsm_screen_get_cursor_y(cells)),
        // Behind the last column while the next character is going to be on the next line.
        cursor_column_(std::min(tsm_screen_get_cursor_x(cells), tsm_screen_get_width(cells) - 1)),
        is_cursor_shown_((tsm_screen_get_flags(cells) & TSM_SCREEN_HIDE_CURSOR) == 0),
        is_reversed_((tsm_screen_get_flags(cells) & TSM_SCREEN_INVERSE) != 0),
        italic_stands_out_(italic_stands_out) {
    screen_.resize(rows, columns);
    screen_.draw(CursorItem{static_cast<std::uint8_t>(cursor_row_), static_cast<std::uint8_t>(cursor_column_),
                            is_cursor_shown_});
  }

  /// `character`: 0 for what was erased. `width`: 0 for the second half of a wide one.
  void paint(unsigned row, unsigned column, char32_t character, unsigned width,
             const tsm_screen_attr& attributes) {
    // Most cells of most screens are blank already, and are not painted.
    if (character == 0 && !is_reversed_ && attributes.bccode >= TSM_COLOR_FOREGROUND)
      is_covered_ = false;
    else
      paint_seen(row, column, character, width, attributes);
  }

 private:
  /// Out of line, so that blank cells cost a few instructions each.
  [[gnu::noinline]] void paint_seen(unsigned row, unsigned column, char32_t character, unsigned width,
                                    const tsm_screen_attr& attributes) {
    const bool is_covered = std::exchange(is_covered_, false);
    if (width == 0 && is_covered) return;
    if (character == 0 || width == 0) {
      // What libtsm has left of a wide character is erased.
      paint_erased(row, column, attributes);
      return;
    }
    const std::size_t ours = cells_of(character);
    is_covered_ = width == 2 && ours == 2;
    // A character that takes no cell here takes one in libtsm.
    screen_.put(row, column, ours == 0 ? U' ' : character, style_of(row, column, attributes));
  }

  /// Only the background is kept, as other terminals do. libtsm keeps everything that was on while it erased.
  void paint_erased(unsigned row, unsigned column, const tsm_screen_attr& attributes) {
    StyleItem style;
    set_background(style, attributes);
    if (is_reversed_) style.flags |= style::reverse;
    if (style.flags != 0) screen_.put(row, column, U' ', style);
  }

  StyleItem style_of(unsigned row, unsigned column, const tsm_screen_attr& attributes) const {
    StyleItem style;
    const auto set = [&](bool is_set, std::uint8_t bit) {
      if (is_set) style.flags |= bit;
    };
    // libtsm reverses the cell below the cursor, and on a reversed screen all of them.
    const bool has_cursor = is_cursor_shown_ && cursor_row_ == row && cursor_column_ == column;
    const bool is_inverse = (attributes.inverse != 0) != (has_cursor != is_reversed_);
    const bool stands_out = is_inverse || (italic_stands_out_ && attributes.italic != 0);
    set(attributes.bold != 0, style::bold);
    set(attributes.underline != 0, style::underline);
    set(attributes.blink != 0, style::blink);
    set(attributes.italic != 0 && !italic_stands_out_, style::italic);
    set(stands_out != is_reversed_, style::reverse);
    if (attributes.fccode < TSM_COLOR_FOREGROUND) {
      style.flags |= style::foreground_holds;
      style.foreground = entry_of(attributes.fccode, {attributes.fr, attributes.fg, attributes.fb});
    }
    set_background(style, attributes);
    return style;
  }

  static void set_background(StyleItem& style, const tsm_screen_attr& attributes) {
    if (attributes.bccode >= TSM_COLOR_FOREGROUND) return;
    style.flags |= style::background_holds;
    style.background = entry_of(attributes.bccode, {attributes.br, attributes.bg, attributes.bb});
  }

  /// libtsm gives the first 16 colours by their number, and the others by what they are made of.
  static std::uint8_t entry_of(int code, const Rgb& colour) {
    return code >= 0 ? static_cast<std::uint8_t>(code) : nearest_entry(colour);
  }

  Screen& screen_;
  unsigned cursor_row_;
  unsigned cursor_column_;
  bool is_cursor_shown_;
  bool is_reversed_;
  bool italic_stands_out_;
  bool is_covered_ = false;  ///< the next cell shows the second half of what was put
};

/// No screen of libtsm is narrower: it writes beyond a line of one column when a wide character is inserted.
constexpr std::size_t columns_of_libtsm_min = 2;

struct ScreenEnd {
  void operator()(tsm_screen* screen) const { tsm_screen_unref(screen); }
};

struct VteEnd {
  void operator()(tsm_vte* vte) const { tsm_vte_unref(vte); }
};

}  // namespace

struct Terminal::Machine {
  Machine(std::string_view term, ToHost to_host_given)
      : tells_modifiers(!term.starts_with("vt")),
        italic_stands_out(term.starts_with("screen")),
        to_host(std::move(to_host_given)) {}

  void begin(std::size_t rows, std::size_t columns_wanted);
  void resize_cells(std::size_t rows);
  template <class Action>
  Answers answers_to(Action action);
  void read(ByteView readable);
  void append_typed(Bytes& typed, const KeyItem& key);

  std::size_t rows() const { return tsm_screen_get_height(cells.get()); }

  const bool tells_modifiers;    ///< a VT220 does not
  const bool italic_stands_out;  ///< terminfo of GNU Screen: smso=\E[3m
  const ToHost to_host;
  std::size_t columns = 1;
  TerminalFilter filter;
  std::unique_ptr<tsm_screen, ScreenEnd> cells;
  std::unique_ptr<tsm_vte, VteEnd> vte;
  Answers* answers = nullptr;  ///< while libtsm may answer
};

void Terminal::Machine::begin(std::size_t rows, std::size_t columns_wanted) {
  columns = columns_wanted;
  tsm_screen* new_cells = nullptr;
  if (tsm_screen_new(&new_cells, nullptr, nullptr) != 0) throw std::bad_alloc();
  cells.reset(new_cells);
  tsm_screen_set_max_sb(new_cells, 0);
  // libtsm begins with 24 x 80 and would keep these lines; those that scroll away are made anew, as long as needed.
  resize_cells(1);
  resize_cells(rows);

  const auto answer = [](tsm_vte*, const char* bytes, std::size_t size, void* machine) {
    if (auto* const current = static_cast<Machine*>(machine)->answers) current->add({bytes, size});
  };
  tsm_vte* new_vte = nullptr;
  if (tsm_vte_new(&new_vte, new_cells, answer, this, nullptr, nullptr) != 0) throw std::bad_alloc();
  vte.reset(new_vte);
  read(TerminalFilter::beginning);
}

void Terminal::Machine::resize_cells(std::size_t rows) {
  const auto width = static_cast<unsigned>(std::max(columns, columns_of_libtsm_min));
  if (tsm_screen_resize(cells.get(), width, static_cast<unsigned>(rows)) != 0) throw std::bad_alloc();
}

/// `readable`: what the filter yields.
void Terminal::Machine::read(ByteView readable) {
  while (true) {
    const std::size_t size = std::min(readable.find(TerminalFilter::before_wide), readable.size());
    tsm_vte_input(vte.get(), readable.data(), size);
    if (size == readable.size()) return;
    readable.remove_prefix(size + 1);
    // libtsm would cut the wide character in two. A blank fills the row, and the character begins the next one.
    const bool wraps = (tsm_screen_get_flags(cells.get()) & TSM_SCREEN_AUTO_WRAP) != 0;
    if (wraps && tsm_screen_get_cursor_x(cells.get()) + 1 == tsm_screen_get_width(cells.get()))
      tsm_vte_input(vte.get(), " ", 1);
  }
}

/// Runs an action, and yields what libtsm says to the host meanwhile.
template <class Action>
Answers Terminal::Machine::answers_to(Action action) {
  Answers now;
  answers = &now;
  action();
  answers = nullptr;
  return now;
}

void Terminal::Machine::append_typed(Bytes& typed, const KeyItem& key) {
  const auto* const known = std::find_if(std::begin(keys_of_libtsm), std::end(keys_of_libtsm),
                                         [&](const NamedKey& named) { return named.key == key.key; });
  const bool tells = tells_modifiers && (key.modifiers & ~modifiers::alt) != 0 && key.key != Key::enter;
  if (known == std::end(keys_of_libtsm) || tells) {
    append_key(typed, key, tells_modifiers);
    return;
  }
  const unsigned held = (key.modifiers & modifiers::alt) != 0 ? TSM_ALT_MASK : 0;
  typed +=
      answers_to([&] { tsm_vte_handle_keyboard(vte.get(), known->name, 0, held, TSM_VTE_INVALID); }).view();
}

// ---- Terminal ----

Terminal::Terminal(std::string_view term, std::size_t rows, std::size_t columns, ToHost to_host)
    : machine_(std::make_unique<Machine>(term, std::move(to_host))) {
  machine_->begin(std::clamp<std::size_t>(rows, 1, limits::screen_rows_max),
                  std::clamp<std::size_t>(columns, 1, limits::screen_columns_max));
}

Terminal::~Terminal() = default;

std::size_t Terminal::rows() const { return machine_->rows(); }
std::size_t Terminal::columns() const { return machine_->columns; }

void Terminal::resize(std::size_t rows, std::size_t columns) {
  Machine& machine = *machine_;
  tsm_screen* const cells = machine.cells.get();
  rows = std::clamp<std::size_t>(rows, 1, limits::screen_rows_max);
  machine.columns = std::clamp<std::size_t>(columns, 1, limits::screen_columns_max);
  const std::size_t lost = machine.rows() - std::min(rows, machine.rows());
  const std::size_t column = tsm_screen_get_cursor_x(cells);
  const std::size_t row = tsm_screen_get_cursor_y(cells);
  // The row of the cursor stays, and of the others the upper ones. libtsm always loses those at the top: what is to be
  // lost at the bottom is scrolled off first.
  const std::size_t lost_above = row - std::min(row, rows - 1);
  tsm_screen_set_margins(cells, 0, 0);
  tsm_screen_scroll_down(cells, static_cast<unsigned>(lost - lost_above));
  machine.resize_cells(rows);
  tsm_screen_move_to(cells, static_cast<unsigned>(column), static_cast<unsigned>(row - lost_above));
}

void Terminal::write(ByteView bytes) {
  Bytes readable;
  readable.reserve(TerminalFilter::growth_max * slice_bytes);
  while (!bytes.empty()) {
    const ByteView slice = bytes.substr(0, slice_bytes);
    bytes.remove_prefix(slice.size());
    readable.clear();
    machine_->filter.read(slice, readable);
    const Answers answers = machine_->answers_to([&] { machine_->read(readable); });
    if (answers.size > 0) machine_->to_host(answers.view());
  }
}

void Terminal::type(ByteView items) {
  struct Typist {
    Machine& machine;
    Bytes& typed;

    void operator()(const TypedItem& item) const { typed += item.text; }
    void operator()(const KeyItem& item) const { machine.append_typed(typed, item); }
    void operator()(const ChordItem& item) const { append_chord(typed, item); }
  };
  Bytes typed;
  for_each_input_item(items, Typist{*machine_, typed});
  if (!typed.empty()) machine_->to_host(typed);
}

void Terminal::draw(Screen& screen) const {
  const Machine& machine = *machine_;
  Painter painter(screen, machine.rows(), machine.columns, machine.cells.get(), machine.italic_stands_out);
  const auto paint = [](tsm_screen*, std::uint64_t id, const std::uint32_t*, std::size_t, unsigned width,
                        unsigned column, unsigned row, const tsm_screen_attr* attributes, tsm_age_t,
                        void* target) {
    // libtsm names no characters for a blank. The number of a cell has them as well, in the low bits, where 0 is what
    // was erased.
    static_cast<Painter*>(target)->paint(row, column, static_cast<char32_t>(id & TSM_UCS4_MAX), width,
                                         *attributes);
    return 0;
  };
  tsm_screen_draw(machine.cells.get(), paint, &painter);
}

bool Terminal::take_bell() { return machine_->filter.take_bell(); }

}  // namespace lekt
