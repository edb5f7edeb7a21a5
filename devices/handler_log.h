// The handler log: what a programmer of devices reads to see which packet was lost. There is one file for each address,
// and one line for each event, with the local time that packet 8 gives to the device.
//
//     01/25/2010 08:29:43:029 - Device Handler Processing Registration for 10.10.225.150 at 10.10.225.150:3771
//
// An event is its level and its words; a line is made of it where it is written. Whatever bytes an event contains, it
// is one line, cannot control a terminal, and has a limit.
//
// Writes nothing and knows no clock: the files are their owner's, and the constants below are its policy.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/address.h"
#include "common/device_packets.h"
#include "common/device_string.h"

namespace lekt {

namespace limits {

/// The size of a full file. It becomes the one older copy, and a new one begins.
inline constexpr std::size_t handler_log_file_bytes = 256 * 1024;
/// The most addresses with a file and its older copy. For one more, the file that was written longest ago is removed.
inline constexpr std::size_t handler_log_files = 1000;
/// The most bytes of an event's words, before what is not printable is escaped. The longest string of a device fits.
inline constexpr std::size_t handler_words_bytes_max = 1280;

}  // namespace limits

/// What is logged. Each level has what those before it have.
enum class HandlerLevel : std::uint8_t {
  off,
  session,   ///< its start, its resumption and its end, and its connections to hosts
  protocol,  ///< packets 1 to 6, in the words that programmers of such devices know
  socket,    ///< each datagram, without its contents
};

/// A moment in the local time of the server. Years beyond 1970 to 9999 are shown as the nearest of these.
struct LoggedTime {
  std::chrono::milliseconds unix_time{0};
  std::chrono::seconds east{0};  ///< seconds east of UTC, at most a day either way

  bool operator==(const LoggedTime&) const = default;
};

/// "01/25/2010 08:29:42:549": month, day and year; hour, minute, second and millisecond.
std::string format_logged_time(LoggedTime time);

/// The address and port that datagrams of a device come from: "10.10.225.150:3771".
struct DeviceEndpoint {
  Address address;
  std::uint16_t port = 0;

  bool operator==(const DeviceEndpoint&) const = default;
};
std::string to_string(const DeviceEndpoint& endpoint);

struct HandlerEvent {
  HandlerLevel level = HandlerLevel::protocol;
  std::string words;  ///< any bytes; the line has them escaped
};

/// The line of an event, with its line feed; empty if the log leaves its level out.
std::string handler_line(HandlerLevel logged, LoggedTime time, const HandlerEvent& event);

/// "device-10.10.225.150.log", and its older copy "device-10.10.225.150.log.1".
std::string handler_log_file(Address device);
std::string handler_log_older_file(Address device);

namespace handler_event {

// ---- Protocol, in their order ----

/// Packet 1 has come.
HandlerEvent starting_session(Address device);
/// A port is chosen from the range; even when its socket is open already. `local` is the server's address.
HandlerEvent attempting_to_open(Address local, std::uint16_t first_port, std::uint16_t last_port);
HandlerEvent using_socket(Address local, std::uint16_t port);
/// Packet 2 is sent.
HandlerEvent sending_connect_accept(const DeviceEndpoint& device);
/// Packet 3 has come and registers.
HandlerEvent processing_registration(const DeviceEndpoint& device);
/// Packet 4 is sent.
HandlerEvent sending_registration_accept(const DeviceEndpoint& device);
/// Packet 5 is sent.
HandlerEvent getting_device_config();
/// Packet 6 has come.
HandlerEvent got_device_config(std::string_view string);
/// The string has no rows and columns that a screen can have.
HandlerEvent size_unusable(const DeviceString& device);

// ---- Session ----

HandlerEvent session_started(const DeviceString& device, std::string_view group);
/// The session continues at this address, with a new registration.
HandlerEvent session_resumed(std::string_view uid, const DeviceEndpoint& device);
/// `reason` in words that begin with a code, if there is one.
HandlerEvent session_ended(std::string_view uid, std::string_view reason);
/// `host` with its place: "wms (10.1.0.5:23)".
HandlerEvent host_connected(std::string_view uid, std::string_view host);
HandlerEvent host_lost(std::string_view uid, std::string_view host, std::string_view reason);
/// What operators are alerted to: "E909 wms (10.1.0.5:23) cannot be reached: connection refused".
HandlerEvent host_trouble(std::string_view uid, std::string_view trouble);

// ---- Socket ----

enum class Fate : std::uint8_t {
  received,
  duplicate,     ///< received, and dropped since it had come before
  out_of_order,  ///< received, and dropped since a message before it is missing
  sent,
  repeated,  ///< sent once more by the timer
};

/// A datagram of `bytes` bytes to or from the device.
HandlerEvent datagram(Fate fate, const DatagramHead& head, std::size_t bytes, const DeviceEndpoint& device);

}  // namespace handler_event

}  // namespace lekt
