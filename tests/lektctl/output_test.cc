// Tables fit, status is complete, and nothing that a peer sent reaches the terminal as it is.
#include "lektctl/command/output.h"

#include <gtest/gtest.h>

#include "common/errors.h"
#include "lektctl/command/status.h"
#include "server/operators/status.h"
#include "tests/support/support.h"

namespace lekt::lektctl {

namespace {

using testing::IsSubstring;

constexpr auto unbounded = std::numeric_limits<std::size_t>::max();

TEST(TableTest, has_columns_and_no_spaces_at_the_end) {
  const Table table({{"ADDRESS", 9}, {"METHODS"}}, unbounded);
  EXPECT_EQ(table.head(), "ADDRESS    METHODS\n");
  EXPECT_EQ(table.row({"10.0.0.7", "tcp:1"}), "10.0.0.7   tcp:1\n");
  EXPECT_EQ(table.row({"10.0.0.7", ""}), "10.0.0.7   -\n");
}

TEST(TableTest, never_wraps) {
  const Table table({{"ADDRESS", 9}, {"METHODS"}}, 16);
  EXPECT_EQ(table.row({"10.0.0.7", "tcp:123456789"}), "10.0.0.7   tc...\n");
  EXPECT_EQ(table.head(), "ADDRESS    ME...\n");
}

TEST(TableTest, shows_no_control_characters) {
  const Table table({{"MESSAGE"}}, unbounded);
  EXPECT_EQ(table.row({"a\x1b[2J\nb\x9b"}), "a\\x1b[2J\\nb\\x9b\n");
}

TEST(TableTest, shows_other_scripts_in_columns_of_their_width) {
  const Table table({{"REASON", 8}, {"SINCE"}}, unbounded);
  EXPECT_EQ(table.row({"Lärm", "now"}), "Lärm      now\n");
  EXPECT_EQ(table.row({"\xe2\x80\xaetxt", "now"}), "\\xe2\\x80\\xaetxt  now\n");
}

TEST(OutputTest, writes_sizes_and_numbers_for_people) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(12'345), "12.3 kB");
  EXPECT_EQ(bytes_text(700e6), "700 MB");
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(12.34), "12.3");
  EXPECT_EQ(number_text(4100.4), "4100");
  EXPECT_EQ(count_text(1, "ban"), "1 ban");
}

KnownStatus running(const Status& status) {
  KnownStatus known;
  known.running = true;
  known.server = to_json(status);
  known.warnings = status.warnings;
  return known;
}

TEST(StatusTextTest, says_what_an_operator_asks_first) {
  Status status;
  status.version = "0.1.0";
  status.process = 4711;
  status.database = "/var/lib/lekt/lekt.db";
  status.identity = "000102030405060708090a0b0c0d0e0f";
  status.totals.uptime_seconds = 3700;
  status.totals.clients = 12;
  status.totals.waiting = 2;
  status.totals.grace_seconds_left = 30;
  status.totals.handshakes = 1;
  status.totals.codes = {{ErrorCode::server_full, 4}};
  status.in_progress = {{Address::v4(0x0a000007), 5, "setup", 7.5, true}};
  status.warnings = {{ErrorCode::wal_growing, 1767323040, "the log grows"}};
  const std::string text = describe_status(running(status), unbounded);
  for (const char* part :
       {"WARNING       E603 since 2026-01-02 03:04:00: the log grows", "lektd 0.1.0, process 4711", "(1h 1m)",
        "12 clients, 2 of them waited for (30s more)", "10.0.0.7 in setup for 7.5s, TLS",
        "E401 4x: the server has as many clients or connections as it may have", "/var/lib/lekt/lekt.db",
        "Identity      000102030405060708090a0b0c0d0e0f of the change log"})
    EXPECT_PRED_FORMAT2(IsSubstring, part, text);
}

TEST(StatusTextTest, fits_every_width) {
  Status status;
  status.database = std::string(300, 'x');
  status.warnings = {{ErrorCode::wal_growing, 0, std::string(300, 'y') + "\x1b[2J"}};
  for (std::size_t width = 1; width < 120; width += 7) {
    const std::string text = describe_status(running(status), width);
    for (std::size_t begin = 0, end; begin < text.size(); begin = end + 1) {
      end = text.find('\n', begin);
      ASSERT_LE(end - begin, width);
    }
    EXPECT_EQ(text.find('\x1b'), text.npos);
  }
}

TEST(StatusTextTest, of_a_server_of_another_version_is_an_error_and_no_crash) {
  KnownStatus other = running({});
  other.server.erase("totals");
  EXPECT_THROW(describe_status(other, 80), CodedError);
}

}  // namespace

}  // namespace lekt::lektctl
