// A client of today and the servers of releases before it: what those said on the wire, replayed (fixtures/record).
#include <gtest/gtest.h>

#include "tests/client/fake_server.h"
#include "tests/client/recorder.h"
#include "tests/support/recording.h"
#include "tests/support/support.h"

namespace lekt::test {
namespace {

/// Says what the recorded server has said; throws at the first byte that is not the recorded client's.
FakeServer::Script replayed(const std::string& name) {
  return [turns = recording(name)](FakeConnection& connection) {
    for (const Turn& turn : turns)
      turn.by_client ? connection.receive_bytes(turn.bytes) : connection.send(turn.bytes);
    connection.expect_end();
  };
}

/// The recorded member has stayed for three answers.
void run_for_three_answers(const std::string& name, Features features) {
  FakeServer server({replayed(name)});
  Recorder recorder;
  ClientOptions options = quick_options(server.name());
  options.features = features;
  run_until(recorder, options, [](const Recorder& seen) { return seen.synchronised == 3; });
  EXPECT_EQ(recorder.text, "joined\n+ 127.0.0.1 tcp:4000\nsynchronised\nsynchronised\nsynchronised\n");
}

TEST(RecordedServer, without_features_hears_the_same_bytes_from_a_client_that_asks_for_none) {
  run_for_three_answers("without-features", {});
}

TEST(RecordedServer, without_features_is_understood_by_a_client_that_asks_for_some) {
  run_for_three_answers("features-asked-in-vain", {Feature::identity});
}

}  // namespace
}  // namespace lekt::test
