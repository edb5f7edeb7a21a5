// The two walkers of a datagram's fields: one reads and checks them, the other writes them. common/device_packets.h has
// the lists of fields, and what most of the program needs instead of this file.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/bytes.h"
#include "common/device_packets.h"

namespace lekt {

/// Reads the fields of one datagram in the order of the bytes. It ends at the first thing that is wrong or missing; later
/// fields keep their values. Invariant: consumed() is the end of the last field that was right.
class DatagramReader {
 public:
  /// `types`: the letters that the receiving side takes.
  DatagramReader(ByteView datagram, std::string_view types)
      : datagram_(datagram), types_(types), reader_(datagram) {}

  void head(DatagramType& type, Version& version);
  void registration(std::string_view name, std::uint64_t& registration);
  void number(DatagramType type, std::uint32_t& number);
  void u32(std::string_view name, std::uint32_t& value);
  void port(std::string_view name, std::uint16_t& port);
  void secret(std::string_view name, std::array<char, 16>& secret);
  void time(std::string_view name, std::int64_t& seconds, std::uint32_t& milliseconds);
  void zone(std::string_view name, std::int32_t& seconds_east);
  /// Passes over bytes that nobody looks at. The datagram must have exactly `size` bytes in all.
  void filler(std::size_t size);

  // The last field of a datagram takes all that is left.
  void printable(std::string_view name, ByteView& text);
  void text(std::string_view name, ByteView& text);
  void rules(ByteView& rules);
  void screen_items(ByteView& items);
  void input_items(ByteView& items);

  /// Passes over a head that has been read before.
  void pass_head() { reader_.take(limits::datagram_head_bytes); }
  /// Refuses bytes that are left over. `name` is that of the datagram.
  void end(std::string_view name);

  std::size_t consumed() const { return consumed_; }
  ByteView rest() const { return datagram_.substr(reader_.consumed()); }
  /// What is wrong and what would be right, in one line; nothing if all that was asked for is right.
  std::optional<std::string> fault() const;

 private:
  void refuse(std::string fault);
  bool stopped() const { return fault_ || reader_.ran_short(); }
  /// Notes that a field has ended.
  void done() {
    if (!stopped()) consumed_ = reader_.consumed();
  }

  ByteView datagram_;
  std::string_view types_;
  ByteReader reader_;
  std::size_t consumed_ = 0;
  std::optional<std::string> fault_;
};

/// Appends the fields of a datagram.
class DatagramWriter {
 public:
  explicit DatagramWriter(Bytes& out) : out_(out), writer_(out) {}

  void head(DatagramType type, const Version& version);
  void registration(std::string_view, std::uint64_t registration) { writer_.u64(registration); }
  void number(DatagramType, std::uint32_t number) { writer_.u32(number); }
  void u32(std::string_view, std::uint32_t value) { writer_.u32(value); }
  void port(std::string_view, std::uint16_t port);
  void secret(std::string_view, const std::array<char, 16>& secret) {
    writer_.bytes({secret.data(), secret.size()});
  }
  void time(std::string_view, std::int64_t seconds, std::uint32_t milliseconds);
  void zone(std::string_view, std::int32_t seconds_east) { writer_.i32(seconds_east); }
  void filler(std::size_t size) { writer_.zeros(size - out_.size()); }
  void printable(std::string_view, ByteView text) { writer_.bytes(text); }
  void text(std::string_view, ByteView text) { writer_.bytes(text); }
  void rules(ByteView rules) { writer_.bytes(rules); }
  void screen_items(ByteView items) { writer_.bytes(items); }
  void input_items(ByteView items) { writer_.bytes(items); }

 private:
  Bytes& out_;
  ByteWriter writer_;
};

/// Whether datagrams of this type carry a number of their own. A failure has its code in the same place.
bool is_numbered(DatagramType type);

/// The letters of all bodies of a variant, which are those that the receiving side takes.
template <class Bodies>
struct TypesOf;
template <class... Bodies>
struct TypesOf<std::variant<Bodies...>> {
  static constexpr char letters[] = {static_cast<char>(Bodies::type)...};
  static constexpr std::string_view value{letters, sizeof...(Bodies)};
};

/// Calls `use.template operator()<Body>()` for the body of this type. Returns whether there is one.
template <class... Bodies, class Use>
bool with_body_of(const std::variant<Bodies...>*, DatagramType type, Use use) {
  const auto is_used = [&]<class Body>(const Body*) {
    if (type != Body::type) return false;
    use.template operator()<Body>();
    return true;
  };
  return (is_used(static_cast<const Bodies*>(nullptr)) || ...);
}

}  // namespace lekt
