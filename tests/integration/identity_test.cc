// The identity of the change log on the wire, what a client makes of it that starts again, and clients of earlier releases,
// which know nothing of it.
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

#include "common/text.h"
#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"
#include "tests/support/recording.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

class IdentityTest : public DaemonTest {
 protected:
  std::filesystem::path database() const override { return directory_.path() / name_; }

  std::string address() { return "127.0.0.1:" + std::to_string(daemon().port()); }

  /// Ends the server by force, and starts one at the same address.
  void start_again() {
    const std::string where = address();
    daemon().kill();
    start({"--listen", where, "--database", database().string()});
  }

  /// What `lekt join` prints that leaves after one answer.
  std::string join() {
    const Outcome outcome =
        run(program_file("lekt"), {"join", "--server", address(), "--source", "127.0.0.9", "--count", "1",
                                   "--state", (directory_.path() / "state").string()});
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    return outcome.output;
  }

  nlohmann::json status() {
    return nlohmann::json::parse(
               run(program_file("lektctl"), {"--database", database().string(), "status", "--json"}).output)
        .at("server");
  }

  int full_lists() { return status().at("totals").at("full_lists"); }

  /// The accept for a client that asks for these features.
  AcceptPacket accept_for(Features asked) {
    RawClient client(daemon().port(), "127.0.0.5");
    client.send(encode(HandshakePacket{version_with(asked), 0, {}}));
    return client.expect<AcceptPacket>();
  }

  std::string name_ = "lekt.db";
};

/// Timestamps are made of the time of day: they count as zeros here.
Bytes without_timestamps(Bytes bytes) {
  const Bytes header = hex("4c454b54 48000000");
  for (std::size_t at = bytes.find(header); at != bytes.npos; at = bytes.find(header, at + 1))
    bytes.replace(at + header.size(), 8, 8, '\0');
  return bytes;
}

}  // namespace

TEST_F(IdentityTest, is_told_to_who_asks_for_it_and_shown_to_operators) {
  start();
  const std::string stored = Operator(database()).ask_one("SELECT identity FROM log");
  const AcceptPacket told = accept_for({Feature::identity});
  EXPECT_EQ(told.version, version_with({Feature::identity}));
  EXPECT_EQ(to_string(told.identity), stored);
  EXPECT_EQ(accept_for({}).version, version_spoken);
  EXPECT_EQ(status().at("identity"), stored);
  start_again();
  EXPECT_EQ(to_string(accept_for({Feature::identity}).identity), stored) << "also after a kill";
}

TEST_F(IdentityTest, can_be_switched_off) {
  start({"--features", "none"});
  EXPECT_EQ(accept_for({Feature::identity}).version, version_spoken);
}

TEST_F(IdentityTest, spares_a_client_that_starts_again_the_full_list_also_after_a_kill_of_the_server) {
  start();
  const RawClient other = joined(daemon().port(), "127.0.0.2");
  EXPECT_PRED_FORMAT2(IsSubstring, "+ 127.0.0.2 tcp:7890\n", join());
  EXPECT_EQ(full_lists(), 1);
  start_again();
  EXPECT_PRED_FORMAT2(IsSubstring, "+ 127.0.0.2 tcp:7890\n", join());
  EXPECT_EQ(full_lists(), 0);
}

TEST_F(IdentityTest, of_another_database_has_a_client_ask_for_the_full_list) {
  start();
  const RawClient other = joined(daemon().port(), "127.0.0.2");
  EXPECT_PRED_FORMAT2(IsSubstring, "+ 127.0.0.2 tcp:7890\n", join());
  name_ = "other.db";
  start_again();
  EXPECT_EQ(join(), "+ 127.0.0.9\n") << "who is in the other list is not in this one";
  EXPECT_EQ(full_lists(), 1);
}

TEST_F(IdentityTest, is_no_news_for_a_client_of_an_earlier_release) {
  start();
  RawClient client(daemon().port(), "127.0.0.1");
  Bytes answer;
  for (const Turn& turn : recording("without-features")) {
    if (!turn.by_client) {
      answer = client.take(turn.bytes.size());
      EXPECT_EQ(to_hex(without_timestamps(answer)), to_hex(without_timestamps(turn.bytes)));
      continue;
    }
    // A heartbeat continues from what this server has said last, as the recorded one did from its own.
    const bool continues = turn.bytes.size() == limits::heartbeat_bytes && turn.bytes != heartbeat_bytes(0) &&
                           turn.bytes.starts_with(hex("4c454b54 48")) &&
                           answer.size() >= limits::update_header_bytes;
    client.send(continues ? turn.bytes.substr(0, 8) + answer.substr(answer.size() - 12, 8) : turn.bytes);
  }
}

}  // namespace lekt::test
