// What all screens that the server draws itself have in common: a title in the first row, and lines under it.
//
// Characters that take no cell, such as controls, are not drawn (common/screen.h). Knows no session; any thread may use it.
#pragma once

#include <cstddef>
#include <string_view>

#include "common/screen.h"

namespace lekt {

/// Draws the first row in reverse: `title` at the left, and the group's name at the right, unless it is `default` or
/// there is no room for it.
void draw_title(Screen& screen, std::string_view title, std::string_view group);

/// Draws a text in the rows from `row` on, plain, broken at blanks where it is wider than the screen. Yields the row
/// below it. Text below the screen is left out.
std::size_t draw_lines(Screen& screen, std::size_t row, std::string_view text);

/// Shows the cursor in a row, or in the last one if there is no such row.
void draw_cursor(Screen& screen, std::size_t row, std::size_t column = 0);

}  // namespace lekt
