// An address that the server listens on, as settings and operators write it.
#pragma once

#include <cstdint>
#include <string>

namespace lekt {

struct ListenAddress {
  std::string address;  ///< IPv4, or IPv6 without brackets
  std::uint16_t port = 0;
  bool tls = false;

  /// The address in words: "192.0.2.10:7890", "[::]:7890".
  std::string text() const {
    const bool bracketed = address.find(':') != address.npos;
    return (bracketed ? "[" + address + "]" : address) + ":" + std::to_string(port);
  }
  bool operator==(const ListenAddress&) const = default;
};

}  // namespace lekt
