#include "control/instance.h"

#include <chrono>

#include "common/catalogue.h"
#include "common/errors.h"
#include "common/text.h"
#include "control/requests.h"
#include "server/time.h"
#include "storage/stopped_database.h"

namespace lekt::control {

namespace {

/// As long as the server waits for it: a database of many gigabytes takes minutes.
constexpr std::chrono::minutes compact_patience{6};

[[noreturn]] void throw_unreachable(const Instance& instance, const std::string& why) {
  throw CodedError(ErrorCode::control_unreachable,
                   "nobody listens at " + escape(instance.socket.string()) + ": " + why);
}

/// The database, when no server has it.
template <class Action>
auto in_stopped_database(const Instance& instance, Action action) {
  static const MethodCatalogue built_in;
  try {
    storage::StoppedDatabase database({.path = instance.database,
                                       .catalogue = &built_in,
                                       .program_version = LEKT_VERSION,
                                       .now = wall_seconds()});
    return action(database);
  } catch (const CodedError& error) {
    if (error.code() != ErrorCode::server_running) throw;
    throw_unreachable(instance, "but a server runs on " + escape(instance.database.string()) +
                                    "; name its socket with --control-socket");
  }
}

/// Which of the two has done it.
Json with_origin(Json result, bool server_runs) {
  result["server_runs"] = server_runs;
  return result;
}

std::string in_future(const Json& result) {
  return result.at("server_runs").get<bool>() ? ""
                                              : " The server does not run; it holds from its next start on.";
}

}  // namespace

ControlClient reach(const Instance& instance) {
  auto client = ControlClient::connect(instance.socket);
  if (!client) throw_unreachable(instance, "the server does not run, or has no or another --control-socket");
  return std::move(*client);
}

Json ban(const Instance& instance, const Cidr& block, const std::string& reason) {
  if (const auto wrong = problem_of_reason(reason))
    throw CodedError(ErrorCode::operator_usage_wrong, "the reason " + *wrong);
  Json result{{"block", block_text(block)}};
  if (auto client = ControlClient::connect(instance.socket)) {
    result.update(client->request({{"command", "ban"}, {"block", to_string(block)}, {"reason", reason}}));
    return with_origin(std::move(result), true);
  }
  const bool is_new = in_stopped_database(
      instance, [&](storage::StoppedDatabase& database) { return database.ban(block, reason); });
  result.update({{"is_new", is_new}, {"sessions", 0}});
  return with_origin(std::move(result), false);
}

Json unban(const Instance& instance, const Cidr& block) {
  const Json result{{"block", block_text(block)}};
  if (auto client = ControlClient::connect(instance.socket)) {
    client->request({{"command", "unban"}, {"block", to_string(block)}});
    return with_origin(result, true);
  }
  const bool found = in_stopped_database(
      instance, [&](storage::StoppedDatabase& database) { return database.unban(block); });
  if (!found) throw CodedError(ErrorCode::not_found, missing_ban(block));
  return with_origin(result, false);
}

Json compact(const Instance& instance) {
  if (auto client = ControlClient::connect(instance.socket))
    return with_origin(client->request({{"command", "compact"}}, compact_patience), true);
  return in_stopped_database(instance, [](storage::StoppedDatabase& database) {
    const storage::CompactResult result = database.compact();
    return with_origin({{"before_bytes", result.bytes_before}, {"after_bytes", result.bytes_after}}, false);
  });
}

std::string describe_ban(const Json& result) {
  const auto sessions = result.at("sessions").get<std::uint64_t>();
  std::string text = "banned " + result.at("block").get<std::string>();
  if (!result.at("is_new").get<bool>()) text += " again: it was banned already, time and reason are new";
  if (result.at("server_runs").get<bool>())
    text += "; " + std::to_string(sessions) + (sessions == 1 ? " session" : " sessions") + " ended";
  return text + "." + in_future(result);
}

std::string describe_unban(const Json& result) {
  return "lifted the ban of " + result.at("block").get<std::string>() + "." + in_future(result);
}

}  // namespace lekt::control
