// Screens for tests: random ones, what has to hold for every one, and what a pass sends.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/screen.h"
#include "common/screen_pass.h"
#include "tests/support/support.h"

namespace lekt::test {

inline constexpr StyleItem bold{style::bold, 0, 0};
inline constexpr StyleItem reverse{style::reverse, 0, 0};
inline constexpr StyleItem red{style::foreground_holds, 1, 0};
inline constexpr StyleItem green{style::foreground_holds, 2, 0};

/// The items as they stand in a message: `items_of(StyleItem{8}, TextItem{0, 0, "1 wms"})`.
template <class... Items>
Bytes items_of(const Items&... items) {
  Bytes bytes;
  (append_item(bytes, items), ...);
  return bytes;
}

/// A screen to which these items were applied. Throws std::invalid_argument when they have a fault.
template <class... Items>
Screen screen_of(std::size_t rows, std::size_t columns, const Items&... items) {
  Screen screen(rows, columns);
  if (const auto fault = screen.apply(items_of(items...)).fault) throw std::invalid_argument(*fault);
  return screen;
}

/// The characters of a row, without the blanks at its end.
std::string text_of(const Screen& screen, std::size_t row);

/// Which promise of Screen does not hold; empty if all do.
std::string flaw_of(const Screen& screen);

/// Any contents, with wide characters and styles, of any size. One in some is as large as a screen may be.
Screen random_screen(Random& random);

/// What a host may do to a screen: from one character to a scrolled or cleared screen, and sometimes another size.
void change_at_random(Screen& screen, Random& random);

/// All messages of one pass, with nobody to wait for.
std::vector<Bytes> messages_of_pass(ScreenPass& pass, const Screen& contents, ScreenPass::Time now);

/// The messages that lead from one screen to another, which may be none.
std::vector<Bytes> difference(const Screen& from, const Screen& to);

}  // namespace lekt::test
