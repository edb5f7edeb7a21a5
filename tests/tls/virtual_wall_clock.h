// What gettimeofday() says in a test. OpenSSL asks it when a flight of a DTLS handshake is to be repeated, and cannot be
// told the time in another way. A program that links this has a gettimeofday() of its own, which is the machine's while
// there is no VirtualWallClock.
#pragma once

#include <chrono>

namespace lekt::test {

/// One at a time. Begins at some moment of 2023, and stands still.
class VirtualWallClock {
 public:
  VirtualWallClock();
  ~VirtualWallClock();
  VirtualWallClock(const VirtualWallClock&) = delete;
  VirtualWallClock& operator=(const VirtualWallClock&) = delete;

  /// `step` may be negative.
  void advance(std::chrono::microseconds step);
};

}  // namespace lekt::test
