#include "control/json.h"

#include "control/time.h"

namespace lekt::control {

namespace {

/// Null for 0, which stands for "never".
Json time_or_null(std::int64_t second) { return second == 0 ? Json(nullptr) : Json(to_iso(second)); }

Json codes_of(const Totals& totals) {
  Json object = Json::object();
  for (const auto& [code, count] : totals.codes) object[code_text(code)] = count;
  return object;
}

/// What a histogram says without its buckets.
Json duration_of(const Histogram::Copy& histogram) {
  const std::uint64_t count = histogram.count();
  const double mean = count == 0 ? 0 : histogram.sum_seconds / static_cast<double>(count);
  return {{"count", count}, {"mean_seconds", mean}};
}

}  // namespace

std::string to_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string block_text(const Cidr& block) {
  return block.prefix == 32 ? to_string(block.network) : to_string(block);
}

Json to_json(const Totals& totals) {
  return {{"started", to_iso(totals.started)},
          {"uptime_seconds", totals.uptime_seconds},
          {"clients", totals.clients},
          {"waiting", totals.waiting},
          {"sessions", totals.sessions},
          {"connections", totals.connections},
          {"handshakes", totals.handshakes},
          {"bans", totals.bans},
          {"grace_left_seconds", totals.grace_seconds_left},
          {"storage", to_string(totals.storage)},
          {"database_bytes", totals.database_bytes},
          {"wal_bytes", totals.wal_bytes},
          {"wal_held_bytes", totals.wal_bytes_held},
          {"last_commit", time_or_null(totals.last_commit)},
          {"sequence", totals.sequence},
          {"connections_accepted", totals.connections_accepted},
          {"joins", totals.joins},
          {"leaves", totals.leaves},
          {"heartbeats", totals.heartbeats},
          {"full_lists", totals.full_lists},
          {"received_bytes", totals.received_bytes},
          {"sent_bytes", totals.sent_bytes},
          {"added", totals.added},
          {"removed", totals.removed},
          {"commits", totals.commits},
          {"commits_failed", totals.commits_failed},
          {"codes", codes_of(totals)},
          {"join", duration_of(totals.join)},
          {"commit", duration_of(totals.commit)},
          {"answer", duration_of(totals.answer)}};
}

Json to_json(const Rates& rates) {
  return {{"window_seconds", rates.window_seconds},
          {"connections", rates.connections},
          {"heartbeats", rates.heartbeats},
          {"joins", rates.joins},
          {"leaves", rates.leaves},
          {"changes", rates.changes},
          {"sent_bytes", rates.sent_bytes}};
}

Json to_json(const Status& status) {
  return {{"version", status.version},
          {"process", status.process},
          {"database", status.database},
          {"totals", to_json(status.totals)},
          {"rates", to_json(status.rates)},
          {"last_commit_seconds", status.last_commit_seconds},
          {"in_progress", to_json(status.in_progress)},
          {"warnings", to_json(status.warnings)},
          {"traces", to_json(status.traces)},
          {"threads", status.threads},
          {"threads_silent", status.threads_silent}};
}

Json to_json(const HandshakeStatus& handshake) {
  return {{"address", to_string(handshake.address)},
          {"session", handshake.session},
          {"phase", handshake.phase},
          {"age_seconds", handshake.age_seconds},
          {"tls", handshake.tls}};
}

Json to_json(const SessionStatus& session) {
  return {{"address", to_string(session.address)},
          {"session", session.session},
          {"silent_seconds", session.silent_seconds},
          {"waiting_bytes", session.waiting_bytes},
          {"tls", session.tls},
          {"slowed", session.slowed}};
}

Json to_json(const RejectStatus& reject) {
  return {{"time", to_iso(reject.second)},
          {"address", to_string(reject.address)},
          {"code", code_text(reject.code)},
          {"message", reject.message}};
}

Json to_json(const TraceStatus& trace) {
  const auto block = parse_cidr(trace.block);
  return {{"block", block ? block_text(*block) : trace.block},
          {"file", trace.file},
          {"left_seconds", trace.seconds_left},
          {"file_bytes", trace.bytes}};
}

Json to_json(const Operations::Kicked& kicked) {
  return {{"sessions", kicked.sessions}, {"was_waiting", kicked.was_waiting}};
}

Json to_json(const Operations::Banned& banned) {
  return {{"is_new", banned.is_new}, {"sessions", banned.sessions}};
}

Json to_json(const Operations::Compacted& compacted) {
  return {{"before_bytes", compacted.bytes_before}, {"after_bytes", compacted.bytes_after}};
}

Json to_json(const ChangeFeed::Entry& entry) {
  return {{"sequence", entry.sequence},
          {"time", to_iso(entry.second)},
          {"kind", entry.kind == UpdateKind::added ? "added" : "removed"},
          {"address", to_string(entry.address)},
          {"methods", entry.methods}};
}

Json to_json(const storage::Warning& warning) {
  return {{"code", code_text(warning.code)}, {"since", to_iso(warning.second)}, {"message", warning.message}};
}

Json to_json(const storage::CodeCount& code) {
  return {{"code", code_text(code.code)}, {"count", code.count}, {"last", to_iso(code.second)}};
}

Json to_json(const storage::StoredServer& server) {
  return {{"version", server.version},
          {"created", to_iso(server.created)},
          {"started", to_iso(server.started)},
          {"stopped", server.stopped ? Json(to_iso(*server.stopped)) : Json(nullptr)},
          {"starts", server.run},
          {"clients", server.clients},
          {"connected", server.connected},
          {"removed", server.removed},
          {"sequence", server.log.sequence},
          {"newest_second", to_iso(server.log.second)},
          {"history_begins", to_iso(server.log.history_begins)},
          {"schema_version", server.schema_version},
          {"database_bytes", server.database_bytes},
          {"wal_bytes", server.wal_bytes}};
}

Json to_json(const storage::StoredClient& client) {
  return {{"address", to_string(client.address)},
          {"status", to_string(client.status)},
          {"methods", client.methods},
          {"sessions", client.sessions},
          {"since", to_iso(client.since)},
          {"last_heard", time_or_null(client.heard)},
          {"last_change", to_iso(client.second)},
          {"sequence", client.sequence}};
}

Json to_json(const storage::StoredChange& change) {
  return {{"sequence", change.sequence},
          {"time", to_iso(change.second)},
          {"kind", to_string(change.kind)},
          {"address", to_string(change.address)},
          {"methods", change.methods}};
}

Json to_json(const storage::Ban& ban) {
  return {{"block", block_text(ban.block)}, {"since", to_iso(ban.second)}, {"reason", ban.reason}};
}

}  // namespace lekt::control
