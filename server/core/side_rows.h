// The rows for operators that the writer writes besides the changes: who is heard, what is wrong, which codes were
// given out, who is banned, what is new of devices. They ride on its transactions, and nobody who joins waits for them.
//
// What was gathered is kept until a commit has worked. Pure: no threads, no clocks. Owned by a Writer.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/address.h"
#include "common/address_map.h"
#include "common/block.h"
#include "common/errors.h"
#include "common/time.h"
#include "server/core/device_side_rows.h"
#include "storage/database.h"

namespace lekt {

class SideRows {
 public:
  /// `interval`: how often presences and counts are written. `now`: from when on it counts.
  SideRows(AwakeTime interval, AwakeTime now) : interval_(interval), due_(now + interval) {}

  /// A client with this number of sessions was heard at this second of the wall clock.
  void heard(Address address, std::uint32_t sessions, std::int64_t wall) {
    heard_[address] = {wall, sessions};
  }
  /// A client has this number of sessions now. Without any it has no row, which goes with its removal.
  void has_sessions(Address address, std::uint32_t sessions);
  /// A code was given to clients `count` more times.
  void note_code(ErrorCode code, std::uint64_t count, Moment now);
  /// Everything that is wrong now, in place of what was.
  void show_warnings(std::vector<storage::Warning> warnings);
  void ban(const storage::Ban& ban) { change({ban, false}); }
  void unban(const Block& block) { change({{block, 0, {}, {}}, true}); }
  /// What is new of devices, in the order in which it is told.
  void tell_of_devices(storage::DeviceRows&& rows) { devices_.take(std::move(rows)); }

  /// Or refused by the database, which refusal_of() tells.
  bool bans_are_stored() const { return bans_.empty(); }
  /// Why the database does not take the newest ban of the block, or the lifting of it; nothing if it does.
  std::optional<std::string> refusal_of(const Block& block) const;
  /// Of clients and devices.
  bool presences_are_stored() const { return heard_.is_empty() && devices_.is_empty(); }

  /// The interval of what comes from now on.
  void use(AwakeTime interval) { interval_ = interval; }
  /// Presences and counts are due now, and not only when their interval has passed.
  void hasten(Moment now) { due_ = now.awake; }

  /// The rows of one commit that are chosen when it is planned.
  struct Chosen {
    std::vector<storage::Presence> presences;
    std::vector<storage::CodeCount> codes;
    storage::DeviceRows devices;
  };

  /// Those of clients that the commit adds, so that an operator sees them connected at once, and those of devices with
  /// them; the others when they are due.
  Chosen choose(std::span<const storage::Change> changes, Moment now) const;
  /// Whether these rows, or warnings and bans, are worth a commit of their own.
  bool are_worth_a_commit(const Chosen& chosen, Moment now) const;
  /// Adds the rows to a batch, which refers to them until it is committed. Devices that were not seen for the retention
  /// are forgotten with some of them.
  void fill(const Chosen& chosen, std::chrono::seconds retention, Moment now, storage::Batch& batch) const;
  /// The batch was committed, without the rows that the database refuses. Those are not tried again.
  void committed(const Chosen& chosen, const std::vector<storage::RefusedRow>& refused, Moment now);

  /// When a commit has something to do for these rows alone, and otherwise `at`.
  AwakeTime due_before(AwakeTime at) const;

  /// Throws std::logic_error when an invariant does not hold. For tests.
  void check() const { devices_.check(); }

 private:
  /// What is not stored yet of a storage::Presence.
  struct Heard {
    std::int64_t second = 0;
    std::uint32_t sessions = 0;
  };

  void change(storage::BanChange change);

  AwakeTime interval_;
  AwakeTime due_;
  AddressMap<Heard> heard_;
  std::unordered_map<ErrorCode, storage::CodeCount> codes_;
  std::vector<storage::Warning> warnings_;
  bool warnings_are_stored_ = true;
  std::vector<storage::BanChange> bans_;           ///< that are not stored yet
  std::vector<storage::RefusedRow> refused_bans_;  ///< at most one of each block
  DeviceSideRows devices_;
};

}  // namespace lekt
