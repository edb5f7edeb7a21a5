// Admission: who may connect, before a byte of theirs is read.
//
// An address that is not allowed, and what goes beyond a limit, is told so with a code and let go. A
// connection that is refused counts until it is closed, like every other: it holds a descriptor.
//
// What it keeps follows the handshakes under way, not the clients that are there; how many sessions an
// address may have when it joins is the registry's to say. The listener admits on its thread, workers report
// on theirs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "common/cidr.h"
#include "common/errors.h"

namespace lekt {

class Admission {
 public:
  struct Limits {
    std::size_t connections_max = 0;
    std::size_t handshakes_max = 0;              ///< connections that have not joined yet
    std::size_t handshakes_per_address_max = 0;  ///< of these, from one address
  };

  Admission(const AddressRules& rules, const Limits& limits) : rules_(rules), limits_(limits) {}

  /// Counts a connection and its handshake. With a rejection it may stay only until it has been told.
  std::optional<Rejection> admit(Ipv4Address address);
  /// It has joined, or will not.
  void end_handshake(Ipv4Address address);
  /// It is closed; its handshake has ended before.
  void end_connection() { connections_.fetch_sub(1, std::memory_order_relaxed); }

  std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }
  std::size_t handshakes() const;

 private:
  const AddressRules rules_;
  const Limits limits_;
  std::atomic<std::size_t> connections_{0};
  mutable std::mutex mutex_;
  std::unordered_map<Ipv4Address, std::uint32_t> by_address_;
  std::size_t handshakes_ = 0;
};

}  // namespace lekt
