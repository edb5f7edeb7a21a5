// Protocol traces: every packet of some addresses, annotated, with times, in a file of its own. What an
// operator switches on for a device that says "Host Timeout".
//
// Bounded: so many traces, each for a limited time and so many bytes. A trace that cannot be written any
// more ends, and the log says so.
//
// Callable from any thread; those that serve clients call it only for connections that it covers, and wait
// for each other and for the disk while they write.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/annotate.h"
#include "common/catalogue.h"
#include "common/cidr.h"
#include "common/descriptor.h"
#include "server/output.h"
#include "server/status.h"

namespace lekt {

class Tracer {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  static constexpr std::size_t traces_max = 8;
  static constexpr std::uint64_t file_bytes_max = 64 * 1024 * 1024;
  static constexpr std::chrono::seconds duration_max = std::chrono::hours(24);
  /// Of one answer; what follows is only counted.
  static constexpr std::size_t annotated_bytes_max = 64 * 1024;

  /// Files are made in this directory, readable for the server's group.
  explicit Tracer(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Throws CodedError E608 when there are too many, or when the file cannot be made. One of the same block
  /// is ended before.
  TraceStatus start(const Cidr& block, std::chrono::seconds duration, Steady now);
  /// False when there is none.
  bool end(const Cidr& block);
  /// Ends those whose time has passed.
  void end_expired(Steady now);
  std::vector<TraceStatus> list(Steady now) const;

  // ---- For connections ----

  /// One number is read when nothing is traced.
  bool covers(Ipv4Address address) const;
  /// Each call writes into all traces that cover the address.
  void received(Ipv4Address address, std::uint64_t session, ByteView bytes, const MethodCatalogue& catalogue);
  void sent(Ipv4Address address, std::uint64_t session, Output& output, const MethodCatalogue& catalogue);
  /// What happens besides packets: "connected", "left: closed by the client".
  void note(Ipv4Address address, std::uint64_t session, std::string_view what);
  /// The session is over; what it has not sent completely is written as it is.
  void forget(std::uint64_t session);

 private:
  struct Trace {
    Cidr block;
    std::filesystem::path file;
    Descriptor descriptor;
    Steady ends;
    std::uint64_t bytes = 0;
    bool over = false;  ///< closed, or it cannot be written any more
  };

  /// The beginning of a packet whose end has not come yet.
  struct Partial {
    Ipv4Address address;
    Bytes bytes;
  };

  void write(Ipv4Address address, std::uint64_t session, const std::string& what, const std::string& lines);
  void append(Trace& trace, const std::string& text);
  void close(Trace& trace, const std::string& why);
  bool is_covered(Ipv4Address address) const;
  void traces_changed();

  const std::filesystem::path directory_;
  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;  ///< for what follows
  std::vector<Trace> traces_;
  std::unordered_map<std::uint64_t, Partial> partial_;  ///< by session
};

}  // namespace lekt
