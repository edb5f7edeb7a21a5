// What is new of devices, until a commit has written it (side_rows.h).
//
// However long the database cannot be written, what waits is bounded: the newest row of each device, of each session that
// has not ended, and the newest alerts.
//
// Pure: no threads, no clocks. Owned by a SideRows.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "common/time.h"
#include "storage/database.h"

namespace lekt {

class DeviceSideRows {
 public:
  /// The most devices that wait. What is told of others meanwhile is passed over until they are told of again.
  static constexpr std::size_t waiting_max = 20'000;
  /// The most sessions whose end waits. Those that began last are passed over: the database that cannot be written does not
  /// have them.
  static constexpr std::size_t ended_max = 100'000;

  void take(storage::DeviceRows&& rows);
  bool is_empty() const { return devices_.empty() && sessions_.empty() && ended_.empty() && alerts_.empty(); }

  /// What one commit can write, so that joins never wait for a long one.
  storage::DeviceRows choose() const;
  /// Adds the rows to a batch, which refers to them until it is committed. Now and then devices that were not seen for the
  /// retention are forgotten with it.
  void fill(const storage::DeviceRows& chosen, std::chrono::seconds retention, Moment now,
            storage::Batch& batch) const;
  /// The batch with these rows was committed.
  void committed(const storage::DeviceRows& chosen, Moment now);

  /// Throws std::logic_error when an invariant does not hold. For tests.
  void check() const;

 private:
  void take(storage::DeviceRow&& device);
  bool is_forgetting_due(const storage::DeviceRows& chosen, Moment now) const;

  std::map<std::string, storage::DeviceRow> devices_;            ///< by uid
  std::map<std::uint64_t, storage::DeviceSessionRow> sessions_;  ///< by number
  std::set<std::uint64_t> ended_;
  std::deque<storage::DeviceAlertRow> alerts_;
  AwakeTime forgetting_due_{0};
  std::size_t written_ = 0;  ///< devices, since some were forgotten
};

}  // namespace lekt
