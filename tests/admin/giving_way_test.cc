// Who gives way: not who comes first, but who has waited for the longest time.
#include "admin/giving_way.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>

#include "common/descriptor.h"

namespace lekt::admin {

namespace {

using namespace std::chrono_literals;

/// A connection, and its client's end.
struct Connection {
  explicit Connection(GivingWay& all) : place(all, make_pair()) {}

  int make_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw std::runtime_error("no pair of sockets");
    server = Descriptor(ends[0]);
    client = Descriptor(ends[1]);
    return ends[0];
  }

  bool is_ended() const {
    pollfd entry{client.value(), POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
  }

  Descriptor server{-1};
  Descriptor client{-1};
  GivingWay::Place place;
};

}  // namespace

TEST(GivingWay, ends_who_has_waited_longest_first_and_each_once) {
  GivingWay all;
  Connection late(all), early(all), busy(all), later(all);
  const GivingWay::Clock::time_point now{1h};
  late.place.waits(now - 2s);
  early.place.waits(now - 3s);
  busy.place.waits(now - 4s);
  busy.place.goes_on();
  later.place.waits(now - 1s);
  EXPECT_TRUE(all.end_longest(2s, now));
  EXPECT_TRUE(early.is_ended());
  EXPECT_FALSE(late.is_ended());
  EXPECT_TRUE(all.end_longest(2s, now));
  EXPECT_TRUE(late.is_ended());
  EXPECT_FALSE(all.end_longest(2s, now)) << "nobody else has waited for so long";
  EXPECT_FALSE(busy.is_ended() || later.is_ended());
}

}  // namespace lekt::admin
