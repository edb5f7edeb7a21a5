// What the listener answers under each path: health, metrics, the JSON under /api/v1 (docs/openapi.json), the
// page. It only looks, never steers.
//
// Called by the listener's threads, many at once. The database is opened for each request that needs it, so
// no request keeps an old state or a file that has been replaced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "admin/events.h"
#include "admin/history.h"
#include "admin/http.h"
#include "admin/metrics.h"
#include "admin/parameters.h"
#include "server/operators/operations.h"

namespace lekt::admin {

struct ApiSettings {
  std::filesystem::path database;
  std::string version;
};

class Api {
 public:
  static constexpr std::size_t listeners_max = 16;
  static constexpr std::uint64_t clients_limit_max = 5000;
  static constexpr std::uint64_t changes_limit_max = 1000;
  static constexpr std::uint64_t alerts_limit_max = 1000;

  /// Operations and history outlive it.
  Api(Operations& operations, const History& history, ApiSettings settings);

  /// All paths that are answered; "{address}" stands for any address, "{device}" for a uid or an address.
  static std::vector<std::string> paths();

  /// Answers a request. Throws CodedError when the database or the server does not answer.
  Answer answer(const Request& request);

 private:
  using Member = Answer (Api::*)(const Request&, Parameters&);
  struct Route {
    const char* path;
    Member member;
  };
  static const Route routes_[];
  /// The routes whose path ends with the name of what is asked for.
  static const Route routes_below_[];

  std::optional<Answer> without_devices() const;
  Answer page(const Request&, Parameters&);
  Answer metrics(const Request&, Parameters&);
  Answer alive(const Request&, Parameters&);
  Answer ready(const Request&, Parameters&);
  Answer status(const Request&, Parameters&);
  Answer clients(const Request&, Parameters&);
  Answer client(const Request&, Parameters&);
  Answer changes(const Request&, Parameters&);
  Answer devices(const Request&, Parameters&);
  Answer device(const Request&, Parameters&);
  Answer device_alerts(const Request&, Parameters&);
  Answer history(const Request&, Parameters&);
  Answer warnings(const Request&, Parameters&);
  Answer codes(const Request&, Parameters&);
  Answer events(const Request&, Parameters&);
  Answer description(const Request&, Parameters&);

  Operations& operations_;
  const History& history_;
  const ApiSettings settings_;
  const Metrics metrics_;
  Listeners listeners_{listeners_max};
};

}  // namespace lekt::admin
