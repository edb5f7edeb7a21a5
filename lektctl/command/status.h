// What is known of a server: what it says itself when it can be reached, and what its database says.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lektctl/command/options.h"
#include "lektctl/command/output.h"
#include "server/operators/json.h"
#include "storage/reader.h"

namespace lekt::lektctl {

/// A server answers within about a second, whatever it is doing.
inline constexpr std::chrono::seconds status_patience{5};

struct KnownStatus {
  bool running = false;
  std::optional<std::string> reason;    ///< why the server cannot be reached
  std::optional<std::int64_t> process;  ///< the one that has the database, as far as the kernel tells it
  /// What the running server says (Status), as it came: so --json shows all of it. Null when it cannot be reached.
  Json server = nullptr;
  std::optional<storage::StoredServer> stored;  ///< nothing when the database cannot be read
  std::vector<storage::CodeCount> codes;        ///< since the database was made
  std::vector<storage::Warning> warnings;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("running", self.running);
    io.field("reason", self.reason);
    io.field("process", self.process);
    io.field("server", self.server);
    io.field("stored", self.stored);
    io.field("codes", self.codes);
    io.field("warnings", self.warnings);
  }
};

/// Asks the server and the database. Throws CodedError when there is neither, and E801 when the server's answer cannot
/// be read.
KnownStatus gather_status(const control::Instance& instance,
                          std::chrono::milliseconds wait = status_patience);

/// Describes the status for people, with no line longer than `width`. Throws CodedError E801 when the server's answer
/// cannot be read.
std::string describe_status(const KnownStatus& known, std::size_t width);

}  // namespace lekt::lektctl
