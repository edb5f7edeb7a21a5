// The writer: the one place where the registry changes, is committed, and is published - in that order.
//
// Whatever has gathered since the last turn (joins, leaves, sessions heard) becomes one transaction. Only once it
// is committed does a view of it exist, and only then is a joining client told that it has joined. So whatever
// anybody was told survives a crash (docs/architecture.md, "Commit before publish").
//
// A turn never waits for another program longer than the database's busy_wait. Joins that cannot be stored wait
// for `join_wait` and are then refused with E403. Leaves and everything else are kept until they can be written.
//
// Pure but for the database: no threads, no clocks. Owned by one thread (writer_thread.h) or by a simulation.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/address_rates.h"
#include "common/catalogue.h"
#include "common/errors.h"
#include "common/rate.h"
#include "common/time.h"
#include "server/core/change_log.h"
#include "server/core/change_view.h"
#include "server/core/registry.h"
#include "server/core/side_rows.h"
#include "server/core/storage_state.h"
#include "storage/database.h"

namespace lekt {

struct WriterSettings {
  AwakeTime restart_grace = std::chrono::seconds(90);
  std::chrono::seconds retention = std::chrono::hours(7 * 24);
  Registry::Limits limits{100'000, limits::packet_bytes_default};
  AwakeTime join_wait = std::chrono::seconds(5);
  /// The most removals that are remembered, however long the retention is, besides those of the last seconds.
  std::size_t removals_max = 100'000;
  /// The rate of changes of one address. A client that joins and leaves faster is listed, changed and removed a little
  /// later, and whatever has come together by then is one change.
  Rate changes{1, 30};
  /// Keeps a stranger from knowing which addresses share the room for their rates (AddressRates).
  std::uint64_t secret = 0;
  /// How often operators' columns (sessions, last heard) and counts are written.
  AwakeTime presence_interval = std::chrono::seconds(5);
};

class Writer {
 public:
  /// What a turn has decided about one waiting join.
  struct Completion {
    SessionId session = 0;
    std::int64_t joined = 0;             ///< second of the log; for Cursor::joined
    std::optional<Rejection> rejection;  ///< why it was refused; nothing if it has joined
  };

  struct Turn {
    std::vector<Completion> completions;
    bool published = false;                ///< whether view() is new
    std::vector<storage::Change> changes;  ///< the committed changes
    /// The state of the storage after this turn, and its words if it has just changed.
    StorageState trouble = StorageState::usable;
    std::string message;
    std::vector<std::string> refused_changes;       ///< changes that the database refused: of whom, and why
    std::vector<storage::RefusedRow> refused_rows;  ///< what the commit lacks of the rows for operators
    bool attempted = false;                         ///< whether it tried to commit
    bool committed = false;
    bool recovered = false;  ///< everything was read again; `changes` may lack some that were stored before
  };

  /// Reads the database: all its clients are present, and waited for until now + restart_grace. Meanwhile it calls
  /// `loading` now and then, which may throw to end the reading.
  Writer(storage::Database& database, const WriterSettings& settings, Moment now,
         const std::function<void()>& loading = {});

  void join(SessionId session, Address address, const Methods& methods, Moment now);
  /// Ends a session. `was_told`: whether it was told that it has joined. If not, a client that was waited for still
  /// is.
  void leave(SessionId session, Address address, LeaveReason reason, bool was_told = true);
  /// Stops waiting for the clients of the block. Returns how many were waited for.
  std::size_t dismiss(const Block& block, LeaveReason reason);
  /// The rows for operators. The next commit writes them, or a later one if that fails.
  SideRows& side_rows() { return side_rows_; }
  /// Whether all bans, lifted bans and dismissals so far are in the database, or refused by it (side_rows()).
  bool wishes_are_stored() const { return side_rows_.bans_are_stored() && dismissal_is_stored_; }
  /// Compacts the database, and calls `progress` often. Throws CodedError E601 or E602; after E601 the next turns say so
  /// and recover.
  void compact(const std::function<void()>& progress);
  /// Uses other settings from now on. The largest packet stays what it was.
  void use(const WriterSettings& settings, const MethodCatalogue& catalogue);
  /// Notes that a client was heard at this second of the wall clock; for operators.
  void heard(Address address, std::int64_t wall);

  /// Commits, publishes, decides. Call it once something has gathered, and at wake_at() at the latest.
  Turn turn(Moment now);

  /// Writes what operators should see after a clean stop; clients stay listed.
  void stop(Moment now);

  /// The awake time at which a turn has something to do even if nothing gathers.
  AwakeTime wake_at() const;
  /// What is left of the restart grace; 0 if no client is waited for.
  AwakeTime grace_left() const;

  std::shared_ptr<const ChangeView> view() const { return view_; }
  const Registry& registry() const { return registry_; }
  const ChangeLog& change_log() const { return change_log_; }
  const storage::LogState& state() const { return state_; }
  /// By how many seconds the log is ahead of the wall clock; 0 if it is not.
  std::int64_t ahead_of(std::int64_t wall) const { return std::max<std::int64_t>(state_.second - wall, 0); }
  /// Records that were stored under a larger limit than now, as of the start and of each recovery.
  const Registry::Oversize& oversize() const { return oversize_; }

  /// Throws std::logic_error when an invariant does not hold after a turn: of the registry, the log, the view, or
  /// between them. For tests: it looks at every client and change.
  void check() const;

 private:
  struct WaitingJoin {
    Address address;
    AwakeTime deadline;
  };
  struct Plan {
    std::vector<Registry::Difference> differences;
    std::vector<storage::Change> changes;
    SideRows::Chosen side_rows;
    storage::LogState state;
    std::int64_t forget_before = 0;
  };

  void load(bool waiting, const std::function<void()>& loading = {});
  std::int64_t log_second(Moment now) const;
  bool may_change(Address address, Moment now);
  Plan plan(Moment now);
  void plan_changes(Plan& plan);
  void plan_forgetting(Moment now, Plan& plan);
  bool is_worth_a_commit(const Plan& plan, Moment now) const;
  bool commit(Plan& plan, Moment now, Turn& turn);
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
  std::map<SessionId, WaitingJoin> waiting_joins_;
  bool joins_have_gathered_ = false;  ///< since the last turn
  SideRows side_rows_;
  bool dismissal_is_stored_ = true;
  std::vector<Completion> refused_;  ///< joins that the registry refused; told with the next turn
  /// Addresses whose changes the database has refused: they stay as they are stored until the next start.
  std::set<Address> barred_;
  AddressRates change_rates_;
  bool kept_some_ = false;  ///< whether the last plan has left out changes that come too fast
  StorageState trouble_ = StorageState::usable;
  std::int64_t last_change_second_ = 0;
  AwakeTime second_since_;  ///< when the log reached its present second
  Registry::Oversize oversize_;
  AwakeTime grace_ends_;
  AwakeTime forgetting_due_;
  AwakeTime retry_at_{0};
  std::string failure_;  ///< why a compaction failed; the next turn tells it
  AwakeTime last_turn_;
};

}  // namespace lekt
