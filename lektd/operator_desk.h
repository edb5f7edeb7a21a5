// Where operators' wishes meet the running server: it reads the meters, asks the fronts and the writer on
// their threads, and keeps the bans.
//
// Invariant: whoever is banned is refused from the moment in which ban() begins to store it.
//
// Any thread but the fronts', the writer's and the main thread's; only sample() is for the last.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/features.h"
#include "common/mutex.h"
#include "server/net/device_front.h"
#include "server/net/doors.h"
#include "server/net/front.h"
#include "server/operators/operations.h"
#include "server/operators/seen.h"

namespace lekt {

class OperatorDesk : public Operations {
 public:
  /// All outlive the desk.
  struct Shared {
    Doors& doors;
    Seen& seen;
    const Watchdog& watchdog;
    const Fronts& fronts;
    DeviceFront* devices = nullptr;  ///< one of the fronts; null: the server takes no devices
  };

  /// `identity` and `bans`: those that the database has.
  OperatorDesk(const Shared& shared, std::filesystem::path database, const LogIdentity& identity,
               std::vector<storage::Ban> bans);

  /// Once a second: for the rates, and to end bans.
  void sample();
  /// Notes when the certificates expire, in Unix seconds; 0 for none. From the main thread.
  void note_certificates(std::int64_t server, std::int64_t client_authorities) {
    certificate_expires_ = server;
    client_authorities_expire_ = client_authorities;
  }

  Totals totals() const override;
  Status status() override;
  Health health() override;
  std::vector<SessionStatus> sessions(Address address) override;
  std::vector<RejectStatus> rejects(const std::optional<Block>& block, std::size_t count_max) override;
  ChangeFeed& changes() override { return shared_.seen.changes; }
  std::vector<DeviceStatus> devices() override;
  std::vector<DeviceDetails> device(const std::string& uid_or_address) override;
  std::vector<DeviceScreen> device_screens(const std::string& uid_or_address) override;
  std::vector<DeviceAlertStatus> device_alerts(std::size_t count_max) override;
  Kicked kick(Address address) override;
  Kicked kick_device(const std::string& uid) override;
  Banned ban(const Block& block, const std::string& reason,
             std::optional<std::chrono::seconds> duration) override;
  bool unban(const Block& block) override;
  Compacted compact() override;
  TraceStatus trace(const Block& block, std::chrono::seconds duration) override;
  bool end_trace(const Block& block) override;
  Whereabouts whereabouts() const override;
  Reloaded reload() override { return reload_(); }

  // ---- What the server tells the desk ----

  void listens(ListenStatus listener);
  void waits_for_restart(std::vector<std::string> settings);
  /// How a reload is done, from any thread; told before the first one.
  void reload_with(std::function<Reloaded()> reload) { reload_ = std::move(reload); }

 private:
  using Steady = std::chrono::steady_clock::time_point;
  struct Sample {
    Steady at;
    Totals totals;
  };

  [[noreturn]] static void fail_silent(const std::string& who);
  std::string thread_name(std::size_t front) const;
  template <class Answer>
  Answer ask_devices(std::function<Answer(DeviceFront&)> question);
  Totals count(bool everything) const;
  std::vector<storage::Warning> warnings() const;
  std::optional<HangingThread> hanging_main() const;
  Rates rates() const LEKT_EXCLUDES(samples_mutex_);
  std::map<SessionId, Methods> offers_of(Address address);
  /// What is told to those who are kicked (E409).
  static Rejection kick_rejection();
  /// Sessions that have ended, and whether all workers have said how many.
  struct Ended {
    std::size_t sessions = 0;
    bool all_answered = true;

    std::string text() const;
  };
  Ended end_sessions(const Block& block, const Rejection& rejection);
  void apply_bans(std::vector<storage::Ban> bans) LEKT_REQUIRES(bans_mutex_);
  void end_bans_that_are_over() LEKT_EXCLUDES(bans_mutex_);
  void post(TaskCommand task);
  /// Why the database refuses a ban, or nothing.
  using Refusal = std::optional<std::string>;
  std::future<Refusal> store(std::function<void(Writer&)> change, std::optional<Block> ban = {});
  [[noreturn]] static void fail_partly(const std::string& what);
  std::string why_unwritten() const;
  std::string unstored() const;

  Shared shared_;
  const std::filesystem::path database_;
  const LogIdentity identity_;
  const Steady started_ = std::chrono::steady_clock::now();
  const std::int64_t started_wall_;
  mutable Mutex samples_mutex_;
  std::deque<Sample> samples_ LEKT_GUARDED_BY(samples_mutex_);
  mutable Mutex whereabouts_mutex_;
  Whereabouts whereabouts_ LEKT_GUARDED_BY(whereabouts_mutex_);
  std::function<Reloaded()> reload_;
  Mutex bans_mutex_;  ///< also while a change of them is made
  std::vector<storage::Ban> bans_ LEKT_GUARDED_BY(bans_mutex_);
  std::atomic<std::size_t> bans_count_{0};
  std::atomic<std::int64_t> certificate_expires_{0};
  std::atomic<std::int64_t> client_authorities_expire_{0};
};

}  // namespace lekt
