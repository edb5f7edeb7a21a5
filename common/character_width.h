// How many cells of a screen a character takes.
//
// A text on the wire says in which cell it begins, and not where each of its characters stands. So server and device
// have to agree about widths, and the table is a part of the protocol: it is compiled into both. The C library's
// wcwidth() will not do, since it depends on the locale and on the version of Unicode that a machine happens to have.
//
// The table is Unicode 15.0 (EastAsianWidth.txt and UnicodeData.txt, in Debian's package unicode-data):
//   2   East_Asian_Width W or F
// 0   combining marks (Mn, Me), format characters (Cf) except U+00AD, U+2028, U+2029, the vowels and final consonants
// of
//       Hangul that join the letter before them, and control characters
//   1   all others
// Numbers that Unicode has not assigned belong to the range around them, so most that it assigns later are already
// right.
#pragma once

#include <cstddef>

namespace lekt {

/// The width of a character that is not printable ASCII: 0, 1 or 2.
std::size_t cells_of_any(char32_t character);

/// The width of a character: 0, 1 or 2.
inline std::size_t cells_of(char32_t character) {
  return character >= U' ' && character <= U'~' ? 1 : cells_of_any(character);
}

}  // namespace lekt
