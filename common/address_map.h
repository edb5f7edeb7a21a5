// A hash table by address, in which an address takes 4 bytes instead of 16: a server keeps several of these for each
// client.
// Every client has an IPv4 address today (address.h); others would be in a second table here.
//
// References to a value stay valid until its address is erased. Values have no order.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "common/address.h"

namespace lekt {

template <class Value>
class AddressMap {
 public:
  /// The value of the address; null if it has none.
  Value* find(Address address) { return find_in(values_, address); }
  const Value* find(Address address) const { return find_in(values_, address); }
  /// The value of the address; makes one if it has none.
  Value& operator[](Address address) { return values_[key_of(address)]; }
  /// The value of an address that has one. Throws std::out_of_range if it has none.
  Value& at(Address address) { return values_.at(key_of(address)); }
  void erase(Address address) { values_.erase(key_of(address)); }

  /// Calls `visit(address, value)` for each address.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [key, value] : values_) visit(Address::v4(key), value);
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [key, value] : values_) visit(Address::v4(key), value);
  }

  /// Calls `visit(address, value)` for this many addresses, or for all if there are fewer.
  template <class Visit>
  void for_some(std::size_t count, Visit&& visit) const {
    for (auto next = values_.begin(); next != values_.end() && count > 0; ++next, --count)
      visit(Address::v4(next->first), next->second);
  }

  std::size_t size() const { return values_.size(); }
  bool is_empty() const { return values_.empty(); }
  /// Makes room for this many addresses at once, if it is known how many will come.
  void reserve(std::size_t addresses) { values_.reserve(addresses); }

 private:
  struct Spread {
    std::size_t operator()(std::uint32_t key) const noexcept {
      return std::hash<Address>()(Address::v4(key));
    }
  };

  static std::uint32_t key_of(Address address) {
    assert(address.is_v4());
    return address.as_v4();
  }

  template <class Values>
  static auto find_in(Values& values, Address address) -> decltype(&values.begin()->second) {
    const auto found = values.find(key_of(address));
    return found == values.end() ? nullptr : &found->second;
  }

  std::unordered_map<std::uint32_t, Value, Spread> values_;
};

}  // namespace lekt
