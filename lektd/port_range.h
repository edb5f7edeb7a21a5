// A range of UDP or TCP ports, as settings and operators write it.
#pragma once

#include <cstdint>
#include <string>

namespace lekt {

/// Both ends are in the range; `first` is not above `last`.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  bool contains(std::uint16_t port) const { return first <= port && port <= last; }
  bool operator==(const PortRange&) const = default;
};

/// "5000-6000"
inline std::string to_string(const PortRange& range) {
  return std::to_string(range.first) + "-" + std::to_string(range.last);
}

}  // namespace lekt
