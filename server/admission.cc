#include "server/admission.h"

#include <algorithm>
#include <cassert>
#include <random>
#include <string>

namespace lekt {

namespace {

std::uint64_t random_secret() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

}  // namespace

Admission::Admission(const AddressRules& rules, const Limits& limits, CodeCounts& counts)
    : counts_(counts),
      rules_(rules),
      limits_(limits),
      address_rates_(limits.connections_per_address, random_secret()) {}

void Admission::use(const AddressRules& rules, const Limits& limits) {
  const std::lock_guard lock(mutex_);
  rules_ = rules;
  limits_ = limits;
  address_rates_.use(limits.connections_per_address);
}

void Admission::ban(std::vector<Cidr> blocks) {
  const std::lock_guard lock(mutex_);
  bans_.swap(blocks);
  has_bans_ = !bans_.empty();
}

std::optional<Rejection> Admission::judge_ban(Ipv4Address address) const {
  if (!has_bans_) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return find_ban(address);
}

std::optional<Rejection> Admission::find_ban(Ipv4Address address) const {
  if (std::ranges::none_of(bans_, [&](const Cidr& block) { return block.contains(address); }))
    return std::nullopt;
  return Rejection{ErrorCode::address_banned, "the operator of this server has banned " + to_string(address)};
}

Admission::Decision Admission::admit(Ipv4Address address, Rate::Time now) {
  const std::lock_guard lock(mutex_);
  auto rejection = judge_rules(address);
  if (!rejection) rejection = judge_room();
  if (!rejection) rejection = judge_rate(address, now);
  if (!rejection) rejection = judge_address_handshakes(address);
  return count(address, std::move(rejection));
}

Admission::Decision Admission::admit_proxy(Ipv4Address proxy) {
  const std::lock_guard lock(mutex_);
  return count(proxy, judge_room());
}

Admission::Decision Admission::identify(Ipv4Address proxy, Ipv4Address client, Rate::Time now) {
  const std::lock_guard lock(mutex_);
  auto rejection = judge_rules(client);
  if (!rejection) rejection = judge_rate(client, now);
  if (!rejection && client != proxy) rejection = judge_address_handshakes(client);
  remove_handshake(proxy);
  ++handshakes_;
  ++by_address_[client];
  if (!rejection) return {};
  const Verdict verdict = judge_refusal(rejection->code);
  return {verdict, std::move(rejection)};
}

Admission::Decision Admission::refuse(Ipv4Address address, const Rejection& rejection) {
  const std::lock_guard lock(mutex_);
  return count(address, rejection);
}

Admission::Decision Admission::count(Ipv4Address address, std::optional<Rejection> rejection) {
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

std::optional<Rejection> Admission::judge_rules(Ipv4Address address) const {
  if (auto banned = find_ban(address)) return banned;
  if (rules_.admits(address)) return std::nullopt;
  return Rejection{ErrorCode::address_denied, "this server does not serve " + to_string(address) +
                                                  "; its operator decides that with --allow and --deny"};
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

std::optional<Rejection> Admission::judge_rate(Ipv4Address address, Rate::Time now) {
  if (!address_rates_.take(address, now))
    return Rejection{ErrorCode::connections_too_fast,
                     "connections from " + to_string(address) +
                         " come faster than one address may connect; wait longer before you try again"};
  if (!limits_.connections.take(paid_until_, now))
    return Rejection{ErrorCode::connections_too_fast,
                     "connections come faster than this server takes them; try again in a moment"};
  return std::nullopt;
}

std::optional<Rejection> Admission::judge_address_handshakes(Ipv4Address address) const {
  const auto found = by_address_.find(address);
  if (found == by_address_.end() || found->second < limits_.handshakes_per_address_max) return std::nullopt;
  return Rejection{ErrorCode::address_busy,
                   to_string(address) +
                       " has as many connections that have not joined yet as one address may have (" +
                       std::to_string(limits_.handshakes_per_address_max) + "); finish or close them"};
}

void Admission::end_handshake(Ipv4Address address) {
  const std::lock_guard lock(mutex_);
  remove_handshake(address);
}

void Admission::remove_handshake(Ipv4Address address) {
  const auto found = by_address_.find(address);
  assert(found != by_address_.end() && handshakes_ > 0);
  --handshakes_;
  if (--found->second == 0) by_address_.erase(found);
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
  const std::lock_guard lock(mutex_);
  return limits_.handshakes_max;
}

std::size_t Admission::handshakes() const {
  const std::lock_guard lock(mutex_);
  return handshakes_;
}

}  // namespace lekt
