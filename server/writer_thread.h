// The writer's thread: takes what the workers posted, has the writer decide, hands views and decisions to the
// workers.
#pragma once

#include <memory>
#include <vector>

#include "server/code_counts.h"
#include "server/inbox.h"
#include "server/published_view.h"
#include "server/time.h"
#include "server/worker.h"
#include "server/writer.h"

namespace lekt {

class WriterThread {
 public:
  /// All outlive the thread; `writer` and `database` are touched by nobody else while run() runs.
  WriterThread(Writer& writer, const storage::Database& database, CodeCounts& counts, Inbox& inbox,
               PublishedView& published, const std::vector<std::unique_ptr<Worker>>& workers);

  /// Until the inbox is closed and empty; then notes the clean stop in the database.
  void run();

 private:
  Moment now();
  void apply(std::vector<Command>& commands, Moment now);
  void deliver(Writer::Turn& turn);
  void report(const Writer::Turn& turn);
  void note_codes(Moment now);
  void watch_wal();

  Writer& writer_;
  const storage::Database& database_;
  CodeCounts& counts_;
  Inbox& inbox_;
  PublishedView& published_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  AwakeClock clock_;
  std::size_t wal_warned_at_ = 0;
  AwakeTime codes_due_{0};
};

}  // namespace lekt
