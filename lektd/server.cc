#include "lektd/server.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>
#include <string>
#include <system_error>

#include "common/duration.h"
#include "lektd/device_checks.h"
#include "lektd/settings.h"
#include "lektd/signals.h"
#include "server/operators/clock.h"
#include "server/operators/log.h"

namespace lekt {

namespace {

/// Descriptors that are not clients' connections: database, log, listeners, traces, the control socket's and
/// room to refuse one client too many; each thread's own; the admin page's, with what its requests open; those of the ports
/// of devices, and a connection to a host for each session. Hosts that a reload brings where there were none are not counted.
std::size_t descriptors_reserved(const Configuration& configuration) {
  const std::size_t ports =
      configuration.device_ports.last - configuration.device_ports.first + configuration.device_listen.size();
  const std::size_t host_connections =
      configuration.device_hosts.empty() ? 0 : configuration.device_sessions_max;
  return 96 + 3 * configuration.threads + (configuration.admin ? 32 * 4 : 0) +
         (configuration.device_listen.empty() ? 0 : 4 + ports + 1 + host_connections);
}

/// Raises the limit of open files as far as it goes and returns how many connections it allows.
std::size_t connections_allowed(std::size_t reserved) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024 - reserved;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  const std::size_t files = limit.rlim_cur;
  return files > 2 * reserved ? files - reserved : std::max<std::size_t>(files / 2, 1);
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

/// How many threads serve clients.
std::uint32_t fronts_of(const Configuration& configuration) {
  return configuration.threads + (configuration.device_listen.empty() ? 0 : 1);
}

/// What reading the database took for a moment goes back to the machine: 16 MB of 200 with a million clients.
void return_freed_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

Server::Server(const Configuration& configuration, ReadAgain read_again, std::vector<PassedSocket> passed)
    : configuration_(configuration),
      read_again_(std::move(read_again)),
      first_catalogue_(configuration_.catalogue),
      database_(database_settings(configuration_, first_catalogue_)),
      first_rules_(rules_.emplace_back(configuration_, database_.identity())),
      writer_(database_, writer_settings(configuration_), {AwakeTime(0), wall_seconds()},
              signals::expect_no_end),
      connections_max_(connections_allowed(descriptors_reserved(configuration))),
      seen_(std::filesystem::absolute(configuration_.database).parent_path(), writer_.state().sequence),
      doors_(writer_.view(), configuration_.address_rules, admission_limits(configuration_, connections_max_),
             silence_settings(configuration_), seen_.codes),
      devices_(make_devices()),
      writer_thread_({writer_, database_, doors_, seen_, fronts_}, first_rules_.catalogue),
      watchdog_(std::chrono::steady_clock::now()),
      desk_({doors_, seen_, watchdog_, fronts_, devices_.get()}, configuration_.database,
            database_.identity(), database_.bans()),
      lookout_(doors_, seen_.warnings, watchdog_),
      sampling_(io_),
      end_signals_(io_, SIGTERM, SIGINT),
      reload_signals_(io_, SIGHUP),
      life_timer_(io_) {
  grow_descriptor_table(connections_max_ + descriptors_reserved(configuration_));
  for (std::uint32_t index = 0; index < configuration_.threads; ++index) {
    workers_.push_back(std::make_unique<Worker>(index, fronts_of(configuration_),
                                                worker_settings(configuration_),
                                                Worker::Shared{first_rules_.session, doors_, seen_}));
    fronts_.push_back(workers_.back().get());
  }
  if (devices_ != nullptr) fronts_.push_back(devices_.get());
  desk_.reload_with([this] { return ask_to_reload(); });
  return_freed_memory();
  listen(std::move(passed));
}

Server::~Server() = default;

/// The front of devices, if they are served; its index is behind those of the workers.
std::unique_ptr<DeviceService> Server::make_devices() {
  if (configuration_.device_listen.empty()) return nullptr;
  const DeviceService::Place place{configuration_.device_listen, configuration_.device_ports.first,
                                   configuration_.device_ports.last, configuration_.device_log_directory};
  DeviceService::Settings settings = device_settings(configuration_);
  if (offers_dtls(configuration_)) settings.dtls = std::make_shared<const DtlsContext>(configuration_.tls);
  return std::make_unique<DeviceService>(configuration_.threads, fronts_of(configuration_), place, settings,
                                         DeviceService::Shared{first_rules_.session, doors_, seen_});
}

void Server::listen(std::vector<PassedSocket> passed) {
  Listener::Settings settings;
  settings.user_timeout = configuration_.tcp_user_timeout;
  settings.proxies = configuration_.proxies;
  for (PassedSocket& socket : passed)
    add_listener(std::make_unique<Listener>(io_, settings, std::move(socket.socket), workers_,
                                            doors_.admission, seen_.warnings),
                 socket.tls, true);
  for (const auto* addresses : {&configuration_.listen, &configuration_.tls_listen})
    for (const ListenAddress& address : *addresses) {
      settings.address = address;
      add_listener(std::make_unique<Listener>(io_, settings, workers_, doors_.admission, seen_.warnings),
                   address.tls, false);
    }
  if (devices_ != nullptr) listen_for_devices();
  use(load_certificates(configuration_));
}

void Server::listen_for_devices() {
  for (const ListenAddress& address : devices_->listening()) {
    log_event(
        LogLevel::info, "listening",
        {{"address", address.text()}, {"devices", true}, {"ports", to_string(configuration_.device_ports)}});
    desk_.listens({"devices", address.text(), false});
  }
  const auto trouble = trouble_with_device_ports(configuration_);
  if (!trouble) return;
  log_event(LogLevel::warn, "device_ports", {{"message", trouble->text()}});
  seen_.warnings.raise(trouble->code, trouble->message);
}

void Server::add_listener(std::unique_ptr<Listener> listener, bool tls, bool passed) {
  log_event(
      LogLevel::info, "listening",
      {{"address", listener->local_address().text()}, {"tls", tls}, {"connections_max", connections_max_}});
  desk_.listens({tls ? "tls" : "plain", listener->local_address().text(), passed});
  if (tls) tls_listeners_.push_back(listener.get());
  listeners_.push_back(std::move(listener));
}

/// All threads or none: those that run are ended when another cannot be started.
void Server::start_fronts() {
  try {
    threads_.emplace_back([this] { writer_thread_.run(); });
    watchdog_.watch("writer", writer_thread_.turns());
    for (const auto& worker : workers_) {
      threads_.emplace_back([&worker] { worker->run(); });
      watchdog_.watch(worker_name(threads_.size() - 2), worker->turns());
    }
    if (devices_ != nullptr) {
      threads_.emplace_back([this] { devices_->run(); });
      watchdog_.watch(device_thread_name, devices_->turns());
    }
  } catch (const std::system_error& error) {
    stop_fronts();
    throw CodedError(ErrorCode::start_failed,
                     "cannot start " + std::to_string(fronts_.size() + 1) +
                         " threads: " + error.code().message() +
                         "; raise the limits of threads and memory, or lower --threads");
  }
}

/// Everything that runs, up to the loop of the main thread.
void Server::begin(std::size_t clients) {
  start_fronts();
  log_event(LogLevel::info, "started",
            {{"version", LEKT_VERSION},
             {"database", std::filesystem::absolute(configuration_.database).string()},
             {"clients", clients},
             {"restart_grace", configuration_.restart_grace},
             {"threads", workers_.size()}});
  for (const auto& listener : listeners_) listener->start();
  wait_for_end();
  wait_for_reload();
  sample();
  service_manager::report_ready();
  if (!service_manager::is_listening()) return;
  const std::chrono::microseconds interval = service_manager::watchdog_interval();
  if (interval.count() > 0) watchdog_.hurry(std::chrono::duration_cast<AwakeTime>(interval / 2));
  report_life(interval);
}

/// Once a second.
void Server::sample() {
  desk_.sample();
  lookout_.look(configuration_.output_bytes_max);
  seen_.tracer.end_expired(std::chrono::steady_clock::now());
  sampling_.expires_after(std::chrono::seconds(1));
  sampling_.async_wait([this](const asio::error_code& error) {
    if (!error) sample();
  });
}

void Server::run() {
  const std::size_t clients = writer_.registry().clients();  // the writer's own once its thread runs
  try {
    begin(clients);
  } catch (const std::bad_alloc&) {
    // To end the threads that run already would take memory, too. Nobody is served yet, and the database is
    // as after a crash.
    write_last_words("lektd: " + code_text(ErrorCode::start_failed) +
                     " there is not enough memory to start\n");
    std::_Exit(1);
  }
  signals::release();
  io_.run();
  stop_fronts();
  log_event(LogLevel::info, "stopped",
            {{"clients", writer_.registry().clients()},
             {"full_list_encodings", writer_.change_log().encodings_of_full_list()}});
}

void Server::wait_for_end() {
  end_signals_.async_wait([this](const asio::error_code& error, int signal) {
    if (error) return;
    log_event(LogLevel::info, "stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
    service_manager::report_stopping();
    for (const auto& listener : listeners_) listener->stop();
    seen_.changes.close();
    io_.stop();  // not by cancelling what waits: a handler that is due already would wait anew
  });
}

void Server::wait_for_reload() {
  reload_signals_.async_wait([this](const asio::error_code& error, int) {
    if (error) return;
    try {
      reload();
    } catch (const CodedError&) {
      // It is in the log and among the warnings; the sender of the signal hears nothing.
    }
    wait_for_reload();
  });
}

/// Half of the watchdog's interval, after which a thread counts as hanging at the latest, and a quarter of it leave
/// time to say that all is well.
void Server::report_life(std::chrono::microseconds watchdog) {
  constexpr std::chrono::microseconds status_interval = std::chrono::seconds(10);
  const bool is_watched = watchdog.count() > 0;
  const Totals totals = desk_.totals();
  service_manager::report_status("Clients: " + std::to_string(totals.clients) +
                                 ", sessions: " + std::to_string(totals.sessions));
  if (is_watched && watchdog_.hanging().empty()) service_manager::report_alive();
  life_timer_.expires_after(is_watched ? std::min(watchdog / 4, status_interval) : status_interval);
  life_timer_.async_wait([this, watchdog](const asio::error_code& error) {
    if (!error) report_life(watchdog);
  });
}

void Server::stop_fronts() {
  if (threads_.empty()) return;
  for (Front* const front : fronts_) front->stop();
  for (std::size_t index = 1; index < threads_.size(); ++index) threads_[index].join();
  doors_.inbox.close();
  threads_.front().join();
}

}  // namespace lekt
