#include "server/registry.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lekt {

namespace {

// Packed: index, length, information. It is split again without a catalogue, and one TCP method takes 12
// bytes, which std::string holds without allocating.
Bytes pack(const Methods& methods) {
  Bytes packed;
  ByteWriter writer(packed);
  for (const MethodInformation& method : methods) {
    writer.u32(method.index);
    writer.u32(static_cast<std::uint32_t>(method.information.size()));
    writer.bytes(method.information);
  }
  return packed;
}

void unpack(ByteView packed, Methods& methods) {
  ByteReader reader(packed);
  while (reader.left() > 0) {
    const std::uint32_t index = reader.u32();
    methods.push_back({index, Bytes(reader.take(reader.u32()))});
  }
}

Methods unpack(ByteView packed) {
  Methods methods;
  unpack(packed, methods);
  return methods;
}

}  // namespace

Registry::Sessions& Registry::Client::spread_out() {
  if (sessions == nullptr) sessions = std::make_unique<Sessions>();
  if (only != 0) sessions->push_back({std::exchange(only, 0), stored});
  return *sessions;
}

void Registry::Client::fold() {
  if (sessions == nullptr) return;
  if (present && sessions->size() == 1 && sessions->front().methods == stored) only = sessions->front().id;
  if (sessions->empty() || only != 0) sessions.reset();
}

/// Packed: the union of what its sessions offer and, while it is waited for, of what is stored.
Bytes Registry::wanted_methods(const Client& client) {
  if (client.sessions == nullptr) return client.wanted() ? client.stored : Bytes();
  if (!client.waiting && client.sessions->size() == 1) return client.sessions->front().methods;
  Methods methods;
  if (client.waiting) unpack(client.stored, methods);
  for (const Session& session : *client.sessions) unpack(session.methods, methods);
  normalise(methods);
  return pack(methods);
}

void Registry::mark(Ipv4Address address, Client& client) {
  if (client.marked) return;
  client.marked = true;
  marked_.push_back(address);
}

void Registry::stop_waiting(Client& client) {
  if (!client.waiting) return;
  client.waiting = false;
  --waiting_;
}

std::optional<Rejection> Registry::join(SessionId session, Ipv4Address address, const Methods& methods) {
  const auto found = clients_.find(address);
  const bool known = found != clients_.end() && found->second.wanted();
  if (!known && clients_present_ >= limits_.clients_max)
    return Rejection{ErrorCode::server_full, "the server has " + std::to_string(clients_present_) +
                                                 " clients, as many as it may have; try again later"};
  if (known && found->second.session_count() >= limits_.sessions_per_client_max)
    return Rejection{ErrorCode::address_busy,
                     to_string(address) + " has as many connections as one address may have (" +
                         std::to_string(limits_.sessions_per_client_max) + "); close some of them"};
  Client& client = clients_[address];
  client.spread_out().push_back({session, pack(methods)});
  const std::size_t entry = 4 + 4 + encoded_size(unpack(wanted_methods(client)));
  const std::size_t room = limits_.packet_bytes_max - limits::update_header_bytes;
  if (entry > room) {
    client.sessions->pop_back();
    client.fold();
    // One that is marked is dropped by the next comparison, which still looks for it.
    if (!client.wanted() && !client.present && !client.marked) clients_.erase(address);
    return Rejection{ErrorCode::record_too_large, "the methods of all sessions of " + to_string(address) +
                                                      " take " + std::to_string(entry) + " bytes; at most " +
                                                      std::to_string(room) + " fit one packet"};
  }
  ++sessions_;
  if (client.session_count() == 1) ++connected_;
  if (!known) ++clients_present_;
  mark(address, client);
  return std::nullopt;
}

void Registry::leave(SessionId session, Ipv4Address address) {
  const auto found = clients_.find(address);
  if (found != clients_.end() && found->second.session_count() == 1) {
    // One that has come back after the restart and left again is gone, unless it offered less than its
    // address did: then another program of this address still runs, and will come back.
    const Session& last = found->second.spread_out().front();
    if (last.id == session && last.methods == found->second.stored) stop_waiting(found->second);
  }
  take_back(session, address);
}

void Registry::take_back(SessionId session, Ipv4Address address) {
  const auto found = clients_.find(address);
  if (found == clients_.end()) return;
  Client& client = found->second;
  Sessions& sessions = client.spread_out();
  const auto place = std::ranges::find(sessions, session, &Session::id);
  const bool there = place != sessions.end();
  if (there) sessions.erase(place);
  client.fold();
  if (!there) return;
  --sessions_;
  if (client.session_count() == 0) --connected_;
  if (!client.wanted()) --clients_present_;
  mark(address, client);
}

void Registry::restore(Ipv4Address address, const Methods& methods, bool waiting) {
  Client& client = clients_[address];
  const bool wanted_before = client.wanted();
  if (client.only != 0) client.spread_out();
  client.stored = pack(methods);
  client.present = true;
  client.fold();
  if (waiting && !client.waiting) {
    client.waiting = true;
    ++waiting_;
  }
  if (!wanted_before && client.wanted()) ++clients_present_;
}

bool Registry::dismiss(Ipv4Address address) {
  const auto found = clients_.find(address);
  if (found == clients_.end() || !found->second.waiting) return false;
  stop_waiting(found->second);
  if (!found->second.wanted()) --clients_present_;
  mark(address, found->second);
  return true;
}

void Registry::end_grace() {
  for (auto& [address, client] : clients_) dismiss(address);
}

void Registry::begin_reload() {
  for (auto& [address, client] : clients_) {
    if (client.only != 0) client.spread_out();
    client.present = false;
    client.stored.clear();
  }
}

void Registry::end_reload() {
  for (auto& [address, client] : clients_) mark(address, client);
}

std::vector<Registry::Difference> Registry::differences() {
  std::vector<Difference> differences;
  std::vector<Ipv4Address> still_marked;
  for (const Ipv4Address address : marked_) {
    const auto found = clients_.find(address);
    assert(found != clients_.end());
    Client& client = found->second;
    const Bytes methods = wanted_methods(client);
    const bool wanted = client.wanted();
    if (wanted ? !client.present || client.stored != methods : client.present) {
      differences.push_back({wanted ? UpdateKind::added : UpdateKind::removed, address, unpack(methods)});
      still_marked.push_back(address);
    } else if (wanted) {
      client.marked = false;
    } else {
      clients_.erase(found);
    }
  }
  marked_.swap(still_marked);
  return differences;
}

void Registry::committed(const std::vector<Difference>& differences) {
  for (const Difference& difference : differences) {
    Client& client = clients_.at(difference.address);
    client.present = difference.kind == UpdateKind::added;
    client.stored = client.present ? pack(difference.methods) : Bytes();
    client.fold();
  }
  // What was committed is compared once more, cheaply: it no longer differs, and clients that are gone are
  // dropped.
  const auto left = this->differences();
  assert(left.empty());
  (void)left;
}

bool Registry::is_stored(Ipv4Address address) const {
  const auto found = clients_.find(address);
  return found != clients_.end() && !found->second.marked;
}

bool Registry::is_present(Ipv4Address address) const {
  const auto found = clients_.find(address);
  return found != clients_.end() && found->second.present;
}

std::uint32_t Registry::sessions_of(Ipv4Address address) const {
  const auto found = clients_.find(address);
  return found == clients_.end() ? 0 : static_cast<std::uint32_t>(found->second.session_count());
}

}  // namespace lekt
