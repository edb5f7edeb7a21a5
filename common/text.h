// Text made from bytes that a peer chose: nothing in it can start a line, a field or a terminal sequence of
// its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"

namespace lekt {

/// Lower-case hexadecimal without separators.
std::string to_hex(ByteView bytes);

/// Reads hexadecimal digits of either case; white space and ':' between bytes are skipped. Empty if anything
/// else occurs.
std::optional<Bytes> parse_hex(std::string_view text);

/// Printable ASCII as it is; '"', '\\', control characters and bytes of 0x7f and above as \" \\ \n \r \t
/// \xNN.
std::string escape(std::string_view text);

/// escape(), in double quotes when the text is empty or has anything but letters, digits and ._:/+-@,[]%
std::string quote_if_needed(std::string_view text);

}  // namespace lekt
