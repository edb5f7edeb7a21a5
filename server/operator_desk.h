// Where operators' wishes meet the running server: it reads the meters, asks the workers and the writer on
// their threads, and keeps the bans.
//
// Invariant: whoever is banned is refused from the moment in which ban() begins to store it.
//
// Any thread but the workers', the writer's and the main thread's; only sample() is for the last.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/admission.h"
#include "server/change_feed.h"
#include "server/code_counts.h"
#include "server/inbox.h"
#include "server/meters.h"
#include "server/operations.h"
#include "server/recent_rejects.h"
#include "server/tracer.h"
#include "server/warnings.h"
#include "server/worker.h"

namespace lekt {

class OperatorDesk : public Operations {
 public:
  static constexpr std::size_t bans_max = 10'000;

  /// All outlive the desk.
  struct Shared {
    Admission& admission;
    Inbox& inbox;
    const CodeCounts& counts;
    const RecentRejects& rejects;
    const Warnings& warnings;
    Tracer& tracer;
    const WriterMeters& writer;
    TurnCount& writer_turns;
    ChangeFeed& feed;
    const std::vector<std::unique_ptr<Worker>>& workers;
  };

  /// `bans`: those that the database has.
  OperatorDesk(const Shared& shared, std::filesystem::path database, std::vector<storage::Ban> bans);

  /// Once a second, for the rates.
  void sample();

  Totals totals() const override;
  Status status() override;
  std::vector<SessionStatus> sessions(Ipv4Address address) override;
  std::vector<RejectStatus> rejects(const std::optional<Cidr>& block, std::size_t count_max) override;
  ChangeFeed& changes() override { return shared_.feed; }
  Kicked kick(Ipv4Address address) override;
  Banned ban(const Cidr& block, const std::string& reason) override;
  bool unban(const Cidr& block) override;
  Compacted compact() override;
  TraceStatus trace(const Cidr& block, std::chrono::seconds duration) override;
  bool end_trace(const Cidr& block) override;

 private:
  using Steady = std::chrono::steady_clock::time_point;
  struct Sample {
    Steady at;
    Totals totals;
  };

  Totals count(bool everything) const;
  Rates rates() const;
  std::size_t end_sessions(const Cidr& block, const Rejection& rejection);
  void apply_bans(std::vector<storage::Ban> bans);
  void post(TaskCommand task);
  std::future<void> store(std::function<void(Writer&)> change);
  static void expect_stored(const std::future<void>& stored);

  Shared shared_;
  const std::filesystem::path database_;
  const Steady started_ = std::chrono::steady_clock::now();
  const std::int64_t started_wall_;
  mutable std::mutex samples_mutex_;
  std::deque<Sample> samples_;
  std::mutex bans_mutex_;  ///< also while a change of them is made
  std::vector<storage::Ban> bans_;
  std::atomic<std::size_t> bans_count_{0};
};

}  // namespace lekt
