// A hash table by address, in which an IPv4 address takes 4 bytes and not 16: a server keeps a few of these for each
// client, and most networks have IPv4 alone.
//
// References to a value stay valid until its address is erased. In no order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "common/address.h"

namespace lekt {

template <class Value>
class AddressMap {
 public:
  /// The value of the address; null if it has none.
  Value* find(Address address) { return find_in(*this, address); }
  const Value* find(Address address) const { return find_in(*this, address); }
  bool contains(Address address) const { return find(address) != nullptr; }

  /// The value of the address, which is made if it has none.
  Value& operator[](Address address) { return address.is_v4() ? narrow_[address.as_v4()] : wide_[address]; }
  void erase(Address address) { address.is_v4() ? narrow_.erase(address.as_v4()) : wide_.erase(address); }
  /// Erases every address for which `condition(address, value)` is true.
  template <class Condition>
  void erase_if(Condition&& condition) {
    std::erase_if(narrow_, [&](auto& entry) { return condition(Address::v4(entry.first), entry.second); });
    std::erase_if(wide_, [&](auto& entry) { return condition(entry.first, entry.second); });
  }

  /// Calls `visit(address, value)` for each.
  template <class Visit>
  void for_each(Visit&& visit) {
    each_of(*this, visit);
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    each_of(*this, visit);
  }

  std::size_t size() const { return narrow_.size() + wide_.size(); }
  bool empty() const { return size() == 0; }
  /// Makes room for so many IPv4 addresses at once, if it is known how many will come.
  void reserve(std::size_t addresses) { narrow_.reserve(addresses); }

 private:
  struct Spread {
    std::size_t operator()(std::uint32_t address) const noexcept {
      return std::hash<Address>()(Address::v4(address));
    }
  };

  template <class Self>
  static auto find_in(Self& self, Address address) -> decltype(&self.wide_.find(address)->second) {
    if (!address.is_v4()) {
      const auto found = self.wide_.find(address);
      return found == self.wide_.end() ? nullptr : &found->second;
    }
    const auto found = self.narrow_.find(address.as_v4());
    return found == self.narrow_.end() ? nullptr : &found->second;
  }

  template <class Self, class Visit>
  static void each_of(Self& self, Visit& visit) {
    for (auto& [address, value] : self.narrow_) visit(Address::v4(address), value);
    for (auto& [address, value] : self.wide_) visit(address, value);
  }

  std::unordered_map<std::uint32_t, Value, Spread> narrow_;
  std::unordered_map<Address, Value> wide_;
};

}  // namespace lekt
