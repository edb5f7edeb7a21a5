// Text made from bytes that a peer chose. Nothing in it can begin a line, a field or a terminal sequence.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/bytes.h"

namespace lekt {

/// The bytes in lower-case hexadecimal, without separators.
std::string to_hex(ByteView bytes);
/// The number in 16 digits of it.
std::string to_hex(std::uint64_t number);

/// Reads hexadecimal digits of either case; skips white space and ':' between bytes. Yields nothing if
/// anything else occurs.
std::optional<Bytes> parse_hex(std::string_view text);

/// The text with '"', '\\', control characters and bytes of 0x7f and above as \" \\ \n \r \t \xNN; other ASCII
/// stays.
std::string escape(std::string_view text);

/// Printable ASCII in double quotes, anything else as 0x0a1b. In a line of the log nothing in it but the quotes
/// has to be escaped once more.
std::string quote_bytes(std::string_view bytes);

/// escape(text), in double quotes if the text is empty or has anything but letters, digits and ._:/+-@,[]%
std::string quote_if_needed(std::string_view text);

/// The text with the letters A-Z as a-z; all other bytes stay.
std::string lower_case(std::string_view text);

/// The known word that was probably meant by `word`: one that begins with it, or differs by at most two
/// letters that are missing, wrong, superfluous or swapped. Empty if there is none.
std::string closest(std::string_view word, std::span<const std::string> known);

}  // namespace lekt
