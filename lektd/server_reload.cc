// How the server uses settings and certificates, at its start and when they are read again.
#include <asio/post.hpp>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "common/calendar.h"
#include "common/error_message.h"
#include "common/outcome.h"
#include "lektd/device_checks.h"
#include "lektd/reload.h"
#include "lektd/server.h"
#include "lektd/settings.h"
#include "server/operators/clock.h"
#include "server/operators/log.h"

namespace lekt {

Server::Certificates Server::load_certificates(const Configuration& configuration) const {
  Certificates loaded;
  if (!tls_listeners_.empty()) loaded.tls = std::make_shared<TlsContext>(configuration.tls);
  if (devices_ != nullptr && offers_dtls(configuration))
    loaded.dtls = std::make_shared<const DtlsContext>(configuration.tls);
  return loaded;
}

void Server::use(const Certificates& loaded) {
  for (Listener* listener : tls_listeners_) listener->use(loaded.tls);
  if (loaded.tls == nullptr && loaded.dtls == nullptr) return;
  const std::vector<CertificateFile> certificates =
      loaded.tls != nullptr ? loaded.tls->expires() : loaded.dtls->expires();
  for (const CertificateFile& file : certificates) {
    const bool has_expired = file.expires <= wall_seconds();
    log_event(has_expired ? LogLevel::warn : LogLevel::info, "certificate",
              {{"file", file.path.string()}, {has_expired ? "expired" : "expires", to_iso(file.expires)}});
  }
  desk_.note_certificates(certificates.front().expires,
                          certificates.size() > 1 ? certificates.back().expires : 0);
  lookout_.watch(certificates);
}

/// Called by other threads: has the main thread reload.
Operations::Reloaded Server::ask_to_reload() {
  const auto done = std::make_shared<std::promise<Outcome<Operations::Reloaded>>>();
  asio::post(io_, [this, done] { done->set_value(outcome_of([this] { return reload(); })); });
  auto answer = done->get_future();
  if (answer.wait_for(Operations::patience) != std::future_status::ready)
    throw CodedError(ErrorCode::control_refused, "the server has not read its settings within " +
                                                     std::to_string(Operations::patience.count()) +
                                                     " s; it starts, is overloaded or stops. Unless it "
                                                     "stops it reads them as soon as it can: see its log");
  return result_of(answer.get());
}

/// The service manager hears of the beginning and the end, also of one that fails.
Operations::Reloaded Server::reload() {
  service_manager::report_reloading();
  try {
    Operations::Reloaded reloaded = use_anew();
    service_manager::report_ready();
    return reloaded;
  } catch (const CodedError&) {
    service_manager::report_ready();
    throw;
  }
}

/// All of it, or nothing.
Operations::Reloaded Server::use_anew() {
  const auto fail = [this](ErrorCode code, const std::string& message) {
    const Rejection failed{code, message + "; everything stays as it was"};
    log_event(LogLevel::error, "reload_failed", {{"message", failed.text()}});
    seen_.warnings.raise(failed.code, failed.message);
    throw CodedError(failed.code, failed.message);
  };
  Reload reload;
  try {
    reload = plan_reload(configuration_, read_again_());
  } catch (const CodedError& error) {
    fail(ErrorCode::reload_failed, message_of(error));
  }
  Certificates certificates;
  try {
    certificates = load_certificates(reload.configuration);
  } catch (const CodedError& error) {
    fail(ErrorCode::tls_reload_failed, message_of(error));
  }
  use(reload.configuration, certificates);
  use(certificates);
  for (const ErrorCode code : {ErrorCode::reload_failed, ErrorCode::tls_reload_failed})
    seen_.warnings.clear(code);
  log_event(reload.needs_restart.empty() ? LogLevel::info : LogLevel::warn, "reloaded",
            {{"changed", reload.changed}, {"needs_restart", reload.needs_restart}});
  desk_.waits_for_restart(reload.needs_restart);
  return {reload.changed, reload.needs_restart};
}

void Server::use(const Configuration& configuration, const Certificates& certificates) {
  configuration_ = configuration;
  set_log_level(configuration_.log_level);
  const Rules& rules = rules_.back().follow(configuration_)
                           ? rules_.back()
                           : rules_.emplace_back(configuration_, rules_.back().session.log_identity);
  doors_.admission.use(configuration_.address_rules, admission_limits(configuration_, connections_max_));
  doors_.silence_guard.use(silence_settings(configuration_));
  for (const auto& listener : listeners_) listener->use(configuration_.proxies);
  for (const auto& worker : workers_)
    worker->post([&worker = *worker, settings = worker_settings(configuration_), &rules] {
      worker.use(settings, rules.session);
    });
  if (devices_ != nullptr) {
    DeviceService::Settings settings = device_settings(configuration_);
    settings.dtls = certificates.dtls;
    devices_->post([&devices = *devices_, settings = std::move(settings), &rules] {
      devices.use(settings, rules.session);
    });
  }
  doors_.inbox.post(
      TaskCommand{[this, settings = writer_settings(configuration_), &rules](Writer& writer, Moment) {
                    writer.use(settings, rules.catalogue);
                    writer_thread_.use(rules.catalogue);
                  },
                  nullptr});
}

}  // namespace lekt
