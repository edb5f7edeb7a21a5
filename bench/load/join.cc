// Clients that join: a few at a time, all at once, or to stay and say nothing.

#include <nlohmann/json.hpp>

#include "bench/load/modes.h"
#include "bench/load/report.h"

namespace lekt::bench {

namespace {

using namespace std::chrono_literals;

/// How long a server is left alone before its memory is read.
constexpr auto quiet = 2s;

/// Joins clients, and lets each take the full list if that is wanted.
class Arrivals final : public Events {
 public:
  Arrivals(Crew& crew, bool take_list) : crew_(crew), take_list_(take_list) {}

  /// All clients, `at_once` of them under way at the same time.
  void run(std::size_t at_once) {
    Progress progress("joins");
    const std::size_t all = crew_.clients().size();
    Time due = now();
    for (; next_ < all && next_ < at_once; ++next_) crew_.join(crew_.clients()[next_], due);
    while (done_ < all) {
      crew_.poll(*this, now() + 100ms);
      progress.show(static_cast<double>(done_) / static_cast<double>(all), done_);
    }
  }

  void joined(Client& client, Time at) override {
    joins_.record(at - client.began);
    if (!take_list_) return finish_one(at);
    const Time began = client.began;
    client.timestamp = 0;
    crew_.ask(client, began);
  }

  void answered(Client& client, Time at) override {
    lists_.record(at - client.began);
    entries_ += client.reply.entries();
    finish_one(at);
  }

  const Histogram& joins() const { return joins_; }
  const Histogram& lists() const { return lists_; }
  std::uint64_t entries() const { return entries_; }

 private:
  void finish_one(Time at) {
    ++done_;
    if (next_ < crew_.clients().size()) crew_.join(crew_.clients()[next_++], at);
  }

  Crew& crew_;
  bool take_list_;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
  Histogram joins_;
  Histogram lists_;
  std::uint64_t entries_ = 0;
};

nlohmann::ordered_json arrive(const Options& options, bool take_list, std::size_t at_once) {
  const Dialogue dialogue(options.peer, options.from);
  Crew crew(options.target, dialogue, options.clients);
  Arrivals arrivals(crew, take_list);
  const Window window(crew, options.pid);
  arrivals.run(at_once);
  nlohmann::ordered_json result = window.end(options.clients);
  result["entries"] = arrivals.entries();
  result["join_us"] = percentiles(arrivals.joins());
  result["latency_us"] = percentiles(take_list ? arrivals.lists() : arrivals.joins());
  return result;
}

/// Lets time pass for the server; a client that hears something unasked ends the run.
class Silence final : public Events {
 public:
  void joined(Client&, Time) override {}
  void answered(Client&, Time) override {}
};

void stay_silent(Crew& crew, std::chrono::nanoseconds time) {
  Silence silence;
  for (const Time end = now() + time; now() < end;) crew.poll(silence, end);
}

}  // namespace

nlohmann::ordered_json run_join(const Options& options) { return arrive(options, false, options.at_once); }

nlohmann::ordered_json run_rush(const Options& options) { return arrive(options, true, options.clients); }

nlohmann::ordered_json run_idle(const Options& options) {
  if (options.pid == 0) throw BenchError("idle measures the server's memory: give its --pid");
  const Dialogue dialogue(options.peer, options.from);
  Crew crew(options.target, dialogue, options.clients);
  const ServerUsage usage(options.pid);
  // The first clients fill what is allocated once, whoever comes.
  const std::size_t first = std::min<std::size_t>(options.at_once, options.clients / 2);
  join_all(crew, 0, first, options.at_once);
  stay_silent(crew, quiet);
  const std::size_t before = usage.resident_bytes();
  join_all(crew, first, options.clients, options.at_once);
  stay_silent(crew, quiet);
  const std::size_t after = usage.resident_bytes();
  const auto grown = static_cast<double>(after) - static_cast<double>(before);
  return {{"count", options.clients - first},
          {"resident_before", before},
          {"resident_after", after},
          {"resident_bytes_each", grown / static_cast<double>(options.clients - first)}};
}

}  // namespace lekt::bench
