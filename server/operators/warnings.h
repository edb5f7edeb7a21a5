// What is wrong with the server now. Any thread raises and clears; the log says it where it happens, and one
// thread takes what has changed to where operators see it later.
#pragma once

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/errors.h"
#include "common/mutex.h"
#include "server/operators/clock.h"
#include "storage/database.h"

namespace lekt {

class Warnings {
 public:
  /// A warning that is also shown in the database. The first call for a code says since when it holds.
  void raise(ErrorCode code, const std::string& message) { add(code, message, true); }

  /// A warning about the database itself, which cannot be shown there.
  void note(ErrorCode code, const std::string& message) { add(code, message, false); }

  /// Ends a warning of either kind; does nothing when there is none.
  void clear(ErrorCode code) {
    const MutexLock lock(mutex_);
    const auto found = find(code);
    if (found == entries_.end()) return;
    has_changed_ |= found->is_stored;
    entries_.erase(found);
  }

  /// All warnings, the oldest first.
  std::vector<storage::Warning> list() const {
    const MutexLock lock(mutex_);
    return list_if([](const Entry&) { return true; });
  }

  /// The warnings that the database shows, if they have changed since the last call. One thread.
  std::optional<std::vector<storage::Warning>> take() {
    const MutexLock lock(mutex_);
    if (!std::exchange(has_changed_, false)) return std::nullopt;
    return list_if([](const Entry& entry) { return entry.is_stored; });
  }

 private:
  struct Entry {
    storage::Warning warning;
    bool is_stored;
  };

  std::vector<Entry>::iterator find(ErrorCode code) LEKT_REQUIRES(mutex_) {
    return std::ranges::find(entries_, code, [](const Entry& entry) { return entry.warning.code; });
  }

  void add(ErrorCode code, const std::string& message, bool is_stored) {
    const MutexLock lock(mutex_);
    const auto found = find(code);
    if (found == entries_.end())
      entries_.push_back({{code, wall_seconds(), message}, is_stored});
    else
      found->warning.message = message;
    has_changed_ |= is_stored;
  }

  template <class Condition>
  std::vector<storage::Warning> list_if(Condition condition) const LEKT_REQUIRES(mutex_) {
    std::vector<storage::Warning> list;
    for (const Entry& entry : entries_)
      if (condition(entry)) list.push_back(entry.warning);
    return list;
  }

  mutable Mutex mutex_;
  std::vector<Entry> entries_ LEKT_GUARDED_BY(mutex_);
  bool has_changed_ LEKT_GUARDED_BY(mutex_) =
      false;  ///< whether those that the database shows have, since take()
};

}  // namespace lekt
