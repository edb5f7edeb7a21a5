#include "server/core/registry.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lekt {

namespace {

// Packed: index, length, information. It is split again without a catalogue, and one TCP method takes 12
// bytes, which ShortBytes and Bytes hold without allocating.
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

/// Size and address of an entry, before its methods.
constexpr std::size_t entry_overhead = 4 + 4;

std::size_t encoded_size(const MethodInformation& method) { return 4 + method.information.size(); }

}  // namespace

void Registry::Sessions::offer(const Methods& methods) {
  for (const MethodInformation& method : methods)
    if (++methods_[method] == 1) bytes_ += encoded_size(method);
}

void Registry::Sessions::withdraw(const Methods& methods) {
  for (const MethodInformation& method : methods) {
    const auto offered = methods_.find(method);
    if (--offered->second != 0) continue;
    bytes_ -= encoded_size(method);
    methods_.erase(offered);
  }
}

void Registry::Sessions::add(SessionId session, const Methods& methods) {
  sessions_.emplace(session, pack(methods));
  offer(methods);
}

bool Registry::Sessions::remove(SessionId session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return false;
  withdraw(unpack(found->second));
  sessions_.erase(found);
  return true;
}

void Registry::Sessions::keep(ByteView stored) {
  if (kept_ == stored) return;
  const Methods methods = unpack(stored);
  offer(methods);
  withdraw(unpack(kept_));
  kept_ = stored;
  kept_bytes_ = lekt::encoded_size(methods);
}

Methods Registry::Sessions::methods() const {
  Methods methods;
  methods.reserve(methods_.size());
  for (const auto& [method, sessions] : methods_) methods.push_back(method);
  return methods;
}

Registry::Sessions& Registry::Client::spread_out() {
  if (sessions == nullptr) {
    sessions = std::make_unique<Sessions>();
    keep_stored();
  }
  if (only != 0) sessions->add(std::exchange(only, 0), unpack(stored.view()));
  return *sessions;
}

void Registry::Client::keep_stored() {
  if (sessions != nullptr) sessions->keep(waiting ? stored.view() : ByteView());
}

void Registry::Client::fold() {
  if (sessions == nullptr) return;
  if (present && sessions->size() == 1 && sessions->only().second == stored.view())
    only = sessions->only().first;
  if (sessions->size() == 0 || only != 0) sessions.reset();
}

/// Packed: the union of what its sessions offer and, while it is waited for, of what is stored.
Bytes Registry::wanted_methods(const Client& client) {
  if (client.sessions == nullptr) return Bytes(client.wanted() ? client.stored.view() : ByteView());
  return pack(client.sessions->methods());
}

void Registry::mark(Address address, Client& client) {
  if (client.marked) return;
  client.marked = true;
  marked_.push_back(address);
}

void Registry::set_present(Address address, Client& client, bool present) {
  if (client.present == present) return;
  client.present = present;
  const std::size_t loopback = is_loopback(address) ? 1 : 0;
  present_ = present ? present_ + 1 : present_ - 1;
  present_on_loopback_ = present ? present_on_loopback_ + loopback : present_on_loopback_ - loopback;
}

void Registry::stop_waiting(Client& client) {
  if (!client.waiting) return;
  client.waiting = false;
  client.keep_stored();
  --waiting_;
}

std::optional<Rejection> Registry::join(SessionId session, Address address, const Methods& methods) {
  const Client* const found = clients_.find(address);
  const bool known = found != nullptr && found->wanted();
  if (!known && clients_present_ >= limits_.clients_max)
    return Rejection{ErrorCode::server_full, "the server has " + std::to_string(clients_present_) +
                                                 " clients, as many as it may have; try again later"};
  if (known && found->session_count() >= limits_.sessions_per_client_max)
    return Rejection{ErrorCode::address_busy,
                     to_string(address) + " has as many connections as one address may have (" +
                         std::to_string(limits_.sessions_per_client_max) + "); close some of them"};
  Client& client = clients_[address];
  Sessions& sessions = client.spread_out();
  sessions.add(session, methods);
  const std::size_t room = packet_room();
  // Nobody can come back with methods that no longer fit: what it offers now takes their place.
  const bool gives_up_stored = client.waiting && entry_overhead + sessions.kept_bytes() > room;
  if (gives_up_stored) sessions.keep({});
  const std::size_t entry = entry_overhead + sessions.encoded_bytes();
  if (entry > room) {
    sessions.remove(session);
    client.keep_stored();
    client.fold();
    // One that is marked is dropped by the next comparison, which still looks for it.
    if (!client.wanted() && !client.present && !client.marked) clients_.erase(address);
    return Rejection{ErrorCode::record_too_large, "the methods of all sessions of " + to_string(address) +
                                                      " take " + std::to_string(entry) + " bytes; at most " +
                                                      std::to_string(room) + " fit one packet"};
  }
  if (gives_up_stored) stop_waiting(client);
  ++sessions_;
  if (client.session_count() == 1) ++connected_;
  if (!known) ++clients_present_;
  mark(address, client);
  return std::nullopt;
}

void Registry::leave(SessionId session, Address address, LeaveReason reason) {
  Client* const client = clients_.find(address);
  if (client != nullptr && client->session_count() == 1) {
    // One that has come back after the restart and left again is gone, unless it offered less than its
    // address did: then another program of this address still runs, and will come back.
    const auto& [last, methods] = client->spread_out().only();
    if (last == session && methods == client->stored.view()) stop_waiting(*client);
  }
  take_back(session, address, reason);
}

void Registry::take_back(SessionId session, Address address, LeaveReason reason) {
  Client* const found = clients_.find(address);
  if (found == nullptr) return;
  Client& client = *found;
  const bool there = client.spread_out().remove(session);
  client.fold();
  if (!there) return;
  client.reason = reason;
  --sessions_;
  if (client.session_count() == 0) --connected_;
  if (!client.wanted()) --clients_present_;
  mark(address, client);
}

void Registry::restore(Address address, const Methods& methods, bool waiting) {
  Client& client = clients_[address];
  const bool wanted_before = client.wanted();
  if (client.only != 0) client.spread_out();
  client.stored = ShortBytes(pack(methods));
  stored_bytes_max_ = std::max(stored_bytes_max_, client.stored.size());
  set_present(address, client, true);
  client.fold();
  if (waiting && !client.waiting) {
    client.waiting = true;
    ++waiting_;
  }
  client.keep_stored();
  if (!wanted_before && client.wanted()) ++clients_present_;
}

std::size_t Registry::dismiss(const Block& block, LeaveReason reason) {
  std::size_t dismissed = 0;
  const auto dismiss_one = [&](Address address, Client& client) {
    if (!client.waiting) return;
    stop_waiting(client);
    client.reason = reason;
    if (!client.wanted()) --clients_present_;
    mark(address, client);
    ++dismissed;
  };
  if (waiting_ == 0) return 0;
  if (block.is_single()) {
    if (Client* const client = clients_.find(block.first())) dismiss_one(block.first(), *client);
    return dismissed;
  }
  clients_.for_each([&](Address address, Client& client) {
    if (block.contains(address)) dismiss_one(address, client);
  });
  return dismissed;
}

void Registry::end_grace() { dismiss(Block::everyone(), LeaveReason::not_back); }

void Registry::begin_reload() {
  reloading_ = true;
  clients_.for_each([&](Address address, Client& client) {
    if (client.only != 0) client.spread_out();
    set_present(address, client, false);
    client.stored = {};
    client.keep_stored();
  });
}

void Registry::end_reload() {
  reloading_ = false;
  clients_.for_each([&](Address address, Client& client) { mark(address, client); });
}

std::vector<Registry::Difference> Registry::differences(const MayChange& may_change) {
  std::vector<Difference> differences;
  std::vector<Address> still_marked;
  for (const Address address : marked_) {
    Client* const found = clients_.find(address);
    assert(found != nullptr);
    Client& client = *found;
    const Bytes methods = wanted_methods(client);
    const bool wanted = client.wanted();
    if (wanted ? !client.present || client.stored.view() != methods : client.present) {
      still_marked.push_back(address);
      if (may_change && !may_change(address)) continue;
      differences.push_back({wanted ? UpdateKind::added : UpdateKind::removed, address, unpack(methods),
                             wanted ? LeaveReason::unknown : client.reason});
    } else if (wanted) {
      client.marked = false;
      client.fold();
    } else {
      clients_.erase(address);
    }
  }
  marked_.swap(still_marked);
  return differences;
}

void Registry::committed(const std::vector<Difference>& differences) {
  for (const Difference& difference : differences) {
    Client& client = clients_.at(difference.address);
    set_present(difference.address, client, difference.kind == UpdateKind::added);
    client.stored = ShortBytes(client.present ? pack(difference.methods) : Bytes());
    stored_bytes_max_ = std::max(stored_bytes_max_, client.stored.size());
    client.keep_stored();
    client.fold();
  }
  // What was committed is compared once more, cheaply: it no longer differs, and clients that are gone are
  // dropped.
  (void)this->differences([](Address) { return false; });
}

bool Registry::is_oversize(ByteView packed) const {
  // Packed, each method has its length besides; the comparison is made exactly only where it may matter.
  return entry_overhead + packed.size() > packet_room() &&
         entry_overhead + lekt::encoded_size(unpack(packed)) > packet_room();
}

Registry::Oversize Registry::oversize() const {
  Oversize oversize;
  if (entry_overhead + stored_bytes_max_ <= packet_room()) return oversize;
  clients_.for_each([&](Address, const Client& client) {
    if (!client.present || !is_oversize(client.stored.view())) return;
    ++oversize.clients;
    oversize.bytes_max = std::max(oversize.bytes_max, limits::update_header_bytes + entry_overhead +
                                                          lekt::encoded_size(unpack(client.stored.view())));
  });
  return oversize;
}

bool Registry::is_stored(Address address) const {
  const Client* const client = clients_.find(address);
  return client != nullptr && !client->marked;
}

bool Registry::is_present(Address address) const {
  const Client* const client = clients_.find(address);
  return client != nullptr && client->present;
}

std::map<SessionId, Methods> Registry::offers_of(Address address) const {
  std::map<SessionId, Methods> offers;
  const Client* const found = clients_.find(address);
  if (found == nullptr) return offers;
  const Client& client = *found;
  if (client.only != 0) offers.emplace(client.only, unpack(client.stored.view()));
  if (client.sessions != nullptr)
    for (const auto& [session, methods] : client.sessions->each()) offers.emplace(session, unpack(methods));
  return offers;
}

std::uint32_t Registry::sessions_of(Address address) const {
  const Client* const client = clients_.find(address);
  return client == nullptr ? 0 : static_cast<std::uint32_t>(client->session_count());
}

}  // namespace lekt
