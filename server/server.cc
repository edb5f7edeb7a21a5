#include "server/server.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

#include "common/duration.h"
#include "server/log.h"

namespace lekt {

namespace {

/// Descriptors that are not connections: database, log, timers, listeners, and room to refuse one client too
/// many.
constexpr std::size_t descriptors_reserved = 64;

/// Raises the limit of open files as far as it goes and returns how many connections it allows.
std::size_t connections_allowed() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024 - descriptors_reserved;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  const std::size_t files = limit.rlim_cur;
  return files > 2 * descriptors_reserved ? files - descriptors_reserved : descriptors_reserved;
}

/// Makes the kernel's table of descriptors as large as it will be. While it grows, in a process with threads,
/// an accept waits for many milliseconds, several times on the way to ten thousand clients: when all of them
/// come at once, the queue of those who wait overflows meanwhile.
void grow_descriptor_table(std::size_t descriptors) {
  constexpr std::size_t worthwhile_max = 65'536;  // 8 bytes each
  const int highest =
      fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, static_cast<int>(std::min(descriptors, worthwhile_max)) - 1);
  if (highest >= 0) close(highest);
}

/// What reading the database took for a moment goes back to the machine: 16 MB of 200 with a million clients.
void return_freed_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

storage::DatabaseSettings database_settings(const Configuration& configuration) {
  storage::DatabaseSettings settings;
  settings.path = configuration.database;
  settings.catalogue = &configuration.catalogue;
  settings.program_version = LEKT_VERSION;
  settings.started = wall_seconds();
  return settings;
}

WriterSettings writer_settings(const Configuration& configuration) {
  WriterSettings settings;
  settings.restart_grace = configuration.restart_grace;
  settings.retention = configuration.retention;
  settings.limits = {configuration.clients_max, configuration.packet_bytes_max,
                     configuration.connections_per_address_max};
  // A join has to be refused while its client can still be told: before the handshake timeout ends its
  // session.
  settings.join_wait = std::min(settings.join_wait, configuration.handshake_timeout / 2);
  return settings;
}

/// So many in a second, and after a quiet time those of two seconds at once.
Rate rate_of(std::uint32_t per_second) { return {per_second, 2 * per_second}; }

Admission::Limits admission_limits(const Configuration& configuration) {
  const std::size_t connections_max = connections_allowed();
  grow_descriptor_table(connections_max + descriptors_reserved);
  return {connections_max, configuration.handshakes_max, configuration.connections_per_address_max,
          rate_of(configuration.connection_rate), rate_of(configuration.connection_rate_per_address)};
}

SilenceGuard::Settings silence_settings(const Configuration& configuration) {
  SilenceGuard::Settings settings;
  settings.share_percent = configuration.silence_share_percent;
  settings.timeout = configuration.heartbeat_timeout;
  settings.patience = configuration.silence_patience;
  // Workers ask about a session that is overdue at least so often (WorkerSettings::round), and twice as
  // seldom when they are busy.
  settings.calm =
      std::max<AwakeTime>(std::min<AwakeTime>(std::chrono::seconds(10), configuration.heartbeat_timeout / 5),
                          std::chrono::milliseconds(100));
  return settings;
}

WorkerSettings worker_settings(const Configuration& configuration) {
  WorkerSettings settings;
  settings.heartbeat_timeout = configuration.heartbeat_timeout;
  settings.handshake_timeout = configuration.handshake_timeout;
  settings.heartbeats = rate_of(configuration.heartbeat_rate);
  settings.output_bytes_max = configuration.output_bytes_max;
  return settings;
}

}  // namespace

Server::Server(const Configuration& configuration)
    : configuration_(configuration),
      rules_{configuration_.catalogue, configuration_.methods_max},
      database_(database_settings(configuration_)),
      writer_(database_, writer_settings(configuration_), {AwakeTime(0), wall_seconds()}),
      published_(writer_.view()),
      silence_guard_(silence_settings(configuration_)),
      admission_(configuration_.address_rules, admission_limits(configuration_), counts_),
      writer_thread_(writer_, database_, counts_, inbox_, published_, workers_),
      end_signals_(io_, SIGTERM, SIGINT),
      reload_signals_(io_, SIGHUP) {
  const Worker::Shared shared{rules_, inbox_, admission_, counts_, silence_guard_, published_};
  for (std::uint32_t index = 0; index < configuration_.threads; ++index)
    workers_.push_back(
        std::make_unique<Worker>(index, configuration_.threads, worker_settings(configuration_), shared));
  return_freed_memory();
  listen();
}

Server::~Server() = default;

void Server::listen() {
  const std::size_t connections_max = connections_allowed();
  for (const ListenAddress& address : configuration_.listen) {
    const Listener::Settings settings{address, configuration_.tcp_user_timeout, configuration_.proxies};
    listeners_.push_back(std::make_unique<Listener>(io_, settings, workers_, admission_));
    if (address.tls) tls_listeners_.push_back(listeners_.back().get());
    log_event(LogLevel::info, "listening",
              {{"address", listeners_.back()->local_address().text()},
               {"tls", address.tls ? "yes" : "no"},
               {"connections_max", connections_max}});
  }
  if (!tls_listeners_.empty()) load_tls();
}

void Server::load_tls() {
  const auto tls = std::make_shared<TlsContext>(configuration_.tls);
  for (Listener* listener : tls_listeners_) listener->use(tls);
  log_event(tls->has_expired() ? LogLevel::warn : LogLevel::info, "certificate",
            {{"file", configuration_.tls.certificate.string()},
             {tls->has_expired() ? "expired" : "expires", tls->expires()}});
}

/// All threads or none: those that run are ended when another cannot be started.
void Server::start_workers() {
  try {
    threads_.emplace_back([this] { writer_thread_.run(); });
    for (const auto& worker : workers_) threads_.emplace_back([&worker] { worker->run(); });
  } catch (const std::system_error& error) {
    stop_workers();
    throw CodedError(ErrorCode::start_failed,
                     "cannot start " + std::to_string(workers_.size() + 1) +
                         " threads: " + error.code().message() +
                         "; raise the limits of threads and memory, or lower --threads");
  }
}

/// Everything that runs, up to the loop of the main thread.
void Server::begin(std::size_t clients) {
  start_workers();
  log_event(LogLevel::info, "started",
            {{"version", LEKT_VERSION},
             {"database", std::filesystem::absolute(configuration_.database).string()},
             {"clients", clients},
             {"restart_grace", format_duration(configuration_.restart_grace)},
             {"threads", workers_.size()}});
  for (const auto& listener : listeners_) listener->start();
  wait_for_end();
  wait_for_reload();
}

void Server::run() {
  std::signal(SIGPIPE, SIG_IGN);  // a log pipe whose reader is gone must not end the server
  const std::size_t clients = writer_.registry().clients();  // the writer's own once its thread runs
  try {
    begin(clients);
  } catch (const std::bad_alloc&) {
    // To end the threads that run already would take memory, too. Nobody is served yet, and the database is
    // as after a crash.
    std::fprintf(stderr, "lektd: E%d there is not enough memory to start\n",
                 static_cast<int>(ErrorCode::start_failed));
    std::_Exit(1);
  }
  io_.run();
  stop_workers();
  log_event(LogLevel::info, "stopped",
            {{"clients", writer_.registry().clients()},
             {"full_list_encodings", writer_.change_log().encodings_of_full_list()}});
}

void Server::wait_for_end() {
  end_signals_.async_wait([this](const asio::error_code& error, int signal) {
    if (error) return;
    log_event(LogLevel::info, "stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
    for (const auto& listener : listeners_) listener->stop();
    reload_signals_.cancel();
  });
}

void Server::wait_for_reload() {
  reload_signals_.async_wait([this](const asio::error_code& error, int) {
    if (error) return;
    try {
      if (!tls_listeners_.empty()) load_tls();
    } catch (const CodedError& trouble) {
      const CodedError reported(ErrorCode::tls_reload_failed,
                                std::string(trouble.what()) + "; the old certificates stay in use");
      log_event(LogLevel::error, "reload_failed", {{"message", reported.what()}});
    }
    wait_for_reload();
  });
}

void Server::stop_workers() {
  if (threads_.empty()) return;
  for (const auto& worker : workers_) worker->stop();
  for (std::size_t index = 1; index < threads_.size(); ++index) threads_[index].join();
  inbox_.close();
  threads_.front().join();
}

}  // namespace lekt
