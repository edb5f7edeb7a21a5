#include "server/operators/change_feed.h"

#include <algorithm>

namespace lekt {

void ChangeFeed::publish(std::span<const storage::Change> changes, const MethodCatalogue& catalogue) {
  if (changes.empty()) return;
  {
    const MutexLock lock(mutex_);
    // Of a large batch only the newest would be kept anyway.
    for (const storage::Change& change : changes.last(std::min(changes.size(), entries_max)))
      entries_.push_back({change.sequence, change.second, change.kind, change.address, change.reason,
                          storage::stored_words(catalogue, change.methods)});
    while (entries_.size() > entries_max) entries_.pop_front();
    newest_ = changes.back().sequence;
  }
  published_.notify_all();
}

void ChangeFeed::begin_anew(std::uint64_t sequence) {
  {
    const MutexLock lock(mutex_);
    entries_.clear();
    newest_ = sequence;
  }
  published_.notify_all();
}

void ChangeFeed::close() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  published_.notify_all();
}

ChangeFeed::News ChangeFeed::wait(std::uint64_t after, std::chrono::milliseconds patience) {
  News news;
  const MutexLock lock(mutex_);
  published_.wait_for(mutex_, patience, [&]() LEKT_REQUIRES(mutex_) { return closed_ || newest_ != after; });
  news.closed = closed_;
  if (newest_ == after) return news;
  const auto first = std::ranges::upper_bound(entries_, after, {}, &Entry::sequence);
  news.entries.assign(first, entries_.end());
  news.missed = after > newest_ || news.entries.empty() || news.entries.front().sequence != after + 1;
  return news;
}

std::uint64_t ChangeFeed::newest() const {
  const MutexLock lock(mutex_);
  return newest_;
}

}  // namespace lekt
