// The admin page of a running server: an HTTP listener of its own, for browsers, Prometheus and probes
// (docs/operations.md). It only looks.
//
// It has a bounded number of threads of its own, and asks the server only through Operations, so clients do not notice
// it. The main thread makes and destroys it, within the life of the operations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "admin/api.h"
#include "admin/history.h"
#include "admin/http_listener.h"
#include "server/operators/operations.h"

namespace lekt::admin {

struct AdminSettings {
  std::string address;  ///< IPv4, or IPv6 without brackets
  std::uint16_t port = 0;
  std::vector<std::string> host_names;  ///< besides IP addresses and localhost, in lower case
  ApiSettings api;
};

class Admin {
 public:
  /// Begins to listen and to answer; throws CodedError E502.
  Admin(const AdminSettings& settings, Operations& operations);

  std::uint16_t port() const { return listener_.port(); }

 private:
  History history_;
  Sampler sampler_;
  Api api_;
  HttpListener listener_;
};

}  // namespace lekt::admin
