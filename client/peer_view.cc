#include "client/peer_view.h"

#include <utility>

#include "client/client_state.h"

namespace lekt {

std::string describe(const Offer& offer, const MethodCatalogue& catalogue) {
  std::string text = catalogue.describe(offer.methods);
  if (offer.unknown.empty()) return text;
  ByteReader reader(offer.unknown);
  const std::uint32_t index = reader.u32();
  if (!text.empty()) text += ' ';
  return text + catalogue.describe(MethodInformation{index, Bytes(reader.take(reader.left()))});
}

/// The list is taken for an answer that was interrupted before its end, which the next one continues.
void PeerView::resume(const ClientState& state) {
  if (state.timestamp <= 0) return;
  for (const auto& [address, offer] : state.peers) apply(AddedEntry{address, offer.methods, offer.unknown});
  next_timestamp_ = state.timestamp;
  log_ = state.log;
}

ClientState PeerView::state() const { return {complete_log_, complete_timestamp_, peers_}; }

void PeerView::connected_to(const LogOrigin& log) {
  if (!takes_timestamp_of(log, log_)) next_timestamp_ = 0;
  log_ = log;
}

void PeerView::request(std::int64_t timestamp) {
  requested_ = timestamp;
  answer_was_reset_ = false;
  if (timestamp <= 0) forget();
}

void PeerView::apply(const AddedEntry& entry, ByteView encoded) {
  Offer offer{entry.methods, entry.unknown, digest_of_entry(encoded)};
  normalise(offer.methods);
  pending_.insert_or_assign(entry.address, std::move(offer));
}

void PeerView::apply(const RemovedEntry& entry) {
  if (entry.address == forget_everyone) {
    answer_was_reset_ = true;
    forget();
  } else {
    pending_.insert_or_assign(entry.address, std::nullopt);
  }
}

std::vector<PeerChange> PeerView::finish(const UpdatePacket& packet) {
  next_timestamp_ = packet.timestamp;
  if (packet.closes()) {
    complete_timestamp_ = packet.timestamp;
    complete_log_ = log_;
    return publish();
  }
  // A reset says that the server cannot continue from the timestamp that was sent. It must not be sent again,
  // not even if the packets of this answer carry it: by the time of a reconnect it may look like one of the
  // server's own.
  if (answer_was_reset_ && packet.timestamp == requested_) next_timestamp_ = 0;
  return {};
}

// Drops what is pending: until a packet says otherwise, only the full list can continue what is known.
void PeerView::forget() {
  pending_.clear();
  pending_is_all_ = true;
  next_timestamp_ = 0;
}

std::vector<PeerChange> PeerView::publish() {
  if (pending_is_all_)
    for (const auto& [address, offer] : peers_) pending_.try_emplace(address, std::nullopt);
  std::vector<PeerChange> changes;
  for (auto& [address, now] : pending_) {
    const auto known = peers_.find(address);
    if (known != peers_.end()) digest_.remove(known->second.digest);
    if (now) digest_.add(now->digest);
    if (known == peers_.end()) {
      if (!now) continue;
      peers_.emplace(address, *now);
      changes.push_back({PeerChange::Kind::added, address, {}, std::move(*now)});
    } else if (!now) {
      changes.push_back({PeerChange::Kind::removed, address, std::move(known->second), {}});
      peers_.erase(known);
    } else if (*now != known->second) {
      changes.push_back({PeerChange::Kind::changed, address, std::exchange(known->second, *now), *now});
    } else {
      known->second.digest = now->digest;  // another order of bytes can say the same
    }
  }
  pending_.clear();
  was_all_ = pending_is_all_;
  pending_is_all_ = answer_was_reset_ = false;
  return changes;
}

}  // namespace lekt
