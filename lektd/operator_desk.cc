#include "lektd/operator_desk.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>

#include "lektd/ask_fronts.h"
#include "server/operators/clock.h"
#include "server/operators/log.h"
#include "server/operators/readiness.h"
#include "storage/database_files.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// How long status() waits for the workers.
constexpr auto look_patience = 1s;
constexpr std::size_t handshakes_shown = 50;
/// Rates are means over this many seconds.
constexpr std::size_t samples_max = 11;

double growth(std::uint64_t from, std::uint64_t to, double seconds) {
  return static_cast<double>(to - from) / seconds;
}

}  // namespace

OperatorDesk::OperatorDesk(const Shared& shared, std::filesystem::path database, const LogIdentity& identity,
                           std::vector<storage::Ban> bans)
    : shared_(shared),
      database_(std::filesystem::absolute(std::move(database))),
      identity_(identity),
      started_wall_(wall_seconds()) {
  apply_bans(std::move(bans));
}

void OperatorDesk::fail_silent(const std::string& who) {
  throw CodedError(ErrorCode::control_refused, who + " did not answer within " +
                                                   std::to_string(Operations::patience.count()) +
                                                   " s; the server is overloaded or stops");
}

// ---- Looking ----

Totals OperatorDesk::count(bool everything) const {
  Totals totals;
  totals.started = started_wall_;
  totals.uptime_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  const WriterMeters& writer = shared_.seen.writer;
  totals.clients = writer.clients;
  totals.waiting = writer.waiting;
  totals.connections = shared_.doors.admission.connections();
  totals.handshakes = shared_.doors.admission.handshakes();
  totals.handshakes_max = shared_.doors.admission.handshakes_max();
  totals.sessions = shared_.doors.admission.sessions();
  totals.storage = writer.storage;
  totals.grace_seconds_left = static_cast<double>(writer.grace_milliseconds_left) / 1000;
  totals.wal_bytes_held = writer.wal_bytes_held;
  totals.last_commit = writer.last_commit;
  totals.sequence = writer.sequence;
  std::vector<const Meters*> counted = {&writer};
  for (const Front* front : shared_.fronts) counted.push_back(&front->meters());
  for (const Meters* meters : counted) add_counters(totals, *meters);
  if (!everything) return totals;
  for (const Meters* meters : counted) add_durations(totals, *meters);
  if (shared_.devices != nullptr) totals.devices = totals_of(shared_.devices->device_meters());
  totals.database_bytes = storage::size_of(database_);
  totals.wal_bytes = storage::size_of(storage::log_of(database_));
  for (const CodeCounts::Count& code : shared_.seen.codes.totals())
    totals.codes.emplace_back(code.code, code.count);
  for (const storage::Warning& warning : warnings()) totals.warnings.push_back(warning.code);
  totals.bans = bans_count_;
  const LineWriter::State log = log_state();
  totals.log_lines_lost = log.lost;
  totals.trace_entries_lost = shared_.seen.tracer.lost();
  totals.certificate_expires = certificate_expires_;
  totals.client_authorities_expire = client_authorities_expire_;
  if (log.blocked >= log_blocked_after)
    totals.log_blocked_seconds = std::chrono::duration<double>(log.blocked).count();
  return totals;
}

/// All that was raised; and that the main thread hangs, which raises most of them.
std::vector<storage::Warning> OperatorDesk::warnings() const {
  std::vector<storage::Warning> warnings = shared_.seen.warnings.list();
  const auto main = shared_.watchdog.hanging_main(std::chrono::steady_clock::now());
  if (main && std::ranges::find(warnings, ErrorCode::thread_hangs, &storage::Warning::code) == warnings.end())
    warnings.push_back({ErrorCode::thread_hangs,
                        wall_seconds() - static_cast<std::int64_t>(main->silent_seconds),
                        describe_hanging({*main}).message});
  return warnings;
}

Totals OperatorDesk::totals() const { return count(true); }

void OperatorDesk::sample() {
  end_bans_that_are_over();
  Sample sample{std::chrono::steady_clock::now(), count(false)};
  const MutexLock lock(samples_mutex_);
  samples_.push_back(std::move(sample));
  if (samples_.size() > samples_max) samples_.pop_front();
}

Rates OperatorDesk::rates() const {
  const MutexLock lock(samples_mutex_);
  Rates rates;
  if (samples_.size() < 2) return rates;
  const Totals& from = samples_.front().totals;
  const Totals& to = samples_.back().totals;
  const double seconds = std::chrono::duration<double>(samples_.back().at - samples_.front().at).count();
  rates.window_seconds = seconds;
  rates.connections = growth(from.connections_accepted, to.connections_accepted, seconds);
  rates.heartbeats = growth(from.heartbeats, to.heartbeats, seconds);
  rates.joins = growth(from.joins, to.joins, seconds);
  rates.leaves = growth(from.leaves, to.leaves, seconds);
  rates.changes = growth(from.added + from.removed, to.added + to.removed, seconds);
  rates.sent_bytes = growth(from.sent_bytes, to.sent_bytes, seconds);
  return rates;
}

Status OperatorDesk::status() {
  Status status;
  status.version = LEKT_VERSION;
  status.process = getpid();
  status.database = database_.string();
  status.identity = to_string(identity_);
  status.totals = totals();
  status.rates = rates();
  status.whereabouts = whereabouts();
  status.last_commit_seconds = static_cast<double>(shared_.seen.writer.last_commit_nanoseconds) / 1e9;
  status.warnings = warnings();
  status.traces = shared_.seen.tracer.list(std::chrono::steady_clock::now());
  status.threads = shared_.fronts.size();
  using List = std::vector<HandshakeStatus>;
  const auto lists = ask<List>(
      shared_.fronts, [](Front& front) { return front.handshakes(handshakes_shown); }, look_patience);
  for (const auto& list : lists) {
    if (!list) ++status.threads_silent;
    if (list) status.in_progress.insert(status.in_progress.end(), list->begin(), list->end());
  }
  std::ranges::sort(status.in_progress, std::greater(), &HandshakeStatus::age_seconds);
  if (status.in_progress.size() > handshakes_shown) status.in_progress.resize(handshakes_shown);
  return status;
}

std::string OperatorDesk::thread_name(std::size_t front) const {
  return shared_.fronts[front] == shared_.devices ? device_thread_name : worker_name(front);
}

/// A front also hangs that does not answer at once: it waits for nothing but processors.
Health OperatorDesk::health() {
  Health health;
  health.threads = shared_.fronts.size();
  std::vector<HangingThread> hanging = shared_.watchdog.hanging();
  const auto answers = ask<bool>(
      shared_.fronts, [](Front&) { return true; }, look_patience);
  for (std::size_t index = 0; index < answers.size(); ++index) {
    const std::string name = thread_name(index);
    if (answers[index] || std::ranges::find(hanging, name, &HangingThread::name) != hanging.end()) continue;
    const auto silent = std::max<AwakeTime>(shared_.watchdog.silence_of(name), look_patience);
    hanging.push_back({name, std::chrono::duration<double>(silent).count()});
  }
  if (const auto main = hanging_main()) hanging.push_back(*main);
  if (!hanging.empty()) health.hangs = describe_hanging(hanging);
  health.not_ready = why_not_ready(count(false));
  if (const LineWriter::State log = log_state(); log.blocked >= log_blocked_after)
    health.log_blocked = log.blocked;
  return health;
}

/// Asked twice, since after a pause of the process the main thread needs a moment to look again.
std::optional<HangingThread> OperatorDesk::hanging_main() const {
  const auto deadline = std::chrono::steady_clock::now() + look_patience;
  while (const auto main = shared_.watchdog.hanging_main(std::chrono::steady_clock::now())) {
    if (std::chrono::steady_clock::now() >= deadline) return main;
    std::this_thread::sleep_for(20ms);
  }
  return std::nullopt;
}

Whereabouts OperatorDesk::whereabouts() const {
  const MutexLock lock(whereabouts_mutex_);
  return whereabouts_;
}

void OperatorDesk::listens(ListenStatus listener) {
  const MutexLock lock(whereabouts_mutex_);
  whereabouts_.listening.push_back(std::move(listener));
}

void OperatorDesk::waits_for_restart(std::vector<std::string> settings) {
  const MutexLock lock(whereabouts_mutex_);
  whereabouts_.needs_restart = std::move(settings);
}

/// Empty when the writer is busy for long, as with a compaction: then sessions are shown without them.
std::map<SessionId, Methods> OperatorDesk::offers_of(Address address) {
  using Offers = std::map<SessionId, Methods>;
  const auto offers = std::make_shared<std::promise<Offers>>();
  post(TaskCommand{[=](Writer& writer, Moment) { offers->set_value(writer.registry().offers_of(address)); },
                   nullptr});
  auto answer = offers->get_future();
  return answer.wait_for(look_patience) == std::future_status::ready ? answer.get() : Offers();
}

std::vector<SessionStatus> OperatorDesk::sessions(Address address) {
  using List = std::vector<SessionStatus>;
  const auto offers = std::make_shared<const std::map<SessionId, Methods>>(offers_of(address));
  const auto look = [address, offers](Front& front) {
    List list = front.sessions(address);
    for (SessionStatus& session : list)
      if (const auto found = offers->find(session.session); found != offers->end())
        session.methods = storage::stored_words(front.rules().catalogue, found->second);
    return list;
  };
  const auto lists = ask<List>(shared_.fronts, look, patience);
  std::vector<SessionStatus> sessions;
  for (const auto& list : lists) {
    if (!list) fail_silent("a worker");
    sessions.insert(sessions.end(), list->begin(), list->end());
  }
  std::ranges::sort(sessions, {}, &SessionStatus::session);
  return sessions;
}

std::vector<RejectStatus> OperatorDesk::rejects(const std::optional<Block>& block, std::size_t count_max) {
  return shared_.seen.rejects.list(block, count_max);
}

}  // namespace lekt
