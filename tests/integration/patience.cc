#include "tests/integration/patience.h"

#include <algorithm>
#include <cstdlib>

namespace lekt::test {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int slowness_default = 4;
#else
constexpr int slowness_default = 1;
#endif

int slowness() {
  const char* given = std::getenv("LEKT_TEST_SLOWNESS");
  return given == nullptr ? slowness_default : std::clamp(std::atoi(given), 1, 100);
}

}  // namespace

std::chrono::milliseconds slowed(std::chrono::milliseconds base) { return base * slowness(); }

std::chrono::milliseconds patience() { return slowed(std::chrono::seconds(20)); }

std::chrono::milliseconds Deadline::left() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

}  // namespace lekt::test
