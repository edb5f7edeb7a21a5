// The server: puts database, writer, workers and listeners together and runs them until it is told to stop.
//
//     main thread: signals, accepting   ──sockets──▶  worker threads: sessions, heartbeats
//                                                        │ joins, leaves, who was heard      ▲ views,
//                                                        completions └────────▶ writer thread: registry,
//                                                        database, change log
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "server/admission.h"
#include "server/code_counts.h"
#include "server/configuration.h"
#include "server/inbox.h"
#include "server/listener.h"
#include "server/meters.h"
#include "server/operator_desk.h"
#include "server/published_view.h"
#include "server/recent_rejects.h"
#include "server/service_manager.h"
#include "server/silence_guard.h"
#include "server/tracer.h"
#include "server/warnings.h"
#include "server/watchdog.h"
#include "server/worker.h"
#include "server/writer.h"
#include "server/writer_thread.h"
#include "storage/database.h"

namespace lekt {

class Server {
 public:
  using PassedSocket = service_manager::PassedSocket;

  /// Reads the settings once more; throws CodedError when they are wrong.
  using ReadAgain = std::function<Configuration()>;

  /// Opens the database and listens, also on `passed`; throws CodedError. Nobody is served before run().
  Server(const Configuration& configuration, ReadAgain read_again, std::vector<PassedSocket> passed = {});
  ~Server();

  /// Serves until SIGTERM or SIGINT; then clients are told, what has gathered is committed, and clients stay
  /// listed. SIGHUP reads settings and certificates again (reload.h); when
  /// something is wrong with them, all stays as it was.
  void run();

  /// For those who look at the server and steer it, from threads of their own, as long as it lives.
  Operations& operations() { return desk_; }

 private:
  struct Rules {
    MethodCatalogue catalogue;
    SessionRules session;

    Rules(const MethodCatalogue& known, std::uint32_t methods_max)
        : catalogue(known), session{catalogue, methods_max} {}
    Rules(const Rules&) = delete;
    Rules& operator=(const Rules&) = delete;
  };

  void start_workers();
  void begin(std::size_t clients);
  void listen(std::vector<PassedSocket> passed);
  void add_listener(std::unique_ptr<Listener> listener, bool tls);
  void use(const std::shared_ptr<TlsContext>& tls);
  void reload();
  void use(const Configuration& configuration);
  void sample();
  void wait_for_end();
  void wait_for_reload();
  void report_life(std::chrono::microseconds watchdog);
  void feed_watchdog();
  void stop_workers();

  Configuration configuration_;
  const ReadAgain read_again_;
  /// The newest last. Sessions refer to those that they began with, so none ends before the server.
  std::deque<Rules> rules_;
  const Rules& first_rules_;
  storage::Database database_;
  Inbox inbox_;
  Writer writer_;
  PublishedView published_;
  CodeCounts counts_;
  SilenceGuard silence_guard_;
  std::size_t connections_max_;
  Admission admission_;
  RecentRejects rejects_;
  Warnings warnings_;
  Tracer tracer_;
  WriterMeters writer_meters_;
  TurnCount writer_turns_;
  ChangeFeed feed_;
  std::vector<std::unique_ptr<Worker>> workers_;
  WriterThread writer_thread_;
  OperatorDesk desk_;
  asio::io_context io_{1};
  asio::steady_timer sampling_;
  asio::signal_set end_signals_;
  asio::signal_set reload_signals_;
  asio::steady_timer life_timer_;
  Watchdog watchdog_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Listener*> tls_listeners_;
  std::vector<std::thread> threads_;
};

}  // namespace lekt
