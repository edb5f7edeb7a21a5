#include "server/core/change_log.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace lekt {

namespace {

/// A piece never grows beyond this, so that its 32-bit offsets hold.
constexpr std::size_t piece_bytes_max = std::size_t{1} << 30;

/// The full list is encoded anew when the changes since outgrow half of it, or this when it is small.
constexpr std::size_t full_list_slack = 64 * 1024;

/// Superseded entries that are kept before everything is compacted, besides as many as there are addresses.
constexpr std::size_t stale_entries_slack = 4096;

/// Where the address stands in an entry: behind the size of an added one, at the start of a removed one.
constexpr std::size_t address_offset(UpdateKind kind) { return kind == UpdateKind::added ? 4 : 0; }

Address address_of(ByteView entry, UpdateKind kind) {
  return Address::v4(ByteReader(entry.substr(address_offset(kind))).u32());
}

const Piece::Side& side_of(const Piece& piece, UpdateKind kind) {
  return kind == UpdateKind::added ? piece.added : piece.removed;
}

std::size_t bytes_of(const Piece& piece) { return piece.added.bytes.size() + piece.removed.bytes.size(); }

/// What the piece takes on the heap.
std::size_t memory_of(const Piece& piece) {
  const auto side = [](const Piece::Side& of) {
    return of.bytes.capacity() + of.marks.capacity() * sizeof(Piece::Mark);
  };
  return sizeof(Piece) + side(piece.removed) + side(piece.added);
}

/// Whether seconds up to `last` can stand in a piece that begins with `first`.
bool fits_one_piece(std::int64_t first, std::int64_t last) { return last - first < UINT32_MAX; }

void shrink(Piece::Side& side) {
  side.bytes.shrink_to_fit();
  side.marks.shrink_to_fit();
}

}  // namespace

bool ChangeLog::is_newest(Address address, std::uint64_t sequence) const {
  const Newest* const newest = newest_.find(address);
  return newest != nullptr && newest->sequence == sequence;
}

void ChangeLog::set_newest(const storage::Change& change) {
  Newest& newest = newest_[change.address];
  if (newest.sequence != 0 && newest.is_removal == 0) take_from_digest(newest.sequence);
  removals_ -= newest.is_removal;
  newest.sequence = change.sequence & sequence_bits;
  newest.is_removal = change.kind == UpdateKind::removed;
  removals_ += newest.is_removal;
}

void ChangeLog::forget_newest(Address address) {
  const Newest* const newest = newest_.find(address);
  if (newest == nullptr) return;
  removals_ -= newest->is_removal;
  newest_.erase(address);
}

void ChangeLog::append(std::span<const storage::Change> changes) {
  if (changes.empty()) return;
  auto piece = std::make_shared<Piece>();
  piece->base_second = changes.front().second;
  for (const storage::Change& change : changes) append_entry(*piece, change);
  push(std::move(piece));
  merge_like_sizes();
  compact_if_stale();
}

void ChangeLog::restore(const storage::Change& change) {
  if (restoring_ && (bytes_of(*restoring_) > piece_bytes_max / 2 ||
                     !fits_one_piece(restoring_->base_second, change.second)))
    settle();
  if (!restoring_) {
    restoring_ = std::make_shared<Piece>();
    restoring_->base_second = change.second;
  }
  append_entry(*restoring_, change);
}

void ChangeLog::settle() {
  if (!restoring_) return;
  shrink(restoring_->added);
  shrink(restoring_->removed);
  push(std::move(restoring_));
  restoring_.reset();
}

/// The addition with this sequence, which no longer holds.
void ChangeLog::take_from_digest(std::uint64_t sequence) {
  const auto found =
      std::ranges::lower_bound(pieces_, sequence, {}, [](const auto& piece) { return piece->last_sequence; });
  // While a stored history is read, the piece that it makes is not among the others.
  const Piece::Side& side = found != pieces_.end() ? (*found)->added : restoring_->added;
  const std::size_t index = side.first_after(sequence - 1);
  list_.remove(digest_of_entry(side.entry(index)));
}

void ChangeLog::append_entry(Piece& piece, const storage::Change& change) {
  assert(change.sequence > last_sequence_);
  Piece::Side& side = change.kind == UpdateKind::added ? piece.added : piece.removed;
  const std::size_t before = side.bytes.size();
  if (change.kind == UpdateKind::added)
    write(side.bytes, AddedEntry{change.address, change.methods, {}});
  else
    write(side.bytes, RemovedEntry{change.address});
  side.marks.push_back({change.sequence, static_cast<std::uint32_t>(change.second - piece.base_second),
                        static_cast<std::uint32_t>(side.bytes.size())});
  piece.last_sequence = last_sequence_ = change.sequence;
  piece.last_second = change.second;
  set_newest(change);
  if (change.kind == UpdateKind::added) list_.add(digest_of_entry(ByteView(side.bytes).substr(before)));
  bytes_since_full_ += side.bytes.size() - before + limits::update_header_bytes;
}

void ChangeLog::push(std::shared_ptr<Piece> piece) {
  piece->memory = CountedMemory(memory_, memory_of(*piece));
  entries_ += piece->entries();
  pieces_.push_back(std::move(piece));
}

/// Keeps sizes at least halving from piece to piece, which bounds their number by the logarithm of the
/// entries.
void ChangeLog::merge_like_sizes() {
  std::size_t first = pieces_.size() - 1;
  std::size_t entries = pieces_.back()->entries();
  std::size_t bytes = bytes_of(*pieces_.back());
  while (first > 0 && pieces_[first - 1]->entries() < 2 * entries &&
         bytes + bytes_of(*pieces_[first - 1]) < piece_bytes_max &&
         fits_one_piece(pieces_[first - 1]->base_second, pieces_.back()->last_second)) {
    --first;
    entries += pieces_[first]->entries();
    bytes += bytes_of(*pieces_[first]);
  }
  if (first + 1 == pieces_.size()) return;
  auto merged = merge(first);
  entries_ -= entries;
  pieces_.resize(first);
  push(std::move(merged));
}

void ChangeLog::compact_if_stale() {
  if (entries_ <= 2 * newest_.size() + stale_entries_slack) return;
  std::vector<std::shared_ptr<const Piece>> old;
  old.swap(pieces_);
  entries_ = 0;
  // One piece after the other, so that pieces at the size limit stay apart.
  for (auto& piece : old) {
    pieces_.push_back(std::move(piece));
    auto compacted = merge(pieces_.size() - 1);
    pieces_.pop_back();
    if (compacted->entries() != 0) push(std::move(compacted));
  }
  if (!pieces_.empty()) merge_like_sizes();
}

/// The pieces from `first` to the end as one, without superseded entries.
std::shared_ptr<Piece> ChangeLog::merge(std::size_t first) const {
  auto merged = std::make_shared<Piece>();
  merged->base_second = pieces_[first]->base_second;
  merged->last_sequence = pieces_.back()->last_sequence;
  merged->last_second = pieces_.back()->last_second;
  for (std::size_t index = first; index < pieces_.size(); ++index) {
    copy_side(*pieces_[index], UpdateKind::removed, *merged);
    copy_side(*pieces_[index], UpdateKind::added, *merged);
  }
  shrink(merged->added);
  shrink(merged->removed);
  return merged;
}

void ChangeLog::copy_side(const Piece& from, UpdateKind kind, Piece& to) const {
  const Piece::Side& source = side_of(from, kind);
  Piece::Side& target = kind == UpdateKind::added ? to.added : to.removed;
  const auto shift = static_cast<std::uint32_t>(from.base_second - to.base_second);
  for (std::size_t index = 0; index < source.marks.size(); ++index) {
    const Piece::Mark& mark = source.marks[index];
    const ByteView entry = source.entry(index);
    if (!is_newest(address_of(entry, kind), mark.sequence)) continue;
    target.bytes.append(entry);
    target.marks.push_back(
        {mark.sequence, mark.second + shift, static_cast<std::uint32_t>(target.bytes.size())});
  }
}

template <class Take>
void ChangeLog::each_old_removal(std::int64_t second, Take&& take) const {
  for (const auto& piece : pieces_) {
    const Piece::Side& side = piece->removed;
    for (std::size_t index = 0; index < side.marks.size(); ++index) {
      const Piece::Mark& mark = side.marks[index];
      if (piece->base_second + mark.second >= second) return;
      const Address address =
          address_of(ByteView(side.bytes).substr(side.begin_of(index)), UpdateKind::removed);
      if (is_newest(address, mark.sequence)) take(address, mark.sequence, piece->base_second + mark.second);
    }
  }
}

ChangeLog::Forgettable ChangeLog::forgettable(std::int64_t second) const {
  Forgettable result;
  each_old_removal(second, [&](Address, std::uint64_t sequence, std::int64_t removed_in) {
    ++result.count;
    result.newest_sequence = sequence;
    result.newest_second = removed_in;
  });
  return result;
}

std::int64_t ChangeLog::second_after_oldest(std::size_t count) const {
  std::int64_t after = std::numeric_limits<std::int64_t>::min();
  each_old_removal(std::numeric_limits<std::int64_t>::max(),
                   [&](Address, std::uint64_t, std::int64_t removed_in) {
                     if (count == 0) return;
                     --count;
                     after = removed_in + 1;
                   });
  return after;
}

void ChangeLog::forget(std::int64_t second) {
  std::vector<Address> forgotten;
  each_old_removal(second, [&](Address address, std::uint64_t sequence, std::int64_t) {
    forgotten.push_back(address);
    // The full list may still name this client, and its removal will no longer follow.
    if (sequence > full_->sequence) full_is_stale_ = true;
  });
  for (const Address address : forgotten) forget_newest(address);
  compact_if_stale();
}

std::shared_ptr<const FullList> ChangeLog::encode_full() const {
  auto full = std::make_shared<FullList>();
  full->sequence = last_sequence_;
  std::size_t size_max = 0;
  for (const auto& piece : pieces_) size_max += piece->added.bytes.size();
  full->entries.reserve(size_max);
  std::size_t packet_start = 0;
  std::uint32_t count = 0;
  const auto finish_packet = [&] {
    if (count == 0) return;
    full->packets.push_back({full->entries.size(), count});
    packet_start = full->entries.size();
    count = 0;
  };
  for (const auto& piece : pieces_) {
    const Piece::Side& side = piece->added;
    for (std::size_t index = 0; index < side.marks.size(); ++index) {
      const ByteView entry = side.entry(index);
      if (!is_newest(address_of(entry, UpdateKind::added), side.marks[index].sequence)) continue;
      if (limits::update_header_bytes + full->entries.size() - packet_start + entry.size() >
          packet_bytes_max_)
        finish_packet();
      full->entries.append(entry);
      ++count;
    }
  }
  finish_packet();
  full->entries.shrink_to_fit();
  full->packets.shrink_to_fit();
  full->memory = CountedMemory(memory_, sizeof(FullList) + full->entries.capacity() +
                                            full->packets.capacity() * sizeof(FullList::Packet));
  return full;
}

std::shared_ptr<const ChangeView> ChangeLog::publish(const storage::LogState& state, std::int64_t closing) {
  if (full_is_stale_ || bytes_since_full_ > std::max(full_list_slack, full_->entries.size() / 2)) {
    full_ = encode_full();
    full_is_stale_ = false;
    bytes_since_full_ = 0;
    ++full_encodings_;
  }
  ChangeView::Parts parts;
  parts.newest_sequence = state.sequence;
  parts.forgotten_sequence = state.forgotten_sequence;
  parts.history_begins = state.history_begins;
  parts.closing = closing;
  parts.list = list_;
  parts.packet_bytes_max = packet_bytes_max_;
  parts.full = full_;
  parts.pieces = pieces_;
  parts.memory = memory_;
  return std::make_shared<const ChangeView>(std::move(parts));
}

}  // namespace lekt
