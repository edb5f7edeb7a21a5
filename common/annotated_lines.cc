#include "common/annotated_lines.h"

#include "common/calendar.h"
#include "common/text.h"

namespace lekt {

namespace {

constexpr std::size_t bytes_a_line = 8;

std::string offset_text(std::size_t offset) {
  Bytes bytes;
  ByteWriter(bytes).u32(static_cast<std::uint32_t>(offset));
  const std::string hex = to_hex(bytes);
  return offset < 0x10000 ? hex.substr(4) : hex;
}

}  // namespace

void AnnotatedLines::print_to(std::size_t end, std::string_view meaning) {
  do {
    const ByteView row = bytes_.substr(printed_, end - printed_).substr(0, bytes_a_line);
    std::string hex;
    for (const char byte : row) hex += to_hex(ByteView(&byte, 1)) + " ";
    hex.resize(3 * bytes_a_line + 1, ' ');
    std::string line = "  " + offset_text(printed_) + "  " + hex + std::string(meaning);
    line.erase(line.find_last_not_of(' ') + 1);
    out_ += line + "\n";
    printed_ += row.size();
    meaning = {};
  } while (printed_ < end);
}

std::string name_and_version(std::string_view name, const Version& version) {
  return std::string(name) + ", version " + std::to_string(version.major) + "." +
         std::to_string(version.minor) + "." + std::to_string(version.extra);
}

std::string calendar_text(std::int64_t timestamp) {
  constexpr std::int64_t year_10000 = 253'402'300'800;
  return timestamp > 0 && timestamp < year_10000 ? " (" + to_iso(timestamp) + ")" : "";
}

}  // namespace lekt
