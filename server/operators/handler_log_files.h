// Writes the handler log of devices into files (handler_log_directory.h), for the thread that serves devices, which never
// waits for the disk: a thread of its own does, started with the first line (disk_thread.h).
//
// Lines gather while the disk is busy, and then go together. Those beyond queue_bytes_max are left out, as are those that a
// full disk refuses; a line in the file says how many are missing, and where. A disk that fails is told to the log and to
// operators once, and devices are served all the same.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "common/address.h"
#include "common/block.h"
#include "devices/handler_log.h"
#include "server/operators/disk_thread.h"
#include "server/operators/handler_log_directory.h"
#include "server/operators/warnings.h"

namespace lekt {

class HandlerLogFiles {
 public:
  struct Settings {
    HandlerLevel level = HandlerLevel::off;
    std::vector<Block> from;  ///< whom the log is about; none: all
  };

  struct Limits {
    HandlerLogDirectory::Limits directory{};
    /// Of lines that wait; as many may be on their way to the disk.
    std::size_t queue_bytes_max = DiskThread::queue_bytes_max / 2;
    /// All is well again when so long nothing has failed.
    std::chrono::milliseconds calm = std::chrono::seconds(10);
  };

  explicit HandlerLogFiles(const std::filesystem::path& directory);
  HandlerLogFiles(const std::filesystem::path& directory, const Limits& limits,
                  HandlerLogDirectory::OpenFile open = HandlerLogDirectory::open_file);
  /// Waits for a disk that hangs some hundred milliseconds.
  ~HandlerLogFiles();
  HandlerLogFiles(const HandlerLogFiles&) = delete;
  HandlerLogFiles& operator=(const HandlerLogFiles&) = delete;

  // ---- One thread, that of the devices ----

  /// For what happens from now on.
  void use(Settings settings) { settings_ = std::move(settings); }
  /// Whether an event of this level would be written; ask first where making it is work.
  bool covers(Address device, HandlerLevel level) const;
  void note(Address device, LoggedTime time, const HandlerEvent& event);

  // ---- Any thread ----

  /// Lines that are in no file, since the beginning.
  std::uint64_t lost() const;
  /// Raises the warning E623 if lines are being lost, and clears it when that is over. To be called now and then.
  void tell(Warnings& warnings);
  /// Waits until everything that was noted before is written, or has failed; false when the disk hangs.
  bool flush(std::chrono::milliseconds limit) { return thread_.finish(limit, limit); }

 private:
  struct Shared;

  const std::shared_ptr<Shared> shared_;  ///< with the thread, which may outlive this
  Settings settings_;
  DiskThread thread_;
};

}  // namespace lekt
