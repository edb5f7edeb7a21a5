// Reassembles the bytes that TCP carried from captured frames: in order, each once.
//
// Bytes that were captured twice or late are put where they belong. Where bytes are missing, a stream ends and says
// so; it never joins bytes that were not next to each other. Memory is proportional to the input, and any input is
// accepted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "client/command/capture_file.h"
#include "common/bytes.h"

namespace lekt::command {

/// One direction of a connection.
struct TcpStream {
  std::string from;  ///< the sender, as "10.0.0.9:41727" or "[fe80::1]:41727"
  Bytes bytes;
  bool from_start = false;  ///< whether `bytes` begins where the connection began
  /// How many bytes after `bytes` were not captured; `behind_gap` captured ones follow them. 0: there is no gap.
  std::uint64_t gap = 0;
  std::uint64_t behind_gap = 0;
};

struct TcpConnection {
  /// From the side that connected if the capture shows it; otherwise from the side that sent first.
  TcpStream first;
  TcpStream second;
  bool client_known = false;  ///< whether `first` is from the side that connected
};

struct TcpStreams {
  std::vector<TcpConnection> connections;  ///< in the order in which they begin
  std::size_t frames_skipped = 0;          ///< frames without a whole TCP/IP header, and fragments
};

/// Reassembles the streams of all frames. Throws CaptureError for an unknown link type.
TcpStreams tcp_streams(const Frames& frames);

}  // namespace lekt::command
