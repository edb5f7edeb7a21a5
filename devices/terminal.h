// The terminal that a host draws on: a VT220, or a terminal with 256 colours, over libtsm.
//
// A host's bytes go in, the grid comes out as a Screen (common/screen.h), and what a user types comes out as the bytes that
// a host expects of such a terminal. Whatever bytes a host sends, nothing is thrown and the size stays what it was set to.
// What libtsm 4.0.2 reads wrong is kept from it (terminal_filter.h).
//
// - A character stands where libtsm puts it, whose table of widths is older than that of common/character_width.h. A
//   character that is wider in the newer table is shown if a blank follows it.
// - What a host erases keeps the background. A combining mark is passed over.
// - In `screen` and its kind italic stands out, as their terminfo says: it is reversed.
// - There is no history. Printing, 132 columns, characters of double size and 8-bit controls are not done.
//
// Takes 124 KiB for 24 x 80 and 85 KiB for 16 x 26, however much is written. What the largest screen costs is bounded by its
// cells: CSI J, of three bytes, erases them all (100 us for 100 x 200).
//
// Knows no host, no socket, no clock and no thread. Each session that works on a host has one.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "common/bytes.h"
#include "common/screen.h"

namespace lekt {

class Terminal {
 public:
  /// What the terminal has for the host: answers to its questions, and what is typed. It must not call the terminal.
  using ToHost = std::function<void(ByteView)>;

  /// `term`: the type that the host was told (DeviceHost::term). A size that no screen has is made the nearest that one may
  /// have. Throws std::bad_alloc, as resize() does.
  Terminal(std::string_view term, std::size_t rows, std::size_t columns, ToHost to_host);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  std::size_t rows() const;
  std::size_t columns() const;
  /// Sets the size. The contents stay as far as they fit: the row of the cursor, and of the others the upper ones.
  void resize(std::size_t rows, std::size_t columns);

  /// Takes what the host writes: UTF-8 and controls, cut anywhere. The host gets at most answers_max times as many
  /// bytes as it asked with, so an owner that reads no more of it while much waits to be sent has a bound.
  void write(ByteView bytes);
  static constexpr std::size_t answers_max = 8;

  /// Takes what the user types: the items of an input, up to one that breaks a rule.
  void type(ByteView items);

  /// Makes `screen` what the terminal shows, with its size and its cursor.
  void draw(Screen& screen) const;
  /// Whether the host has rung the bell since the last call.
  bool take_bell();

 private:
  struct Machine;
  const std::unique_ptr<Machine> machine_;
};

}  // namespace lekt
