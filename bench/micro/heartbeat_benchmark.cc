// What the program does for one heartbeat, without the system calls: from 16 received bytes to the stretches
// of the answer, through the real session, published view and change view. Time per heartbeat.
//
//     lekt-micro --benchmark_filter=heartbeat
//
// registered: clients that are present. removed: removals that the log remembers besides; its entries are
// both together. The first group must not depend on them, the second only by a few steps of a binary search.
#include <benchmark/benchmark.h>

#include "bench/micro/population.h"
#include "bench/micro/served_session.h"

namespace lekt::bench {

namespace {

Population::Size size_in(const benchmark::State& state) {
  return {static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1))};
}

void report(benchmark::State& state, std::size_t answer, const Population& population) {
  state.counters["answer_bytes"] = static_cast<double>(answer);
  state.counters["log_entries"] = static_cast<double>(population.log().entries());
  state.SetItemsProcessed(state.iterations());
}

void heartbeat_with_nothing_changed(benchmark::State& state) {
  Population& population = population_of(size_in(state));
  const PublishedView published(population.publish());
  ServedSession session(published);
  session.receive(heartbeat(0));
  const Bytes packet = heartbeat(session.view().closing());
  std::size_t answer = 0;
  for (auto _ : state) answer = session.receive(packet);
  report(state, answer, population);
}

void heartbeat_with_100_changes_since(benchmark::State& state) {
  Population& population = population_of(size_in(state));
  for (int batch = 0; batch < 10; ++batch) population.change(10);
  const PublishedView published(population.publish());
  ServedSession session(published);
  session.receive(heartbeat(0));
  const Bytes packet = heartbeat(session.view().closing());
  const std::uint64_t before = session.view().newest_sequence() - 100;
  std::size_t answer = 0;
  for (auto _ : state) {
    session.was_answered_at(before);
    answer = session.receive(packet);
  }
  report(state, answer, population);
}

/// A client that comes back and goes on where its last connection has ended.
void heartbeat_that_resumes_100_changes_ago(benchmark::State& state) {
  Population& population = population_of(size_in(state));
  population.pass_second();
  const std::int64_t second = population.state().second;
  for (int batch = 0; batch < 10; ++batch) population.change(10);
  population.pass_second();
  population.pass_second();
  const PublishedView published(population.publish());
  ServedSession session(published);
  const Cursor joined = session.cursor();
  const Bytes packet = heartbeat(second);
  std::size_t answer = 0;
  for (auto _ : state) {
    session.cursor() = joined;
    answer = session.receive(packet);
  }
  report(state, answer, population);
}

void heartbeat_that_asks_for_all(benchmark::State& state) {
  Population& population = population_of(size_in(state));
  const PublishedView published(population.publish());
  ServedSession session(published);
  const Bytes packet = heartbeat(0);
  std::size_t answer = 0;
  for (auto _ : state) answer = session.receive(packet);
  report(state, answer, population);
}

BENCHMARK(heartbeat_with_nothing_changed)
    ->ArgNames({"registered", "removed"})
    ->Args({10, 990})
    ->Args({10, 999'990})
    ->Args({1'000, 100})
    ->Args({100'000, 100})
    ->Args({1'000'000, 100})
    ->Args({1'000'000, 1'000'000});
BENCHMARK(heartbeat_with_100_changes_since)
    ->ArgNames({"registered", "removed"})
    ->Args({1'000, 100})
    ->Args({1'000, 999'000})
    ->Args({1'000'000, 100});
BENCHMARK(heartbeat_that_resumes_100_changes_ago)
    ->ArgNames({"registered", "removed"})
    ->Args({1'000, 100})
    ->Args({1'000, 999'000})
    ->Args({1'000'000, 100});
BENCHMARK(heartbeat_that_asks_for_all)
    ->ArgNames({"registered", "removed"})
    ->Args({10, 990})
    ->Args({1'000, 100})
    ->Args({100'000, 100})
    ->Args({1'000'000, 100});

}  // namespace

}  // namespace lekt::bench
