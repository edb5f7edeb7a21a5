// The writer's thread: takes what the workers posted, has the writer decide, hands views and decisions to the
// workers.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "common/time.h"
#include "server/core/writer.h"
#include "server/net/doors.h"
#include "server/net/front.h"
#include "server/operators/seen.h"

namespace lekt {

class WriterThread {
 public:
  /// What the thread works with; all of it outlives the thread. Nobody else touches writer and database during run().
  struct Shared {
    Writer& writer;
    const storage::Database& database;
    Doors& doors;
    Seen& seen;
    const Fronts& fronts;
  };

  WriterThread(const Shared& shared, const MethodCatalogue& catalogue);

  /// Runs until the inbox is closed and empty, then notes the clean stop in the database.
  void run();

  /// Uses another catalogue for the feed. Only its own thread may call this.
  void use(const MethodCatalogue& catalogue) { catalogue_ = &catalogue; }
  /// The turns of its loop. Any thread may ask.
  const TurnCount& turns() const { return turns_; }

 private:
  Moment now();
  Writer::Turn take_turn(Moment moment);
  void apply(std::vector<Command>& commands, Moment now);
  void deliver(Writer::Turn& turn);
  void report(const Writer::Turn& turn);
  void report(const storage::RefusedRow& row);
  void note_codes(Moment now);
  void note_warnings();
  void measure(const Writer::Turn& turn, std::chrono::nanoseconds time);
  void tell_of_lost_log();
  void watch_wal();
  void watch_loopback();
  void watch_clock();
  void watch_oversize();
  void tell_what_is_stored();

  Shared shared_;
  Writer& writer_;
  const MethodCatalogue* catalogue_;
  std::vector<std::function<void(Writer&)>> waiting_tasks_;
  std::set<storage::RowKind> refused_kinds_;  ///< that operators were told of
  AwakeClock clock_;
  TurnCount& turns_;
  std::size_t wal_warned_at_ = 0;
  bool loopback_warned_ = false;
  bool clock_is_behind_ = false;
  std::size_t oversize_told_ = 0;
  AwakeTime codes_due_{0};
};

}  // namespace lekt
