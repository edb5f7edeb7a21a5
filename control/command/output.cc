#include "control/command/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/errors.h"
#include "common/text.h"
#include "control/time.h"

namespace lekt::control::command {

namespace {

constexpr std::string_view gap = "  ";

std::string with_digits(double number, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, number);
  return text.data();
}

[[noreturn]] void throw_unwritable() {
  throw CodedError(ErrorCode::output_failed,
                   std::string("cannot write to standard output: ") + std::strerror(errno));
}

}  // namespace

Size output_size() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  // A terminal that does not know its size says 0.
  return {size.ws_col == 0 ? 80u : size.ws_col, size.ws_row == 0 ? 24u : size.ws_row};
}

std::string cut(std::string_view text, std::size_t length_max) {
  constexpr std::string_view ellipsis = "...";
  if (text.size() <= length_max) return std::string(text);
  if (length_max <= ellipsis.size()) return std::string(text.substr(0, length_max));
  return std::string(text.substr(0, length_max - ellipsis.size())).append(ellipsis);
}

std::string Table::head() const {
  std::vector<std::string> cells;
  for (const Column& column : columns_) cells.push_back(column.heading);
  return line(cells);
}

std::string Table::row(const std::vector<std::string>& cells) const {
  std::vector<std::string> shown;
  for (const std::string& cell : cells) shown.push_back(cell.empty() ? "-" : escape(cell));
  return line(shown);
}

std::string Table::line(const std::vector<std::string>& cells) const {
  std::string text;
  for (std::size_t index = 0; index < cells.size(); ++index) {
    if (index > 0) text += gap;
    text += cells[index];
    const std::size_t width = columns_.at(index).width;
    if (cells[index].size() < width) text.append(width - cells[index].size(), ' ');
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return cut(text, width_max_) + "\n";
}

std::string text(const Json& object, const char* key) { return object.at(key).get<std::string>(); }

std::string time_text(const Json& iso) {
  if (!iso.is_string()) return "-";
  std::string text = iso.get<std::string>();
  if (const auto middle = text.find('T'); middle != text.npos) text[middle] = ' ';
  if (text.ends_with('Z')) text.pop_back();
  return escape(text);
}

std::string time_text(std::int64_t second) { return second == 0 ? "-" : time_text(Json(to_iso(second))); }

std::string bytes_text(double bytes) {
  constexpr std::array units = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < units.size()) {
    bytes /= 1000;
    ++unit;
  }
  return with_digits(bytes, unit == 0 || bytes >= 100 ? 0 : 1) + " " + units[unit];
}

std::string number_text(double number) { return with_digits(number, number < 100 && number != 0 ? 1 : 0); }

std::string count_text(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) throw_unwritable();
}

void flush() {
  if (std::fflush(stdout) != 0) throw_unwritable();
}

void print_json(const Json& json) { print(to_line(json) + "\n"); }

void print_status(std::string_view line) {
  const std::string text = "lektctl: " + std::string(line) + '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace lekt::control::command
