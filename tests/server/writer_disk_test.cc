// The writer on a disk that fails: every operation of a run - start, joins, leaves, forgetting, checkpoints,
// a clean stop, another start - fails once, or from then on until the disk is mended.
//
// Whatever fails: who was told that he has joined is in every list until he leaves; joins are refused with
// E403 and with nothing else; when the disk is mended the writer recovers by itself; and then a power loss
// takes nothing of what was told.
#include <iostream>
#include <set>
#include <utility>

#include "tests/disk/disk.h"
#include "tests/server/writer_support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

constexpr std::uint32_t addresses = 6;

Ipv4Address address_of(SessionId session) {
  return numbered(static_cast<std::uint32_t>(session % addresses));
}
Methods methods_of(SessionId session) { return tcp(static_cast<std::uint16_t>(session % 3 + 1)); }

class WriterDiskTest : public WriterTest, public testing::WithParamInterface<DiskTrouble> {
 protected:
  WriterDiskTest() : WriterTest(directory_in_memory()) {
    database_settings_.durable = true;
    database_settings_.busy_wait = 0ms;
    database_settings_.checkpoint_bytes = 32 * 1024;
    settings_.retention = 3s;
    settings_.restart_grace = 2s;
    settings_.presence_interval = 1s;
  }

  ~WriterDiskTest() override {
    writer_.reset();
    database_.reset();  // before its disk
  }

  /// Everything that a server's life is made of, until something has failed.
  void live() {
    start_until_it_works();
    for (int step = 0; step < 12; ++step) happen(step);
    if (has_failed()) return;
    writer_->stop(now_);
    start_until_it_works();
    for (int step = 0; step < 6; ++step) happen(step);
  }
  bool has_failed() const { return disk_.failures() != failures_before_; }

  /// Whoever supervises the server starts it again, and mends the disk in the end.
  void start_until_it_works() {
    joined_.clear();
    for (int attempt = 0;; ++attempt) {
      try {
        return start();
      } catch (const CodedError& error) {
        ASSERT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
        ASSERT_LT(attempt, 4);
      }
      if (attempt == 2) disk_.heal();
    }
  }

  void happen(int step) {
    ++session_;
    writer_->join(session_, address_of(session_), methods_of(session_), now_);
    if (step % 3 == 2 && !joined_.empty()) {
      const SessionId leaving = joined_.extract(joined_.begin()).value();
      writer_->leave(leaving, address_of(leaving), now_);
    }
    for (const SessionId session : joined_) writer_->heard(address_of(session), now_.wall);
    take(turn());
    pass(400ms);
  }

  void take(const Writer::Turn& turn) {
    for (const Writer::Completion& completion : turn.completions) {
      if (!completion.rejection)
        joined_.insert(completion.session);
      else
        EXPECT_EQ(completion.rejection->code, ErrorCode::storage_unavailable) << completion.rejection->text();
    }
    expect_all_listed();
  }

  /// Who was told that he has joined is told of to everybody.
  void expect_all_listed() {
    const List list = told();
    for (const SessionId session : joined_) {
      const auto found = list.find(to_string(address_of(session)));
      ASSERT_NE(found, list.end()) << session;
      ASSERT_NE(found->second.find(MethodCatalogue().describe(methods_of(session))), std::string::npos)
          << session;
    }
  }

  /// The disk is fine again: the list is what the sessions say, and the database holds it.
  void expect_recovered() {
    disk_.heal();
    for (int second = 0; second < 6; ++second) {
      pass(1s);
      take(turn());
    }
    EXPECT_EQ(turn().trouble, Writer::Trouble::none);
    std::map<Ipv4Address, Methods> wanted;
    for (const SessionId session : joined_)
      wanted[address_of(session)].push_back(methods_of(session).front());
    List expected;
    for (auto& [address, methods] : wanted) {
      normalise(methods);
      expected[to_string(address)] = MethodCatalogue().describe(methods);
    }
    EXPECT_EQ(told(), expected);
    EXPECT_EQ(stored(), expected);
  }

  Random random_;
  Disk disk_{random_.next()};
  std::uint64_t failures_before_ = 0;
  SessionId session_ = 0;
  std::set<SessionId> joined_;  ///< and told so, and still there
};

TEST_P(WriterDiskTest, whatever_fails_loses_nothing_and_is_recovered_from) {
  std::uint64_t operation = 0;
  for (bool hit = true; hit && !HasFailure(); ++operation) {
    SCOPED_TRACE(operation);
    failures_before_ = disk_.failures();
    disk_.fail(GetParam().fault, operation, GetParam().lasts);
    live();
    hit = has_failed();
    expect_recovered();
    const List before = told();
    const std::int64_t closing_before = closing();
    disk_.lose_power(random_);
    start();
    EXPECT_EQ(told(), before);
    EXPECT_GE(closing(), closing_before);
  }
  std::cout << "each of " << operation - 1 << " operations has failed\n";
  EXPECT_GT(operation, 30u);
}

INSTANTIATE_TEST_SUITE_P(Each, WriterDiskTest, testing::ValuesIn(disk_troubles),
                         [](const auto& trouble) { return trouble.param.name; });

}  // namespace
}  // namespace lekt
