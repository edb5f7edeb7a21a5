#include "admin/admin.h"

#include "server/operators/log.h"

namespace lekt::admin {

namespace {

HttpSettings http_settings(const AdminSettings& settings) {
  HttpSettings http;
  http.address = settings.address;
  http.port = settings.port;
  http.host_names = settings.host_names;
  return http;
}

std::string url(const std::string& address, std::uint16_t port) {
  const bool bracketed = address.find(':') != address.npos;
  return "http://" + (bracketed ? "[" + address + "]" : address) + ":" + std::to_string(port) + "/";
}

}  // namespace

Admin::Admin(const AdminSettings& settings, Operations& operations)
    : sampler_(history_, [&operations] { return operations.totals(); }),
      api_(operations, history_, settings.api),
      listener_(http_settings(settings), [this](const Request& request) { return api_.answer(request); }) {
  const std::string address = url(settings.address, listener_.port());
  log_event(LogLevel::info, "admin", {{"url", address}});
  if (!listener_.is_loopback())
    log_event(LogLevel::warn, "admin_exposed",
              {{"url", address},
               {"message",
                "whoever reaches this address sees every client; listen on 127.0.0.1, or let a "
                "proxy ask for a password"}});
}

}  // namespace lekt::admin
