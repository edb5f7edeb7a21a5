// What lektctl says of wrong usage, of codes, and of output that nobody can read.
#include "common/errors.h"
#include "tests/integration/operators_command.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;

}  // namespace

TEST_F(OperatorsCommandTest, says_what_is_wrong_with_its_arguments) {
  expect_failed({}, 2, "E808 a subcommand is missing");
  expect_failed({"dance"}, 2, "E808");
  expect_failed({"ban", "10.0.0.1/8"}, 2, "E808 CIDR \"10.0.0.1/8\" is not an IPv4 address or a block");
  expect_failed({"changes", "--since", "yesterday"}, 2,
                "E808 --since \"yesterday\" is neither a time in UTC");
  expect_failed({"trace", "10.0.0.1", "--for", "25h"}, 2, "E808 --for \"25h\" is not a duration of 1s to 1d");
  expect_failed({"rejects", "--count", "1001"}, 2, "E808 --count \"1001\" is not a number from 1 to 1000");
  expect_failed({"devices", "--state", "here"}, 2,
                "E808 --state \"here\" is not one of connecting, registered");
  expect_failed({"devices", "--by", "name"}, 2, "E808 --by \"name\" is not one of subnet, type, group");
  expect_failed({"devices", "--count", "3"}, 2, "E808 --count requires --alerts");
  expect_failed({"clients"}, 1, "E503 cannot read");
  const Outcome unnamed = run(program_file("lektctl"), {"clients"});
  EXPECT_PRED_FORMAT2(IsSubstring, "name the server's database with --database or LEKT_DATABASE",
                      unnamed.errors);
}

TEST_F(OperatorsCommandTest, says_what_was_probably_meant) {
  expect_failed({"stat"}, 2, "did you mean `status`?");
  expect_failed({"clients", "--jsno"}, 2, "did you mean `--json`?");
  expect_failed({"ban", "127.0.0.1/8"}, 2, "did you mean 127.0.0.0/8?");
  expect_failed({"clients", "--block", "127.0.0.1/8"}, 2, "did you mean 127.0.0.0/8?");
  EXPECT_EQ(count(lektctl({"clients", "status"}).errors, "did you mean"), 0u)
      << "one subcommand is there already";
}

TEST_F(OperatorsCommandTest, explains_codes) {
  const Outcome one = run(program_file("lektctl"), {"explain", "E605"});
  EXPECT_PRED_FORMAT2(IsSubstring, "E605 (while the server runs)\n  Meaning: so many clients", one.output);
  EXPECT_PRED_FORMAT2(IsSubstring, "\n  Remedy:  look at the network", one.output);
  for (const char* text : {"605", "e605"})
    EXPECT_EQ(run(program_file("lektctl"), {"explain", text}).output, one.output);
  EXPECT_EQ(lines_of(run(program_file("lektctl"), {"explain"}).output).size(), error_catalogue().size() + 1);
  const Lines lines = lines_of(run(program_file("lektctl"), {"explain", "--json"}).output);
  ASSERT_EQ(lines.size(), error_catalogue().size());
  EXPECT_EQ(Json::parse(lines.front()).at("code"), "E101");
  EXPECT_NE(Json::parse(lines.front()).at("remedy"), "");
  expect_failed({"explain", "E199"}, 1, "E803 there is no code E199; for handshake there are E101, E102");
  EXPECT_PRED_FORMAT2(IsSubstring, "E903 (device sessions)\n",
                      run(program_file("lektctl"), {"explain", "903"}).output);
  expect_failed({"explain", "E999"}, 1,
                "E803 there is no code E999; for device sessions there are E901, E902");
  for (const char* text : {"", "E", "banana", "E60", "E6055", "-605", "E-05", "E605 "})
    expect_failed({"explain", text}, 2, "E808 CODE \"");
}

TEST_F(OperatorsCommandTest, ends_with_an_error_when_its_output_cannot_be_written) {
  start();
  const std::string lektctl = program_file("lektctl") + " --database " + database().string() + " ";
  const std::string lektd = program_file("lektd") + " ";
  for (const std::string& command : {lektctl + "--help", lektctl + "--version", lektctl + "status",
                                     lektctl + "clients", lektctl + "explain", lektctl + "export",
                                     lektctl + "unban --help", lektd + "--help", lektd + "--check-config"}) {
    const Outcome outcome = run("/bin/sh", {"-c", command + " > /dev/full"});
    EXPECT_EQ(outcome.status, 1) << command;
    EXPECT_PRED_FORMAT2(IsSubstring, "E706 cannot write to standard output", outcome.errors) << command;
  }
}

TEST_F(OperatorsCommandTest, follows_changes_no_longer_when_nobody_reads_them) {
  const RawClient client = joined(start().port(), "127.0.0.2");
  const std::string follow =
      program_file("lektctl") + " --database " + database().string() + " changes --follow";
  const Outcome piped = run("/bin/sh", {"-c", follow + " | head -n 2"});
  EXPECT_PRED_FORMAT2(IsSubstring, "added", piped.output) << "and it has ended without a further change";
  EXPECT_EQ(piped.errors, "");
  const Outcome ignored = run("/bin/sh", {"-c", "trap '' PIPE; " + follow + " | head -n 2"});
  EXPECT_PRED_FORMAT2(IsSubstring, "E706 cannot write to standard output: Broken pipe", ignored.errors);
}

TEST_F(OperatorsCommandTest, explains_each_subcommand) {
  const std::string all = run(program_file("lektctl"), {"--help"}).output;
  for (const char* name :
       {"status",  "clients", "client", "changes", "watch",   "bans",   "rejects", "traces",
        "kick",    "ban",     "unban",  "trace",   "untrace", "backup", "restore", "check",
        "compact", "export",  "import", "explain", "devices", "device"}) {
    EXPECT_PRED_FORMAT2(IsSubstring, std::string("\n  ") + name + " ", all);
    const Outcome help = run(program_file("lektctl"), {name, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_PRED_FORMAT2(IsSubstring, "Exit codes: 0", help.output);
    for (const std::string& line : lines_of(help.output)) EXPECT_LE(line.size(), 120u) << line;
  }
}

}  // namespace lekt::test
