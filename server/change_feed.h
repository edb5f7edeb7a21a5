// The newest committed changes, for those who watch the server: they wait for what comes next.
//
// It keeps a bounded number, so whoever is too slow is told that he has missed some, and looks at the
// database again. One thread publishes, any number of threads wait.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "common/catalogue.h"
#include "storage/database.h"

namespace lekt {

class ChangeFeed {
 public:
  static constexpr std::size_t entries_max = 2000;

  struct Entry {
    std::uint64_t sequence = 0;
    std::int64_t second = 0;
    UpdateKind kind = UpdateKind::added;  ///< added, or its methods changed; removed
    Ipv4Address address;
    std::string methods;  ///< in words, as in the database; empty for a removal
  };
  struct News {
    std::vector<Entry> entries;  ///< ascending
    bool missed = false;         ///< some between `after` and the first entry are not kept any more
    bool closed = false;         ///< the server stops
  };

  void publish(std::span<const storage::Change> changes, const MethodCatalogue& catalogue);
  /// After a recovery, when what was stored may not have been published: everybody has missed something up
  /// to this sequence.
  void begin_anew(std::uint64_t sequence);
  /// Ends every wait, now and later.
  void close();

  /// Those after the sequence; waits at most so long for the first one. `after` ahead of everything that was
  /// published, as from before a restore, counts as missed.
  News wait(std::uint64_t after, std::chrono::milliseconds patience);
  std::uint64_t newest() const;

  /// Where it begins: the newest sequence in the database at the start.
  explicit ChangeFeed(std::uint64_t sequence) : newest_(sequence) {}

 private:
  mutable std::mutex mutex_;
  std::condition_variable published_;
  std::deque<Entry> entries_;
  std::uint64_t newest_;
  bool closed_ = false;
};

}  // namespace lekt
