#include "devices/terminal_filter.h"

#include <algorithm>

#include "common/character_width.h"
#include "common/utf8.h"

namespace lekt {

namespace {

constexpr char escape_byte = '\x1b';
constexpr char cancel_byte = '\x18';
constexpr char bell_byte = '\a';

bool is_printable_ascii(char byte) { return byte >= ' ' && byte <= '~'; }

/// Whether more bytes could make it a character.
bool is_cut_character(ByteView text) {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  if (lead < 0xc2 || lead > 0xf4) return false;
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return text.size() < bytes &&
         std::all_of(text.begin() + 1, text.end(), [](char byte) { return (byte & 0xc0) == 0x80; });
}

/// Whether it is a control. Within a sequence, a control is carried out at once, and the sequence continues.
bool is_control(char32_t character) { return character < U' ' || character == 0x7f; }

}  // namespace

void TerminalFilter::read(ByteView bytes, Bytes& out) {
  while (!held_.empty() && !bytes.empty()) {
    held_ += bytes.front();
    bytes.remove_prefix(1);
    held_.erase(0, read_characters(held_, out));
  }
  held_ += bytes.substr(read_characters(bytes, out));
}

/// Reads characters. Returns how many bytes it has read: all, or all but the beginning of a character.
std::size_t TerminalFilter::read_characters(ByteView text, Bytes& out) {
  std::size_t done = 0;
  while (done < text.size()) {
    if (state_ == State::text && is_printable_ascii(text[done])) {
      const auto* const begin = text.begin() + done;
      const auto* const end = std::find_if_not(begin, text.end(), is_printable_ascii);
      out.append(begin, end);
      done += static_cast<std::size_t>(end - begin);
      continue;
    }
    const ByteView rest = text.substr(done);
    const Utf8Character character = first_character(rest);
    if (!character.valid && is_cut_character(rest)) break;
    read(character.valid ? character.value : U'\ufffd', out);
    done += character.bytes;
  }
  return done;
}

void TerminalFilter::read(char32_t character, Bytes& out) {
  if (read_anywhere(character, out)) return;
  const bool is_string = state_ == State::osc || state_ == State::string;
  if (character == bell_byte && state_ != State::string) {
    if (is_string)
      begin(State::text);
    else
      has_rung_ = true;
    out += bell_byte;
    return;
  }
  if (is_string || character == 0) return;
  if (state_ == State::text && cells_of(character) == 2) out += before_wide;
  if (state_ == State::text || is_control(character)) {
    append_character(out, character);
    return;
  }
  if (state_ == State::csi)
    read_csi(character, out);
  else
    read_escape(character, out);
}

void TerminalFilter::begin(State state) {
  state_ = state;
  prefix_ = intermediate_ = 0;
  is_wrong_ = has_digit_ = has_several_ = false;
}

/// Reads a character that ends or begins a sequence wherever it stands. False if it is none of these.
bool TerminalFilter::read_anywhere(char32_t character, Bytes& out) {
  switch (character) {
    case 0x1b:
      begin(State::escape);
      break;
    case 0x90:  // DCS
    case 0x98:  // SOS
    case 0x9e:  // PM
    case 0x9f:  // APC
      begin(State::string);
      break;
    case 0x9b:
      begin(State::csi);
      break;
    case 0x9d:
      begin(State::osc);
      break;
    default:
      if (character != 0x18 && character != 0x1a && (character < 0x80 || character > 0x9f)) return false;
      begin(State::text);
  }
  append_character(out, character);
  return true;
}

void TerminalFilter::read_escape(char32_t character, Bytes& out) {
  const bool is_first = state_ == State::escape;
  if (character < U'0' || character > U'~') {
    // ISO 2022's ways to name a character set, and the space of "ESC SP F".
    is_wrong_ = is_wrong_ || std::u32string_view(U"()* ").find(character) == std::u32string_view::npos;
    state_ = State::escape_with_more;
    append_character(out, character);
    return;
  }
  const auto last = static_cast<char>(character);
  if (is_first && last == '[') {
    begin(State::csi);
  } else if (is_first && last == ']') {
    begin(State::osc);
  } else if (is_first && (last == 'P' || last == 'X' || last == '^' || last == '_')) {
    begin(State::string);
  } else if (is_first && last == 'k') {
    begin(State::string);
    out += '_';
    return;
  } else {
    const bool moves_right_half = is_first && (last == '|' || last == '}' || last == '~');
    out += is_wrong_ || moves_right_half ? cancel_byte : last;
    begin(State::text);
    if (is_first && (last == 'c' || last == '8')) out += beginning;
    return;
  }
  out += last;
}

void TerminalFilter::read_csi(char32_t character, Bytes& out) {
  if (character > U'~') {
    append_character(out, character);
    return;
  }
  const auto byte = static_cast<char>(character);
  const bool is_last = byte >= '@';
  if (is_last && !is_known_csi(character)) {
    out += cancel_byte;
    begin(State::text);
    return;
  }
  if (!has_digit_ && (byte == ';' || (is_last && has_several_))) out += '0';
  out += byte;
  if (is_last) {
    begin(State::text);
    if (byte == 'p') out += beginning;
    if (byte == 'r') out += "\x1b[H";
  } else if (byte >= '0' && byte <= '9') {
    has_digit_ = true;
  } else if (byte == ';') {
    has_digit_ = false;
    has_several_ = true;
  } else if (byte >= '<') {
    prefix_ = byte;
  } else if (byte < '0') {
    intermediate_ = intermediate_ == 0 ? byte : '/';
  }
}

/// Whether libtsm does what a sequence of this form means.
bool TerminalFilter::is_known_csi(char32_t last) const {
  if (intermediate_ != 0) return prefix_ == 0 && intermediate_ == '!' && last == U'p';
  switch (prefix_) {
    case 0:
      return last != U'p';
    case '?':
      return last == U'h' || last == U'l' || last == U'J' || last == U'K';
    case '>':
      return last == U'c';
    default:
      return false;
  }
}

}  // namespace lekt
