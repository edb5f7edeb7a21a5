// What check() of the classes in this folder looks at (invariant.h).
#include "common/invariant.h"

#include <map>
#include <unordered_map>
#include <unordered_set>

#include "server/core/change_log.h"
#include "server/core/change_view.h"
#include "server/core/member.h"
#include "server/core/registry.h"
#include "server/core/session.h"
#include "server/core/writer.h"

namespace lekt {

// ---- The registry ----

void Registry::check() const {
  std::size_t wanted = 0, connected = 0, sessions = 0, waiting = 0, present = 0, on_loopback = 0, marked = 0;
  clients_.for_each([&](Address address, const Client& client) {
    check(address, client);
    wanted += client.wanted();
    connected += client.session_count() > 0;
    sessions += client.session_count();
    waiting += client.waiting;
    present += client.present;
    on_loopback += client.present && is_loopback(address);
    marked += client.marked;
  });
  expect_invariant(clients_present_ == wanted, "clients() counts those with a session or waited for");
  expect_invariant(connected_ == connected, "absent() counts those without a session");
  expect_invariant(sessions_ == sessions, "sessions() counts the sessions of all clients");
  expect_invariant(waiting_ == waiting, "waiting() counts those who are waited for");
  expect_invariant(present_ == present, "present() counts those in the database");
  expect_invariant(present_on_loopback_ == on_loopback, "present_on_loopback() counts those of them");
  for (const Address address : marked_) {
    const Client* const client = clients_.find(address);
    expect_invariant(client != nullptr && client->marked, "an address is compared only if it is marked");
  }
  expect_invariant(std::unordered_set<Address>(marked_.begin(), marked_.end()).size() == marked_.size(),
                   "a marked address is compared once");
  expect_invariant(marked_.size() == marked, "every marked address is compared");
}

void Registry::check(Address address, const Client& client) const {
  if (client.only != 0)
    expect_invariant(client.present && client.sessions == nullptr,
                     "a session without methods has the stored ones");
  if (client.sessions != nullptr) {
    expect_invariant(client.sessions->size() > 0, "a client without sessions keeps no list of them");
    Sessions again;
    for (const auto& [session, methods] : offers_of(address)) again.add(session, methods);
    if (client.waiting) again.keep(client.stored.view());
    expect_invariant(*client.sessions == again, "the union of the sessions' methods is up to date");
  }
  if (client.waiting)
    expect_invariant(client.present || client.marked || reloading_, "only who is stored is waited for");
  if (!client.present) expect_invariant(client.stored.size() == 0, "who is not stored has no stored methods");
  if (client.marked || reloading_) return;
  expect_invariant(client.wanted() && client.present, "who is not marked is stored exactly if it is wanted");
  expect_invariant(client.stored.view() == wanted_methods(client), "who is not marked offers what is stored");
  if (client.sessions != nullptr && client.sessions->size() == 1)
    expect_invariant(client.sessions->only().second != client.stored.view(),
                     "of a session with the stored methods only the id is kept");
}

// ---- The change log and its views ----

namespace {

/// The client's address stands behind the size of an added entry, and at the start of a removed one.
Address address_in(ByteView entry, UpdateKind kind) {
  return Address::v4(ByteReader(entry.substr(kind == UpdateKind::added ? 4 : 0)).u32());
}

void check_side(const Piece& piece, const Piece::Side& side) {
  const Piece::Mark* before = nullptr;
  for (const Piece::Mark& mark : side.marks) {
    expect_invariant(mark.sequence <= piece.last_sequence, "a piece names its newest sequence");
    expect_invariant(piece.base_second + mark.second <= piece.last_second, "a piece names its newest second");
    expect_invariant(mark.end > (before == nullptr ? 0 : before->end), "an entry has bytes of its own");
    if (before != nullptr) {
      expect_invariant(before->sequence < mark.sequence, "sequences of marks ascend");
      expect_invariant(before->second <= mark.second, "seconds of marks never descend");
    }
    before = &mark;
  }
  expect_invariant((before == nullptr ? 0 : before->end) == side.bytes.size(),
                   "marks cover all bytes of a side");
}

void check_piece(const Piece& piece, std::unordered_set<Address>& addresses) {
  check_side(piece, piece.removed);
  check_side(piece, piece.added);
  addresses.clear();
  for (std::size_t index = 0; index < piece.removed.marks.size(); ++index)
    addresses.insert(address_in(piece.removed.entry(index), UpdateKind::removed));
  for (std::size_t index = 0; index < piece.added.marks.size(); ++index)
    addresses.insert(address_in(piece.added.entry(index), UpdateKind::added));
  expect_invariant(addresses.size() == piece.entries(), "an address occurs once within a piece");
}

void check_order(const Piece& earlier, const Piece& later) {
  for (const Piece::Side* side : {&later.removed, &later.added}) {
    if (side->marks.empty()) continue;
    expect_invariant(earlier.last_sequence < side->marks.front().sequence, "pieces ascend");
    expect_invariant(earlier.last_second <= later.base_second + side->marks.front().second,
                     "seconds never descend from piece to piece");
  }
  expect_invariant(earlier.last_sequence < later.last_sequence, "pieces stand for ascending sequences");
}

using Entries = std::unordered_map<Address, ByteView>;

/// The clients that the packets of a full list name, each with its entry.
Entries entries_of(const FullList& full, std::size_t packet_bytes_max) {
  Entries entries;
  std::size_t begin = 0, count = 0;
  for (const FullList::Packet& packet : full.packets) {
    expect_invariant(packet.count > 0 && packet.end > begin && packet.end <= full.entries.size(),
                     "packets of a full list follow one another and have entries");
    ByteView rest = ByteView(full.entries).substr(begin, packet.end - begin);
    // An entry that was stored under a larger limit than today's is a packet of its own.
    expect_invariant(limits::update_header_bytes + rest.size() <= packet_bytes_max || packet.count == 1,
                     "a packet of a full list is no larger than a packet may be");
    for (std::uint32_t index = 0; index < packet.count; ++index) {
      const std::size_t size = 4 + std::size_t{ByteReader(rest).u32()};
      expect_invariant(rest.size() >= size, "a full list is made of complete packets");
      entries.insert_or_assign(address_in(rest, UpdateKind::added), rest.substr(0, size));
      rest.remove_prefix(size);
    }
    expect_invariant(rest.empty(), "a packet of a full list has as many entries as it says");
    count += packet.count;
    begin = packet.end;
  }
  expect_invariant(begin == full.entries.size(), "a full list has no entries outside of its packets");
  expect_invariant(entries.size() == count, "a full list names each client once");
  return entries;
}

/// What a client holds that has taken the full list and the changes after it.
Entries entries_after_full(const ChangeView::Parts& parts) {
  Entries entries = entries_of(*parts.full, parts.packet_bytes_max);
  for (const auto& piece : parts.pieces) {
    for (std::size_t index = piece->removed.first_after(parts.full->sequence);
         index < piece->removed.marks.size(); ++index)
      entries.erase(address_in(piece->removed.entry(index), UpdateKind::removed));
    for (std::size_t index = piece->added.first_after(parts.full->sequence);
         index < piece->added.marks.size(); ++index) {
      const ByteView entry = piece->added.entry(index);
      entries.insert_or_assign(address_in(entry, UpdateKind::added), entry);
    }
  }
  return entries;
}

}  // namespace

void ChangeView::check() const {
  expect_invariant(parts_.full != nullptr, "a view has a full list");
  expect_invariant(parts_.full->sequence <= parts_.newest_sequence, "a full list is not newer than its view");
  expect_invariant(parts_.forgotten_sequence <= parts_.newest_sequence,
                   "only what was appended is forgotten");
  std::unordered_set<Address> addresses;
  const Piece* before = nullptr;
  for (const auto& piece : parts_.pieces) {
    check_piece(*piece, addresses);
    if (before != nullptr) check_order(*before, *piece);
    before = piece.get();
  }
  if (before != nullptr)
    expect_invariant(before->last_sequence <= parts_.newest_sequence, "a view names its newest sequence");
}

void ChangeLog::check(const ChangeView& view) const {
  view.check();
  if (restoring_) return;  // until settle()
  std::size_t removals = 0, entries = 0, found = 0;
  newest_.for_each([&](Address, const Newest& newest) {
    expect_invariant(newest.sequence <= last_sequence_, "no change is newer than the last one");
    removals += newest.is_removal;
  });
  expect_invariant(removals_ == removals, "removals() counts the addresses that are removed");
  Entries present;
  for (const auto& piece : pieces_) {
    entries += piece->entries();
    for (const UpdateKind kind : {UpdateKind::removed, UpdateKind::added}) {
      const Piece::Side& side = kind == UpdateKind::added ? piece->added : piece->removed;
      for (std::size_t index = 0; index < side.marks.size(); ++index) {
        const ByteView entry = side.entry(index);
        const Address address = address_in(entry, kind);
        const Newest* const newest = newest_.find(address);
        if (newest == nullptr) continue;  // forgotten
        expect_invariant(side.marks[index].sequence <= newest->sequence, "the newest change is the last one");
        if (side.marks[index].sequence != newest->sequence) continue;
        expect_invariant((kind == UpdateKind::removed) == (newest->is_removal == 1),
                         "the newest change says whether the address is removed");
        ++found;
        if (kind == UpdateKind::added) present.emplace(address, entry);
      }
    }
  }
  expect_invariant(entries_ == entries, "entries() counts those of all pieces");
  expect_invariant(found == newest_.size(), "the newest change of every address is in a piece");
  expect_invariant(entries_after_full(view.parts()) == present,
                   "full list and what follows make the whole list");
  ListDigest list;
  for (const auto& [address, entry] : present) list.add(digest_of_entry(entry));
  expect_invariant(list_ == list && view.parts().list == list,
                   "the digest is that of the clients that are present");
}

// ---- A session ----

void Session::check() const {
  const bool is_established = phase_ == Phase::heartbeat;
  if (!is_established)
    expect_invariant(details_ != nullptr, "a session that is not established keeps its details");
  if (details_ == nullptr) return;
  if (is_established) {
    expect_invariant(!details_->kept.empty(), "an established session without input takes no heap");
    expect_invariant(details_->methods.empty(), "an established session keeps no methods");
  }
  expect_invariant(details_->rejection.has_value() == (phase_ == Phase::ended),
                   "a session ends for a reason");
}

void Member::check() const {
  session_.check();
  const Session::Phase phase = session_.phase();
  switch (state_) {
    case State::entering:
    case State::handshaking:
      expect_invariant(phase == Session::Phase::handshake || phase == Session::Phase::setup,
                       "a member shakes hands as long as its session does");
      break;
    case State::joining:
      expect_invariant(phase == Session::Phase::joining, "a member that joins has a session that joins");
      break;
    case State::established:
      expect_invariant(phase == Session::Phase::heartbeat, "a member is established when its session is");
      break;
    case State::draining:
      expect_invariant(phase == Session::Phase::ended, "who is drained was told why its session ended");
      break;
    case State::ending:
    case State::closed:
      break;
  }
  expect_invariant(registered_ == (state_ == State::joining || state_ == State::established),
                   "the writer knows the sessions that join or have joined");
}

// ---- The writer ----

void DeviceSideRows::check() const {
  expect_invariant(devices_.size() <= waiting_max, "the devices that wait are bounded");
  expect_invariant(ended_.size() <= ended_max, "the ended sessions that wait are bounded");
  expect_invariant(alerts_.size() <= storage::device_alerts_max, "the alerts that wait are bounded");
  expect_invariant(written_ <= storage::devices_written_max,
                   "devices are forgotten before too many have been written");
  for (const std::uint64_t number : ended_)
    expect_invariant(!sessions_.contains(number),
                     "a session that has ended is not written as one that goes on");
}

void Writer::check() const {
  registry_.check();
  side_rows_.check();
  expect_invariant(view_->newest_sequence() == state_.sequence, "what is committed is published");
  expect_invariant(view_->closing() == state_.second - 1, "only seconds that are over are closed");
  expect_invariant(state_.history_begins <= state_.second, "history has begun");
  // A recovery that has failed has read a part of the database, or nothing; nothing of it is published.
  if (trouble_ == StorageState::failed) return view_->check();
  change_log_.check(*view_);
  if (!view_->parts().pieces.empty())
    expect_invariant(view_->parts().pieces.back()->last_second <= state_.second,
                     "no change is stamped later than the log");
  expect_invariant(registry_.present() == change_log_.addresses() - change_log_.removals(),
                   "the registry and the change log agree on who is stored");
  for (const auto& [session, join] : waiting_joins_)
    expect_invariant(registry_.sessions_of(join.address) > 0, "who waits to be told has a session");
}

}  // namespace lekt
