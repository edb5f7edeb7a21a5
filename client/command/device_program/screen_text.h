// A screen of a device as text, for scripts.
#pragma once

#include <cstddef>
#include <string>

#include "common/screen.h"

namespace lekt::command {

/// A row in UTF-8 with all its blanks.
std::string row_text(const Screen& screen, std::size_t row);

/// All rows, each without the blanks at its end and with a line feed.
std::string screen_text(const Screen& screen);

}  // namespace lekt::command
