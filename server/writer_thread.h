// The writer's thread: takes what the workers posted, has the writer decide, hands views and decisions to the
// workers.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "server/change_feed.h"
#include "server/code_counts.h"
#include "server/inbox.h"
#include "server/meters.h"
#include "server/published_view.h"
#include "server/time.h"
#include "server/warnings.h"
#include "server/watchdog.h"
#include "server/worker.h"
#include "server/writer.h"

namespace lekt {

class WriterThread {
 public:
  /// What it works with; all outlive it. Writer and database are touched by nobody else while run() runs.
  struct Shared {
    Writer& writer;
    const storage::Database& database;
    Inbox& inbox;
    CodeCounts& counts;
    Warnings& warnings;
    WriterMeters& meters;
    TurnCount& turns;
    PublishedView& published;
    ChangeFeed& feed;
    const std::vector<std::unique_ptr<Worker>>& workers;
  };

  WriterThread(const Shared& shared, const MethodCatalogue& catalogue);

  /// Until the inbox is closed and empty; then notes the clean stop in the database.
  void run();

  /// On its own thread: the catalogue for the feed.
  void use(const MethodCatalogue& catalogue) { catalogue_ = &catalogue; }
  /// From any thread.
  const TurnCount& turns() const { return turns_; }

 private:
  Moment now();
  void apply(std::vector<Command>& commands, Moment now);
  void deliver(Writer::Turn& turn);
  void report(const Writer::Turn& turn);
  void note_codes(Moment now);
  void measure(const Writer::Turn& turn, std::chrono::nanoseconds time);
  void watch_wal();
  void tell_what_is_stored();

  Shared shared_;
  Writer& writer_;
  const MethodCatalogue* catalogue_;
  std::vector<std::function<void()>> waiting_tasks_;
  AwakeClock clock_;
  TurnCount& turns_;
  std::size_t wal_warned_at_ = 0;
  AwakeTime codes_due_{0};
};

}  // namespace lekt
