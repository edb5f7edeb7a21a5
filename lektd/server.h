// The server: puts database, writer, workers and listeners together and runs them until it is told to stop.
//
//     main thread                    worker threads                      writer thread
//     signals, accepting ─sockets──▶ sessions, heartbeats ─joins, leaves,─▶ registry,
//                                        ▲                  who was heard    database,
//                                        └── views, decisions about joins ─── change log
//
// With --device-listen one more thread stands beside the workers, to which devices come over UDP (device_service.h).
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
#include <string>
#include <thread>
#include <vector>

#include "lektd/configuration.h"
#include "lektd/lookout.h"
#include "lektd/operator_desk.h"
#include "lektd/service_manager.h"
#include "server/core/writer.h"
#include "server/net/device_service.h"
#include "server/net/doors.h"
#include "server/net/front.h"
#include "server/net/listener.h"
#include "server/net/watchdog.h"
#include "server/net/worker.h"
#include "server/net/writer_thread.h"
#include "server/operators/seen.h"
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

  /// What stands in front of the operations, for those who ask where the server listens.
  void also_listens(ListenStatus listener) { desk_.listens(std::move(listener)); }

 private:
  /// The certificates in their two forms; null where nobody speaks it.
  struct Certificates {
    std::shared_ptr<TlsContext> tls;
    std::shared_ptr<const DtlsContext> dtls;
  };
  struct Rules {
    MethodCatalogue catalogue;
    SessionRules session;

    Rules(const Configuration& configuration, const LogIdentity& log_identity)
        : catalogue(configuration.catalogue),
          session{catalogue, configuration.methods_max, configuration.features, log_identity} {}
    Rules(const Rules&) = delete;
    Rules& operator=(const Rules&) = delete;

    bool follow(const Configuration& configuration) const {
      return catalogue == configuration.catalogue && session.methods_max == configuration.methods_max &&
             session.features == configuration.features;
    }
  };

  std::unique_ptr<DeviceService> make_devices();
  void start_fronts();
  void begin(std::size_t clients);
  void listen(std::vector<PassedSocket> passed);
  void listen_for_devices();
  void add_listener(std::unique_ptr<Listener> listener, bool tls, bool passed);
  Certificates load_certificates(const Configuration& configuration) const;
  void use(const Certificates& certificates);
  Operations::Reloaded reload();
  Operations::Reloaded use_anew();
  Operations::Reloaded ask_to_reload();
  void use(const Configuration& configuration, const Certificates& certificates);
  void sample();
  void wait_for_end();
  void wait_for_reload();
  void report_life(std::chrono::microseconds watchdog);
  void stop_fronts();

  Configuration configuration_;
  const ReadAgain read_again_;
  const MethodCatalogue first_catalogue_;  ///< the database's until settings are read again
  storage::Database database_;
  /// The newest last. Sessions refer to those that they began with, so none ends before the server.
  std::deque<Rules> rules_;
  const Rules& first_rules_;
  Writer writer_;
  std::size_t connections_max_;
  Seen seen_;
  Doors doors_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<DeviceService> devices_;  ///< null without --device-listen
  Fronts fronts_;                           ///< the workers, then the devices
  WriterThread writer_thread_;
  Watchdog watchdog_;
  OperatorDesk desk_;
  Lookout lookout_;
  asio::io_context io_{1};
  asio::steady_timer sampling_;
  asio::signal_set end_signals_;
  asio::signal_set reload_signals_;
  asio::steady_timer life_timer_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Listener*> tls_listeners_;
  std::vector<std::thread> threads_;
};

}  // namespace lekt
