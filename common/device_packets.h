// Every datagram of the device protocol, drawn where it is coded. docs/device-protocol.md has the same pictures and the
// same bytes.
//
// A datagram is a head of 24 bytes and a body, which ends where the datagram ends. The head and each body are structs with
// one list of their fields, `fields(self, io)`. Reading and writing (common/datagram_fields.h) and printing
// (common/annotate_datagram.cc) all walk that list, so a field cannot exist on one side only.
//
//                  0        1        2        3
//              +--------+--------+--------+--------+
//            0 |  'L'   |  'E'   |  'K'   |  'T'   |
//              +--------+--------+--------+--------+
//            4 |  type  | MAJOR  | MINOR  | EXTRA  |   EXTRA: bit 0 is DTLS, in C P G Y only
//              +--------+--------+--------+--------+
//            8 | registration, u64, not 0          |   random, chosen by the device for each run of packets 1 to 4
//           16 | number, u32                       |   of this message, from 1, in each direction; 0: not numbered
//           20 | acknowledged, u32                 |   the highest number that came in order from the other side
//              +-----------------------------------+
//
// Texts and items that are read are views into the datagram. Nothing here throws on input.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/bytes.h"
#include "common/packets.h"

namespace lekt {

namespace limits {

/// The most bytes of a datagram. No network has to fragment it: IPv6 requires 1,280 bytes, of which IP, UDP and DTLS
/// need some.
inline constexpr std::size_t datagram_bytes_max = 1152;
inline constexpr std::size_t datagram_head_bytes = 24;
/// Room for the items of one message.
inline constexpr std::size_t screen_items_bytes_max = datagram_bytes_max - datagram_head_bytes;
inline constexpr std::size_t input_items_bytes_max = screen_items_bytes_max - 4;
/// The size of packets 1 and 3. No answer to them is larger, so nobody can be sent more bytes than a forger had to
/// send.
inline constexpr std::size_t device_request_bytes = 64;
inline constexpr std::size_t device_string_bytes_max = 1024;
/// The largest screen that a server sends; see SizeItem for what is read.
inline constexpr std::uint8_t screen_rows_max = 100;
inline constexpr std::uint8_t screen_columns_max = 200;

}  // namespace limits

/// The bit of EXTRA that offers DTLS, or agrees to it.
inline constexpr std::uint8_t extra_dtls = 1;

/// The secret that packet 2 gives and packet 3 brings back; the device does not look into it.
using Token = std::array<char, 16>;
/// Names a session. Whoever has it may resume the session, so it is a secret of the device and the server.
using Ticket = std::array<char, 16>;
inline constexpr Ticket no_ticket{};

/// Whether a session may end for this reason while its device is away: its host has hung up, or nobody has typed for too long.
/// The device is told once it comes back, and has no use for the ticket then.
constexpr bool ends_session_while_away(ErrorCode code) {
  return code == ErrorCode::host_hung_up || code == ErrorCode::session_idle;
}

enum class DatagramType : char {
  connection_request = 'C',
  connection_accept = 'P',
  registration_request = 'G',
  registration_accept = 'Y',
  get_device_config = 'Q',
  device_config = 'D',
  set_device_config = 'S',
  set_time = 'E',
  message = 'M',  ///< a screen to the device, an input to the server
  acknowledgment = 'N',
  bye = 'B',
  failure = 'F',
};

struct DatagramHead {
  DatagramType type{};
  Version version = version_spoken;
  std::uint64_t registration = 0;
  std::uint32_t number = 0;  ///< in a failure: the code
  std::uint32_t acknowledged = 0;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.head(self.type, self.version);
    io.registration("registration", self.registration);
    io.number(self.type, self.number);
    io.u32("acknowledged", self.acknowledged);
  }

  bool operator==(const DatagramHead&) const = default;
};

// ---- The handshake: packets 1 to 4 ----

/// Packet 1, device to the contact port: 40 zeros, which nobody looks at.
struct ConnectionRequest {
  static constexpr DatagramType type = DatagramType::connection_request;
  static constexpr std::string_view name = "connection request (1)";

  template <class Self, class Io>
  static void fields(Self&, Io& io) {
    io.filler(limits::device_request_bytes);
  }
  bool operator==(const ConnectionRequest&) const = default;
};

/// Packet 2, contact port to device.
///
///           24 | port, u16       | 0               |   the zeros are not looked at
///           28 | token, 16 bytes                   |
struct ConnectionAccept {
  static constexpr DatagramType type = DatagramType::connection_accept;
  static constexpr std::string_view name = "connection accept (2)";
  std::uint16_t port = 0;
  Token token{};

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.port("port", self.port);
    io.secret("token", self.token);
  }
  bool operator==(const ConnectionAccept&) const = default;
};

/// Packet 3, device to its dedicated port: the token, and 24 zeros, which nobody looks at.
struct RegistrationRequest {
  static constexpr DatagramType type = DatagramType::registration_request;
  static constexpr std::string_view name = "registration request (3)";
  Token token{};

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.secret("token", self.token);
    io.filler(limits::device_request_bytes);
  }
  bool operator==(const RegistrationRequest&) const = default;
};

/// Packet 4, dedicated port to device: the head alone.
struct RegistrationAccept {
  static constexpr DatagramType type = DatagramType::registration_accept;
  static constexpr std::string_view name = "registration accept (4)";

  template <class Self, class Io>
  static void fields(Self&, Io&) {}
  bool operator==(const RegistrationAccept&) const = default;
};

// ---- Configuration: packets 5 to 8 ----

/// Packet 5, server to device: says what you are. The head alone.
struct GetDeviceConfig {
  static constexpr DatagramType type = DatagramType::get_device_config;
  static constexpr std::string_view name = "getDeviceConfig (5)";

  template <class Self, class Io>
  static void fields(Self&, Io&) {}
  bool operator==(const GetDeviceConfig&) const = default;
};

/// Packet 6, device to server.
///
///           24 | ticket, 16 bytes; zeros: none     |
///           40 | string, 1 to 1,024 bytes 0x20-0x7e |   an empty one is read: it is unusable, and not malformed
struct DeviceConfig {
  static constexpr DatagramType type = DatagramType::device_config;
  static constexpr std::string_view name = "device config (6)";
  Ticket ticket{};
  ByteView string;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.secret("ticket", self.ticket);
    io.printable("string", self.string);
  }
  bool operator==(const DeviceConfig&) const = default;
};

/// The rules that a server may give to a device, which passes over those that it does not know or cannot follow.
enum class DeviceRule : std::uint32_t {
  keyboard_timeout = 1,   ///< seconds, 0: none
  backlight_timeout = 2,  ///< seconds, 0: none
  encryption = 3,         ///< 0 none, 1 DTLS is in force
  sessions = 4,           ///< how many one device may have
  headless = 5,           ///< 0 or 1; deprecated, sent only if a group sets it
  voice = 6,              ///< 0 or 1
  keep_alive = 7,         ///< seconds, 0: quiet
};

/// "keyboard timeout, s"; empty for a rule that is not known.
std::string_view rule_name(DeviceRule rule);

/// Packet 7, server to device.
///
///           24 | ticket, 16 bytes                  |
///           40 | input: the highest that the session has taken, u32 |
///           44 | rule, u32                         |   any number of these
///           48 | value, u32                        |
struct SetDeviceConfig {
  static constexpr DatagramType type = DatagramType::set_device_config;
  static constexpr std::string_view name = "setDeviceConfig (7)";
  Ticket ticket{};
  std::uint32_t input = 0;
  ByteView rules;  ///< as on the wire; see for_each_rule()

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.secret("ticket", self.ticket);
    io.u32("input accepted", self.input);
    io.rules(self.rules);
  }
  bool operator==(const SetDeviceConfig&) const = default;
};

/// Packet 8, server to device: the time, so that both logs have the same one.
///
///           24 | Unix seconds, i64                 |
///           32 | milliseconds, u32                 |   0 to 999
///           36 | seconds east of UTC, i32          |   at most a day either way
struct SetTime {
  static constexpr DatagramType type = DatagramType::set_time;
  static constexpr std::string_view name = "espSetTime (8)";
  std::int64_t seconds = 0;
  std::uint32_t milliseconds = 0;
  std::int32_t zone = 0;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.time("time", self.seconds, self.milliseconds);
    io.zone("zone", self.zone);
  }
  bool operator==(const SetTime&) const = default;
};

// ---- Service ----

/// Server to device: items of a screen (common/device_items.h). Without any it asks "are you there?".
struct ScreenMessage {
  static constexpr DatagramType type = DatagramType::message;
  static constexpr std::string_view name = "screen";
  ByteView items;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.screen_items(self.items);
  }
  bool operator==(const ScreenMessage&) const = default;
};

/// Device to server.
///
///           24 | input: its number in the session, u32 |
///           28 | items of an input (common/device_items.h) |
struct InputMessage {
  static constexpr DatagramType type = DatagramType::message;
  static constexpr std::string_view name = "input";
  std::uint32_t input = 0;
  ByteView items;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.u32("input", self.input);
    io.input_items(self.items);
  }
  bool operator==(const InputMessage&) const = default;
};

/// Either way, when nothing else is to be said. The head alone.
struct Acknowledgment {
  static constexpr DatagramType type = DatagramType::acknowledgment;
  static constexpr std::string_view name = "acknowledgment";

  template <class Self, class Io>
  static void fields(Self&, Io&) {}
  bool operator==(const Acknowledgment&) const = default;
};

/// Device to server: the user ends the session. The head alone.
struct Bye {
  static constexpr DatagramType type = DatagramType::bye;
  static constexpr std::string_view name = "bye";

  template <class Self, class Io>
  static void fields(Self&, Io&) {}
  bool operator==(const Bye&) const = default;
};

/// Server to device: the end of a registration, or the refusal of a datagram that belongs to none. The number in its head
/// is the code.
///
///           24 | UTF-8 text, which may be cut      |
struct DeviceFailure {
  static constexpr DatagramType type = DatagramType::failure;
  static constexpr std::string_view name = "failure";
  ByteView text;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.text("text", self.text);
  }
  bool operator==(const DeviceFailure&) const = default;
};

using BodyToServer =
    std::variant<ConnectionRequest, RegistrationRequest, DeviceConfig, InputMessage, Acknowledgment, Bye>;
using BodyToDevice = std::variant<ConnectionAccept, RegistrationAccept, GetDeviceConfig, SetDeviceConfig,
                                  SetTime, ScreenMessage, Acknowledgment, DeviceFailure>;

// ---- Reading and writing ----

/// Reads the head of a datagram that a server, or a device, received. Nothing for a datagram that gets no answer,
/// whoever sent it: one that is too short or too long, does not begin with "LEKT", has a type that this side does not
/// take, has registration 0, or has a number where none belongs or none where one belongs; a packet 1 or 3 that does
/// not have 64 bytes; and an N or B that is more than a head. Checking MAJOR and MINOR is left to the caller.
std::optional<DatagramHead> read_head_to_server(ByteView datagram);
std::optional<DatagramHead> read_head_to_device(ByteView datagram);

/// A body, or what is wrong with it and what would be right, in one line.
template <class Body>
using BodyOrFault = std::variant<Body, std::string>;

/// Reads the body of a datagram whose head has been read.
BodyOrFault<BodyToServer> read_body_to_server(const DatagramHead& head, ByteView datagram);
BodyOrFault<BodyToDevice> read_body_to_device(const DatagramHead& head, ByteView datagram);

/// Makes a datagram. The type in its head is that of the body, whatever `head` says.
template <class Body>
Bytes encode_datagram(DatagramHead head, const Body& body);

/// Makes the failure with this code. It has at most `bytes_max` bytes, which have to be enough for a head; its text is
/// cut at a character.
Bytes encode_failure(std::uint64_t registration, const Rejection& rejection,
                     std::size_t bytes_max = limits::datagram_bytes_max);

/// Updates the acknowledged number in a datagram that was encoded before.
void set_acknowledged(Bytes& datagram, std::uint32_t acknowledged);

/// Calls `use(DeviceRule, value)` for each rule of a packet 7.
template <class Use>
void for_each_rule(ByteView rules, Use use) {
  ByteReader reader(rules);
  while (reader.left() >= 8) {
    const auto rule = static_cast<DeviceRule>(reader.u32());
    use(rule, reader.u32());
  }
}

/// Appends a rule to those of a packet 7.
inline void append_rule(Bytes& rules, DeviceRule rule, std::uint32_t value) {
  ByteWriter writer(rules);
  writer.u32(static_cast<std::uint32_t>(rule));
  writer.u32(value);
}

}  // namespace lekt
