// Hostile clients, all at once, on a thread of their own: noise, broken packets, single bytes, silence,
// resets, and asking for what is never read.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <thread>

#include "tests/integration/raw_client.h"
#include "tests/support/support.h"

namespace lekt::test {

class Attackers {
 public:
  Attackers(std::uint16_t server_port, std::uint64_t seed);
  ~Attackers();
  Attackers(const Attackers&) = delete;
  Attackers& operator=(const Attackers&) = delete;

  /// While false they close what they have and do nothing.
  void set_active(bool active) { active_ = active; }
  std::uint64_t attacks() const { return attacks_; }

 private:
  /// A connection that is kept open, and what it sends in single bytes.
  struct Held {
    RawClient client;
    Bytes drip;
  };

  void work();
  void attack();
  void drip();
  void hold(RawClient client, Bytes drip = {});
  RawClient connect(int receive_buffer = 0);
  Bytes broken_conversation();

  const std::uint16_t server_port_;
  Random random_;
  std::deque<Held> held_;  ///< oldest first
  std::atomic<std::uint64_t> attacks_ = 0;
  std::atomic<bool> active_ = true;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace lekt::test
