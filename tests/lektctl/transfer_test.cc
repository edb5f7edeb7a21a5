// An export is read back as it was; a line that is wrong is named, and nothing comes of the rest.
#include "lektctl/transfer.h"

#include <gtest/gtest.h>

#include <sstream>

#include "common/errors.h"
#include "storage/database.h"
#include "storage/stopped_database.h"
#include "tests/support/support.h"

namespace lekt::lektctl {

namespace {

using testing::IsSubstring;

const std::string header =
    R"({"type":"lekt-export","format":1,"time":"2026-01-02T03:04:00Z","version":"0.1.0","clients":1,"bans":1})"
    "\n";
const std::string client =
    R"({"type":"client","address":"10.0.0.7","since":"2026-01-02T03:04:00Z","last_heard":null,)"
    R"("methods":[{"index":1,"information":"00001ed2"},{"index":9,"information":""}]})"
    "\n";
const std::string ban =
    R"({"type":"ban","block":"10.9.0.0/16","since":"2026-01-02T03:04:00Z","reason":"floods"})"
    "\n";

ImportedLines read(const std::string& text) {
  std::istringstream input(text);
  return read_import(input);
}

void expect_refused(const std::string& text, const std::string& line, const std::string& why) {
  try {
    read(text);
    ADD_FAILURE() << "was accepted: " << text;
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::import_wrong);
    EXPECT_PRED_FORMAT2(IsSubstring, "E807 " + line + ": ", error.what());
    EXPECT_PRED_FORMAT2(IsSubstring, why, error.what());
    EXPECT_PRED_FORMAT2(IsSubstring, "nothing was imported", error.what());
  }
}

std::string replaced(std::string text, const std::string& part, const std::string& other) {
  return text.replace(text.find(part), part.size(), other);
}

TEST(TransferTest, reads_clients_and_bans) {
  const ImportedLines lines = read(header + client + ban);
  ASSERT_EQ(lines.clients.size(), 1u);
  EXPECT_EQ(to_string(lines.clients[0].address), "10.0.0.7");
  EXPECT_EQ(lines.clients[0].since, 1767323040);
  EXPECT_EQ(lines.clients[0].methods, (Methods{{1, tcp_information(7890)}, {9, ""}}));
  ASSERT_EQ(lines.bans.size(), 1u);
  EXPECT_EQ(lines.bans[0].reason, "floods");
}

TEST(TransferTest, refuses_a_wrong_line_by_its_number) {
  expect_refused("", "line 1", "empty");
  expect_refused(client, "line 1", "begins with a line of type lekt-export");
  expect_refused(replaced(header, "\"format\":1", "\"format\":2"), "line 1", "another format");
  expect_refused(header + "rubbish\n" + ban, "line 2", "not a JSON object");
  expect_refused(header + replaced(client, "client", "guest"), "line 2", "the type \"guest\" is not known");
  expect_refused(header + client + replaced(ban, "/16", "/8"), "line 3", "bits behind its prefix");
  expect_refused(header + replaced(client, "10.0.0.7", "0.0.0.0"), "line 2", "must be an IPv4 address");
  expect_refused(header + replaced(client, "00001ed2", "00000000"), "line 2", "port 0 of method 1");
  expect_refused(header + replaced(client, "00001ed2", "00001ed200000000"), "line 2", "must have 4 bytes");
  const std::string device = replaced(client, "\"index\":1,", "\"index\":3006,");
  expect_refused(header + device, "line 2", "method 3006 (device) has 7890 bytes");
  expect_refused(header + replaced(device, "00001ed2", "0000000000000000"), "line 2",
                 "method device must have a length word, as many bytes");
  expect_refused(header + replaced(client, "00001ed2", "001ed2"), "line 2", "multiple of 4");
  expect_refused(header + replaced(client, "00001ed2", "zz"), "line 2", "must be hexadecimal");
  expect_refused(header + replaced(client, "\"index\":9", "\"index\":0"), "line 2", "whole number from 1");
  expect_refused(header + replaced(client, "\"since\":\"2026-01-02T03:04:00Z\"", "\"since\":7"), "line 2",
                 "\"since\" must be a string");
  expect_refused(header + replaced(ban, "floods", "two\\nlines") + client, "line 2", "control character");
}

TEST(TransferTest, refuses_an_address_that_comes_twice) {
  expect_refused(replaced(header, "\"clients\":1", "\"clients\":2") + client + client + ban, "line 3",
                 "10.0.0.7 is in line 2 already");
}

TEST(TransferTest, notices_a_file_that_was_cut_off_or_has_more_than_its_header_says) {
  expect_refused(header + client + ban + replaced(ban, "10.9", "10.8"), "line 5",
                 "1 bans, there are 1 and 2");
  expect_refused(header + client, "line 3", "not whole");
  expect_refused(header, "line 2", "not whole");
}

/// The line of a client with methods of 4 KiB each, none of them built in.
std::string large_client(int count) {
  std::string methods;
  for (int index = 4000; index < 4000 + count; ++index)
    methods += (methods.empty() ? "" : ",") + std::string(R"({"index":)") + std::to_string(index) +
               R"(,"information":")" + std::string(8192, '0') + "\"}";
  return R"({"type":"client","address":"10.0.0.7","since":"2026-01-02T03:04:00Z","last_heard":null,"methods":[)" +
         methods + "]}\n";
}

TEST(TransferTest, takes_a_client_as_large_as_a_server_with_larger_packets_may_have) {
  const ImportedLines lines = read(header + large_client(100) + ban);
  ASSERT_EQ(lines.clients.size(), 1u);
  EXPECT_EQ(lines.clients[0].methods.size(), 100u);
}

TEST(TransferTest, refuses_what_no_packet_could_hold) {
  expect_refused(header + large_client(4096), "line 2", "fit a packet");
}

TEST(TransferTest, takes_blank_lines_at_the_end_and_nowhere_else) {
  EXPECT_EQ(read(header + client + ban + "\n \t\r\n\n").clients.size(), 1u);
  expect_refused(header + client + "\n" + ban, "line 4", "line 3 before it is blank");
  expect_refused("\n" + header, "line 1", "not a JSON object");
  expect_refused(header + client + "\n\n", "line 3", "not whole");
}

// What one database exports, another one imports: the same clients, methods and bans.
TEST(TransferTest, brings_everything_into_another_database) {
  test::Random random;
  const test::TempDirectory directory(test::directory_in_memory());
  const MethodCatalogue catalogue;
  const auto settings = [&](const char* name) {
    return storage::StoppedDatabase::Settings{.path = directory.path() / name,
                                              .catalogue = &catalogue,
                                              .program_version = "0.1.0",
                                              .now = 1767323040,
                                              .missing = storage::StoppedDatabase::Missing::create};
  };
  std::vector<storage::PortableClient> clients;
  for (std::uint32_t number = 1; number <= 300; ++number) {
    Methods methods;
    for (std::uint64_t count = random.below(4); count > 0; --count)
      methods.push_back(
          {static_cast<std::uint32_t>(random.between(2, 60'000)), random.bytes(4 * random.below(20))});
    if (random.chance(80))
      methods.push_back({1, tcp_information(static_cast<std::uint16_t>(random.between(1, 65535)))});
    normalise(methods);
    clients.push_back(
        {Address::v4(number * 7919), 1767300000 + number, random.chance(50) ? 0 : 1767310000, methods});
  }
  const std::vector<storage::Ban> bans = {
      {parse_block("10.0.0.0/8").value(), 1767300000, "caf\xc3\xa9 \"quoted\" \\"},
      {Block(Address::v4(0x0b000001)), 1767300001, "", 1767300061}};
  { storage::StoppedDatabase(settings("a.db")).import(clients, bans); }
  std::string first;
  std::string second;
  storage::Reader a(directory.path() / "a.db");
  export_lines(a, 1767323040, [&](const std::string& line) { first += line; });
  const ImportedLines lines = read(first);
  { storage::StoppedDatabase(settings("b.db")).import(lines.clients, lines.bans); }
  storage::Reader b(directory.path() / "b.db");
  export_lines(b, 1767323040, [&](const std::string& line) { second += line; });
  EXPECT_EQ(first, second);
  EXPECT_EQ(lines.clients.size(), 300u);
  EXPECT_EQ(lines.bans.front().until.value_or(0) + lines.bans.back().until.value_or(0), 1767300061);
}

// Any bytes are refused or read; nothing else happens.
TEST(TransferTest, bears_any_bytes) {
  test::Random random;
  const std::string whole = header + client + ban;
  int refused = 0;
  for (int round = 0; round < (test::sanitized ? 500 : 5000); ++round) {
    std::string text = whole;
    for (std::uint64_t edits = 1 + random.below(4); edits > 0; --edits)
      text[random.below(text.size())] = static_cast<char>(random.next());
    try {
      read(text);
    } catch (const CodedError& error) {
      ASSERT_EQ(error.code(), ErrorCode::import_wrong);
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace

}  // namespace lekt::lektctl
