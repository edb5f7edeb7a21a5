// Keeps the file of --output up to date, on a thread of its own, so that neither a hanging nor a full disk holds
// up the membership.
//
// Only the newest text is kept. A failure to write is reported once, and so is its end; meanwhile the keeper tries
// again and again. It looks at the file every few seconds, and writes it anew if somebody has removed or changed
// it.
//
// All calls come from one thread. The end does not wait for a disk that hangs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "client/command/output_file.h"

namespace lekt::command {

class FileKeeper {
 public:
  struct Times {
    std::chrono::milliseconds look_every{5000};
    std::chrono::milliseconds retry_first{1000};  ///< doubled after each failure
    std::chrono::milliseconds retry_last{30000};
  };

  /// Calls `on_written` with the version that the file holds, on the keeper's thread.
  FileKeeper(OutputFile file, std::function<void(std::uint64_t)> on_written, const Times& times);
  FileKeeper(OutputFile file, std::function<void(std::uint64_t)> on_written)
      : FileKeeper(std::move(file), std::move(on_written), Times{}) {}
  /// Waits a moment for the text that is being written, and tries once more to write one that failed.
  ~FileKeeper();
  FileKeeper(const FileKeeper&) = delete;
  FileKeeper& operator=(const FileKeeper&) = delete;

  /// Sets the text that the file is to hold. Versions ascend.
  void put(std::string text, std::uint64_t version);

  /// Whether the newest text was written within this time; it is tried at least once.
  bool finish(std::chrono::milliseconds limit);
  /// Whether the last attempt to write has failed.
  bool has_failed() const;

 private:
  struct State;
  static void keep(State& state);

  const std::shared_ptr<State> state_;
};

}  // namespace lekt::command
