#include "tests/simulation/oracle.h"

#include <algorithm>
#include <stdexcept>

#include "tests/support/support.h"

namespace lekt::test {

namespace {

bool includes(const Methods& all, const Methods& some) {
  return std::ranges::all_of(
      some, [&](const MethodInformation& method) { return std::ranges::find(all, method) != all.end(); });
}

template <class Packet>
Packet take(ByteView& bytes, const MethodCatalogue& catalogue) {
  const ReadContext context{catalogue, limits::methods_max_default, 0, true};
  Packet packet;
  Rejection rejection{};
  if (read(bytes, packet, context, rejection) != ReadStatus::complete)
    throw std::logic_error("an answer is not made of whole packets: " + rejection.message);
  return packet;
}

}  // namespace

void Oracle::check(bool holds, const std::string& what) const {
  if (!holds) throw std::logic_error(what + "\n  replay: " + replay_command(seed_));
}

/// As a client learns it that asks for all.
Peers Oracle::listed_in(const ChangeView& view) const {
  Cursor cursor;
  Output output;
  view.answer(cursor, 0, {}, output);
  const Bytes bytes = flatten(output);
  PeerView peers;
  peers.request(0);
  for (ByteView rest = bytes; !rest.empty();) {
    const auto packet = take<UpdatePacket>(rest, catalogue_);
    for (std::uint32_t entry = 0; entry < packet.count; ++entry) {
      if (packet.kind == UpdateKind::added)
        peers.apply(take<AddedEntry>(rest, catalogue_));
      else
        peers.apply(take<RemovedEntry>(rest, catalogue_));
    }
    peers.finish(packet);
  }
  return peers.peers();
}

// ---- The server's life ----

void Oracle::started(const Writer& writer, AwakeTime grace_ends, std::size_t packet_bytes_max) {
  packet_bytes_max_ = packet_bytes_max;
  const Peers published = listed_in(*writer.view());
  if (doubt_)
    check_doubtful(published, {});
  else
    check(published == list_, "a start does not find what was committed");
  publish(writer);
  for (auto& [address, client] : clients_)
    client = {{}, {}, list_.contains(address), std::move(client.offered)};
  addresses_.clear();
  grace_ends_ = grace_ends;
}

void Oracle::takes(const Command& command) {
  if (const auto* join = std::get_if<JoinCommand>(&command)) {
    Client& client = clients_[join->address];
    client.sessions[join->session] = join->methods;
    client.offered.insert(join->methods.begin(), join->methods.end());
    addresses_[join->session] = join->address;
    // What is stored and no longer fits a packet cannot come back.
    const auto listed = list_.find(join->address);
    const std::size_t rest = limits::update_header_bytes + 4 + 4;
    if (listed != list_.end() && rest + encoded_size(listed->second.methods) > packet_bytes_max_)
      client.is_waited_for = false;
  }
  if (const auto* leave = std::get_if<LeaveCommand>(&command)) {
    Client& client = clients_[leave->address];
    const bool was_told = client.told.erase(leave->session) > 0 && leave->was_told;
    // A client that was refused is no longer known. One that has come back after a restart, was told so, and has left
    // is not waited for, unless its address offers more than it did.
    const auto left = client.sessions.extract(leave->session);
    if (left.empty() || !client.sessions.empty() || !was_told) return;
    const auto listed = list_.find(leave->address);
    if (listed == list_.end() || listed->second.methods == left.mapped()) client.is_waited_for = false;
  }
}

void Oracle::turned(const Writer& writer, const Writer::Turn& turn, Moment now) {
  check_removals(turn.changes, now);
  if (turn.published) {
    const Peers published = listed_in(*writer.view());
    if (doubt_)
      check_doubtful(published, turn.changes);
    else
      check_committed(published, turn.changes);
    changes_ += turn.changes.size();
    publish(writer);
  }
  if (turn.trouble == StorageState::failed && (turn.published || !doubt_)) begin_doubt(now);
  for (const Writer::Completion& completion : turn.completions) complete(completion);
  check_sessions(writer);
  try {
    writer.check();
  } catch (const std::logic_error& broken) {
    check(false, broken.what());
  }
}

void Oracle::complete(const Writer::Completion& completion) {
  const Address address = addresses_.at(completion.session);
  Client& client = clients_.at(address);
  if (!completion.rejection) {
    client.told.insert(completion.session);
    return;
  }
  client.sessions.erase(completion.session);
}

/// The outcome of a commit is not known.
void Oracle::begin_doubt(Moment now) {
  if (!doubt_) doubt_.emplace();
  for (const auto& [address, offer] : list_)
    if (may_be_removed(address, now)) doubt_->insert(address);
}

void Oracle::publish(const Writer& writer) {
  const ChangeView& view = *writer.view();
  check(view.newest_sequence() >= sequence_, "sequence numbers went back");
  check(view.closing() >= closing_, "closing timestamps went back");
  list_ = listed_in(view);
  sequence_ = view.newest_sequence();
  closing_ = view.closing();
  check(lists_.try_emplace(sequence_, list_).first->second == list_,
        "a sequence number stands for two lists");
  doubt_.reset();
}

// ---- What has to hold ----

void Oracle::check_committed(const Peers& published, const std::vector<storage::Change>& changes) const {
  Peers expected = list_;
  for (const storage::Change& change : changes) {
    check(change.second > closing_, "a change falls before a closing timestamp that was given out");
    if (change.kind == UpdateKind::added)
      expected[change.address] = {change.methods, {}};
    else
      check(expected.erase(change.address) == 1, "an absent client was removed");
  }
  check(published == expected, "what is published is not what was committed");
}

/// Read back after a failure or a crash: the list as it was, or with the batch that was in flight; and with
/// what has been committed since.
void Oracle::check_doubtful(const Peers& published, const std::vector<storage::Change>& changes) const {
  std::set<Address> can_be_missing = *doubt_;
  for (const storage::Change& change : changes) can_be_missing.insert(change.address);
  for (const auto& [address, offer] : list_)
    check(published.contains(address) || can_be_missing.contains(address), to_string(address) + " was lost");
  for (const auto& [address, offer] : published) {
    const auto known = list_.find(address);
    if (known != list_.end() && known->second == offer) continue;
    for (const MethodInformation& method : offer.methods)
      check(clients_.at(address).offered.contains(method),
            to_string(address) + " never offered what is listed");
  }
}

void Oracle::check_removals(const std::vector<storage::Change>& changes, Moment now) const {
  for (const storage::Change& change : changes)
    check(change.kind == UpdateKind::added || may_be_removed(change.address, now),
          to_string(change.address) + " was removed, but it has a session or is waited for");
}

bool Oracle::may_be_removed(Address address, Moment now) const {
  const auto found = clients_.find(address);
  return found->second.sessions.empty() && (!found->second.is_waited_for || now.awake >= grace_ends_);
}

void Oracle::check_sessions(const Writer& writer) const {
  std::size_t sessions = 0;
  for (const auto& [address, client] : clients_) {
    sessions += client.sessions.size();
    for (const SessionId session : client.told) {
      const auto listed = list_.find(address);
      check(listed != list_.end() && includes(listed->second.methods, client.sessions.at(session)),
            to_string(address) + " has joined and is not listed with its methods");
    }
  }
  check(writer.registry().sessions() == sessions,
        "the registry has sessions that are over, or has lost some");
  check(writer.change_log().addresses() <= clients_.size(), "the change log remembers more than there was");
}

}  // namespace lekt::test
