#include "common/datagram_fields.h"

#include <algorithm>

#include "common/device_items.h"
#include "common/text.h"

namespace lekt {

namespace {

constexpr std::uint32_t fraction_milliseconds_max = 999;
constexpr std::int32_t zone_max = 24 * 60 * 60;

std::string letter_text(char letter) { return "'" + escape(std::string_view(&letter, 1)) + "'"; }

std::string letters_text(std::string_view letters) {
  std::string text;
  for (const char letter : letters) text += (text.empty() ? "" : " ") + letter_text(letter);
  return text;
}

std::string bytes_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

}  // namespace

bool is_numbered(DatagramType type) {
  switch (type) {
    case DatagramType::get_device_config:
    case DatagramType::device_config:
    case DatagramType::set_device_config:
    case DatagramType::set_time:
    case DatagramType::message:
      return true;
    default:
      return false;
  }
}

// ---- Reading ----

void DatagramReader::refuse(std::string fault) {
  if (!stopped()) fault_ = std::move(fault);
}

std::optional<std::string> DatagramReader::fault() const {
  if (fault_ || !reader_.ran_short()) return fault_;
  return "the datagram is cut off: it has " + bytes_text(datagram_.size());
}

void DatagramReader::head(DatagramType& type, Version& version) {
  if (datagram_.size() > limits::datagram_bytes_max)
    refuse("the datagram has " + bytes_text(datagram_.size()) + "; at most " +
           std::to_string(limits::datagram_bytes_max) + " would be right");
  const ByteView begin = reader_.take(packet_begins.size());
  const auto letter = static_cast<char>(reader_.u8());
  const Version read{reader_.u8(), reader_.u8(), reader_.u8()};
  if (stopped()) return;
  if (begin != packet_begins)
    refuse("the datagram begins with " + quote_bytes(begin) + "; \"LEKT\" would be right");
  else if (types_.find(letter) == types_.npos)
    refuse("a datagram of type " + letter_text(letter) + " came; one of " + letters_text(types_) +
           " would be right");
  if (stopped()) return;
  type = static_cast<DatagramType>(letter);
  version = read;
  done();
}

void DatagramReader::registration(std::string_view name, std::uint64_t& registration) {
  if (stopped()) return;
  const std::uint64_t read = reader_.u64();
  if (read == 0) refuse("the " + std::string(name) + " is 0, which none has");
  if (!stopped()) registration = read;
  done();
}

void DatagramReader::number(DatagramType type, std::uint32_t& number) {
  if (stopped()) return;
  const std::uint32_t read = reader_.u32();
  const auto begin = [&] { return "a datagram of type " + letter_text(static_cast<char>(type)) + " came "; };
  if (type == DatagramType::failure && read == 0)
    refuse("the code of a failure is 0, which is none");
  else if (is_numbered(type) && read == 0)
    refuse(begin() + "without a number; they begin with 1");
  else if (!is_numbered(type) && type != DatagramType::failure && read != 0)
    refuse(begin() + "with number " + std::to_string(read) + "; 0 would be right, since it is not numbered");
  if (!stopped()) number = read;
  done();
}

void DatagramReader::u32(std::string_view, std::uint32_t& value) {
  if (!stopped()) value = reader_.u32();
  done();
}

void DatagramReader::port(std::string_view name, std::uint16_t& port) {
  if (stopped()) return;
  port = reader_.u16();
  reader_.u16();  // zeros, so that the token is aligned
  if (port == 0) refuse("the " + std::string(name) + " is 0; 1 to 65535 would be right");
  done();
}

void DatagramReader::secret(std::string_view, std::array<char, 16>& secret) {
  if (stopped()) return;
  const ByteView taken = reader_.take(secret.size());
  std::ranges::copy(taken, secret.begin());
  done();
}

void DatagramReader::time(std::string_view name, std::int64_t& seconds, std::uint32_t& milliseconds) {
  if (stopped()) return;
  seconds = reader_.i64();
  milliseconds = reader_.u32();
  if (milliseconds > fraction_milliseconds_max)
    refuse("the " + std::string(name) + " has " + std::to_string(milliseconds) + " milliseconds; 0 to " +
           std::to_string(fraction_milliseconds_max) + " would be right");
  done();
}

void DatagramReader::zone(std::string_view name, std::int32_t& seconds_east) {
  if (stopped()) return;
  seconds_east = reader_.i32();
  if (seconds_east < -zone_max || seconds_east > zone_max)
    refuse("the " + std::string(name) + " is " + std::to_string(seconds_east) + "; -" +
           std::to_string(zone_max) + " to " + std::to_string(zone_max) + " would be right");
  done();
}

void DatagramReader::filler(std::size_t size) {
  if (stopped()) return;
  reader_.take(reader_.left());
  if (datagram_.size() != size)
    refuse("the datagram has " + bytes_text(datagram_.size()) + "; " + std::to_string(size) +
           " would be right");
  done();
}

void DatagramReader::printable(std::string_view name, ByteView& text) {
  if (stopped()) return;
  const ByteView read = reader_.take(reader_.left());
  const auto wrong = std::ranges::find_if_not(read, [](char byte) { return byte >= ' ' && byte <= '~'; });
  if (read.size() > limits::device_string_bytes_max)
    refuse("the " + std::string(name) + " has " + bytes_text(read.size()) + "; at most " +
           std::to_string(limits::device_string_bytes_max) + " would be right");
  else if (wrong != read.end())
    refuse("byte " + std::to_string(wrong - read.begin()) + " of the " + std::string(name) + " is 0x" +
           to_hex(ByteView(&*wrong, 1)) + "; 0x20 to 0x7e would be right");
  if (!stopped()) text = read;
  done();
}

void DatagramReader::text(std::string_view, ByteView& text) {
  if (!stopped()) text = reader_.take(reader_.left());
  done();
}

void DatagramReader::rules(ByteView& rules) {
  if (stopped()) return;
  const ByteView read = reader_.take(reader_.left());
  if (read.size() % 8 != 0)
    refuse("the rules have " + bytes_text(read.size()) + "; a multiple of 8 would be right");
  if (!stopped()) rules = read;
  done();
}

void DatagramReader::screen_items(ByteView& items) {
  if (stopped()) return;
  const ByteView read = reader_.take(reader_.left());
  if (auto wrong = for_each_screen_item(read, [](const auto&) {})) refuse(*std::move(wrong));
  if (!stopped()) items = read;
  done();
}

void DatagramReader::input_items(ByteView& items) {
  if (stopped()) return;
  const ByteView read = reader_.take(reader_.left());
  if (auto wrong = for_each_input_item(read, [](const auto&) {})) refuse(*std::move(wrong));
  if (!stopped()) items = read;
  done();
}

void DatagramReader::end(std::string_view name) {
  if (reader_.left() > 0)
    refuse("the datagram has " + bytes_text(datagram_.size()) + "; \"" + std::string(name) + "\" has " +
           std::to_string(reader_.consumed()));
}

// ---- Writing ----

void DatagramWriter::head(DatagramType type, const Version& version) {
  writer_.bytes(packet_begins);
  writer_.u8(static_cast<std::uint8_t>(type));
  writer_.u8(version.major);
  writer_.u8(version.minor);
  writer_.u8(version.extra);
}

void DatagramWriter::port(std::string_view, std::uint16_t port) {
  writer_.u16(port);
  writer_.zeros(2);
}

void DatagramWriter::time(std::string_view, std::int64_t seconds, std::uint32_t milliseconds) {
  writer_.i64(seconds);
  writer_.u32(milliseconds);
}

}  // namespace lekt
