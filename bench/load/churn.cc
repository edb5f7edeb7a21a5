// Clients that beat at an interval while others come and go: what a server does all day, in fast motion.
//
// How soon a join is visible: one more client, the observer, asks as fast as it is answered, and every client
// that joins is looked up by the order of joins. Time counts from the last byte that the joining client sent,
// so it holds the commit, the publication and one answer, and is longer than "commit to visible".

#include <deque>
#include <nlohmann/json.hpp>

#include "bench/load/modes.h"
#include "bench/load/report.h"

namespace lekt::bench {

namespace {

using namespace std::chrono_literals;

class Churn final : public Events {
 public:
  Churn(Crew& crew, const Options& options, std::size_t guests)
      : crew_(crew), options_(options), first_guest_(options.clients), guests_(guests) {
    for (std::size_t number = first_guest_; number < first_guest_ + guests_; ++number)
      free_.push_back(number);
  }

  void joined(Client& client, Time at) override {
    joins_.record(at - client.began);
    leaving_.push_back({at + options_.stay, client.number});
    ++joined_;
  }

  void answered(Client& client, Time at) override {
    if (client.number == observer) {
      observed(client, at);
      crew_.ask(client, at);
      return;
    }
    answers_.record(at - client.began);
    entries_ += client.reply.entries();
    beats_.push_back({client.began + options_.interval, client.number});
  }

  void run() {
    Progress progress("churn");
    const Time begin = now();
    const Time end = begin + options_.time;
    spread_beats(begin);
    crew_.ask(crew_.clients()[observer], begin);
    for (Time at = begin; at < end; at = now()) {
      const Time join_due = begin_joins(begin, at);
      end_stays(at);
      begin_beats(at);
      crew_.poll(*this, std::min({end, join_due, at + 1ms}));
      progress.show(seconds(at - begin) / seconds(end - begin), joined_);
    }
  }

  static constexpr std::uint32_t observer = 0;

  const Histogram& joins() const { return joins_; }
  const Histogram& answers() const { return answers_; }
  const Histogram& visible() const { return visible_; }
  std::uint64_t joined_clients() const { return joined_; }
  std::uint64_t entries() const { return entries_; }

 private:
  struct Due {
    Time at;
    std::uint32_t number;
  };

  void spread_beats(Time begin) {
    for (std::uint32_t number = observer + 1; number < options_.clients; ++number)
      beats_.push_back({begin + options_.interval * number / options_.clients, number});
  }

  Time begin_joins(Time begin, Time at) {
    const auto due_at = [&](std::uint64_t number) {
      return begin + std::chrono::nanoseconds(
                         static_cast<std::int64_t>(static_cast<double>(number) * 1e9 / options_.joins));
    };
    for (; due_at(begun_) <= at; ++begun_) {
      if (free_.empty()) throw BenchError("joins take so long that no client is left to join; lower --joins");
      const std::size_t number = free_.front();
      free_.pop_front();
      crew_.join(crew_.clients()[number], due_at(begun_));
    }
    return due_at(begun_);
  }

  void end_stays(Time at) {
    for (; !leaving_.empty() && leaving_.front().at <= at; leaving_.pop_front()) {
      crew_.leave(crew_.clients()[leaving_.front().number]);
      free_.push_back(leaving_.front().number);
    }
  }

  void begin_beats(Time at) {
    for (; !beats_.empty() && beats_.front().at <= at; beats_.pop_front())
      crew_.ask(crew_.clients()[beats_.front().number], beats_.front().at);
  }

  /// Every client that has sent its last byte of the join and is named for the first time has become visible.
  void observed(Client& client, Time at) {
    for (const std::uint32_t address : client.reply.added()) {
      const std::uint32_t number = address - crew_.clients().front().address.as_v4();
      if (number < first_guest_ || number >= first_guest_ + guests_) continue;
      visible_.record(at - crew_.clients()[number].sent);
    }
  }

  Crew& crew_;
  const Options& options_;
  std::size_t first_guest_;
  std::size_t guests_;
  std::deque<std::size_t> free_;
  std::deque<Due> leaving_;
  std::deque<Due> beats_;
  Histogram joins_;
  Histogram answers_;
  Histogram visible_;
  std::uint64_t begun_ = 0;
  std::uint64_t joined_ = 0;
  std::uint64_t entries_ = 0;
};

}  // namespace

nlohmann::ordered_json run_churn(const Options& options) {
  const Dialogue dialogue(options.peer, options.from);
  const double present = options.joins * seconds(options.stay + 1s);
  const auto guests = static_cast<std::size_t>(present) + options.at_once;
  Crew crew(options.target, dialogue, options.clients + guests);
  join_all(crew, 0, options.clients, options.at_once);
  ask_all(crew, 0, options.clients);
  crew.clients()[Churn::observer].reply.collect();
  Churn churn(crew, options, guests);
  const Window window(crew, options.pid);
  churn.run();
  nlohmann::ordered_json result = window.end(churn.joined_clients());
  result["beats"] = churn.answers().count();
  result["entries"] = churn.entries();
  result["join_us"] = percentiles(churn.joins());
  result["latency_us"] = percentiles(churn.answers());
  result["visible"] = churn.visible().count();
  result["visible_us"] = percentiles(churn.visible());
  return result;
}

}  // namespace lekt::bench
