// The forms that programs rely on: keys, units, times.
#include "server/operators/json.h"

#include <gtest/gtest.h>

#include "server/operators/status.h"
#include "storage/reader.h"

namespace lekt {

namespace {

TEST(JsonTest, shows_a_stored_client) {
  EXPECT_EQ(
      to_line(to_json(storage::StoredClient{.address = Address::v4(0x0a000007),
                                            .status = storage::ClientStatus::connected,
                                            .methods = "tcp:7890",
                                            .sessions = 2,
                                            .since = 1767323040,
                                            .heard = 0,
                                            .second = 1767323041,
                                            .sequence = 9})),
      R"({"address":"10.0.0.7","status":"connected","methods":"tcp:7890","sessions":2,)"
      R"("since":"2026-01-02T03:04:00Z","last_heard":null,"last_change":"2026-01-02T03:04:01Z","sequence":9,"reason":""})");
}

TEST(JsonTest, shows_a_ban_and_a_trace_as_operators_write_blocks) {
  EXPECT_EQ(to_line(to_json(storage::Ban{Block(Address::v4(0x0a000007)), 1767323040, "floods"})),
            R"({"block":"10.0.0.7","since":"2026-01-02T03:04:00Z","until":null,"reason":"floods"})");
  EXPECT_EQ(
      to_line(to_json(storage::Ban{Block(Address::v4(0x0a000007)), 1767323040, "", 1767323100})),
      R"({"block":"10.0.0.7","since":"2026-01-02T03:04:00Z","until":"2026-01-02T03:05:00Z","reason":""})");
  EXPECT_EQ(to_line(to_json(TraceStatus{Block(Address::v4(0x0a000007)), "/x", 2.5, 100, 2})),
            R"({"block":"10.0.0.7","file":"/x","left_seconds":2.5,"file_bytes":100,"lost":2})");
  EXPECT_EQ(to_short_string(parse_block("10.0.0.0/8").value()), "10.0.0.0/8");
}

TEST(JsonTest, shows_codes_by_their_name) {
  Status status;
  status.totals.codes = {{ErrorCode::not_lekt, 3}, {ErrorCode::server_full, 1}};
  EXPECT_EQ(to_line(to_json(status).at("totals").at("codes")), R"({"E102":3,"E401":1})");
}

TEST(JsonTest, shows_times_that_have_not_come_as_null_and_a_duration_without_its_buckets) {
  Totals totals;
  totals.certificate_expires = 1767323040;
  totals.commit.counts[3] = 4;
  totals.commit.sum_seconds = 2;
  const Json json = to_json(totals);
  EXPECT_EQ(json.at("last_commit"), nullptr);
  EXPECT_EQ(json.at("certificate_expires"), "2026-01-02T03:04:00Z");
  EXPECT_EQ(to_line(json.at("commit")), R"({"count":4,"mean_seconds":0.5})");
  EXPECT_EQ(to_line(json.at("join")), R"({"count":0,"mean_seconds":0.0})");
  EXPECT_FALSE(json.contains("handshakes_max"));
}

TEST(JsonTest, is_one_line_of_UTF_8_whatever_the_bytes_were) {
  const std::string line = to_line(
      to_json(RejectStatus{0, Address::v4(1), ErrorCode::not_lekt, "a\nb \x1b[2J \xff \xe2\x82\xac", {}}));
  EXPECT_EQ(line,
            "{\"time\":\"1970-01-01T00:00:00Z\",\"address\":\"0.0.0.1\",\"code\":\"E102\",\"message\":"
            "\"a\\nb \\u001b[2J \xef\xbf\xbd \xe2\x82\xac\"}");
}

}  // namespace

}  // namespace lekt
