// The newest committed changes, for watchers, which wait for what comes next.
//
// The feed keeps a bounded number of changes. A watcher that is too slow is told that it has missed some, and looks at
// the database again. One thread publishes, any number of threads wait.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "common/catalogue.h"
#include "common/leave_reason.h"
#include "common/mutex.h"
#include "storage/database.h"
#include "storage/reader.h"

namespace lekt {

class ChangeFeed {
 public:
  static constexpr std::size_t entries_max = 2000;

  struct Entry {
    std::uint64_t sequence = 0;
    std::int64_t second = 0;
    UpdateKind kind = UpdateKind::added;  ///< added, or its methods changed; removed
    Address address;
    LeaveReason reason = LeaveReason::unknown;  ///< why it was removed
    std::string methods;                        ///< in words, as in the database; empty for a removal

    /// As of a stored change, but of kind "added" also when only its methods have changed.
    template <class Self, class Io>
    static void fields(Self& self, Io& io) {
      storage::change_fields(self, io);
    }
  };
  struct News {
    std::vector<Entry> entries;  ///< ascending
    bool missed = false;         ///< some between `after` and the first entry are not kept any more
    bool closed = false;         ///< whether the server stops
  };

  void publish(std::span<const storage::Change> changes, const MethodCatalogue& catalogue);
  /// Notes that everybody may have missed changes up to this sequence: after a recovery, stored changes may not have been
  /// published.
  void begin_anew(std::uint64_t sequence);
  /// Ends every wait, now and later.
  void close();

  /// The entries after the sequence; waits for the first one for at most `patience`. If `after` is ahead of everything
  /// that was published, as from before a restore, entries count as missed.
  News wait(std::uint64_t after, std::chrono::milliseconds patience);
  std::uint64_t newest() const;

  /// Sets where the feed begins: the newest sequence in the database at the start.
  explicit ChangeFeed(std::uint64_t sequence) : newest_(sequence) {}

 private:
  mutable Mutex mutex_;
  ConditionVariable published_;
  std::deque<Entry> entries_ LEKT_GUARDED_BY(mutex_);
  std::uint64_t newest_ LEKT_GUARDED_BY(mutex_);
  bool closed_ LEKT_GUARDED_BY(mutex_) = false;
};

}  // namespace lekt
