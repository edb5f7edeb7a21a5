// Heartbeats of clients that are there: closed loop, or at a fixed rate.
//
// At a fixed rate, latency counts from when a request was due, not from when it could be sent: a stall of the
// server then shows in every request that it has delayed.
//
// The generator does not sleep while it measures. Waking a process is work of the kernel on the side of
// whoever sends to it, and on a network the clients' machines do that: a server must not look cheaper or
// dearer by how often the generator happens to fall asleep.

#include <deque>
#include <nlohmann/json.hpp>
#include <thread>

#include "bench/load/modes.h"
#include "bench/load/report.h"

namespace lekt::bench {

namespace {

using namespace std::chrono_literals;

/// How long the server may take until its closing timestamp has passed the second of the last change.
constexpr auto settling_max = 20s;

class Beat final : public Events {
 public:
  Beat(Crew& crew, const Options& options) : crew_(crew), options_(options), due_(options.clients) {}

  void joined(Client&, Time) override {}

  void answered(Client& client, Time at) override {
    if (!options_.changing && client.reply.entries() != options_.changes && dialogue_is_lekt())
      throw BenchError("an answer has " + std::to_string(client.reply.entries()) + " clients instead of " +
                       std::to_string(options_.changes));
    latency_.record(at - client.began);
    ++answers_;
    if (!running_) {
      --asking_;
      return;
    }
    if (options_.rate == 0) return crew_.ask(client, at);
    auto& due = due_[client.number];
    if (due.empty()) {
      --asking_;
      return;
    }
    crew_.ask(client, due.front());
    due.pop_front();
  }

  void run(std::chrono::nanoseconds time, Progress* progress) {
    latency_ = Histogram();
    answers_ = 0;
    running_ = true;
    const Time begin = now();
    const Time end = begin + time;
    if (options_.rate == 0) ask_everybody();
    std::uint64_t scheduled = 0;
    for (Time at = begin; at < end; at = now()) {
      if (options_.rate != 0) ask_those_due(begin, at, scheduled);
      crew_.poll(*this, at);
      if (progress != nullptr) progress->show(seconds(at - begin) / seconds(time), answers_);
    }
  }

  /// No further requests; those under way are answered.
  void finish() {
    running_ = false;
    const Time end = now() + 10s;
    while (asking_ > 0 && now() < end) crew_.poll(*this, end);
    if (asking_ > 0) throw BenchError(std::to_string(asking_) + " requests were not answered");
  }

  const Histogram& latency() const { return latency_; }
  std::uint64_t answers() const { return answers_; }

 private:
  bool dialogue_is_lekt() const { return options_.peer == Peer::lekt || options_.peer == Peer::floor; }

  void ask_everybody() {
    if (asking_ > 0) return;  // a closed loop goes on from the warm-up
    for (std::size_t number = 0; number < options_.clients; ++number)
      crew_.ask(crew_.clients()[number], now());
    asking_ = options_.clients;
  }

  /// Requests are due evenly, the clients take turns.
  void ask_those_due(Time begin, Time at, std::uint64_t& scheduled) {
    const auto due_at = [&](std::uint64_t number) {
      return begin + std::chrono::nanoseconds(
                         static_cast<std::int64_t>(static_cast<double>(number) * 1e9 / options_.rate));
    };
    for (Time due = due_at(scheduled); due <= at; due = due_at(++scheduled)) {
      Client& client = crew_.clients()[scheduled % options_.clients];
      if (client.state == Client::State::idle) {
        crew_.ask(client, due);
        ++asking_;
      } else {
        due_[client.number].push_back(due);
      }
    }
  }

  Crew& crew_;
  const Options& options_;
  std::vector<std::deque<Time>> due_;  ///< requests whose client still waits for an answer
  Histogram latency_;
  std::uint64_t answers_ = 0;
  std::size_t asking_ = 0;
  bool running_ = false;
};

/// Waits until the closing timestamp has passed the second of the newest change, which was just published.
void wait_until_settled(Crew& crew) {
  const Client& observer = crew.clients().front();
  ask_all(crew, 0, 1);
  const std::int64_t newest = observer.timestamp + 1;
  for (const Time end = now() + settling_max; observer.timestamp <= newest; ask_all(crew, 0, 1)) {
    if (now() > end) throw BenchError("the closing timestamp does not move on");
    std::this_thread::sleep_for(20ms);
  }
}

/// Lets further clients join in seconds of their own, and every beating client resume from there: then each
/// of its answers holds exactly them.
void prepare_changes(Crew& crew, const Options& options) {
  wait_until_settled(crew);
  const std::int64_t second = crew.clients().front().timestamp;
  join_all(crew, options.clients, options.clients + options.changes, options.at_once);
  wait_until_settled(crew);
  ask_all(crew, 0, options.clients);
  for (Client& client : crew.clients()) {
    client.timestamp = second;
    client.keeps_timestamp = true;
  }
}

}  // namespace

nlohmann::ordered_json run_beat(const Options& options) {
  const Dialogue dialogue(options.peer, options.from);
  const bool changes_join = options.peer == Peer::lekt && options.changes != 0;
  Crew crew(options.target, dialogue, options.clients + (changes_join ? options.changes : 0));
  join_all(crew, 0, options.clients, options.at_once);
  ask_all(crew, 0, options.clients);
  if (changes_join) prepare_changes(crew, options);
  Beat beat(crew, options);
  beat.run(options.warm_up, nullptr);
  Window window(crew, options.pid);
  Progress progress("heartbeats");
  beat.run(options.time, &progress);
  nlohmann::ordered_json result = window.end(beat.answers());
  result["latency_us"] = percentiles(beat.latency());
  beat.finish();
  return result;
}

}  // namespace lekt::bench
