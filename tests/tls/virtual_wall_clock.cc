#include "tests/tls/virtual_wall_clock.h"

#include <sys/time.h>
#include <time.h>

#include <stdexcept>

namespace lekt::test {

namespace {

constexpr std::chrono::microseconds begin = std::chrono::seconds(1'700'000'000);

std::chrono::microseconds virtual_now{0};
bool is_virtual = false;

}  // namespace

VirtualWallClock::VirtualWallClock() {
  if (is_virtual) throw std::logic_error("there is a virtual clock already");
  is_virtual = true;
  virtual_now = begin;
}

VirtualWallClock::~VirtualWallClock() { is_virtual = false; }

void VirtualWallClock::advance(std::chrono::microseconds step) { virtual_now += step; }

}  // namespace lekt::test

extern "C" int gettimeofday(timeval* time, void*) noexcept {
  if (lekt::test::is_virtual) {
    time->tv_sec = lekt::test::virtual_now.count() / 1'000'000;
    time->tv_usec = lekt::test::virtual_now.count() % 1'000'000;
    return 0;
  }
  timespec now{};
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}
