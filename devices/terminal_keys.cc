#include "devices/terminal_keys.h"

#include <array>
#include <string>

#include "common/utf8.h"

namespace lekt {

namespace {

constexpr char escape_key = '\x1b';

/// Keys that send a number, `CSI number ~`. F5 is not on a VT220; F21 to F24 go on as xterm's would.
struct NumberedKey {
  Key key;
  int number;
};

constexpr Key function_key(int number) { return static_cast<Key>(static_cast<int>(Key::f1) + number - 1); }

constexpr NumberedKey numbered_keys[] = {
    {Key::home, 1},         {Key::insert, 2},       {Key::remove, 3},       {Key::end, 4},
    {Key::page_up, 5},      {Key::page_down, 6},    {function_key(5), 15},  {function_key(6), 17},
    {function_key(7), 18},  {function_key(8), 19},  {function_key(9), 20},  {function_key(10), 21},
    {function_key(11), 23}, {function_key(12), 24}, {function_key(13), 25}, {function_key(14), 26},
    {function_key(15), 28}, {function_key(16), 29}, {function_key(17), 31}, {function_key(18), 32},
    {function_key(19), 33}, {function_key(20), 34}, {function_key(21), 42}, {function_key(22), 43},
    {function_key(23), 44}, {function_key(24), 45},
};

/// Keys that send a letter: `ESC O letter`, and `CSI 1 ; modifiers letter` with modifiers.
struct LetteredKey {
  Key key;
  char letter;
};

constexpr LetteredKey lettered_keys[] = {
    {Key::up, 'A'},         {Key::down, 'B'},       {Key::right, 'C'},      {Key::left, 'D'},
    {function_key(1), 'P'}, {function_key(2), 'Q'}, {function_key(3), 'R'}, {function_key(4), 'S'},
};

void append_numbered(Bytes& out, int number, int told) {
  out += "\x1b[" + std::to_string(number);
  if (told != 0) out += ";" + std::to_string(1 + told);
  out += '~';
}

void append_lettered(Bytes& out, char letter, int told) {
  out += told == 0 ? "\x1bO" : "\x1b[1;" + std::to_string(1 + told);
  out += letter;
}

/// What control makes of an ASCII character, as on a VT220; the character itself if nothing.
char32_t with_control(char32_t character) {
  if (character == U'?' || character == U'8') return 0x7f;
  if (character == U' ' || character == U'2') return 0;
  if (character == U'/') return 0x1f;
  if (character >= U'3' && character <= U'7') return character - U'3' + 0x1b;
  if (character >= U'@' && character <= U'~') return character & 0x1f;
  return character;
}

}  // namespace

void append_key(Bytes& out, const KeyItem& key, bool tells_modifiers) {
  const bool has_shift = (key.modifiers & modifiers::shift) != 0;
  const bool has_control = (key.modifiers & modifiers::control) != 0;
  if ((key.modifiers & modifiers::alt) != 0) out += escape_key;
  if (key.key == Key::tab) {
    out += has_shift ? "\x1b[Z" : "\t";
  } else if (key.key == Key::backspace) {
    out += has_control ? '\b' : '\x7f';
  } else if (key.key == Key::escape) {
    out += escape_key;
  } else {
    const int told = tells_modifiers ? key.modifiers & (modifiers::shift | modifiers::control) : 0;
    for (const NumberedKey& known : numbered_keys)
      if (known.key == key.key) return append_numbered(out, known.number, told);
    for (const LetteredKey& known : lettered_keys)
      if (known.key == key.key) return append_lettered(out, known.letter, told);
  }
}

void append_chord(Bytes& out, const ChordItem& chord) {
  if ((chord.modifiers & modifiers::alt) != 0) out += escape_key;
  const bool has_control = (chord.modifiers & modifiers::control) != 0;
  append_character(out, has_control ? with_control(chord.character) : chord.character);
}

}  // namespace lekt
