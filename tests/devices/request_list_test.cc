#include "devices/request_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>
#include <vector>

#include "tests/devices/support.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using Time = RequestList::Time;

using test::example_device;

DeviceRequest request_of(std::uint64_t registration, Time since = 0s, Address address = example_device) {
  DeviceRequest request;
  request.device = {address, 3771};
  request.registration = registration;
  request.port = static_cast<std::uint16_t>(5000 + registration % 1000);
  request.since = since;
  return request;
}

class RequestListTest : public testing::Test {
 protected:
  std::vector<std::uint64_t> on_their_way() const {
    std::vector<std::uint64_t> registrations;
    list_.for_each_on_its_way(
        [&](const DeviceRequest& request) { registrations.push_back(request.registration); });
    return registrations;
  }

  RequestList list_{7};
};

std::string lines_of(HandlerLevel level, const DeviceRequest& request) {
  std::string lines;
  for (const LoggedEvent& logged : handler_events(request, 5000, 6000))
    lines += handler_line(level, logged.time, logged.event);
  return lines;
}

}  // namespace

TEST_F(RequestListTest, has_the_port_for_a_repeated_request) {
  list_.add(request_of(7));
  ASSERT_NE(list_.find(example_device, 7), nullptr);
  EXPECT_EQ(list_.find(example_device, 7)->port, 5007);
  EXPECT_EQ(list_.size(), 1u);
}

TEST_F(RequestListTest, knows_a_request_by_address_and_registration) {
  list_.add(request_of(7));
  EXPECT_EQ(list_.find(example_device, 8), nullptr);
  EXPECT_EQ(list_.find(Address::v4(0x0a0ae197), 7), nullptr);
  list_.add(request_of(7, 0s, Address::v4(0x0a0ae197)));
  list_.find(example_device, 7)->port = 6000;
  EXPECT_EQ(list_.find(Address::v4(0x0a0ae197), 7)->port, 5007);
}

TEST_F(RequestListTest, tells_once_who_did_not_register_within_10_seconds) {
  list_.add(request_of(1, 5s));
  list_.add(request_of(2, 6s));
  EXPECT_EQ(list_.next_look(), 15s);
  EXPECT_FALSE(list_.take_incomplete(14'999ms));
  EXPECT_EQ(list_.take_incomplete(15s)->registration, 1u);
  EXPECT_FALSE(list_.take_incomplete(15s));
  EXPECT_EQ(list_.find(example_device, 1), nullptr);
  EXPECT_NE(list_.find(example_device, 2), nullptr);
  EXPECT_EQ(list_.next_look(), 16s);
}

TEST_F(RequestListTest, counts_the_10_seconds_from_the_first_accept) {
  list_.add(request_of(1, 0s)).note_accept({});
  list_.find(example_device, 1)->note_accept({});
  EXPECT_TRUE(list_.take_incomplete(10s));
}

TEST_F(RequestListTest, tells_nothing_of_who_has_registered) {
  list_.add(request_of(1, 0s)).is_registered = true;
  list_.add(request_of(2, 1s));
  list_.add(request_of(3, 2s)).is_registered = true;
  EXPECT_EQ(on_their_way(), (std::vector<std::uint64_t>{2}));
  EXPECT_EQ(list_.take_incomplete(20s)->registration, 2u);
  EXPECT_FALSE(list_.take_incomplete(20s));
  EXPECT_EQ(list_.size(), 0u);
  EXPECT_EQ(list_.next_look(), std::nullopt);
}

TEST_F(RequestListTest, keeps_who_has_registered_for_packets_that_come_late) {
  list_.add(request_of(1, 0s)).is_registered = true;
  EXPECT_FALSE(list_.take_incomplete(9'999ms));
  EXPECT_NE(list_.find(example_device, 1), nullptr);
}

TEST_F(RequestListTest, has_the_newest_1024_and_no_more) {
  for (std::uint64_t registration = 1; registration <= 100'000; ++registration) {
    list_.add(request_of(registration));
    ASSERT_EQ(list_.size(), std::min<std::size_t>(registration, 1024));
  }
  EXPECT_EQ(list_.find(example_device, 100'000 - 1024), nullptr);
  for (std::uint64_t registration = 100'000 - 1023; registration <= 100'000; ++registration)
    ASSERT_EQ(list_.find(example_device, registration)->registration, registration);
  EXPECT_EQ(on_their_way().front(), 100'000u - 1023);
  EXPECT_EQ(on_their_way().back(), 100'000u);
}

TEST_F(RequestListTest, keeps_the_times_of_five_accepts) {
  DeviceRequest& request = list_.add(request_of(1));
  for (int count = 0; count < 1000; ++count) request.note_accept({std::chrono::seconds(count), 0s});
  EXPECT_EQ(request.accepts, 5);
  EXPECT_EQ(request.accepted.back().unix_time, 4s);
}

TEST_F(RequestListTest, takes_less_than_256_kib) { EXPECT_LE(sizeof(DeviceRequest), 240u); }

TEST_F(RequestListTest, is_what_a_list_that_is_searched_would_be) {
  test::Random random;
  std::list<DeviceRequest> model;
  Time now = 0s;
  for (int step = 0; step < (test::sanitized ? 20'000 : 100'000); ++step) {
    now += Time(random.below(15));
    const Address address = Address::v4(static_cast<std::uint32_t>(random.below(40)));
    const std::uint64_t registration = random.below(60) << random.below(2) * 58;
    const auto expected = std::ranges::find_if(model, [&](const DeviceRequest& request) {
      return request.device.address == address && request.registration == registration;
    });
    DeviceRequest* found = list_.find(address, registration);
    ASSERT_EQ(found != nullptr, expected != model.end());
    if (found == nullptr) {
      list_.add(request_of(registration, now, address));
      model.push_back(request_of(registration, now, address));
      if (model.size() > RequestList::requests_max) model.pop_front();
    } else {
      ASSERT_EQ(found->since, expected->since);
      if (random.chance(30)) found->is_registered = expected->is_registered = true;
    }
    if (random.chance(70)) continue;
    while (const auto incomplete = list_.take_incomplete(now)) {
      while (model.front().is_registered) model.pop_front();
      ASSERT_EQ(incomplete->registration, model.front().registration);
      ASSERT_GE(now - model.front().since, 10s);
      model.pop_front();
    }
    while (!model.empty() && now - model.front().since >= 10s) {
      ASSERT_TRUE(model.front().is_registered);
      model.pop_front();
    }
    ASSERT_EQ(list_.size(), model.size());
  }
}

TEST(RequestLines, are_those_of_packets_1_and_2) {
  DeviceRequest request = request_of(7);
  request.local = parse_address("192.168.100.12").value();
  request.note_accept({1264408182'549ms, 0s});
  request.note_accept({1264408183'050ms, 0s});
  EXPECT_EQ(
      lines_of(HandlerLevel::protocol, request),
      "01/25/2010 08:29:42:549 - Device Handler Starting Session for 10.10.225.150\n"
      "01/25/2010 08:29:42:549 - Device Handler: Attempting to open a socket on IP 192.168.100.12 on a UDP "
      "port between 5000 and 6000\n"
      "01/25/2010 08:29:42:549 - Device Handler is using socket on IP: 192.168.100.12  Port: 5007\n"
      "01/25/2010 08:29:42:549 - Sending Connect Accept to: 10.10.225.150:3771\n"
      "01/25/2010 08:29:43:050 - Sending Connect Accept to: 10.10.225.150:3771\n");
}

TEST(RequestLines, name_each_datagram_when_these_are_logged) {
  DeviceRequest request = request_of(7);
  request.note_accept({});
  const std::string lines = lines_of(HandlerLevel::socket, request);
  EXPECT_TRUE(lines.starts_with(
      "01/01/1970 00:00:00:000 - Received C, acknowledges 0, 64 bytes from 10.10.225.150:3771\n"))
      << lines;
  EXPECT_TRUE(
      lines.ends_with("01/01/1970 00:00:00:000 - Sent P, acknowledges 0, 44 bytes to 10.10.225.150:3771\n"))
      << lines;
  EXPECT_EQ(std::ranges::count(lines, '\n'), 6);
}

TEST(RequestLines, are_none_when_the_protocol_is_not_logged) {
  DeviceRequest request = request_of(7);
  request.note_accept({});
  EXPECT_EQ(lines_of(HandlerLevel::session, request), "");
}

}  // namespace lekt
