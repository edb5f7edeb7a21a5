// The terminal that a host draws on: what a VT220 is, or a terminal with 256 colours, over libtsm.
//
// A host's bytes go in, the grid comes out as a Screen (common/screen.h), and what a user types comes out as the bytes that
// a host expects of such a terminal. Whatever bytes a host sends, nothing is thrown and the size stays what it was set to.
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
  /// What the terminal has for the host: answers to its questions, and what is typed.
  using ToHost = std::function<void(ByteView)>;

  /// `term`: the type that the host was told (DeviceHost::term). Throws std::bad_alloc.
  Terminal(std::string_view term, std::size_t rows, std::size_t columns, ToHost to_host);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  std::size_t rows() const;
  std::size_t columns() const;
  /// What is on it stays as far as it fits.
  void resize(std::size_t rows, std::size_t columns);

  /// The host writes: UTF-8 and controls, cut anywhere.
  void write(ByteView bytes);
  /// The user types the items of an input.
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
