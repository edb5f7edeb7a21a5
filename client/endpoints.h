// Both ends of a client's connection, as the client's machine sees them. With address translation in between,
// the server may see another address.
#pragma once

#include <cstdint>

#include "common/address.h"

namespace lekt {

struct Endpoints {
  Address server;
  std::uint16_t server_port = 0;
  Address own;
  std::uint16_t own_port = 0;
};

}  // namespace lekt
