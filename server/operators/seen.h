// What the threads of a server note for those who look at it. Each part may be used from any thread, in the way that it
// says itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

#include "server/operators/change_feed.h"
#include "server/operators/code_counts.h"
#include "server/operators/meters.h"
#include "server/operators/recent_rejects.h"
#include "server/operators/tracer.h"
#include "server/operators/warnings.h"

namespace lekt {

struct Seen {
  /// `traces`: the folder of their files. `sequence`: of the newest change.
  Seen(std::filesystem::path traces, std::uint64_t sequence) : tracer(std::move(traces)), changes(sequence) {}

  CodeCounts codes;       ///< that were given to clients
  RecentRejects rejects;  ///< the newest ones
  Warnings warnings;      ///< that hold
  Tracer tracer;          ///< of what single clients send and are sent
  ChangeFeed changes;     ///< those that were committed, for those who watch
  WriterMeters writer;    ///< each front has meters of its own
};

}  // namespace lekt
