// How lektctl prints: tables that fit the terminal, and JSON, one object a line.
//
// Everything that a peer or an operator chose passes through printable() on its way out, so it cannot control
// a terminal, forge a line or hide a part of itself. Into a file or a pipe nothing is cut.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "lektctl/command/options.h"
#include "server/operators/json.h"

namespace lekt::lektctl {

struct Size {
  std::size_t columns = std::numeric_limits<std::size_t>::max();
  std::size_t rows = std::numeric_limits<std::size_t>::max();

  bool operator==(const Size&) const = default;
};

/// The width of the terminal at standard output; unlimited when it is something else.
Size output_size();

/// Columns of a known width, so that rows are printed as they come; the last one takes what is left.
class Table {
 public:
  struct Column {
    std::string heading;
    std::size_t width = 0;
  };

  Table(std::initializer_list<Column> columns, std::size_t width_max)
      : columns_(columns), width_max_(width_max) {}

  std::string head() const;
  /// Prints a row. Its cells pass through printable() here; an empty one is shown as '-'.
  std::string row(const std::vector<std::string>& cells) const;

 private:
  std::string line(const std::vector<std::string>& cells) const;

  std::vector<Column> columns_;
  std::size_t width_max_;
};

/// Lines for people, none longer than the width: "Name          value".
class Lines {
 public:
  explicit Lines(std::size_t width) : width_(width) {}

  void add(const std::string& name, const std::string& value);
  void add(const std::string& line);
  std::string text() const { return text_; }

 private:
  std::size_t width_;
  std::string text_;
};

/// "2026-01-02 11:00:00", as in the database's views; "-" for 0.
std::string time_text(std::int64_t second);
/// "12.3 MB"
std::string bytes_text(double bytes);
template <std::integral Size>
std::string bytes_text(Size bytes) {
  return bytes_text(static_cast<double>(bytes));
}
/// "12.3", "4100"
std::string number_text(double number);
/// "1 session", "2 sessions"
std::string count_text(std::uint64_t count, const std::string& noun);

/// What a code means; empty for a code that this program does not know.
std::string meaning_of(const std::string& code);
/// A removal's stored reason in words: "E301: no heartbeat came within ..."; empty when it is not known.
std::string why_removed(const std::string& reason);

/// Writes to standard output, which is flushed by flush() and at the end of the command. All throw CodedError
/// E706.
void print(std::string_view text);
void print_json(const Json& json);
/// Prints an answer as JSON, or as a line for people. Returns the exit code.
template <class Answer>
int report(const Options& options, const Answer& answer, const std::string& line) {
  if (options.json)
    print_json(to_json(answer));
  else
    print(line + "\n");
  return exit_done;
}
/// Prints the list as a table or as JSON lines. `cells` makes a row of an element.
template <class Element, class Cells>
int print_list(const Options& options, const std::vector<Element>& list, const Table& table, Cells cells) {
  if (!options.json) print(table.head());
  for (const Element& element : list) {
    if (options.json)
      print_json(to_json(element));
    else
      print(table.row(cells(element)));
  }
  return exit_done;
}

void flush();
/// Sleeps. Ends the program as a write would when standard output is a pipe that nobody reads any more, since there may
/// be nothing to write for hours.
void sleep_while_read(std::chrono::milliseconds time);
/// Writes a question to standard error, where the answer is typed after it.
void print_prompt(const std::string& question);
/// Writes "lektctl: " and a message to standard error: its lines are kept, and each passes through
/// printable().
void print_status(std::string_view message);

}  // namespace lekt::lektctl
