#include "bench/micro/population.h"

#include <cassert>
#include <map>
#include <span>
#include <utility>

#include "common/catalogue.h"
#include "common/limits.h"

namespace lekt::bench {

namespace {

constexpr std::int64_t start = 1'700'000'000;
constexpr std::uint32_t first_address = 0x0a000000;
constexpr std::size_t batch_max = 256;
constexpr std::size_t small_batches = 100;
constexpr std::size_t small_batch = 10;

const Methods& methods() {
  static const Methods tcp{{tcp_index, tcp_information(7890)}};
  return tcp;
}

}  // namespace

Population::Population(Size size)
    : size_(size), log_(limits::packet_bytes_default), oldest_(size.removed), batch_(batch_max) {
  assert(size.registered > 0);
  state_ = {start + 1, 0, start, 0};
  storage::Change change{0, state_.second, UpdateKind::removed, {}, {}};
  for (std::size_t place = 0; place < size.removed + size.registered; ++place) {
    if (place == size.removed) {
      change.kind = UpdateKind::added;
      change.methods = methods();
    }
    change.sequence = ++state_.sequence;
    change.address = address(place);
    log_.restore(change);
  }
  log_.settle();
  // The first change of a pair is a removal, so the sequence must be even before it.
  if (state_.sequence % 2 != 0) ++state_.sequence;
  for (std::size_t index = 1; index < batch_.size(); index += 2) batch_[index].methods = methods();
  for (std::size_t count = 0; count < small_batches; ++count) {
    this->change(small_batch);
    pass_second();
  }
}

Address Population::address(std::size_t place) const {
  return Address::v4(first_address + static_cast<std::uint32_t>(place % (size_.removed + size_.registered)));
}

void Population::stamp(storage::Change& change) {
  change.sequence = ++state_.sequence;
  change.second = state_.second;
  if (change.sequence % 2 == 1) {
    change.kind = UpdateKind::removed;
    change.address = address(oldest_++);
  } else {
    change.kind = UpdateKind::added;
    change.address = address(oldest_ + size_.registered - 1);
  }
}

void Population::change(std::size_t count) {
  const std::size_t begin = state_.sequence % 2;  // so that every change finds the methods of its kind
  assert(begin + count <= batch_.size());
  const std::span<storage::Change> changes = std::span(batch_).subspan(begin, count);
  for (storage::Change& change : changes) stamp(change);
  log_.append(changes);
}

void Population::forget_removals() {
  const ChangeLog::Forgettable forgettable = log_.forgettable(state_.second + 1);
  if (forgettable.count == 0) return;
  log_.forget(state_.second + 1);
  state_.history_begins = forgettable.newest_second + 1;
  state_.forgotten_sequence = forgettable.newest_sequence;
}

std::shared_ptr<const ChangeView> Population::publish() { return log_.publish(state_, state_.second - 1); }

Population& population_of(Population::Size size) {
  static std::map<std::pair<std::size_t, std::size_t>, Population> made;
  return made.try_emplace({size.registered, size.removed}, size).first->second;
}

}  // namespace lekt::bench
