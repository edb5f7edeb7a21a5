// Text for a terminal: readable in any script, but unable to control the terminal, to hide part of itself, or
// to change the direction in which the rest of the line is read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lekt {

/// The text, with \n \r \t or \xNN in place of everything that a terminal should not be given: bytes that are
/// not UTF-8, control characters, and characters that are invisible or change the direction of writing.
std::string printable(std::string_view text);

/// Whether the text is UTF-8 without control characters and without characters that are invisible or change
/// the direction of writing.
bool is_plain_text(std::string_view text);

/// The text with everything that is_plain_text() refuses replaced by \n \r \t or \xNN. Unlike printable(), it is the same
/// on every machine. So are the characters in `others`, which are ASCII, with a \\ in front.
std::string plain_text(std::string_view text, std::string_view others = {});

/// The columns that a printable text takes on a terminal.
std::size_t columns_of(std::string_view text);

/// The text, or its beginning and "..." if it takes more columns. Never cuts a character in two.
std::string cut(std::string_view text, std::size_t columns_max);

}  // namespace lekt
