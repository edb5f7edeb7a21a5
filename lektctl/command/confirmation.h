// Before a command affects many clients, the operator sees what it would do and confirms it. One wrong digit in a prefix
// is the difference between one guest and everybody.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/block.h"
#include "lektctl/steer.h"

namespace lekt::lektctl {

/// Who is in a block of addresses.
struct Affected {
  Block block;
  struct Clients {
    std::size_t inside = 0;
    std::size_t sessions = 0;  ///< sessions of those inside, as of the last seconds
    std::size_t here = 0;      ///< inside and outside
  };
  std::optional<Clients> clients;       ///< nothing when the database cannot be read
  std::vector<std::string> own_places;  ///< "127.0.0.1, an address of this machine"
};

/// Finds out who is in the block: from the database, from the machine's interfaces, and from SSH_CONNECTION for the
/// operator's own address.
Affected find_affected(const control::Instance& instance, const Block& block);

/// Whether a script has to say --yes: more than 65,536 addresses, or more than half of at least 10 clients.
bool are_many(const Affected& affected);

/// "10.0.0.0/8 (16777216 addresses) has 12 of the 15 clients that are here (13 sessions), and holds ..."
std::string describe(const Affected& affected);

/// Has the operator confirm a command, and returns when it may go on. On a terminal it shows what would happen
/// to the block, and asks; elsewhere many addresses or clients need --yes. `what` is "a ban", for "a ban would
/// end ...". Throws CodedError E809.
void confirm(const control::Instance& instance, const Block& block, const std::string& what, bool yes);

}  // namespace lekt::lektctl
