// How the database holds an address: an IPv4 address as a number, in a column of 1 to 4294967295 (schema.sql).
#pragma once

#include <cstdint>

#include "common/address.h"

namespace lekt::storage {

constexpr std::int64_t stored_number(Address address) { return address.as_v4(); }

/// The address that a column holds as `number`, which has to be a value that the column allows.
constexpr Address stored_address(std::int64_t number) {
  return Address::v4(static_cast<std::uint32_t>(number));
}

}  // namespace lekt::storage
