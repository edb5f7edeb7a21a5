// The admin page of a running server: an HTTP listener of its own, for browsers, Prometheus and probes
// (docs/operations.md). It only looks.
//
// It has threads of its own, a bounded number, and asks the server through Operations only, so clients do not
// feel it. Made and destroyed by the main thread, inside the life of the operations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "admin/api.h"
#include "admin/history.h"
#include "admin/http_listener.h"
#include "server/operations.h"

namespace lekt::admin {

struct AdminSettings {
  std::string address;  ///< IPv4, or IPv6 without brackets
  std::uint16_t port = 0;
  std::vector<std::string> host_names;  ///< beside IP addresses and localhost, in lower case
  ApiSettings api;
};

class Admin {
 public:
  /// Listens and answers; throws CodedError E502.
  Admin(const AdminSettings& settings, Operations& operations);

  std::uint16_t port() const { return listener_.port(); }

 private:
  History history_;
  Sampler sampler_;
  Api api_;
  HttpListener listener_;
};

}  // namespace lekt::admin
