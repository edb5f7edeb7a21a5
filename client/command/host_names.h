// Names of peers as host names, for a hosts file.
//
// A name is what a peer says of itself, and anybody can take any: "localhost", "gateway", or that of a bank. So host names
// are made below the domain `lekt`, which nobody else has, and cannot take the place of any other. A name that peers of
// several addresses have is nobody's: whoever came second could otherwise be taken for the first.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/peer_view.h"

namespace lekt::command {

/// The name as a host name: "kitchen.lekt" of "Kitchen". Nothing unless it consists of labels as RFC 1123 has them, of
/// letters, digits and '-', separated by dots.
std::optional<std::string> host_name(std::string_view name);

class HostNames {
 public:
  explicit HostNames(const Peers& peers);

  /// The host names that mean this address and no other, each after a blank: " kitchen.lekt pi.lekt"
  std::string of(Address address) const;

 private:
  std::map<Address, std::vector<std::string>> names_;
};

}  // namespace lekt::command
