#include "server/core/change_view.h"

#include <algorithm>
#include <cassert>

namespace lekt {

namespace {

void write_header(Features features, std::int64_t timestamp, UpdateKind kind, std::size_t count, Bytes& out) {
  write(out, UpdatePacket{version_with(features), timestamp, kind, static_cast<std::uint32_t>(count)});
}

}  // namespace

std::string_view to_string(Basis basis) {
  switch (basis) {
    case Basis::asked_for_all:
      return "asked_for_all";
    case Basis::before_history:
      return "before_history";
    case Basis::never_given_out:
      return "never_given_out";
    case Basis::exact:
      return "exact";
    case Basis::second_again:
      return "second_again";
  }
  return "unknown";
}

std::size_t Piece::Side::first_after(std::uint64_t sequence) const {
  const auto found = std::ranges::upper_bound(marks, sequence, {}, &Mark::sequence);
  return static_cast<std::size_t>(found - marks.begin());
}

std::size_t Piece::Side::first_in(std::uint32_t second) const {
  const auto found = std::ranges::lower_bound(marks, second, {}, &Mark::second);
  return static_cast<std::size_t>(found - marks.begin());
}

ChangeView::ChangeView(Parts parts) : parts_(std::move(parts)) {
  assert(parts_.full != nullptr);
  bytes_ = parts_.full->memory.bytes();
  for (const auto& piece : parts_.pieces) bytes_ += piece->memory.bytes();
  write_header({}, parts_.closing, UpdateKind::added, 0, closing_packet_);
}

std::size_t old_answers_max(std::size_t bytes, const ChangeView& newest) {
  return std::max(bytes, 4 * newest.full_list_bytes());
}

std::size_t ChangeView::bytes_of_older() const {
  if (parts_.memory == nullptr) return 0;
  const std::size_t held = parts_.memory->load(std::memory_order_relaxed);
  return held > bytes_ ? held - bytes_ : 0;
}

Basis ChangeView::answer(Cursor& cursor, std::int64_t timestamp, Features features, Output& output) const {
  const Basis basis = basis_of(cursor, timestamp, features);
  switch (basis) {
    case Basis::exact:
      if (cursor.answered != parts_.newest_sequence) append_after(cursor.answered, features, output);
      break;
    case Basis::second_again:
      append_after(sequence_before(timestamp), features, output);
      break;
    case Basis::asked_for_all:
      // What was pushed while the client asked has come into a list that it may have emptied already.
      if (features.has(Feature::push) && !cursor.first) append_reset(features, output);
      append_full(features, output);
      break;
    case Basis::before_history:
    case Basis::never_given_out:
      append_reset(features, output);
      append_full(features, output);
      break;
  }
  if (features.empty())
    output.copied().append(closing_packet_);
  else
    append_closing(features, output);
  cursor.has_answered(parts_.newest_sequence);
  cursor.second = parts_.closing;
  cursor.first = false;
  return basis;
}

std::optional<Basis> ChangeView::push(Cursor& cursor, Features features, Output& output) const {
  assert(!cursor.first && output.only_copies());
  if (cursor.answered == parts_.newest_sequence) return std::nullopt;
  const std::size_t before = output.size();
  const Basis basis = answer(cursor, INT64_MAX, features, output);
  // Entries are shared, but for that of a reset.
  if (sends_full_list(basis) || !output.only_copies()) return basis;
  output.copied().resize(before);
  return std::nullopt;
}

Basis ChangeView::basis_of(const Cursor& cursor, std::int64_t timestamp, Features features) const {
  if (timestamp <= 0) return Basis::asked_for_all;
  if (cursor.first) {
    if (timestamp < parts_.history_begins) return Basis::before_history;
    return timestamp >= cursor.second ? Basis::never_given_out : Basis::second_again;
  }
  if (timestamp >= cursor.second || features.has(Feature::push))
    return cursor.answered < parts_.forgotten_sequence ? Basis::before_history : Basis::exact;
  return timestamp < parts_.history_begins ? Basis::before_history : Basis::second_again;
}

/// The sequence after which everything with `second` or a later one comes.
std::uint64_t ChangeView::sequence_before(std::int64_t second) const {
  for (const auto& piece : parts_.pieces) {
    if (piece->last_second < second) continue;
    const std::int64_t offset = std::max<std::int64_t>(second - piece->base_second, 0);
    if (offset > UINT32_MAX) continue;
    const auto within = static_cast<std::uint32_t>(offset);
    const std::size_t removed = piece->removed.first_in(within);
    const std::size_t added = piece->added.first_in(within);
    std::uint64_t first = UINT64_MAX;
    if (removed < piece->removed.marks.size()) first = piece->removed.marks[removed].sequence;
    if (added < piece->added.marks.size()) first = std::min(first, piece->added.marks[added].sequence);
    if (first != UINT64_MAX) return first - 1;
  }
  return parts_.newest_sequence;
}

void ChangeView::append_reset(Features features, Output& output) const {
  write_header(features, 0, UpdateKind::removed, 1, output.copied());
  write(output.copied(), RemovedEntry{forget_everyone});
}

void ChangeView::append_full(Features features, Output& output) const {
  std::size_t begin = 0;
  for (const FullList::Packet& packet : parts_.full->packets) {
    write_header(features, 0, UpdateKind::added, packet.count, output.copied());
    output.share(ByteView(parts_.full->entries).substr(begin, packet.end - begin));
    begin = packet.end;
  }
  append_after(parts_.full->sequence, features, output);
}

/// On a connection with features.
void ChangeView::append_closing(Features features, Output& output) const {
  UpdatePacket packet{version_with(features), parts_.closing};
  if (features.has(Feature::digest)) packet.list = parts_.list;
  write(output.copied(), packet);
}

void ChangeView::append_after(std::uint64_t sequence, Features features, Output& output) const {
  const auto first = std::ranges::upper_bound(parts_.pieces, sequence, {},
                                              [](const auto& piece) { return piece->last_sequence; });
  for (auto piece = first; piece != parts_.pieces.end(); ++piece) {
    const std::size_t removed = (*piece)->removed.first_after(sequence);
    const std::size_t added = (*piece)->added.first_after(sequence);
    // Until all removals of the piece are delivered, its first addition is still to come.
    std::uint32_t first_second = UINT32_MAX;
    if (removed < (*piece)->removed.marks.size()) first_second = (*piece)->removed.marks[removed].second;
    if (added < (*piece)->added.marks.size())
      first_second = std::min(first_second, (*piece)->added.marks[added].second);
    append_side(UpdateKind::removed, **piece, removed, (*piece)->base_second + first_second, features,
                output);
    append_side(UpdateKind::added, **piece, added, (*piece)->base_second + first_second, features, output);
  }
}

void ChangeView::append_side(UpdateKind kind, const Piece& piece, std::size_t first,
                             std::int64_t first_second, Features features, Output& output) const {
  const Piece::Side& side = kind == UpdateKind::removed ? piece.removed : piece.added;
  const std::size_t room = parts_.packet_bytes_max - limits::update_header_bytes;
  while (first < side.marks.size()) {
    const std::size_t begin = side.begin_of(first);
    const auto behind = std::ranges::upper_bound(side.marks.begin() + static_cast<std::ptrdiff_t>(first),
                                                 side.marks.end(), begin + room, {}, &Piece::Mark::end);
    // An entry that was stored under a larger limit than today's is a packet of its own.
    const auto last = std::max(static_cast<std::size_t>(behind - side.marks.begin()), first + 1);
    // Additions come last and in order, so the second of the newest one is safe too: what follows is not
    // earlier.
    const std::int64_t safe =
        kind == UpdateKind::added ? piece.base_second + side.marks[last - 1].second : first_second;
    write_header(features, std::min(safe, parts_.closing), kind, last - first, output.copied());
    output.share(ByteView(side.bytes).substr(begin, side.marks[last - 1].end - begin));
    first = last;
  }
}

}  // namespace lekt
