#include "server/operator_desk.h"

#include <unistd.h>

#include <algorithm>
#include <future>

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// How long status() waits for the workers.
constexpr auto look_patience = 1s;
constexpr std::size_t handshakes_shown = 50;
/// Rates are means of so many seconds.
constexpr std::size_t samples_max = 11;

/// Runs the question on the thread of each worker. Those that have not answered in time have no answer.
template <class Answer>
std::vector<std::optional<Answer>> ask(const std::vector<std::unique_ptr<Worker>>& workers,
                                       const std::function<Answer(Worker&)>& question,
                                       std::chrono::milliseconds patience) {
  std::vector<std::future<Answer>> answers;
  for (const auto& worker : workers) {
    const auto task = std::make_shared<std::packaged_task<Answer(Worker&)>>(question);
    answers.push_back(task->get_future());
    worker->post([task](Worker& asked) { (*task)(asked); });
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<std::optional<Answer>> results;
  for (std::future<Answer>& answer : answers) {
    const bool here = answer.wait_until(deadline) == std::future_status::ready;
    results.push_back(here ? std::optional(answer.get()) : std::nullopt);
  }
  return results;
}

[[noreturn]] void fail_silent(const char* who) {
  throw CodedError(ErrorCode::control_refused, std::string(who) + " did not answer within " +
                                                   std::to_string(Operations::patience.count()) +
                                                   " s; the server is overloaded or stops");
}

std::uint64_t size_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

std::filesystem::path with_suffix(const std::filesystem::path& path, const char* suffix) {
  return path.string() + suffix;
}

double growth(std::uint64_t from, std::uint64_t to, double seconds) {
  return static_cast<double>(to - from) / seconds;
}

}  // namespace

OperatorDesk::OperatorDesk(const Shared& shared, std::filesystem::path database,
                           std::vector<storage::Ban> bans)
    : shared_(shared),
      database_(std::filesystem::absolute(std::move(database))),
      started_wall_(wall_seconds()) {
  apply_bans(std::move(bans));
}

// ---- Looking ----

Totals OperatorDesk::count(bool everything) const {
  Totals totals;
  totals.started = started_wall_;
  totals.uptime_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  const WriterMeters& writer = shared_.writer;
  totals.clients = writer.clients;
  totals.waiting = writer.waiting;
  totals.connections = shared_.admission.connections();
  totals.handshakes = shared_.admission.handshakes();
  totals.handshakes_max = shared_.admission.handshakes_max();
  totals.sessions = shared_.admission.sessions();
  totals.storage = writer.storage;
  totals.grace_seconds_left = static_cast<double>(writer.grace_milliseconds_left) / 1000;
  totals.wal_bytes_held = writer.wal_bytes_held;
  totals.last_commit = writer.last_commit;
  totals.sequence = writer.sequence;
  totals.added = writer.added.value();
  totals.removed = writer.removed.value();
  totals.commits = writer.commits.value();
  totals.commits_failed = writer.commits_failed.value();
  for (const auto& worker : shared_.workers) {
    const WorkerMeters& meters = worker->meters();
    totals.connections_accepted += meters.connections_accepted.value();
    totals.joins += meters.joins.value();
    totals.leaves += meters.leaves.value();
    totals.heartbeats += meters.heartbeats.value();
    totals.full_lists += meters.full_lists.value();
    totals.received_bytes += meters.received_bytes.value();
    totals.sent_bytes += meters.sent_bytes.value();
    if (!everything) continue;
    totals.join += meters.join.copy();
    totals.answer += meters.answer.copy();
  }
  if (!everything) return totals;
  totals.commit = writer.commit.copy();
  totals.database_bytes = size_of(database_);
  totals.wal_bytes = size_of(with_suffix(database_, "-wal"));
  for (const CodeCounts::Count& code : shared_.counts.totals())
    totals.codes.emplace_back(code.code, code.count);
  for (const storage::Warning& warning : shared_.warnings.list()) totals.warnings.push_back(warning.code);
  totals.bans = bans_count_;
  return totals;
}

Totals OperatorDesk::totals() const { return count(true); }

void OperatorDesk::sample() {
  Sample sample{std::chrono::steady_clock::now(), count(false)};
  const std::lock_guard lock(samples_mutex_);
  samples_.push_back(std::move(sample));
  if (samples_.size() > samples_max) samples_.pop_front();
}

Rates OperatorDesk::rates() const {
  const std::lock_guard lock(samples_mutex_);
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
  status.totals = totals();
  status.rates = rates();
  status.last_commit_seconds = static_cast<double>(shared_.writer.last_commit_nanoseconds) / 1e9;
  status.warnings = shared_.warnings.list();
  status.traces = shared_.tracer.list(std::chrono::steady_clock::now());
  status.threads = shared_.workers.size();
  using List = std::vector<HandshakeStatus>;
  const auto lists = ask<List>(
      shared_.workers, [](Worker& worker) { return worker.handshakes(handshakes_shown); }, look_patience);
  for (const auto& list : lists) {
    if (!list) ++status.threads_silent;
    if (list) status.in_progress.insert(status.in_progress.end(), list->begin(), list->end());
  }
  std::ranges::sort(status.in_progress, std::greater(), &HandshakeStatus::age_seconds);
  if (status.in_progress.size() > handshakes_shown) status.in_progress.resize(handshakes_shown);
  return status;
}

std::vector<SessionStatus> OperatorDesk::sessions(Ipv4Address address) {
  using List = std::vector<SessionStatus>;
  const auto lists = ask<List>(
      shared_.workers, [address](Worker& worker) { return worker.sessions(address); }, patience);
  std::vector<SessionStatus> sessions;
  for (const auto& list : lists) {
    if (!list) fail_silent("a worker");
    sessions.insert(sessions.end(), list->begin(), list->end());
  }
  std::ranges::sort(sessions, {}, &SessionStatus::session);
  return sessions;
}

std::vector<RejectStatus> OperatorDesk::rejects(const std::optional<Cidr>& block, std::size_t count_max) {
  return shared_.rejects.list(block, count_max);
}

// ---- Steering ----

std::size_t OperatorDesk::end_sessions(const Cidr& block, const Rejection& rejection) {
  std::size_t sessions = 0;
  const auto counts = ask<std::size_t>(
      shared_.workers, [=](Worker& worker) { return worker.end_sessions(block, rejection); }, patience);
  for (const auto& count : counts) {
    if (!count) fail_silent("a worker");
    sessions += *count;
  }
  return sessions;
}

Operations::Kicked OperatorDesk::kick(Ipv4Address address) {
  const std::size_t sessions = end_sessions(
      {address, 32},
      {ErrorCode::ended_by_operator, "the operator has ended this session; it may connect again"});
  const auto dismissed = std::make_shared<std::promise<bool>>();
  shared_.inbox.post(
      TaskCommand{[=](Writer& writer, Moment) { dismissed->set_value(writer.dismiss(address)); }, nullptr});
  auto answer = dismissed->get_future();
  if (answer.wait_for(patience) != std::future_status::ready) fail_silent("the writer");
  return {sessions, answer.get()};
}

void OperatorDesk::apply_bans(std::vector<storage::Ban> bans) {
  bans_ = std::move(bans);
  bans_count_ = bans_.size();
  std::vector<Cidr> blocks;
  for (const storage::Ban& ban : bans_) blocks.push_back(ban.block);
  shared_.admission.ban(std::move(blocks));
}

void OperatorDesk::post(TaskCommand task) {
  if (!shared_.inbox.post(std::move(task))) throw CodedError(ErrorCode::control_refused, "the server stops");
}

/// Tells the future when the change is committed.
std::future<void> OperatorDesk::store(std::function<void(Writer&)> change) {
  const auto stored = std::make_shared<std::promise<void>>();
  post(TaskCommand{[change = std::move(change)](Writer& writer, Moment) { change(writer); },
                   [stored] { stored->set_value(); }});
  return stored->get_future();
}

void OperatorDesk::expect_stored(const std::future<void>& stored) {
  if (stored.wait_for(patience) != std::future_status::ready)
    throw CodedError(ErrorCode::control_refused,
                     "it holds, but is not stored yet: the database cannot be written at the moment; it is "
                     "stored as soon as that works, unless the server ends before");
}

Operations::Banned OperatorDesk::ban(const Cidr& block, const std::string& reason) {
  const std::lock_guard lock(bans_mutex_);
  Banned banned;
  std::vector<storage::Ban> bans = bans_;
  const storage::Ban ban{block, wall_seconds(), reason};
  banned.is_new = std::erase_if(bans, [&](const storage::Ban& old) { return old.block == block; }) == 0;
  if (bans.size() >= bans_max)
    throw CodedError(ErrorCode::control_refused, "there are " + std::to_string(bans_max) +
                                                     " bans, as many as there may be; ban larger blocks");
  bans.push_back(ban);
  apply_bans(std::move(bans));
  banned.sessions =
      end_sessions(block, {ErrorCode::address_banned, "the operator of this server has banned this address"});
  store([ban](Writer& writer) { writer.ban(ban); });
  return banned;
}

bool OperatorDesk::unban(const Cidr& block) {
  const std::lock_guard lock(bans_mutex_);
  std::vector<storage::Ban> bans = bans_;
  if (std::erase_if(bans, [&](const storage::Ban& old) { return old.block == block; }) == 0) return false;
  apply_bans(std::move(bans));
  expect_stored(store([block](Writer& writer) { writer.unban(block); }));
  return true;
}

Operations::Compacted OperatorDesk::compact() {
  const auto sizes = [this] { return size_of(database_) + size_of(with_suffix(database_, "-wal")); };
  Compacted compacted;
  compacted.bytes_before = sizes();
  const auto done = std::make_shared<std::promise<void>>();
  post(TaskCommand{[done, &turns = shared_.writer_turns](Writer& writer, Moment) {
                     try {
                       writer.compact([&turns] { turns.add(); });
                       done->set_value();
                     } catch (const CodedError&) {
                       done->set_exception(std::current_exception());
                     }
                   },
                   nullptr});
  // It may take long, and it is worth waiting for.
  auto answer = done->get_future();
  if (answer.wait_for(60 * patience) != std::future_status::ready) fail_silent("the writer");
  answer.get();
  compacted.bytes_after = sizes();
  return compacted;
}

TraceStatus OperatorDesk::trace(const Cidr& block, std::chrono::seconds duration) {
  const TraceStatus trace = shared_.tracer.start(block, duration, std::chrono::steady_clock::now());
  for (const auto& worker : shared_.workers) worker->post([block](Worker& asked) { asked.watch(block); });
  return trace;
}

bool OperatorDesk::end_trace(const Cidr& block) {
  const bool found = shared_.tracer.end(block);
  for (const auto& worker : shared_.workers) worker->post([block](Worker& asked) { asked.watch(block); });
  return found;
}

}  // namespace lekt
