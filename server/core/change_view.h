// The published state of the change log: immutable, shared by all threads, and all that a heartbeat needs.
//
// Every answer is made of bytes that were encoded once, when their changes were published, plus packet
// headers and the closing packet. The rules of answering are in docs/protocol.md, "Heartbeat"; the structure is
// in docs/architecture.md, "The change log".
//
// Invariants
// - Pieces ascend: every sequence in a piece is lower than every sequence in the next; seconds never descend.
// - Within a piece each address occurs once, so its removals and its additions may be sent in either order.
// - Every change with a second before closing() is in the view: closing() was set after those changes were
//   published, and no later change is stamped with an earlier second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/features.h"
#include "common/list_digest.h"
#include "common/packets.h"
#include "server/core/counted_memory.h"
#include "server/core/output.h"

namespace lekt {

/// Sequences count from 1 and stay within 63 bits: where many are kept, the last bit says something else.
inline constexpr std::uint64_t sequence_bits = ~std::uint64_t{0} >> 1;

/// What a session remembers of the answers it was given. The session's worker owns it.
struct Cursor {
  std::uint64_t answered : 63 = 0;  ///< sequence up to which this connection has been answered
  std::uint64_t first : 1 = 1;      ///< whether no heartbeat has been answered yet
  /// The last closing timestamp on this connection. Before the first: the second of the log when the session joined,
  /// later than any closing timestamp given out before.
  std::int64_t second = 0;

  void has_answered(std::uint64_t sequence) { answered = sequence & sequence_bits; }
};

/// What an answer rests on: a ladder of reasons, checked from the top. On a connection that was answered before,
/// `exact` is checked right after `asked_for_all`: what came after its last answer is known by sequence, even if its
/// second is older than the history. With `push` in force nothing else is checked there: whatever was sent arrives
/// before what follows it.
enum class Basis : std::uint8_t {
  asked_for_all,    ///< timestamp 0 or less: the full list; behind what may have been pushed, a reset first
  before_history,   ///< the log cannot continue from there: reset and the full list
  never_given_out,  ///< a first timestamp that no answer before the join can have carried: reset and the full
                    ///< list
  exact,         ///< what came after the last answer: the connection's last closing timestamp, or a later one
  second_again,  ///< an earlier second: everything from that second on
};
std::string_view to_string(Basis basis);
inline bool sends_full_list(Basis basis) { return basis < Basis::exact; }

/// Consecutive changes, encoded. A piece has two sides, so that it costs at most two runs of packets.
struct Piece {
  struct Mark {
    std::uint64_t sequence;
    std::uint32_t second;  ///< seconds after base_second
    std::uint32_t end;     ///< offset in `bytes` of the end of this entry
  };
  struct Side {
    Bytes bytes;              ///< entries as in an update packet, without headers
    std::vector<Mark> marks;  ///< one for each entry, ascending

    std::size_t begin_of(std::size_t index) const { return index == 0 ? 0 : marks[index - 1].end; }
    ByteView entry(std::size_t index) const {
      return ByteView(bytes).substr(begin_of(index), marks[index].end - begin_of(index));
    }
    std::size_t first_after(std::uint64_t sequence) const;
    std::size_t first_in(std::uint32_t second) const;
  };
  std::int64_t base_second = 0;
  std::uint64_t last_sequence = 0;  ///< sequence of the newest change that this piece stands for
  std::int64_t last_second = 0;     ///< second of the newest change that it still holds, or a later one
  Side removed;
  Side added;
  CountedMemory memory;

  std::size_t entries() const { return removed.marks.size() + added.marks.size(); }
};

/// All clients that were present at `sequence`, as the entries of packets with timestamp 0.
struct FullList {
  struct Packet {
    std::size_t end;      ///< offset in `entries` behind its last entry
    std::uint32_t count;  ///< of its entries
  };
  std::uint64_t sequence = 0;
  Bytes entries;
  std::vector<Packet> packets;
  CountedMemory memory;

  /// As they are sent.
  std::size_t bytes() const { return entries.size() + packets.size() * limits::update_header_bytes; }
};

class ChangeView;

/// How much older views may hold besides the newest one: `bytes`, but never less than two views as large as the newest
/// (a view is a full list and the pieces that it was made from), so that a client that reads at a usual speed can
/// finish.
std::size_t old_answers_max(std::size_t bytes, const ChangeView& newest);

class ChangeView {
 public:
  /// What a ChangeLog publishes.
  struct Parts {
    std::uint64_t newest_sequence = 0;
    std::uint64_t forgotten_sequence = 0;  ///< removals up to this one may have been forgotten
    std::int64_t history_begins = 0;       ///< clients can resume from this second on
    std::int64_t closing = 0;              ///< timestamp of closing packets
    ListDigest list;                       ///< of the clients that are present at newest_sequence
    std::size_t packet_bytes_max = limits::packet_bytes_default;
    std::shared_ptr<const FullList> full;  ///< never null
    std::vector<std::shared_ptr<const Piece>> pieces;
    std::shared_ptr<const MemoryCount> memory;  ///< bytes of all views of the log; null counts nothing
  };

  explicit ChangeView(Parts parts);

  /// Appends the complete answer to a heartbeat, on a connection where these features are in force, and moves the
  /// cursor. Shared parts of `output` live as long as this view. Allocates nothing if nothing has changed.
  Basis answer(Cursor& cursor, std::int64_t timestamp, Features features, Output& output) const;
  /// Appends what a connection that was answered before has not been told yet, as an answer: nothing, if that has no
  /// entry for it. `output` has no shared parts yet.
  std::optional<Basis> push(Cursor& cursor, Features features, Output& output) const;

  std::uint64_t newest_sequence() const { return parts_.newest_sequence; }
  std::int64_t closing() const { return parts_.closing; }
  std::int64_t history_begins() const { return parts_.history_begins; }
  const Parts& parts() const { return parts_; }
  std::size_t full_list_bytes() const { return parts_.full->bytes(); }
  /// How many bytes older views of the same log hold that this one does not. For the newest view, that is what
  /// unread answers keep in memory. Any thread.
  std::size_t bytes_of_older() const;

  /// Throws std::logic_error when an invariant does not hold. For tests: it looks at every entry.
  void check() const;

 private:
  Basis basis_of(const Cursor& cursor, std::int64_t timestamp, Features features) const;
  std::uint64_t sequence_before(std::int64_t second) const;
  void append_reset(Features features, Output& output) const;
  void append_full(Features features, Output& output) const;
  void append_after(std::uint64_t sequence, Features features, Output& output) const;
  void append_side(UpdateKind kind, const Piece& piece, std::size_t first, std::int64_t first_second,
                   Features features, Output& output) const;
  void append_closing(Features features, Output& output) const;

  Parts parts_;
  std::size_t bytes_ = 0;
  Bytes closing_packet_;  ///< on a connection without features
};

}  // namespace lekt
