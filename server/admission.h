// Admission: who may connect, before a byte of theirs is read.
//
// An address that is not allowed, and what goes beyond a limit, is told so with a code and let go. A
// connection that is refused counts until it is closed, like every other: it holds a descriptor. When many
// are being told already, the next ones are closed without a word, so that strangers who are refused take no
// memory beyond a bound.
//
// What it keeps follows the handshakes under way, not the clients that are there; how many sessions an
// address may have when it joins is the registry's to say.
//
// The listener admits on its thread, workers report on theirs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/cidr.h"
#include "common/errors.h"
#include "server/address_rates.h"
#include "server/code_counts.h"
#include "server/rate.h"

namespace lekt {

class Admission {
 public:
  struct Limits {
    std::size_t connections_max = 0;
    std::size_t handshakes_max = 0;              ///< connections that have not joined yet
    std::size_t handshakes_per_address_max = 0;  ///< of these, from one address
    Rate connections;                            ///< new ones, of all addresses
    Rate connections_per_address;
    std::size_t refusals_max = 1024;  ///< connections that are being told why they are refused
  };

  enum class Verdict : std::uint8_t {
    admitted,
    refused,  ///< it may stay until it has been told why
    dropped,  ///< close it: it was not counted, and nothing of it is to be reported
  };
  struct Decision {
    Verdict verdict = Verdict::admitted;
    std::optional<Rejection> rejection;  ///< unless it is admitted
  };

  Admission(const AddressRules& rules, const Limits& limits, CodeCounts& counts);

  /// For those who come from now on.
  void use(const AddressRules& rules, const Limits& limits);
  /// Whom the operator does not want, whatever the rules say.
  void ban(std::vector<Cidr> blocks);
  /// Whether it has been banned since it was admitted.
  std::optional<Rejection> judge_ban(Ipv4Address address) const;

  /// Counts a connection and its handshake. `now`: of a clock that never goes back.
  Decision admit(Ipv4Address address, Rate::Time now);
  /// The same for a trusted proxy's, which has no rates and limits of its own. Its handshake counts for the
  /// proxy until identify() says whose it is.
  Decision admit_proxy(Ipv4Address proxy);
  /// Judges the client that a proxy has named. One that is dropped stays counted as admitted until its end.
  Decision identify(Ipv4Address proxy, Ipv4Address client, Rate::Time now);
  /// The same for one that is refused for a reason of the caller's.
  Decision refuse(Ipv4Address address, const Rejection& rejection);

  /// It has joined, or will not.
  void end_handshake(Ipv4Address address);
  /// It is closed; its handshake has ended before.
  void end_connection(Verdict verdict);

  std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }
  std::size_t handshakes() const;
  std::size_t handshakes_max() const;  ///< changes with use()
  /// Connections that have joined; a little more or less while some come and go.
  std::size_t sessions() const;

 private:
  Decision count(Ipv4Address address, std::optional<Rejection> rejection);
  void remove_handshake(Ipv4Address address);
  Verdict judge_refusal(ErrorCode code);
  std::optional<Rejection> find_ban(Ipv4Address address) const;
  std::optional<Rejection> judge_rules(Ipv4Address address) const;
  std::optional<Rejection> judge_room() const;
  std::optional<Rejection> judge_rate(Ipv4Address address, Rate::Time now);
  std::optional<Rejection> judge_address_handshakes(Ipv4Address address) const;

  CodeCounts& counts_;
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> refusals_{0};
  mutable std::mutex mutex_;  ///< for what follows
  AddressRules rules_;
  std::vector<Cidr> bans_;
  std::atomic<bool> has_bans_{false};
  Limits limits_;
  Rate::Time paid_until_{0};
  AddressRates address_rates_;
  std::unordered_map<Ipv4Address, std::uint32_t> by_address_;
  std::size_t handshakes_ = 0;
};

}  // namespace lekt
