#include "lektd/settings.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "server/operators/clock.h"
#include "server/operators/secret.h"
#include "server/operators/settings_file.h"

namespace lekt {

namespace {

/// A rate of `per_second`; after a quiet time those of two seconds may come at once.
Rate rate_of(std::uint32_t per_second) { return {per_second, 2 * per_second}; }

}  // namespace

storage::DatabaseSettings database_settings(const Configuration& configuration,
                                            const MethodCatalogue& catalogue) {
  storage::DatabaseSettings settings;
  settings.path = configuration.database;
  settings.catalogue = &catalogue;
  settings.program_version = LEKT_VERSION;
  settings.started = wall_seconds();
  return settings;
}

WriterSettings writer_settings(const Configuration& configuration) {
  WriterSettings settings;
  settings.secret = random_secret();
  settings.restart_grace = configuration.restart_grace;
  settings.retention = configuration.retention;
  settings.limits = {configuration.clients_max, configuration.packet_bytes_max,
                     configuration.connections_per_address_max};
  settings.removals_max = std::max<std::size_t>(settings.removals_max, configuration.clients_max);
  // A join has to be refused while its client can still be told: before the handshake timeout ends its
  // session.
  settings.join_wait = std::min(settings.join_wait, configuration.handshake_timeout / 2);
  return settings;
}

Admission::Limits admission_limits(const Configuration& configuration, std::size_t connections_max) {
  return {connections_max,
          configuration.handshakes_max,
          configuration.connections_per_address_max,
          rate_of(configuration.connection_rate),
          rate_of(configuration.connection_rate_per_address),
          rate_of(configuration.tls_handshake_rate)};
}

SilenceGuard::Settings silence_settings(const Configuration& configuration) {
  SilenceGuard::Settings settings;
  settings.share_percent = configuration.silence_share_percent;
  settings.timeout = configuration.heartbeat_timeout;
  settings.patience = configuration.silence_patience;
  // Workers ask about an overdue session at least this often (WorkerSettings::round), and half as often when
  // they are busy.
  settings.calm =
      std::max<AwakeTime>(std::min<AwakeTime>(std::chrono::seconds(10), configuration.heartbeat_timeout / 5),
                          std::chrono::milliseconds(100));
  return settings;
}

WorkerSettings worker_settings(const Configuration& configuration) {
  WorkerSettings settings;
  settings.members.heartbeat_timeout = configuration.heartbeat_timeout;
  settings.members.handshake_timeout = configuration.handshake_timeout;
  settings.members.heartbeats = rate_of(configuration.heartbeat_rate);
  settings.output_bytes_max = configuration.output_bytes_max;
  settings.push_interval = configuration.push_interval;
  return settings;
}

DeviceService::Settings device_settings(const Configuration& configuration) {
  auto made = DeviceGroups::make(configuration.device_groups, configuration.device_hosts);
  if (const auto* fault = std::get_if<std::string>(&made)) throw WrongSetting(*fault);
  DeviceService::Settings settings;
  settings.desk.limits = {configuration.device_sessions_max, configuration.devices_per_address_max};
  settings.desk.groups = std::make_shared<const DeviceGroups>(std::get<DeviceGroups>(std::move(made)));
  settings.desk.encryption = configuration.device_encryption;
  settings.strangers = rate_of(configuration.connection_rate);
  settings.strangers_per_address = rate_of(configuration.connection_rate_per_address);
  settings.alerts_of_resumes = configuration.device_alert_resume;
  settings.handler_log = {configuration.device_log, configuration.device_log_from};
  return settings;
}

}  // namespace lekt
