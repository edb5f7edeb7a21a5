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
  take(turn());
  pass(400ms);
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
  const std::int64_t closing_before = closing();
  disk_.lose_power(random_);
  start();
  EXPECT_EQ(told(), expected);
  EXPECT_GE(closing(), closing_before);
}

}  // namespace lekt::test
