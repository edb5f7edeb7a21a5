#include "lektctl/command/output.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "common/calendar.h"
#include "common/errors.h"
#include "common/leave_reason.h"
#include "common/printable.h"

namespace lekt::lektctl {

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

std::string Table::head() const {
  std::vector<std::string> cells;
  for (const Column& column : columns_) cells.push_back(column.heading);
  return line(cells);
}

std::string Table::row(const std::vector<std::string>& cells) const {
  std::vector<std::string> shown;
  for (const std::string& cell : cells) shown.push_back(cell.empty() ? "-" : printable(cell));
  return line(shown);
}

std::string Table::line(const std::vector<std::string>& cells) const {
  std::string text;
  for (std::size_t index = 0; index < cells.size(); ++index) {
    if (index > 0) text += gap;
    text += cells[index];
    const std::size_t width = columns_.at(index).width;
    const std::size_t taken = columns_of(cells[index]);
    if (taken < width) text.append(width - taken, ' ');
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return cut(text, width_max_) + "\n";
}

void Lines::add(const std::string& name, const std::string& value) {
  constexpr std::size_t name_width = 14;
  std::string line = name;
  line.resize(std::max(name_width, name.size()), ' ');
  add(line + value);
}

void Lines::add(const std::string& line) { text_ += cut(line, width_) + "\n"; }

std::string time_text(std::int64_t second) {
  if (second == 0) return "-";
  std::string text = to_iso(second);
  text[text.find('T')] = ' ';
  text.pop_back();
  return text;
}

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

std::string meaning_of(const std::string& code) {
  for (const ErrorInfo& known : error_catalogue())
    if (code_text(known.code) == code) return std::string(known.meaning);
  return {};
}

std::string why_removed(const std::string& reason) {
  if (reason == to_string(LeaveReason::closed)) return "its program has closed the connection";
  if (reason == to_string(LeaveReason::lost)) return "the connection has broken";
  if (reason == to_string(LeaveReason::not_back)) return "it did not come back after the server's restart";
  const std::string meaning = meaning_of(reason);
  return printable(reason) + (meaning.empty() ? "" : ": " + meaning);
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) throw_unwritable();
}

void flush() {
  if (std::fflush(stdout) != 0) throw_unwritable();
}

void sleep_while_read(std::chrono::milliseconds time) {
  pollfd output{STDOUT_FILENO, 0, 0};
  if (poll(&output, 1, static_cast<int>(time.count())) <= 0) return;
  std::raise(SIGPIPE);
  errno = EPIPE;  // reached only when the signal is ignored
  throw_unwritable();
}

void print_json(const Json& json) { print(to_line(json) + "\n"); }

void print_prompt(const std::string& question) {
  const std::string text = "lektctl: " + question;
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

void print_status(std::string_view message) {
  std::string text = "lektctl: ";
  while (true) {
    const std::size_t end = message.find('\n');
    text += printable(message.substr(0, end)) + '\n';
    if (end == message.npos) break;
    message.remove_prefix(end + 1);
  }
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace lekt::lektctl
