// Files in which tcpdump, Wireshark or a person recorded a network: pcap, and frames as lines of hexadecimal.
//
// It knows files, not protocols. Memory is proportional to the input. It accepts any input, and throws nothing
// but CaptureError.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <vector>

#include "common/bytes.h"

namespace lekt::command {

/// What the bytes of a frame begin with, by its number in pcap files.
namespace link_type {
inline constexpr std::uint32_t null = 0;  ///< the family, 4 bytes in the machine's order
inline constexpr std::uint32_t ethernet = 1;
inline constexpr std::uint32_t raw_bsd = 12;  ///< IPv4 or IPv6
inline constexpr std::uint32_t raw_openbsd = 14;
inline constexpr std::uint32_t raw = 101;
inline constexpr std::uint32_t loop = 108;       ///< the family, 4 bytes, big-endian
inline constexpr std::uint32_t linux_sll = 113;  ///< `tcpdump -i any`
inline constexpr std::uint32_t ipv4 = 228;
inline constexpr std::uint32_t ipv6 = 229;
inline constexpr std::uint32_t linux_sll2 = 276;
}  // namespace link_type

struct Frames {
  std::uint32_t link_type = link_type::raw;
  std::vector<Bytes> frames;
  bool cut_off = false;  ///< whether the file ends in the middle of a frame
};

/// Says what is wrong with a file, in half a sentence.
class CaptureError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The frames of a pcap file, in either byte order, with microseconds or nanoseconds. Nothing if the input is no
/// pcap file. Throws CaptureError for one that cannot be used, and for pcapng and compressed files.
std::optional<Frames> read_pcap(ByteView input);

/// The frames of a text as text2pcap reads it: an offset and the bytes in each line, a new frame where the
/// offset is 0; lines that begin with '#' and lines without an offset are skipped. Nothing if the input is no
/// such text. Throws CaptureError for an offset that does not fit.
std::optional<Frames> read_dump(ByteView input);

}  // namespace lekt::command
