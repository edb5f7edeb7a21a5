// What a device says of itself: the string of packet 6 (docs/device-protocol.md).
//
// Its fields end with '~' and are counted from 0:
//
//     AB~001~19~000~PDT9090_E5~16~26~09~01~0107~0000~000~0015708E863F~640~6006~1~20100118100852~S~WindowsCE      ~2~01~0~
//                   4 type     5  6  7  8  9              12 uid                                  18 system
//                              |  |  version 9.1.107
//                           rows  columns
//
// The other fields have no public meaning; whoever wants them keeps the whole string. Everything here has a limit, and
// nothing throws, whatever the bytes are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "common/bytes.h"

namespace lekt {

namespace limits {

/// Field 12 is the last one that a device has to have.
inline constexpr std::size_t device_string_fields_min = 13;
/// A longer uid is refused: cut off, it could be that of another device.
inline constexpr std::size_t device_uid_bytes_max = 32;
/// Types, systems and versions are for people and patterns, so a longer one is cut off.
inline constexpr std::size_t device_type_bytes_max = 64;
inline constexpr std::size_t device_system_bytes_max = 64;
inline constexpr std::size_t device_version_bytes_max = 24;
/// The longest name of a group, in the content of the method "device" and everywhere else.
inline constexpr std::size_t device_group_bytes_max = 32;
/// The longest content of the method "device".
inline constexpr std::size_t device_method_bytes_max = 200;

/// The screen of a device that does not say how large its own is.
inline constexpr std::uint8_t screen_rows_default = 24;
inline constexpr std::uint8_t screen_columns_default = 80;

}  // namespace limits

/// The fields that have a meaning, by their place in the string.
namespace device_field {
inline constexpr std::size_t type = 4;
inline constexpr std::size_t rows = 5;
inline constexpr std::size_t columns = 6;
inline constexpr std::size_t version = 7;  // and the two after it
inline constexpr std::size_t uid = 12;
inline constexpr std::size_t system = 18;
inline constexpr std::size_t known = 19;
}  // namespace device_field

struct DeviceString {
  std::string type;  ///< such as "PDT9090_E5"
  std::uint8_t rows = limits::screen_rows_default;
  std::uint8_t columns = limits::screen_columns_default;
  /// Whether the string has rows and columns that a screen can have; otherwise both are the default.
  bool has_size = false;
  std::string version;  ///< the three fields without their leading zeros: "9.1.107"
  std::string uid;      ///< a name and no key: everybody on the radio can see it
  std::string system;   ///< without the blanks around it; empty if the string is shorter

  /// Whether the uid tells this device from others. Devices that have no uid of their own send an empty one, or
  /// zeros with nothing but blanks and the separators of a MAC address between them.
  bool names_anybody() const;

  bool operator==(const DeviceString&) const = default;
};

/// Reads a string. If the string is unusable, returns what is wrong and what would be right, in one line: the text of
/// an E907. What follows the last '~' is no field, since it may be cut off.
std::variant<DeviceString, std::string> read_device_string(std::string_view string);

/// The content of the method "device", by which programs on the network know a device:
///
///     uid=0015708E863F,type=PDT9090_E5,screen=16x26,version=9.1.107,group=default
///
/// Bytes of values that are not A-Z a-z 0-9 . _ + @ / - become '_', so no value can end itself or begin another. A uid
/// or group beyond its limit is cut off here, so there are never more than limits::device_method_bytes_max bytes.
Bytes device_method_content(const DeviceString& device, std::string_view group);

/// What may be shown of a content that somebody else has written: each byte that device_method_content() never writes
/// becomes '_'. So it is one word without blanks and quotation marks.
std::string device_method_text(ByteView content);

/// Whether a pattern fits the type of a device. '*' stands for any number of bytes, '?' for one; the case of letters is
/// ignored. The time that it takes grows at most with the product of both lengths.
bool fits_type(std::string_view pattern, std::string_view type);

}  // namespace lekt
