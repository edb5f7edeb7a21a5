// What a host writes, on its way to libtsm (terminal.cc): turned into valid UTF-8, without what libtsm 4.0.2 reads
// wrong.
//
// - A byte that begins no character becomes U+FFFD. So libtsm never loses the escape that follows one.
// - libtsm chooses by the last byte of a sequence alone: it takes "is this mode set?" (CSI ? n $ p) for a reset, and
//   "modified keys" (CSI > 4 ; 2 m) for underlining. A sequence of another form than libtsm knows is cancelled (CAN).
// - libtsm would leave UTF-8 for good at CSI 62 ; 1 " p: cancelled.
// - libtsm maps Latin letters by G1, in which GNU Screen's terminfo puts line drawing (ESC ) 0): the right half stays
//   G3, which is Latin 1 and cannot be changed (ESC |).
// - An empty parameter becomes 0: libtsm forgets that "CSI ; 7 m" begins with a reset.
// - Setting margins moves the cursor home (CSI 2 ; 5 r).
// - A wide character that has one cell left in its row belongs into the next row. Only the terminal knows where the
//   cursor is, so before_wide stands before each wide character of a text. NUL means nothing otherwise, and is left
//   out.
// - GNU Screen's title (ESC k title ESC \) is no text. What strings say is left out, however long they are.
//
// It also hears the bell, of which libtsm says nothing. However the bytes are cut, the same comes out. It follows the
// states of the parser in libtsm, which are those of DEC's terminals.
//
// Belongs to its terminal.
#pragma once

#include <cstdint>
#include <utility>

#include "common/bytes.h"

namespace lekt {

class TerminalFilter {
 public:
  /// What a terminal has to read before anything else.
  static constexpr ByteView beginning = "\x1b|";

  /// A wide character follows.
  static constexpr char before_wide = '\0';

  /// Appends what the terminal is to read, at most growth_max times as many bytes.
  void read(ByteView bytes, Bytes& out);
  static constexpr std::size_t growth_max = 3;

  /// Whether the bell has rung since the last call.
  bool take_bell() { return std::exchange(has_rung_, false); }

 private:
  enum class State : std::uint8_t { text, escape, escape_with_more, csi, osc, string };

  std::size_t read_characters(ByteView text, Bytes& out);
  void read(char32_t character, Bytes& out);
  void begin(State state);
  bool read_anywhere(char32_t character, Bytes& out);
  void read_escape(char32_t character, Bytes& out);
  void read_csi(char32_t character, Bytes& out);
  bool is_known_csi(char32_t last) const;

  Bytes held_;  ///< the beginning of a character, at most 3 bytes
  State state_ = State::text;
  char prefix_ = 0;         ///< of a CSI: one of < = > ?
  char intermediate_ = 0;   ///< of a CSI: the last byte below '0'
  bool is_wrong_ = false;   ///< the escape has something that libtsm does not look at
  bool has_digit_ = false;  ///< the parameter is not empty
  bool has_several_ = false;
  bool has_rung_ = false;
};

}  // namespace lekt
