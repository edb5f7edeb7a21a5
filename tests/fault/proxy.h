// A bad network between clients and the server: a proxy that delays bytes, breaks them into pieces, and cuts
// connections at random places, each from its own seed.
//
// It connects to the server from the client's own address, so the server sees who is there. Bytes are never
// changed, and never come in another order.
//
// Its thread owns the connections; set_calm() may be called from another.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <thread>

#include "common/descriptor.h"
#include "tests/support/support.h"

namespace lekt::test {

class Proxy {
 public:
  Proxy(std::uint16_t server, std::uint64_t seed);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  std::uint16_t port() const { return port_; }
  /// While it is calm, nothing is delayed or cut.
  void set_calm(bool calm) { calm_ = calm; }
  std::size_t cuts() const { return cuts_; }

 private:
  class Pair;

  void run();
  void accept();

  std::uint16_t server_;
  Random random_;
  Descriptor listener_{-1};
  std::uint16_t port_ = 0;
  std::list<Pair> pairs_;
  std::atomic<bool> calm_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> cuts_ = 0;
  std::thread thread_;
};

}  // namespace lekt::test
