// How long the tests wait for what must happen: generous, and longer where the program is slower.
#pragma once

#include <chrono>

namespace lekt::test {

/// `base` times the environment variable LEKT_TEST_SLOWNESS; without it 1, or 4 under a sanitizer. For
/// deadlines and for the daemon's own timeouts, so that both keep their proportion.
std::chrono::milliseconds slowed(std::chrono::milliseconds base);

/// How long to wait for something that normally takes milliseconds.
std::chrono::milliseconds patience();

/// A point in time to wait for at most.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds after) : at_(std::chrono::steady_clock::now() + after) {}

  std::chrono::milliseconds left() const;
  bool over() const { return left() == std::chrono::milliseconds(0); }

 private:
  std::chrono::steady_clock::time_point at_;
};

}  // namespace lekt::test
