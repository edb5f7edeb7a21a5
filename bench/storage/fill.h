// Writes a database as a server would leave it that has stored many clients and was stopped: for measuring a
// start.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/address.h"

namespace lekt::bench {

struct FillSettings {
  std::filesystem::path database;
  std::uint32_t clients = 0;
  Address first = Address::v4(0x0a000000);  ///< the others have the addresses after it
  std::uint16_t port = 0;                   ///< that all of them offer; 0: most offer different ones
};

/// Stores clients with a tcp method each, and prints what was written. Throws CodedError, and std::runtime_error if
/// the database already holds changes.
void fill(const FillSettings& settings);

}  // namespace lekt::bench
