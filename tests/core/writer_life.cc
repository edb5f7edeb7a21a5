#include "tests/core/writer_life.h"

#include <map>

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t addresses = 6;

Address address_of(SessionId session) { return numbered(static_cast<std::uint32_t>(session % addresses)); }
Methods methods_of(SessionId session) { return tcp(static_cast<std::uint16_t>(session % 3 + 1)); }

}  // namespace

WriterLife::WriterLife() : WriterTest(directory_in_memory()) {
  database_settings_.durable = true;
  database_settings_.busy_wait = 0ms;
  database_settings_.checkpoint_bytes = 32 * 1024;
  settings_.retention = 3s;
  settings_.restart_grace = 2s;
  settings_.presence_interval = 1s;
}

WriterLife::~WriterLife() {
  writer_.reset();
  database_.reset();  // before its disk
}

void WriterLife::begin_anew() {
  writer_.reset();
  database_.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path().string() + suffix);
  joined_.clear();
}

bool WriterLife::live() {
  const std::uint64_t before = failures();
  start_until_it_works();
  for (int step = 0; step < 12; ++step) happen(step);
  if (failures() != before) return true;
  writer_->stop(now_);
  start_until_it_works();
  for (int step = 0; step < 6; ++step) happen(step);
  return failures() != before;
}

/// Starts the writer again until it works, as a service manager does; in the end whatever fails is mended.
void WriterLife::start_until_it_works() {
  joined_.clear();
  device_sessions_.clear();
  for (int attempt = 0; attempt < 4; ++attempt) {
    if (attempt == 3) mend();
    try {
      return start();
    } catch (const CodedError& error) {
      ASSERT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
    }
  }
  FAIL() << "it does not start";
}

void WriterLife::happen(int step) {
  ++session_;
  writer_->join(session_, address_of(session_), methods_of(session_), now_);
  if (step % 3 == 2 && !joined_.empty()) {
    const SessionId leaving = joined_.extract(joined_.begin()).value();
    writer_->leave(leaving, address_of(leaving), LeaveReason::closed);
  }
  for (const SessionId session : joined_) writer_->heard(address_of(session), now_.wall);
  happen_to_devices(step);
  take(turn());
  pass(400ms);
}

/// One begins a session, one goes on with its own, and now and then one ends.
void WriterLife::happen_to_devices(int step) {
  storage::DeviceRows rows;
  device_sessions_.insert(++device_session_);
  for (const std::uint64_t number : {device_session_, *device_sessions_.begin()})
    rows.sessions.push_back({.number = number, .uid = "0015708E863F", .address = address_of(number)});
  rows.devices.push_back({.uid = "0015708E863F", .seen = now_.wall, .sessions = 1});
  rows.alerts.push_back({now_.wall, ErrorCode::uid_in_use, address_of(device_session_), {}, "two at once"});
  if (step % 3 == 2)
    rows.ended_sessions.push_back(device_sessions_.extract(device_sessions_.begin()).value());
  writer_->side_rows().tell_of_devices(std::move(rows));
}

std::set<std::uint64_t> WriterLife::stored_device_sessions() const {
  std::set<std::uint64_t> stored;
  SQLite::Database reader(path().string(), SQLite::OPEN_READONLY);
  SQLite::Statement query(reader, "SELECT number FROM device_sessions");
  while (query.executeStep()) stored.insert(static_cast<std::uint64_t>(query.getColumn(0).getInt64()));
  return stored;
}

void WriterLife::take(const Writer::Turn& turn) {
  for (const Writer::Completion& completion : turn.completions) {
    if (!completion.rejection)
      joined_.insert(completion.session);
    else
      EXPECT_EQ(completion.rejection->code, ErrorCode::storage_unavailable) << completion.rejection->text();
  }
  expect_all_listed();
}

/// Expects that every session that was told that it has joined is in the list that everybody is told.
void WriterLife::expect_all_listed() const {
  const List list = told();
  for (const SessionId session : joined_) {
    const auto found = list.find(to_string(address_of(session)));
    ASSERT_NE(found, list.end()) << session;
    ASSERT_NE(found->second.find(MethodCatalogue().describe(methods_of(session))), std::string::npos)
        << session;
  }
}

List WriterLife::expected_list() const {
  std::map<Address, Methods> wanted;
  for (const SessionId session : joined_) wanted[address_of(session)].push_back(methods_of(session).front());
  List expected;
  for (auto& [address, methods] : wanted) {
    normalise(methods);
    expected[to_string(address)] = MethodCatalogue().describe(methods);
  }
  return expected;
}

void WriterLife::expect_recovered() {
  mend();
  for (int second = 0; second < 6; ++second) {
    pass(1s);
    take(turn());
  }
  EXPECT_EQ(turn().trouble, StorageState::usable);
  const List expected = expected_list();
  EXPECT_EQ(told(), expected);
  EXPECT_EQ(stored(), expected);
  EXPECT_EQ(stored_device_sessions(), device_sessions_);
  const std::int64_t closing_before = closing();
  disk_.lose_power(random_);
  start();
  EXPECT_EQ(told(), expected);
  EXPECT_GE(closing(), closing_before);
}

}  // namespace lekt::test
