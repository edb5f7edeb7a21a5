#include "client/command/capture_file.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>

#include "common/text.h"

namespace lekt::command {

namespace {

constexpr std::size_t file_header_bytes = 24;
constexpr std::size_t frame_header_bytes = 16;

/// Reads numbers in the byte order of the machine that wrote the file.
class PcapReader {
 public:
  PcapReader(ByteView input, bool swapped) : reader_(input), swapped_(swapped) {}

  std::uint16_t u16() {
    const std::uint16_t value = reader_.u16();
    return swapped_ ? __builtin_bswap16(value) : value;
  }
  std::uint32_t u32() {
    const std::uint32_t value = reader_.u32();
    return swapped_ ? __builtin_bswap32(value) : value;
  }
  ByteView take(std::size_t size) { return reader_.take(size); }
  std::size_t left() const { return reader_.left(); }

 private:
  ByteReader reader_;
  bool swapped_;
};

/// Whether the numbers of a pcap file with this magic number are little-endian; nothing if no pcap file has it. The
/// two kinds of file differ in the unit of their times, which do not matter here.
std::optional<bool> is_little_endian(std::uint32_t magic) {
  if (magic == 0xa1b2c3d4 || magic == 0xa1b23c4d) return false;
  if (magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1) return true;
  return std::nullopt;
}

Bytes bytes_of(std::string_view digits) { return parse_hex(digits).value_or(Bytes()); }

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

/// Cuts what comes before the next blank off the front of the text, and the blanks off what is left.
std::string_view next_word(std::string_view& text) {
  const std::string_view word = text.substr(0, std::min(text.find_first_of(" \t"), text.size()));
  text.remove_prefix(word.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return word;
}

struct DumpLine {
  std::size_t offset = 0;
  Bytes bytes;
};

/// Reads a line such as "0020  80 18 00 40 ..."; nothing if it is not like that.
std::optional<DumpLine> read_line(std::string_view line) {
  constexpr std::size_t digits_min = 4;
  constexpr std::size_t digits_max = 8;
  const std::string_view offset = next_word(line);
  if (offset.size() < digits_min || offset.size() > digits_max || !is_hex(offset)) return std::nullopt;
  DumpLine read;
  std::from_chars(offset.data(), offset.data() + offset.size(), read.offset, 16);
  // Text that follows the bytes is for people.
  while (!line.empty()) {
    const std::string_view word = next_word(line);
    if (word.size() != 2 || !is_hex(word)) break;
    read.bytes += bytes_of(word);
  }
  if (read.bytes.empty()) return std::nullopt;
  return read;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
    line.remove_suffix(1);
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return line;
}

/// Whether the input is a dump: the first line with an offset and bytes is the beginning of a frame.
bool is_dump(std::string_view input) {
  while (!input.empty()) {
    const std::string_view line = take_line(input);
    if (line.empty() || line.starts_with('#')) continue;
    if (const auto read = read_line(line)) return read->offset == 0;
    // Digits without an offset are the bytes of a conversation, and not the time of a frame.
    if (parse_hex(line) || line.find('\0') != line.npos) return false;
  }
  return false;
}

}  // namespace

std::optional<Frames> read_pcap(ByteView input) {
  if (input.starts_with("\x0a\x0d\x0d\x0a"))
    throw CaptureError("it is a pcapng file; make a pcap file of it: editcap -F pcap FILE NEW_FILE");
  if (input.starts_with("\x1f\x8b")) throw CaptureError("it is compressed; uncompress it first (gunzip)");
  if (input.size() < sizeof(std::uint32_t)) return std::nullopt;
  const auto little_endian = is_little_endian(ByteReader(input).u32());
  if (!little_endian) return std::nullopt;
  if (input.size() < file_header_bytes) throw CaptureError("its pcap header is cut off");
  PcapReader reader(input, *little_endian);
  reader.u32();
  const std::uint16_t version = reader.u16();
  if (version != 2)
    throw CaptureError("it is a pcap file of version " + std::to_string(version) + "; 2 can be read");
  reader.take(file_header_bytes - 4 - 2 - 4);
  Frames frames;
  frames.link_type = reader.u32() & 0xffff;  // the upper half has flags
  while (reader.left() > 0 && !frames.cut_off) {
    if (reader.left() < frame_header_bytes) {
      frames.cut_off = true;
      break;
    }
    reader.take(8);  // the time
    const std::size_t size = reader.u32();
    reader.u32();  // the size that it had on the network
    frames.cut_off = size > reader.left();
    frames.frames.emplace_back(reader.take(std::min(size, reader.left())));
  }
  return frames;
}

std::optional<Frames> read_dump(ByteView input) {
  if (!is_dump(input)) return std::nullopt;
  Frames frames;
  for (std::size_t number = 1; !input.empty(); ++number) {
    const std::string_view line = take_line(input);
    if (line.starts_with('#')) continue;
    const auto read = read_line(line);
    if (!read) continue;
    if (read->offset == 0) frames.frames.emplace_back();
    if (read->offset != frames.frames.back().size())
      throw CaptureError("line " + std::to_string(number) + " has another offset than the " +
                         std::to_string(frames.frames.back().size()) + " bytes of its frame before it");
    frames.frames.back() += read->bytes;
  }
  // Frames of Ethernet begin with addresses, those of IP with its version.
  const auto version = static_cast<std::uint8_t>(frames.frames.front().front()) >> 4;
  frames.link_type = version == 4 || version == 6 ? link_type::raw : link_type::ethernet;
  return frames;
}

}  // namespace lekt::command
