#include "server/net/admission.h"

#include <algorithm>
#include <cassert>
#include <string>

#include "server/operators/secret.h"

namespace lekt {

namespace {

Rejection denied(Address address) {
  return {ErrorCode::address_denied, "this server does not serve " + to_string(address) +
                                         "; its operator decides that with --allow and --deny"};
}

}  // namespace

Admission::Admission(const AddressRules& rules, const Limits& limits, CodeCounts& counts)
    : counts_(counts),
      rules_(rules),
      limits_(limits),
      address_rates_(limits.connections_per_address, random_secret()) {}

void Admission::use(const AddressRules& rules, const Limits& limits) {
  const MutexLock lock(mutex_);
  rules_ = rules;
  limits_ = limits;
  address_rates_.use(limits.connections_per_address);
}

void Admission::ban(std::vector<Block> blocks) {
  const MutexLock lock(mutex_);
  bans_.swap(blocks);
  has_bans_ = !bans_.empty();
}

std::optional<Rejection> Admission::judge_ban(Address address) const {
  if (!has_bans_) return std::nullopt;
  const MutexLock lock(mutex_);
  return find_ban(address);
}

std::optional<Rejection> Admission::judge_address(Address address) const {
  const MutexLock lock(mutex_);
  return judge_rules(address);
}

std::optional<Rejection> Admission::find_ban(Address address) const {
  if (std::ranges::none_of(bans_, [&](const Block& block) { return block.contains(address); }))
    return std::nullopt;
  return Rejection{ErrorCode::address_banned, "the operator of this server has banned " + to_string(address)};
}

Admission::Decision Admission::admit(Address address, Rate::Time now, bool tls) {
  const MutexLock lock(mutex_);
  auto rejection = judge_rules(address);
  if (!rejection) rejection = judge_room();
  if (!rejection) rejection = judge_rate(address, now, tls);
  if (!rejection) rejection = judge_address_handshakes(address);
  return count(address, std::move(rejection));
}

Admission::Decision Admission::admit_proxy(Address proxy) {
  const MutexLock lock(mutex_);
  auto rejection = judge_proxy(proxy);
  if (!rejection) rejection = judge_room();
  return count(proxy, std::move(rejection));
}

Admission::Decision Admission::identify(Address proxy, Address client, Rate::Time now, bool tls) {
  const MutexLock lock(mutex_);
  auto rejection = judge_rules(client);
  if (!rejection) rejection = judge_rate(client, now, tls);
  if (!rejection && client != proxy) rejection = judge_address_handshakes(client);
  remove_handshake(proxy);
  ++handshakes_;
  ++by_address_[client];
  if (!rejection) return {};
  const Verdict verdict = judge_refusal(rejection->code);
  return {verdict, std::move(rejection)};
}

Admission::Decision Admission::refuse(Address address, const Rejection& rejection) {
  const MutexLock lock(mutex_);
  return count(address, rejection);
}

Admission::Decision Admission::count(Address address, std::optional<Rejection> rejection) {
  const Verdict verdict = rejection ? judge_refusal(rejection->code) : Verdict::admitted;
  if (verdict != Verdict::dropped) {
    connections_.fetch_add(1, std::memory_order_relaxed);
    ++handshakes_;
    ++by_address_[address];
  }
  return {verdict, std::move(rejection)};
}

/// Whether there is room to tell one more why it is refused. One that is told is counted when it is.
Admission::Verdict Admission::judge_refusal(ErrorCode code) {
  if (refusals_.load(std::memory_order_relaxed) >= limits_.refusals_max) {
    counts_.count(code);
    return Verdict::dropped;
  }
  refusals_.fetch_add(1, std::memory_order_relaxed);
  return Verdict::refused;
}

/// A proxy has to be neither banned nor denied. It need not be allowed: --allow is about clients, and that the proxy
/// may come was said where it was named.
std::optional<Rejection> Admission::judge_proxy(Address proxy) const {
  if (auto banned = find_ban(proxy)) return banned;
  return rules_.denies(proxy) ? std::optional(denied(proxy)) : std::nullopt;
}

std::optional<Rejection> Admission::judge_rules(Address address) const {
  if (auto banned = find_ban(address)) return banned;
  return rules_.admits(address) ? std::nullopt : std::optional(denied(address));
}

std::optional<Rejection> Admission::judge_room() const {
  if (connections() >= limits_.connections_max)
    return Rejection{ErrorCode::server_full, "the server has " + std::to_string(limits_.connections_max) +
                                                 " connections, as many as it may have; try again later"};
  if (handshakes_ >= limits_.handshakes_max)
    return Rejection{ErrorCode::handshakes_too_many, "as many connections as the server bears (" +
                                                         std::to_string(limits_.handshakes_max) +
                                                         ") have not joined yet; try again in a moment"};
  return std::nullopt;
}

std::optional<Rejection> Admission::judge_rate(Address address, Rate::Time now, bool tls) {
  if (!address_rates_.take(address, now))
    return Rejection{ErrorCode::connections_too_fast,
                     "connections from " + to_string(address) +
                         " come faster than one address may connect; wait longer before you try again"};
  if (!limits_.connections.take(paid_until_, now))
    return Rejection{ErrorCode::connections_too_fast,
                     "connections come faster than this server takes them; try again in a moment"};
  if (tls && !limits_.tls_handshakes.take(tls_paid_until_, now))
    return Rejection{ErrorCode::connections_too_fast,
                     "connections with TLS come faster than this server shakes hands; try again in a moment"};
  return std::nullopt;
}

std::optional<Rejection> Admission::judge_address_handshakes(Address address) const {
  const std::uint32_t* const handshakes = by_address_.find(address);
  if (handshakes == nullptr || *handshakes < limits_.handshakes_per_address_max) return std::nullopt;
  return Rejection{ErrorCode::address_busy,
                   to_string(address) +
                       " has as many connections that have not joined yet as one address may have (" +
                       std::to_string(limits_.handshakes_per_address_max) + "); finish or close them"};
}

void Admission::end_handshake(Address address) {
  const MutexLock lock(mutex_);
  remove_handshake(address);
}

void Admission::remove_handshake(Address address) {
  std::uint32_t* const handshakes = by_address_.find(address);
  assert(handshakes != nullptr && handshakes_ > 0);
  --handshakes_;
  if (--*handshakes == 0) by_address_.erase(address);
}

void Admission::end_connection(Verdict verdict) {
  connections_.fetch_sub(1, std::memory_order_relaxed);
  if (verdict == Verdict::refused) refusals_.fetch_sub(1, std::memory_order_relaxed);
}

std::size_t Admission::sessions() const {
  const std::size_t under_way = handshakes();
  const std::size_t all = connections();
  return all > under_way ? all - under_way : 0;
}

std::size_t Admission::handshakes_max() const {
  const MutexLock lock(mutex_);
  return limits_.handshakes_max;
}

std::size_t Admission::handshakes() const {
  const MutexLock lock(mutex_);
  return handshakes_;
}

}  // namespace lekt
