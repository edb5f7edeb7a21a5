// Admission decides who may connect, before a byte from them is read.
//
// An address that is not allowed, or a connection beyond a limit, is told so with a code and disconnected. A refused
// connection counts until it is closed, like every other, because it holds a descriptor. While many are being told
// why, further ones are closed without a word, so that refused strangers take no memory beyond a bound.
//
// Its memory is proportional to the handshakes under way, not to the clients that are present. The registry decides
// how many sessions an address may have when it joins.
//
// The listener admits on its thread, and workers report on theirs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/address_map.h"
#include "common/address_rates.h"
#include "common/block.h"
#include "common/errors.h"
#include "common/mutex.h"
#include "common/rate.h"
#include "server/operators/code_counts.h"

namespace lekt {

class Admission {
 public:
  struct Limits {
    std::size_t connections_max = 0;
    std::size_t handshakes_max = 0;              ///< connections that have not joined yet
    std::size_t handshakes_per_address_max = 0;  ///< those from one address
    Rate connections;                            ///< new connections of all addresses
    Rate connections_per_address;
    Rate tls_handshakes{1000, 2000};  ///< TLS handshakes that begin, of all addresses
    std::size_t refusals_max = 1024;  ///< connections that are being told why they are refused
  };

  enum class Verdict : std::uint8_t {
    admitted,
    refused,  ///< the connection may stay until it has been told why
    dropped,  ///< close the connection: it was not counted, and nothing about it is to be reported
  };
  struct Decision {
    Verdict verdict = Verdict::admitted;
    std::optional<Rejection> rejection;  ///< why it was not admitted; nothing if it was
  };

  Admission(const AddressRules& rules, const Limits& limits, CodeCounts& counts);

  /// Uses other rules and limits for connections that come from now on.
  void use(const AddressRules& rules, const Limits& limits);
  /// Sets the blocks that the operator has banned, whatever the rules say.
  void ban(std::vector<Block> blocks);
  /// The rejection of an address that has been banned since it was admitted; nothing if it has not.
  std::optional<Rejection> judge_ban(Address address) const;

  /// The rejection of an address that is banned, or that the rules do not admit; nothing if it may come. Counts nothing.
  std::optional<Rejection> judge_address(Address address) const;

  /// Counts a connection and its handshake. `now` comes from a clock that never goes back. `tls`: it begins with a TLS
  /// handshake.
  Decision admit(Address address, Rate::Time now, bool tls = false);
  /// Counts a trusted proxy's connection, which has no rates and limits of its own. A proxy that is denied or banned is
  /// refused. The handshake counts for the proxy until identify() says whose it is.
  Decision admit_proxy(Address proxy);
  /// Judges the client that a proxy has named. If it is dropped, its connection counts as admitted until its end.
  Decision identify(Address proxy, Address client, Rate::Time now, bool tls = false);
  /// Counts a connection that the caller refuses for a reason of its own.
  Decision refuse(Address address, const Rejection& rejection);

  /// Notes that a handshake is over: the client has joined, or will not.
  void end_handshake(Address address);
  /// Notes that a connection is closed; its handshake has ended before.
  void end_connection(Verdict verdict);

  std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }
  std::size_t handshakes() const;
  std::size_t handshakes_max() const;  ///< the limit, which use() changes
  /// Connections that have joined, give or take a few that are coming or going.
  std::size_t sessions() const;

 private:
  Decision count(Address address, std::optional<Rejection> rejection) LEKT_REQUIRES(mutex_);
  void remove_handshake(Address address) LEKT_REQUIRES(mutex_);
  Verdict judge_refusal(ErrorCode code) LEKT_REQUIRES(mutex_);
  std::optional<Rejection> find_ban(Address address) const LEKT_REQUIRES(mutex_);
  std::optional<Rejection> judge_proxy(Address proxy) const LEKT_REQUIRES(mutex_);
  std::optional<Rejection> judge_rules(Address address) const LEKT_REQUIRES(mutex_);
  std::optional<Rejection> judge_room() const LEKT_REQUIRES(mutex_);
  std::optional<Rejection> judge_rate(Address address, Rate::Time now, bool tls) LEKT_REQUIRES(mutex_);
  std::optional<Rejection> judge_address_handshakes(Address address) const LEKT_REQUIRES(mutex_);

  CodeCounts& counts_;
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> refusals_{0};
  std::atomic<bool> has_bans_{false};
  mutable Mutex mutex_;
  AddressRules rules_ LEKT_GUARDED_BY(mutex_);
  std::vector<Block> bans_ LEKT_GUARDED_BY(mutex_);
  Limits limits_ LEKT_GUARDED_BY(mutex_);
  Rate::Time paid_until_ LEKT_GUARDED_BY(mutex_){0};
  Rate::Time tls_paid_until_ LEKT_GUARDED_BY(mutex_){0};
  AddressRates address_rates_ LEKT_GUARDED_BY(mutex_);
  AddressMap<std::uint32_t> by_address_ LEKT_GUARDED_BY(mutex_);
  std::size_t handshakes_ LEKT_GUARDED_BY(mutex_) = 0;
};

}  // namespace lekt
