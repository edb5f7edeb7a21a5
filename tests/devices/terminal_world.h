// A terminal and what it tells its host, for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "devices/terminal.h"
#include "tests/support/screens.h"

namespace lekt::test {

class TerminalWorld {
 public:
  explicit TerminalWorld(std::size_t rows = 4, std::size_t columns = 10,
                         std::string_view term = "screen-256color")
      : terminal(term, rows, columns, [this](ByteView bytes) { said += bytes; }) {}

  TerminalWorld& write(ByteView bytes) {
    terminal.write(bytes);
    return *this;
  }

  Screen screen() const {
    Screen screen(1, 1);
    terminal.draw(screen);
    return screen;
  }

  /// The rows without the blanks at their ends, and without the empty ones at the end.
  std::vector<std::string> rows() const {
    const Screen drawn = screen();
    std::vector<std::string> rows;
    for (std::size_t row = 0; row < drawn.rows(); ++row) rows.push_back(text_of(drawn, row));
    while (!rows.empty() && rows.back().empty()) rows.pop_back();
    return rows;
  }

  Cell cell(std::size_t row, std::size_t column) const { return screen().row(row)[column]; }
  /// Of the first character.
  StyleItem style() const { return cell(0, 0).style(); }

  template <class... Items>
  Bytes typed(const Items&... items) {
    said.clear();
    terminal.type(items_of(items...));
    return said;
  }

  Bytes said;
  Terminal terminal;
};

}  // namespace lekt::test
