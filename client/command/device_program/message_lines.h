// The messages of a device as it shows them where it has no screen of a host.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lekt::command {

/// The lines of a message on a device with this many columns: "Err:Host Timeout!" in a line of its own, and below it
/// the text of the failure that came with it. Longer lines are broken, at blanks where there are any. Nothing in them
/// can control a terminal.
std::vector<std::string> message_lines(const std::string& message, std::size_t columns);

}  // namespace lekt::command
