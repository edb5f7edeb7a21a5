// How lektctl prints: tables that fit the terminal, and JSON, one object a line.
//
// Everything that a peer or an operator chose passes through escape() on its way into a table, so it cannot
// control a terminal or forge a line. Into a file or a pipe nothing is cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "control/json.h"

namespace lekt::control::command {

struct Size {
  std::size_t columns = std::numeric_limits<std::size_t>::max();
  std::size_t rows = std::numeric_limits<std::size_t>::max();

  bool operator==(const Size&) const = default;
};

/// Of the terminal at standard output; without bounds when it is something else.
Size output_size();

/// The text, or its beginning and "..." when it is longer.
std::string cut(std::string_view text, std::size_t length_max);

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
  /// The cells are escaped here. An empty one is shown as '-'.
  std::string row(const std::vector<std::string>& cells) const;

 private:
  std::string line(const std::vector<std::string>& cells) const;

  std::vector<Column> columns_;
  std::size_t width_max_;
};

/// "2026-01-02 11:00:00" of "2026-01-02T11:00:00Z", "-" of null; as in the database's views.
std::string time_text(const Json& iso);
/// A member that is text, as it came: escape() it unless it goes into a table.
std::string text(const Json& object, const char* key);
std::string time_text(std::int64_t second);
/// "12.3 MB"
std::string bytes_text(double bytes);
/// "12.3", "4100"
std::string number_text(double number);
/// "1 session", "2 sessions"
std::string count_text(std::uint64_t count, const std::string& noun);

/// Writes to standard output, which is flushed by flush() and at the end of the command. All throw CodedError
/// E706.
void print(std::string_view text);
void print_json(const Json& json);
void flush();
/// Writes "lektctl: " and a line to standard error.
void print_status(std::string_view line);

}  // namespace lekt::control::command
