#include "lektctl/steer.h"

#include <chrono>
#include <cstdio>

#include "common/calendar.h"
#include "common/catalogue.h"
#include "common/errors.h"
#include "common/printable.h"
#include "common/text.h"
#include "control/requests.h"
#include "server/operators/clock.h"
#include "storage/stopped_database.h"

namespace lekt::lektctl {

namespace {

/// How long to wait until the server has compacted: as long as the server itself, since many gigabytes take minutes.
constexpr std::chrono::minutes compact_patience{6};

/// Runs the action on the database, which no server may have open.
template <class Action>
auto in_stopped_database(const control::Instance& instance, Action action) {
  static const MethodCatalogue built_in;
  try {
    storage::StoppedDatabase database({.path = instance.database,
                                       .catalogue = &built_in,
                                       .program_version = LEKT_VERSION,
                                       .now = wall_seconds()});
    tell_of_lost_log(database, instance.database);
    return action(database);
  } catch (const CodedError& error) {
    if (error.code() != ErrorCode::server_running) throw;
    control::throw_unreachable(instance, "but a server runs on " + printable(instance.database.string()) +
                                             "; name its socket with --control-socket");
  }
}

std::string in_future(bool server_runs) {
  return server_runs ? "" : " The server does not run; it holds from its next start on.";
}

}  // namespace

Banned ban(const control::Instance& instance, const control::Ban& wanted) {
  if (const auto wrong = control::problem_of_reason(wanted.reason))
    throw CodedError(ErrorCode::operator_usage_wrong, "the reason " + *wrong);
  if (auto client = control::ControlClient::connect(instance.socket, instance.on_wait))
    return {wanted.block, client->ask(wanted), true};
  Banned result;
  result.block = wanted.block;
  result.answer.is_new = in_stopped_database(instance, [&](storage::StoppedDatabase& database) {
    return database.ban(wanted.block, wanted.reason, wanted.duration);
  });
  if (wanted.duration) result.answer.until = wall_seconds() + wanted.duration->count();
  return result;
}

Unbanned unban(const control::Instance& instance, const control::Unban& wanted) {
  if (auto client = control::ControlClient::connect(instance.socket, instance.on_wait)) {
    client->ask(wanted);
    return {wanted.block, true};
  }
  const bool found = in_stopped_database(
      instance, [&](storage::StoppedDatabase& database) { return database.unban(wanted.block); });
  if (!found) throw CodedError(ErrorCode::not_found, control::missing_ban(wanted.block));
  return {wanted.block, false};
}

Compacted compact(const control::Instance& instance) {
  if (auto client = control::ControlClient::connect(instance.socket, instance.on_wait))
    return {client->ask(control::Compact{}, compact_patience), true};
  return in_stopped_database(instance, [](storage::StoppedDatabase& database) {
    const storage::CompactResult result = database.compact();
    return Compacted{{result.bytes_before, result.bytes_after}, false};
  });
}

void tell_of_lost_log(const storage::StoppedDatabase& database, const std::filesystem::path& path) {
  if (database.lost_log().empty()) return;
  const Rejection lost{ErrorCode::log_lost,
                       escape(path.string()) + " is not the newest state: " + escape(database.lost_log()) +
                           "; history has begun anew, and every client gets the full list"};
  std::fprintf(stderr, "lektctl: %s\n", lost.text().c_str());
}

std::string describe(const Banned& banned) {
  const std::size_t sessions = banned.answer.sessions;
  std::string text = "banned " + to_short_string(banned.block);
  if (!banned.answer.is_new) text += " again: it was banned already, time and reason are new";
  if (banned.server_runs)
    text += "; " + std::to_string(sessions) + (sessions == 1 ? " session" : " sessions") + " ended";
  if (const auto& until = banned.answer.until) text += "; it ends by itself at " + to_iso(*until);
  return text + "." + in_future(banned.server_runs);
}

std::string describe(const Unbanned& unbanned) {
  return "lifted the ban of " + to_short_string(unbanned.block) + "." + in_future(unbanned.server_runs);
}

}  // namespace lekt::lektctl
