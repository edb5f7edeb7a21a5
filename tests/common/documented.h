// The annotated examples of the two documents about bytes on a wire, which are `lekt decode`'s own output.
//
// An example is a fenced block whose info string is "text NAME".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"

namespace lekt::test {

inline constexpr std::string_view protocol_document = "docs/protocol.md";
inline constexpr std::string_view device_protocol_document = "docs/device-protocol.md";

/// A document's example `name`, as it stands there. Throws std::runtime_error when there is none.
std::string documented_example(std::string_view document, std::string_view name);
/// The names of all examples in a document.
std::vector<std::string> documented_example_names(std::string_view document);

/// The bytes of an annotated example: its column of hexadecimal.
Bytes bytes_of_annotation(std::string_view text);

}  // namespace lekt::test
