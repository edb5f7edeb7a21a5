#include "client/command/device_program/message_lines.h"

#include <algorithm>
#include <string_view>

#include "common/printable.h"

namespace lekt::command {

namespace {

constexpr std::string_view timeout_message = "Err:Host Timeout!";

void break_up(const std::string& text, std::size_t columns, std::vector<std::string>& lines) {
  std::string_view rest = text;
  while (!rest.empty()) {
    // A character has no more columns than bytes, so what fits by bytes fits.
    std::size_t bytes = std::min(columns, rest.size());
    if (bytes < rest.size()) {
      const std::size_t blank = rest.substr(0, bytes + 1).rfind(' ');
      if (blank != rest.npos && blank > 0)
        bytes = blank;
      else
        while (bytes > 1 && (static_cast<unsigned char>(rest[bytes]) & 0xc0) == 0x80) --bytes;
    }
    lines.emplace_back(rest.substr(0, bytes));
    rest.remove_prefix(bytes);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  }
}

}  // namespace

std::vector<std::string> message_lines(const std::string& message, std::size_t columns) {
  std::vector<std::string> lines;
  std::string rest = printable(message);
  if (rest.starts_with(timeout_message)) {
    lines.emplace_back(timeout_message);
    rest.erase(0, timeout_message.size());
    rest.erase(0, rest.find_first_not_of(' '));
  }
  break_up(rest, std::max<std::size_t>(columns, 1), lines);
  return lines;
}

}  // namespace lekt::command
