// The text of a device's screen for operators, on whose terminals it must do nothing. No state: any thread.
#pragma once

#include <string>
#include <vector>

#include "common/screen.h"

namespace lekt {

/// The text of each row, without the blanks at its end. What a terminal would obey, hide, turn around or show in
/// another number of columns than the device, and characters of private use, are U+FFFD, one for each cell.
std::vector<std::string> printable_rows(const Screen& screen);

}  // namespace lekt
