// Holds how often each address does something against a rate, in a table of fixed size, however many addresses come.
//
// Cells are in sets of four. An address without a cell gets the one of its set that is paid for the earliest, and
// starts afresh. Somebody with many thousands of addresses can profit from that; the rate of all addresses
// together stops them.
//
// Knows no clock, allocates once. Not synchronized.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/address.h"
#include "common/rate.h"

namespace lekt {

class AddressRates {
 public:
  /// A table of 4 << `size_bits` addresses, which takes 64 << `size_bits` bytes. `secret` keeps a stranger from knowing
  /// which addresses share a set.
  AddressRates(Rate rate, std::uint64_t secret, int size_bits = 10)
      : rate_(rate), secret_(secret), shift_(64 - size_bits), sets_(std::size_t{1} << size_bits) {}

  /// Uses another rate from now on.
  void use(Rate rate) { rate_ = rate; }
  /// Takes one more for this address and returns true, if that is within the rate; otherwise takes nothing.
  bool take(Address address, Rate::Time now) { return rate_.take(cell_of(address).paid_until, now); }
  /// Takes one more for this address, whether or not that is within the rate (Rate::charge).
  void charge(Address address, Rate::Time now) { rate_.charge(cell_of(address).paid_until, now, 1); }
  /// Whether this address has nothing left to take.
  bool is_used_up(Address address, Rate::Time now) const {
    const std::uint64_t name = name_of(address);
    const Set& set = sets_[name >> shift_];
    const auto found = std::ranges::find(set, name, &Cell::name);
    return found != set.end() && rate_.is_used_up(found->paid_until, now);
  }

  std::size_t bytes() const { return sets_.size() * sizeof(Set); }

 private:
  struct Cell {
    std::uint64_t name = 0;  ///< the address, as a number that no other IPv4 address has
    Rate::Time paid_until{0};
  };
  using Set = std::array<Cell, 4>;

  /// Multiplicative hashing (Knuth, TAOCP 6.4): the upper bits, which number the set, depend on all of the address.
  std::uint64_t name_of(Address address) const { return (address.folded() ^ secret_) * 0x9e3779b97f4a7c15u; }

  Cell& cell_of(Address address) {
    const std::uint64_t name = name_of(address);
    Set& set = sets_[name >> shift_];
    const auto found = std::ranges::find(set, name, &Cell::name);
    if (found != set.end()) return *found;
    Cell& replaced = *std::ranges::min_element(set, {}, &Cell::paid_until);
    replaced = {name, Rate::Time(0)};
    return replaced;
  }

  Rate rate_;
  std::uint64_t secret_;
  int shift_;
  std::vector<Set> sets_;
};

}  // namespace lekt
