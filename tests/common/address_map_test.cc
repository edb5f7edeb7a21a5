#include "common/address_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/support/support.h"

namespace lekt {
namespace {

TEST(AddressMap, holds_what_an_ordered_map_would_hold) {
  test::Random random;
  AddressMap<std::uint32_t> map;
  std::map<Address, std::uint32_t> expected;
  for (std::uint32_t step = 0; step < 2000; ++step) {
    const Address address = Address::v4(0xffffff00u + static_cast<std::uint32_t>(random.below(256)));
    if (random.below(3) == 0) {
      map.erase(address);
      expected.erase(address);
    } else {
      map[address] += step;
      expected[address] += step;
    }
    const std::uint32_t* const found = map.find(address);
    ASSERT_EQ(found != nullptr, expected.contains(address)) << step;
    if (found != nullptr) {
      ASSERT_EQ(*found, expected.at(address)) << step;
    }
  }
  std::map<Address, std::uint32_t> visited;
  map.for_each([&](Address address, std::uint32_t value) { visited.emplace(address, value); });
  EXPECT_EQ(visited, expected);
  EXPECT_EQ(map.size(), expected.size());
  EXPECT_EQ(map.is_empty(), expected.empty());
}

TEST(AddressMap, visits_as_many_as_it_is_told_to) {
  AddressMap<int> map;
  for (std::uint32_t address = 1; address <= 10; ++address) map[Address::v4(address)] = 1;
  for (const std::size_t count : {0, 1, 9, 10, 11}) {
    std::set<Address> visited;
    map.for_some(count, [&](Address address, int) { visited.insert(address); });
    EXPECT_EQ(visited.size(), std::min<std::size_t>(count, 10));
  }
}

TEST(AddressMap, a_value_stays_where_it_is_while_others_come_and_go) {
  AddressMap<int> map;
  int& first = map[Address::v4(1)];
  for (std::uint32_t address = 2; address < 10'000; ++address) map[Address::v4(address)] = 1;
  for (std::uint32_t address = 2; address < 10'000; ++address) map.erase(Address::v4(address));
  first = 7;
  EXPECT_EQ(*map.find(Address::v4(1)), 7);
}

}  // namespace
}  // namespace lekt
