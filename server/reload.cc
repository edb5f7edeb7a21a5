#include "server/reload.h"

#include <utility>

namespace lekt {

namespace {

class Comparison {
 public:
  Comparison(const Configuration& running, Configuration wanted) : running_(running) {
    reload_.configuration = std::move(wanted);
  }

  template <class Value>
  void take(const char* name, Value Configuration::*member) {
    if (!(reload_.configuration.*member == running_.*member)) reload_.changed.emplace_back(name);
  }

  template <class Value>
  void keep(const char* name, Value Configuration::*member) {
    if (reload_.configuration.*member == running_.*member) return;
    reload_.needs_restart.emplace_back(name);
    reload_.configuration.*member = running_.*member;
  }

  Reload result() { return std::move(reload_); }

 private:
  const Configuration& running_;
  Reload reload_;
};

}  // namespace

Reload plan_reload(const Configuration& running, Configuration wanted) {
  // One that follows the heartbeat timeout follows the one in use.
  if (wanted.silence_patience == wanted.heartbeat_timeout &&
      running.silence_patience == running.heartbeat_timeout)
    wanted.silence_patience = running.silence_patience;
  Comparison comparison(running, std::move(wanted));
  // Sockets, files and threads that exist; times by which connections that exist are judged; the size of
  // packets that are encoded already.
  comparison.keep("listen", &Configuration::listen);
  comparison.keep("database", &Configuration::database);
  comparison.keep("control-socket", &Configuration::control_socket);
  comparison.keep("admin", &Configuration::admin);
  comparison.keep("admin-host", &Configuration::admin_hosts);
  comparison.keep("threads", &Configuration::threads);
  comparison.keep("log-format", &Configuration::log_format);
  comparison.keep("heartbeat-timeout", &Configuration::heartbeat_timeout);
  comparison.keep("handshake-timeout", &Configuration::handshake_timeout);
  comparison.keep("tcp-user-timeout", &Configuration::tcp_user_timeout);
  comparison.keep("restart-grace", &Configuration::restart_grace);
  comparison.keep("max-packet-bytes", &Configuration::packet_bytes_max);

  comparison.take("silence-share", &Configuration::silence_share_percent);
  comparison.take("silence-patience", &Configuration::silence_patience);
  comparison.take("retention", &Configuration::retention);
  comparison.take("max-clients", &Configuration::clients_max);
  comparison.take("max-connections-per-address", &Configuration::connections_per_address_max);
  comparison.take("max-handshakes", &Configuration::handshakes_max);
  comparison.take("max-connection-rate", &Configuration::connection_rate);
  comparison.take("max-connection-rate-per-address", &Configuration::connection_rate_per_address);
  comparison.take("max-heartbeat-rate", &Configuration::heartbeat_rate);
  comparison.take("max-output-bytes", &Configuration::output_bytes_max);
  comparison.take("allow and deny", &Configuration::address_rules);
  comparison.take("proxy-protocol", &Configuration::proxies);
  comparison.take("tls", &Configuration::tls);
  comparison.take("max-methods", &Configuration::methods_max);
  comparison.take("method", &Configuration::catalogue);
  comparison.take("log-level", &Configuration::log_level);
  return comparison.result();
}

}  // namespace lekt
