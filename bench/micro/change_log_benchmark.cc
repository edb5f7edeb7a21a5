// What a commit costs the writer after the database: appending to the change log, publishing a view of it,
// and encoding the full list. And what a worker's look for a newer view costs.
//
//     lekt-micro --benchmark_filter='commit|full_list|view'
//
// A commit of a batch is timed with all that it brings about now and then: merges, compactions, encodings of
// the full list. items_per_second counts changes. On a large log some of that comes only once in many
// thousand changes: such a run needs --benchmark_min_time=5 to see it.
#include <benchmark/benchmark.h>

#include "bench/micro/population.h"
#include "server/net/published_view.h"

namespace lekt::bench {

namespace {

/// Removals that the log remembers besides the registered clients.
constexpr std::size_t removed = 1'000;

void append_and_publish_a_commit(benchmark::State& state) {
  Population& population = population_of({static_cast<std::size_t>(state.range(1)), removed});
  const auto batch = static_cast<std::size_t>(state.range(0));
  population.publish();  // the first one encodes the full list
  const std::size_t encodings = population.log().encodings_of_full_list();
  for (auto _ : state) {
    population.change(batch);
    benchmark::DoNotOptimize(population.publish());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["full_encodings"] =
      static_cast<double>(population.log().encodings_of_full_list() - encodings);
  state.counters["pieces"] = static_cast<double>(population.publish()->parts().pieces.size());
}

void encode_the_full_list(benchmark::State& state) {
  Population& population = population_of({static_cast<std::size_t>(state.range(0)), removed});
  std::size_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    // A full list that names a client whose removal is forgotten may not be used again.
    population.publish();
    population.change(2);
    population.forget_removals();
    state.ResumeTiming();
    bytes = population.publish()->parts().full->packets.size();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void look_for_a_view_when_there_is_none(benchmark::State& state) {
  Population& population = population_of({1'000, removed});
  const PublishedView published(population.publish());
  PublishedView::Reader reader(published);
  for (auto _ : state) {
    reader.refresh();
    benchmark::DoNotOptimize(reader.view().get());
  }
}

void publish_a_view_and_take_it(benchmark::State& state) {
  Population& population = population_of({1'000, removed});
  const PublishedView::Pointer views[] = {population.publish(), population.publish()};
  PublishedView published(views[0]);
  PublishedView::Reader reader(published);
  std::size_t count = 0;
  for (auto _ : state) {
    published.publish(views[++count % 2]);
    reader.refresh();
    benchmark::DoNotOptimize(reader.view().get());
  }
}

BENCHMARK(append_and_publish_a_commit)
    ->ArgNames({"changes", "registered"})
    ->ArgsProduct({{1, 10, 100}, {1'000, 100'000, 1'000'000}});
BENCHMARK(encode_the_full_list)
    ->ArgName("registered")
    ->Arg(10'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(look_for_a_view_when_there_is_none);
BENCHMARK(publish_a_view_and_take_it);

}  // namespace

}  // namespace lekt::bench
