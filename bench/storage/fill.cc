#include "bench/storage/fill.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "common/catalogue.h"
#include "server/operators/clock.h"
#include "storage/database.h"

namespace lekt::bench {

namespace {

constexpr std::uint32_t clients_per_commit = 10'000;

std::vector<storage::Change> joins(const FillSettings& settings, std::uint32_t first, std::uint32_t count,
                                   std::int64_t second) {
  std::vector<storage::Change> changes;
  changes.reserve(count);
  for (std::uint32_t number = first; number < first + count; ++number) {
    const auto port = settings.port != 0 ? settings.port : static_cast<std::uint16_t>(1024 + number % 60'000);
    changes.push_back({number + 1,
                       second,
                       UpdateKind::added,
                       Address::v4(settings.first.as_v4() + number),
                       {{tcp_index, tcp_information(port)}}});
  }
  return changes;
}

}  // namespace

void fill(const FillSettings& settings) {
  const MethodCatalogue catalogue;
  // A second for each commit, all of them over.
  const std::int64_t started = wall_seconds() - settings.clients / clients_per_commit - 10;
  storage::DatabaseSettings database_settings{settings.database, &catalogue, "benchmark", started};
  database_settings.durable = false;  // nobody measures the filling
  storage::Database database(database_settings);
  storage::LogState state = database.state();
  if (state.sequence != 0)
    throw std::runtime_error(settings.database.string() +
                             " already holds changes; name a file that does not exist");
  while (state.sequence < settings.clients) {
    const auto done = static_cast<std::uint32_t>(state.sequence);
    ++state.second;
    const auto changes =
        joins(settings, done, std::min(clients_per_commit, settings.clients - done), state.second);
    state.sequence += changes.size();
    if (database.commit({state, changes, {}, 0}) != storage::CommitResult::done)
      throw std::runtime_error(settings.database.string() + " is locked by another program");
  }
  database.note_stop(state.second);
  std::printf("%s holds %u clients\n", settings.database.c_str(), settings.clients);
}

}  // namespace lekt::bench
