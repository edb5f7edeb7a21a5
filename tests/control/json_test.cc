// The forms that programs rely on: keys, units, times.
#include "control/json.h"

#include <gtest/gtest.h>

namespace lekt::control {

namespace {

TEST(JsonTest, shows_a_stored_client) {
  EXPECT_EQ(
      to_line(to_json(storage::StoredClient{.address = {0x0a000007},
                                            .status = storage::ClientStatus::connected,
                                            .methods = "tcp:7890",
                                            .sessions = 2,
                                            .since = 1767323040,
                                            .heard = 0,
                                            .second = 1767323041,
                                            .sequence = 9})),
      R"({"address":"10.0.0.7","status":"connected","methods":"tcp:7890","sessions":2,)"
      R"("since":"2026-01-02T03:04:00Z","last_heard":null,"last_change":"2026-01-02T03:04:01Z","sequence":9})");
}

TEST(JsonTest, shows_a_ban_and_a_trace_as_operators_write_blocks) {
  EXPECT_EQ(to_line(to_json(storage::Ban{{{0x0a000007}, 32}, 1767323040, "floods"})),
            R"({"block":"10.0.0.7","since":"2026-01-02T03:04:00Z","reason":"floods"})");
  EXPECT_EQ(to_line(to_json(TraceStatus{"10.0.0.7/32", "/x", 2.5, 100})),
            R"({"block":"10.0.0.7","file":"/x","left_seconds":2.5,"file_bytes":100})");
  EXPECT_EQ(block_text({{0x0a000000}, 8}), "10.0.0.0/8");
}

TEST(JsonTest, shows_codes_by_their_name) {
  Status status;
  status.totals.codes = {{ErrorCode::not_lekt, 3}, {ErrorCode::server_full, 1}};
  EXPECT_EQ(to_line(to_json(status).at("totals").at("codes")), R"({"E102":3,"E401":1})");
}

TEST(JsonTest, is_one_line_of_UTF_8_whatever_the_bytes_were) {
  const std::string line =
      to_line(to_json(RejectStatus{0, {1}, ErrorCode::not_lekt, "a\nb \x1b[2J \xff \xe2\x82\xac"}));
  EXPECT_EQ(line,
            "{\"time\":\"1970-01-01T00:00:00Z\",\"address\":\"0.0.0.1\",\"code\":\"E102\",\"message\":"
            "\"a\\nb \\u001b[2J \xef\xbf\xbd \xe2\x82\xac\"}");
}

}  // namespace

}  // namespace lekt::control
