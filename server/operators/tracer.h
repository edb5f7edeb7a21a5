// Protocol traces: every packet of some addresses, annotated, with times, in a file of its own. What an
// operator switches on for a device that says "Host Timeout".
//
// Bounded: in the number of traces, and in the time and the bytes of each. A trace that cannot be written any
// more ends, and the log says so.
//
// A thread of the tracer's own makes and writes the files (disk_thread.h), and nobody waits for it who serves.
// What it cannot write as fast as it comes is left out: a line in the file says how much, behind what was
// written before, and at the end of the trace how much it was in all.
//
// Callable from any thread; those that serve clients call it only for connections that it covers, and wait for
// each other while they annotate.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/annotate.h"
#include "common/block.h"
#include "common/catalogue.h"
#include "common/descriptor.h"
#include "common/mutex.h"
#include "server/core/output.h"
#include "server/operators/disk_thread.h"
#include "server/operators/status.h"

namespace lekt {

class Tracer {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  static constexpr std::size_t traces_max = 8;
  static constexpr std::uint64_t file_bytes_max = 64 * 1024 * 1024;
  static constexpr std::chrono::seconds duration_max = std::chrono::hours(24);
  /// Of one answer; what follows is only counted.
  static constexpr std::size_t annotated_bytes_max = 64 * 1024;

  /// How long start() and flush() wait for the disk.
  static constexpr std::chrono::seconds patience{4};

  /// Makes a file that is not there yet, to write into; on the tracer's thread. As open(2).
  using MakeFile = std::function<Descriptor(const std::filesystem::path& path)>;
  static Descriptor make_file(const std::filesystem::path& path);

  /// Files are made in this directory, readable for the server's group.
  explicit Tracer(std::filesystem::path directory, MakeFile make = make_file,
                  std::size_t queue_bytes_max = DiskThread::queue_bytes_max);
  /// Ends all traces, and waits for a disk that hangs some hundred milliseconds.
  ~Tracer();

  /// Waits for the disk. Throws CodedError E802 when there are too many, and E608 when the file cannot be made.
  /// A trace of the same block is ended before.
  TraceStatus start(const Block& block, std::chrono::seconds duration, Steady now);
  /// False when there is none. What still waits for the disk is written later.
  bool end(const Block& block);
  /// Ends those whose time has passed.
  void end_expired(Steady now);
  std::vector<TraceStatus> list(Steady now) const;
  /// Waits until everything that was noted before is written; false when the disk does not take it.
  bool flush(std::chrono::milliseconds limit = patience) { return thread_.finish(limit, limit); }
  /// Of all traces since the beginning: packets and notes that the disk did not take in time.
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

  // ---- For connections ----

  /// One number is read when nothing is traced.
  bool covers(Address address) const;
  /// Each call writes into all traces that cover the address.
  void received(Address address, std::uint64_t session, ByteView bytes, const MethodCatalogue& catalogue);
  void sent(Address address, std::uint64_t session, Output& output, const MethodCatalogue& catalogue);
  /// A datagram from or to a device at this port of its own.
  void datagram(Address address, std::uint16_t client_port, Direction direction, ByteView datagram);
  /// What happens besides packets: "connected", "ended: closed by the client".
  void note(Address address, std::uint64_t session, std::string_view what);
  /// The session is over; what it has not sent completely is written as it is.
  void forget(std::uint64_t session);

 private:
  /// Shared with the thread, which alone touches the descriptor.
  struct File {
    std::filesystem::path path;
    Descriptor descriptor{-1};
    std::atomic<std::uint64_t> bytes{0};  ///< written
    std::atomic<bool> failed{false};      ///< it cannot be written any more
  };

  struct Trace {
    Block block;
    std::shared_ptr<File> file;
    Steady ends;
    std::uint64_t bytes = 0;   ///< those that wait to be written included
    std::uint64_t lost = 0;    ///< packets and notes that did not fit
    std::uint64_t untold = 0;  ///< of these, not in a line of the file yet
    bool over = false;         ///< closed, or it cannot be written any more
  };

  /// The beginning of a packet whose end has not come yet.
  struct Partial {
    Address address;
    Bytes bytes;
  };

  std::shared_ptr<File> begin_file(const Block& block, const std::string& first_words);
  void write(Address address, std::uint64_t session, const std::string& what, const std::string& lines)
      LEKT_REQUIRES(mutex_);
  void write(Address address, const std::string& text) LEKT_REQUIRES(mutex_);
  void append(Trace& trace, std::string text) LEKT_REQUIRES(mutex_);
  bool end_all(const Block& block, const std::string& why) LEKT_REQUIRES(mutex_);
  void close(Trace& trace, const std::string& why) LEKT_REQUIRES(mutex_);
  bool is_covered(Address address) const LEKT_REQUIRES(mutex_);
  void traces_changed() LEKT_REQUIRES(mutex_);

  static void write_all(File& file, const std::string& text);
  static TraceStatus describe(const Trace& trace, std::chrono::duration<double> left);

  const std::filesystem::path directory_;
  const MakeFile make_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> lost_{0};
  mutable Mutex mutex_;
  std::vector<Trace> traces_ LEKT_GUARDED_BY(mutex_);
  std::unordered_map<std::uint64_t, Partial> partial_ LEKT_GUARDED_BY(mutex_);  ///< by session
  DiskThread thread_;
};

}  // namespace lekt
