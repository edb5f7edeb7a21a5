// The change log: keeps the newest change of every address, encoded once, and publishes views of it.
//
// New changes become a small piece at the end. Neighbouring pieces of similar size are merged, and a merge drops
// entries whose address has changed since. So there are few pieces (at most about log2 of the entries), a change is
// copied about as often as there are pieces, and memory is proportional to present clients and remembered removals
// (docs/architecture.md).
//
// It decides nothing about time and sequence: the writer stamps, commits, and only then appends.
// Owned by the writer's thread; the views it publishes belong to everybody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/address.h"
#include "common/address_map.h"
#include "server/core/change_view.h"
#include "storage/database.h"

namespace lekt {

class ChangeLog {
 public:
  explicit ChangeLog(std::size_t packet_bytes_max) : packet_bytes_max_(packet_bytes_max) {}

  /// Appends committed changes, ascending, each address at most once per call.
  void append(std::span<const storage::Change> changes);

  /// Makes room for so many addresses at once, before restore() is called for them.
  void expect(std::size_t addresses) { newest_.reserve(addresses); }
  /// Appends one change of a long stored history; call settle() after the last.
  void restore(const storage::Change& change);
  void settle();

  /// What forget(second) would forget. Nothing changes.
  struct Forgettable {
    std::size_t count = 0;
    std::uint64_t newest_sequence = 0;
    std::int64_t newest_second = 0;
  };
  Forgettable forgettable(std::int64_t second) const;
  /// The second after the oldest `count` removals; those of one second are equally old.
  std::int64_t second_after_oldest(std::size_t count) const;
  /// Forgets the removals before `second`.
  void forget(std::int64_t second);

  /// An immutable view of everything appended so far.
  std::shared_ptr<const ChangeView> publish(const storage::LogState& state, std::int64_t closing);

  std::size_t entries() const { return entries_; }          ///< entries in all pieces, with superseded ones
  std::size_t addresses() const { return newest_.size(); }  ///< remembered addresses, present or removed
  std::size_t removals() const { return removals_; }        ///< remembered addresses that are removed
  std::size_t encodings_of_full_list() const { return full_encodings_; }

  /// Throws std::logic_error when an invariant does not hold, of this log or of the view that it published last. For
  /// tests: it looks at every entry.
  void check(const ChangeView& view) const;

 private:
  void append_entry(Piece& piece, const storage::Change& change);
  void push(std::shared_ptr<Piece> piece);
  std::shared_ptr<Piece> merge(std::size_t first) const;
  void copy_side(const Piece& from, UpdateKind kind, Piece& to) const;
  void merge_like_sizes();
  void compact_if_stale();
  std::shared_ptr<const FullList> encode_full() const;
  bool is_newest(Address address, std::uint64_t sequence) const;
  void set_newest(const storage::Change& change);
  void take_from_digest(std::uint64_t sequence);
  void forget_newest(Address address);
  template <class Take>
  void each_old_removal(std::int64_t second, Take&& take) const;

  /// The newest change of an address.
  struct Newest {
    std::uint64_t sequence : 63 = 0;
    std::uint64_t is_removal : 1 = 0;
  };

  std::size_t packet_bytes_max_;
  std::shared_ptr<MemoryCount> memory_ =
      std::make_shared<MemoryCount>(0);  ///< bytes of pieces and full lists that exist
  AddressMap<Newest> newest_;
  std::size_t removals_ = 0;
  ListDigest list_;  ///< of the addresses that are present
  std::vector<std::shared_ptr<const Piece>> pieces_;
  std::shared_ptr<Piece> restoring_;
  std::size_t entries_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::shared_ptr<const FullList> full_ = std::make_shared<const FullList>();
  std::size_t bytes_since_full_ = 0;
  bool full_is_stale_ = false;  ///< whether the full list must not be used again
  std::size_t full_encodings_ = 0;
};

}  // namespace lekt
