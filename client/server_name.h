// Where the server is, as a user writes it: HOST[:PORT].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/limits.h"

namespace lekt {

struct ServerName {
  std::string host;  ///< a name or an IPv4 address
  std::uint16_t port = limits::port_default;

  bool operator==(const ServerName&) const = default;
};

/// Reads HOST[:PORT]. Throws CodedError E705, which says what is wrong. IPv6 is refused: the protocol names
/// clients by IPv4 addresses.
ServerName parse_server_name(std::string_view text);

/// The server as a user writes it, with its port: "host:7890".
std::string to_string(const ServerName& server);

}  // namespace lekt
