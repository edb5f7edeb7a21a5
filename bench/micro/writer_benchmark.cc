// What joins cost the writer's thread: in the registry alone, and as whole turns with their transaction. The
// difference between durable and not is what waiting for the disk takes; TMPDIR says which disk.
//
//     lekt-micro --benchmark_filter='registry|turn'
//
// Time per registry cycle and per turn; items_per_second counts clients.
#include <benchmark/benchmark.h>

#include <cassert>

#include "bench/micro/temp_directory.h"
#include "common/limits.h"
#include "server/core/registry.h"
#include "server/core/writer.h"
#include "storage/database.h"

namespace lekt::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t batch = 64;
constexpr Registry::Limits limits{10'000'000, limits::packet_bytes_default};

Address address(std::uint64_t number) { return Address::v4(0x0a000000 + static_cast<std::uint32_t>(number)); }

const Methods& methods() {
  static const Methods tcp{{tcp_index, tcp_information(7890)}};
  return tcp;
}

/// 64 sessions join, are compared and stored, and leave, are compared and stored again.
void registry_stores_64_joins_and_leaves(benchmark::State& state) {
  Registry registry(limits);
  const auto others = static_cast<std::uint64_t>(state.range(0));
  for (std::uint64_t other = 0; other < others; ++other) {
    registry.join(other + 1, address(other), methods());
    registry.committed(registry.differences());
  }
  SessionId session = others + 1;
  for (auto _ : state) {
    const SessionId first = session;
    for (; session < first + batch; ++session)
      registry.join(session, address(others + session % batch), methods());
    registry.committed(registry.differences());
    for (SessionId left = first; left < session; ++left)
      registry.leave(left, address(others + left % batch), LeaveReason::closed);
    registry.committed(registry.differences());
  }
  assert(registry.clients() == others);
  state.SetItemsProcessed(state.iterations() * batch);
}

/// One turn that commits 64 joins of new clients and tells them so. The turn in which they leave is not
/// timed.
void turn_with_64_joins(benchmark::State& state) {
  const TempDirectory directory;
  const MethodCatalogue catalogue;
  Moment now{0ms, 1'700'000'000};
  storage::DatabaseSettings settings{directory.path() / "lekt.db", &catalogue, "benchmark", now.wall};
  settings.durable = state.range(0) != 0;
  storage::Database database(settings);
  Writer writer(database, {.limits = limits}, now);
  SessionId session = 1;
  for (auto _ : state) {
    now.awake += 1ms;
    for (std::uint32_t count = 0; count < batch; ++count)
      writer.join(session + count, address(count), methods(), now);
    const Writer::Turn turn = writer.turn(now);
    if (turn.completions.size() != batch) state.SkipWithError(turn.message.c_str());

    state.PauseTiming();
    for (std::uint32_t count = 0; count < batch; ++count)
      writer.leave(session + count, address(count), LeaveReason::closed);
    writer.turn(now);
    session += batch;
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * batch);
}

BENCHMARK(registry_stores_64_joins_and_leaves)
    ->ArgName("others")
    ->Arg(0)
    ->Arg(1'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(turn_with_64_joins)
    ->ArgName("durable")
    ->Arg(false)
    ->Arg(true)
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace

}  // namespace lekt::bench
