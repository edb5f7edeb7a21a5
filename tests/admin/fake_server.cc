#include "tests/admin/fake_server.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>

namespace lekt::test {

namespace {

constexpr std::int64_t example_second = 1767351600;  // 2026-01-02 11:00:00 UTC

DeviceTotals example_device_totals() {
  DeviceTotals totals;
  totals.sessions_active = 40;
  totals.sessions_away = 5;
  totals.sessions_waiting = 2;
  totals.sessions_selecting = 3;
  totals.ports_free = 950;
  totals.ports_used = 45;
  totals.ports_taken = 6;
  totals.registrations = 60;
  totals.datagrams_received = 7000;
  totals.datagrams_sent = 6900;
  totals.bytes_received = 420'000;
  totals.bytes_sent = 980'000;
  totals.repeated = 31;
  totals.duplicates = 12;
  totals.out_of_order = 4;
  totals.malformed = 9;
  totals.inputs = 2500;
  totals.screens = 2600;
  totals.rtt.counts[13] = 2400;
  totals.rtt.sum_seconds = 84;
  totals.echo.counts[14] = 2300;
  totals.echo.sum_seconds = 115;
  totals.alerts = {{ErrorCode::registration_incomplete, 3}, {ErrorCode::uid_in_use, 1}};
  return totals;
}

Totals example_totals() {
  Totals totals;
  totals.handshakes_max = 100;
  totals.started = example_second - 3600;
  totals.uptime_seconds = 3600.5;
  totals.clients = 120;
  totals.waiting = 3;
  totals.sessions = 131;
  totals.connections = 140;
  totals.handshakes = 2;
  totals.bans = 1;
  totals.grace_seconds_left = 12.5;
  totals.database_bytes = 1'200'000;
  totals.wal_bytes = 400'000;
  totals.wal_bytes_held = 4096;
  totals.last_commit = example_second - 2;
  totals.sequence = 500;
  totals.connections_accepted = 900;
  totals.joins = 700;
  totals.leaves = 569;
  totals.heartbeats = 80'000;
  totals.full_lists = 650;
  totals.received_bytes = 1'600'000;
  totals.sent_bytes = 9'000'000;
  totals.added = 300;
  totals.removed = 180;
  totals.commits = 410;
  totals.commits_failed = 1;
  totals.log_lines_lost = 7;
  totals.trace_entries_lost = 3;
  totals.certificate_expires = example_second + 86'400;
  totals.warnings = {ErrorCode::mass_silence};
  totals.codes = {{ErrorCode::not_lekt, 4}, {ErrorCode::address_denied, 17}};
  totals.join.counts[10] = 700;
  totals.join.sum_seconds = 2.1;
  totals.commit.counts[9] = 400;
  totals.commit.counts[12] = 10;
  totals.commit.sum_seconds = 0.9;
  totals.answer.counts[2] = 79'999;
  totals.answer.counts.back() = 1;
  totals.answer.sum_seconds = 6.5;
  totals.devices = example_device_totals();
  return totals;
}

storage::DatabaseSettings settings_of(const std::filesystem::path& path, const MethodCatalogue& catalogue,
                                      std::int64_t started) {
  storage::DatabaseSettings settings;
  settings.path = path;
  settings.catalogue = &catalogue;
  settings.program_version = "0.1.0";
  settings.started = started;
  settings.durable = false;
  return settings;
}

}  // namespace

Status example_status() {
  Status status;
  status.version = "0.1.0";
  status.process = 4711;
  status.database = "/var/lib/lekt/lekt.db";
  status.identity = "000102030405060708090a0b0c0d0e0f";
  status.whereabouts = {{{"plain", "0.0.0.0:7890", true},
                         {"tls", "[::]:7891"},
                         {"admin", "127.0.0.1:9890"},
                         {"control", "/var/lib/lekt/lekt.db.sock"}},
                        {"threads"}};
  status.totals = example_totals();
  status.rates = {10, 0.4, 26.2, 0.3, 0.2, 0.5, 3000};
  status.last_commit_seconds = 0.0021;
  status.in_progress = {{Address::v4(0x0a000063), 901, "setup", 0.8, true}};
  status.warnings = {{ErrorCode::wal_growing, example_second - 90, "a reader holds an old state"}};
  status.traces = {{parse_block("10.0.0.0/24").value(), "/var/lib/lekt/trace-10.0.0.0-24.txt", 42.5, 2048}};
  status.threads = 4;
  status.threads_silent = 1;
  return status;
}

DeviceStatus example_device() {
  return {.uid = "0015708E863F",
          .address = Address::v4(0x0a0ae196),
          .client_port = 3771,
          .port = 5007,
          .state = "active",
          .type = "PDT9090_E5",
          .group = "trucks",
          .host = "wms",
          .version = "9.1.107",
          .session = 17,
          .dtls = true,
          .age_seconds = 3600.5,
          .silent_seconds = 2.5,
          .rtt_milliseconds = 34.5};
}

void FakeOperations::change(const std::function<void(Status&)>& change) {
  const std::lock_guard lock(mutex_);
  change(status_);
}

void FakeOperations::reject(RejectStatus reject) {
  const std::lock_guard lock(mutex_);
  rejects_.insert(rejects_.begin(), std::move(reject));
}

void FakeOperations::fall_silent() {
  const std::lock_guard lock(mutex_);
  silent_ = true;
}

void FakeOperations::check_awake() const {
  if (silent_) throw CodedError(ErrorCode::control_refused, "the workers do not answer");
}

Whereabouts FakeOperations::whereabouts() const {
  const std::lock_guard lock(mutex_);
  return status_.whereabouts;
}

Totals FakeOperations::totals() const {
  const std::lock_guard lock(mutex_);
  return status_.totals;
}

Health FakeOperations::health() {
  const std::lock_guard lock(mutex_);
  Health health;
  if (silent_) health.hangs = Rejection{ErrorCode::thread_hangs, "a thread hangs"};
  health.log_blocked = std::chrono::duration<double>(status_.totals.log_blocked_seconds);
  return health;
}

Status FakeOperations::status() {
  const std::lock_guard lock(mutex_);
  check_awake();
  return status_;
}

std::vector<SessionStatus> FakeOperations::sessions(Address address) {
  const std::lock_guard lock(mutex_);
  check_awake();
  return {{address, 17, 1.5, 64, true, false}};
}

std::vector<RejectStatus> FakeOperations::rejects(const std::optional<Block>& block, std::size_t count_max) {
  const std::lock_guard lock(mutex_);
  std::vector<RejectStatus> found;
  std::ranges::copy_if(rejects_, std::back_inserter(found), [&](const RejectStatus& reject) {
    return found.size() < count_max && (!block || block->contains(reject.address));
  });
  return found;
}

void FakeOperations::set_devices(std::vector<DeviceStatus> devices) {
  const std::lock_guard lock(mutex_);
  devices_ = std::move(devices);
}

std::vector<DeviceStatus> FakeOperations::devices() {
  const std::lock_guard lock(mutex_);
  check_awake();
  return devices_;
}

std::vector<DeviceDetails> FakeOperations::device(const std::string& uid_or_address) {
  std::vector<DeviceDetails> found;
  for (const DeviceStatus& status : devices())
    if (status.uid == uid_or_address || to_string(status.address) == uid_or_address) {
      DeviceDetails& details = found.emplace_back();
      details.status = status;
      details.text = "AB~001~19~000~" + status.type + "~16~26~";
      details.rows = 16;
      details.columns = 26;
      details.host = "wms (10.1.0.5:23), working";
      details.rules = {"one session of this uid"};
      details.alerts = device_alerts(1);
    }
  return found;
}

std::vector<DeviceAlertStatus> FakeOperations::device_alerts(std::size_t count_max) {
  std::vector<DeviceAlertStatus> alerts;
  for (const DeviceStatus& status : devices())
    if (alerts.size() < count_max)
      alerts.push_back({example_second, ErrorCode::uid_in_use, status.address, status.uid,
                        "two devices say that they are " + status.uid});
  return alerts;
}

FakeServer::FakeServer(std::int64_t started)
    : second_(started), database_(settings_of(path(), catalogue_, started)) {}

void FakeServer::add(Address address, std::uint16_t port) { add_all({address}, port); }

void FakeServer::add_all(const std::vector<Address>& addresses, std::uint16_t port) {
  std::vector<storage::Change> changes;
  for (const Address address : addresses) {
    storage::Change& change = changes.emplace_back();
    change.address = address;
    if (port != 0) change.methods = {{tcp_index, tcp_information(port)}};
  }
  commit(changes);
}

void FakeServer::remove(Address address) {
  storage::Change change;
  change.kind = UpdateKind::removed;
  change.reason = LeaveReason::closed;
  change.address = address;
  commit({change});
}

void FakeServer::commit(const std::vector<storage::Change>& changes) {
  std::vector<storage::Change> numbered = changes;
  storage::Batch batch;
  batch.state = database_.state();
  for (storage::Change& change : numbered) {
    change.sequence = ++batch.state.sequence;
    change.second = batch.state.second = std::max(batch.state.second, second_);
  }
  batch.changes = numbered;
  if (database_.commit(batch) != storage::CommitResult::done) throw std::runtime_error("not committed");
  operations.changes().publish(numbered, catalogue_);
}

void FakeServer::count_code(ErrorCode code, std::uint64_t count) {
  const storage::CodeCount counted[] = {{code, count, second_}};
  storage::Batch batch;
  batch.state = database_.state();
  batch.codes = counted;
  database_.commit(batch);
}

void FakeServer::execute(const std::string& sql) {
  SQLite::Database(path().string(), SQLite::OPEN_READWRITE, 1000).exec(sql);
}

}  // namespace lekt::test
