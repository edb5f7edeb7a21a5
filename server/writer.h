// The writer: the one place where the registry changes, is committed, and is published - in that order.
//
// What has gathered since the last turn (joins, leaves, sessions heard) becomes one transaction. Only after
// it is committed does a view of it exist, and only then is a joining client told that it has joined. So
// whatever anybody was told survives a crash (docs/architecture.md, "Commit before publish").
//
// A turn never waits for another program longer than the database's busy_wait; joins that cannot be stored
// wait `join_wait` and are refused with E403; leaves and everything else are kept until they can be written.
//
// Pure but for the database: no threads, no clocks. Owned by one thread (writer_thread.h) or by a simulation.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/catalogue.h"
#include "common/errors.h"
#include "server/change_log.h"
#include "server/change_view.h"
#include "server/registry.h"
#include "server/storage_state.h"
#include "server/time.h"
#include "storage/database.h"

namespace lekt {

struct WriterSettings {
  AwakeTime restart_grace = std::chrono::seconds(90);
  std::chrono::seconds retention = std::chrono::hours(7 * 24);
  Registry::Limits limits{100'000, limits::packet_bytes_default};
  AwakeTime join_wait = std::chrono::seconds(5);
  /// How often operators' columns (sessions, last heard) and counts are written.
  AwakeTime presence_interval = std::chrono::seconds(5);
};

class Writer {
 public:
  /// What a turn decided about one waiting join.
  struct Completion {
    SessionId session = 0;
    std::int64_t joined = 0;             ///< second of the log; for Cursor::joined
    std::optional<Rejection> rejection;  ///< when it was refused
  };

  struct Turn {
    std::vector<Completion> completions;
    bool published = false;                ///< view() is new
    std::vector<storage::Change> changes;  ///< that were committed
    /// The state of the storage after this turn, and its words when it has just changed.
    StorageState trouble = StorageState::usable;
    std::string message;
    bool attempted = false;  ///< to commit
    bool committed = false;
    bool recovered = false;  ///< everything was read again: `changes` may lack some that were stored before
  };

  /// Reads the database: all its clients are present and waited for until now + restart_grace.
  Writer(storage::Database& database, const WriterSettings& settings, Moment now);

  void join(SessionId session, Ipv4Address address, const Methods& methods, Moment now);
  void leave(SessionId session, Ipv4Address address, Moment now);
  /// A code was given to clients so often; for operators.
  void note_code(ErrorCode code, std::uint64_t count, Moment now);
  /// Something is wrong, or no longer; for operators. The first call for a code says since when.
  void warn(ErrorCode code, const std::string& message, Moment now);
  void clear_warning(ErrorCode code);
  /// Written with the next commit, and again until it is.
  void ban(const storage::Ban& ban);
  void unban(const Cidr& block);
  bool bans_are_stored() const { return ban_changes_.empty(); }
  /// The client is no longer waited for; false when it was not.
  bool dismiss(Ipv4Address address) { return registry_.dismiss(address); }
  /// Throws CodedError E601 or E602; after E601 the next turns tell and recover. `progress` is called often.
  void compact(const std::function<void()>& progress);
  /// For what comes from now on. The largest packet stays what it was.
  void use(const WriterSettings& settings, const MethodCatalogue& catalogue);
  /// A client was heard at this second of the wall clock; for operators.
  void heard(Ipv4Address address, std::int64_t wall);

  /// Commits, publishes, decides. Call it when something has gathered, and at wake_at() at the latest.
  Turn turn(Moment now);

  /// Writes what operators should see after a clean stop; clients stay listed.
  void stop(Moment now);

  /// Awake time at which a turn has something to do even if nothing gathers.
  AwakeTime wake_at() const;
  /// Of the restart grace; 0 when nobody is waited for.
  AwakeTime grace_left() const;

  std::shared_ptr<const ChangeView> view() const { return view_; }
  const Registry& registry() const { return registry_; }
  const ChangeLog& change_log() const { return change_log_; }
  const storage::LogState& state() const { return state_; }

 private:
  struct WaitingJoin {
    SessionId session;
    Ipv4Address address;
    AwakeTime deadline;
  };
  struct Plan {
    std::vector<Registry::Difference> differences;
    std::vector<storage::Change> changes;
    std::vector<storage::Presence> presences;
    std::vector<storage::CodeCount> codes;
    storage::LogState state;
    std::int64_t forget_before = 0;
  };

  void load(bool waiting);
  /// For operators: how many sessions the client has now.
  void note_sessions(Ipv4Address address);
  Plan plan(Moment now);
  void plan_changes(Plan& plan);
  void plan_presences(Moment now, Plan& plan);
  void plan_forgetting(Moment now, Plan& plan);
  bool is_worth_a_commit(const Plan& plan, Moment now) const;
  void commit(Plan& plan, Moment now, Turn& turn);
  void apply(Plan& plan, Moment now, Turn& turn);
  bool recover(Moment now, Turn& turn);
  void set_trouble(StorageState trouble, const std::string& message, Turn& turn);
  void finish_joins(Moment now, Turn& turn);

  storage::Database& database_;
  WriterSettings settings_;
  Registry registry_;
  ChangeLog change_log_;
  storage::LogState state_;
  std::shared_ptr<const ChangeView> view_;
  std::vector<WaitingJoin> waiting_joins_;
  std::unordered_map<Ipv4Address, storage::Presence> presences_;
  std::unordered_map<ErrorCode, storage::CodeCount> codes_;
  std::vector<storage::Warning> warnings_;
  bool warnings_written_ = true;
  std::vector<storage::BanChange> ban_changes_;  ///< that are not stored yet
  std::vector<Completion> refused_;              ///< by the registry; told with the next turn
  StorageState trouble_ = StorageState::usable;
  std::int64_t last_change_second_ = 0;
  AwakeTime grace_ends_;
  AwakeTime presences_due_;
  AwakeTime forgetting_due_;
  AwakeTime retry_at_{0};
  std::string failure_;  ///< of a compaction; the next turn tells it
  AwakeTime last_turn_;
};

}  // namespace lekt
