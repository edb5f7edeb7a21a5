// The other subcommands of `lekt`, its help, and what it says about wrong usage.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/client/fake_server.h"
#include "tests/client/program.h"

namespace lekt::test {
namespace {

void answer_once(FakeConnection& connection) {
  EXPECT_TRUE(connection.let_join().empty());
  connection.answer(100, {added("10.0.0.7", tcp(7890)), added("10.0.0.10", {})});
  connection.expect_end();
}

TEST(ProgramPeers, prints_a_table) {
  FakeServer server({answer_once});
  Program program({"peers", "--server", server.name()});
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.out(), "ADDRESS    METHODS\n10.0.0.7   tcp:7890\n10.0.0.10  -\n");
  EXPECT_EQ(program.error(), "");
}

TEST(ProgramPeers, prints_json_lines) {
  FakeServer server({answer_once});
  Program program({"peers", "--server", server.name(), "--format", "json"});
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.out(), R"({"address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7890}]})"
                           "\n"
                           R"({"address":"10.0.0.10","methods":[]})"
                           "\n");
}

TEST(ProgramPeers, fails_at_the_first_trouble) {
  FakeServer server({[](FakeConnection& connection) { connection.let_join(); }});
  Program cut({"peers", "--server", server.name()});
  EXPECT_EQ(cut.wait(), 1);
  EXPECT_TRUE(cut.error().starts_with("lekt: E702 ")) << cut.error();
  Program unreachable({"peers", "--server", "127.0.0.1:1"});
  EXPECT_EQ(unreachable.wait(), 1);
  EXPECT_EQ(unreachable.out(), "");
  EXPECT_EQ(unreachable.error(), "lekt: E701 cannot connect to 127.0.0.1:1: Connection refused\n");
}

TEST(ProgramPing, exits_with_0_when_it_is_accepted) {
  FakeServer server({[](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.send(encode(AcceptPacket{}));
    connection.expect_end();
  }});
  Program program({"ping", "--server", server.name()});
  EXPECT_EQ(program.wait(), 0);
  EXPECT_TRUE(program.out().starts_with("accepted by " + server.name() + " in ")) << program.out();
}

TEST(ProgramPing, exits_with_1_and_the_reason_when_it_is_not) {
  FakeServer server({[](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.expect_end();
  }});
  Program program({"ping", "--server", server.name(), "--timeout", "50ms"});
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(program.out(), "");
  EXPECT_EQ(program.error(), "lekt: E704 the server did not answer within 50ms\n");
}

const std::string decoded =
    "packet 1, client to server\n"
    "  0000  4c 45 4b 54 48 00 00 00  handshake, version 0.0.0\n"
    "  0008  00 00 00 01              number of known methods: 1\n"
    "  000c  00 00 00 01              supported methods: 1 (tcp)\n";

TEST(ProgramDecode, reads_hexadecimal_and_raw_bytes) {
  const std::string digits = "4c454b54 48000000\n00:00:00:01 00000001\n";
  Program from_hex({"decode"}, digits);
  EXPECT_EQ(from_hex.wait(), 0);
  EXPECT_EQ(from_hex.out(), decoded);
  Program from_raw({"decode"}, hex("4c454b54 48000000 00000001 00000001"));
  EXPECT_EQ(from_raw.wait(), 0);
  EXPECT_EQ(from_raw.out(), decoded);
  Program forced({"decode", "--raw"}, digits);
  EXPECT_EQ(forced.wait(), 1);
}

TEST(ProgramDecode, reads_a_file) {
  const TempDirectory directory;
  const std::string path = directory.path() / "bytes";
  std::ofstream(path) << "4c454b5448000000 0000000100000001";
  Program program({"decode", path, "--from", "client"});
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.out(), decoded);
}

TEST(ProgramDecode, exits_with_1_when_it_does_not_understand) {
  Program cut({"decode"}, "4c454b54 48000000 00000001 000000");
  EXPECT_EQ(cut.wait(), 1);
  EXPECT_NE(cut.out().find("cut off"), std::string::npos);
  Program other({"decode", "--from", "server"}, "4c454b54 48000000 00000001 00000001");
  EXPECT_EQ(other.wait(), 1);
}

TEST(ProgramDecode, knows_the_methods_of_its_catalogue) {
  const std::string response = "4c454b54 54000000 00000002 00000002 0a0b0000";
  Program program({"decode", "--from", "client", "--catalogue", "2:chat:sized"}, response);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_NE(program.out().find("chat:0a0b"), std::string::npos);
}

const std::string bye_of_a_device = "4c454b54 42000000 01234567 89abcdef 00000000 00000000";
const std::string acknowledgment_of_a_device = "4c454b54:4e000000:0123456789abcdef:0000000000000004";

TEST(ProgramDecodeDatagrams, explains_one_a_line) {
  Program program({"decode", "--datagram"}, bye_of_a_device + "\r\n\n" + acknowledgment_of_a_device);
  EXPECT_EQ(program.wait(), 0) << program.error();
  EXPECT_EQ(program.out(),
            "datagram 1, device to server\n"
            "  0000  4c 45 4b 54 42 00 00 00  bye, version 0.0.0\n"
            "  0008  01 23 45 67 89 ab cd ef  registration: 0123456789abcdef\n"
            "  0010  00 00 00 00              number: none\n"
            "  0014  00 00 00 00              acknowledged: 0\n"
            "datagram 2, of either side\n"
            "  0000  4c 45 4b 54 4e 00 00 00  acknowledgment, version 0.0.0\n"
            "  0008  01 23 45 67 89 ab cd ef  registration: 0123456789abcdef\n"
            "  0010  00 00 00 00              number: none\n"
            "  0014  00 00 00 04              acknowledged: 4\n");
}

TEST(ProgramDecodeDatagrams, obeys_a_direction_that_is_given) {
  Program sent({"decode", "--datagram", "--from", "client"}, acknowledgment_of_a_device);
  EXPECT_EQ(sent.wait(), 0);
  EXPECT_TRUE(sent.out().starts_with("datagram 1, device to server\n"));
  Program received({"decode", "--datagram", "--from", "server"}, acknowledgment_of_a_device);
  EXPECT_EQ(received.wait(), 0);
  EXPECT_TRUE(received.out().starts_with("datagram 1, server to device\n"));
}

TEST(ProgramDecodeDatagrams, go_on_after_one_that_is_wrong_and_end_with_1) {
  Program program({"decode", "--datagram"}, "4c454b54\n" + bye_of_a_device + "\n");
  EXPECT_EQ(program.wait(), 1);
  EXPECT_TRUE(program.out().starts_with(
      "datagram 1, of either side\n"
      "  wrong: E916 the datagram is cut off: it has 4 bytes (4 bytes from offset 0 not understood)\n"
      "datagram 2, device to server\n"))
      << program.out();
}

TEST(ProgramDecodeDatagrams, a_line_that_is_not_hexadecimal_is_named) {
  Program program({"decode", "--datagram"}, bye_of_a_device + "\n\n4c45zz\n");
  EXPECT_EQ(program.wait(), 2);
  EXPECT_EQ(program.out(), "");
  EXPECT_EQ(program.error(),
            "lekt: E705 line 3 is not hexadecimal; digits, two a byte, white space and ':' are allowed\n"
            "lekt: see `lekt decode --help`\n");
}

struct Usage {
  std::vector<std::string> arguments;
  std::string said;
};

TEST(ProgramUsage, a_wrong_value_is_named_with_what_is_allowed) {
  const std::vector<std::string> join = {"join", "--server", "127.0.0.1"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), join.begin(), join.end());
    return more;
  };
  const std::vector<Usage> usages = {
      {{}, "a subcommand is missing: join, peers, ping, decode or device"},
      {{"jion"}, "not expected: jion"},
      {{"ping"}, "--server is required"},
      {{"ping", "--server", "[::1]"}, "IPv6 is not possible"},
      {with({"--interval", "5"}), "--interval \"5\" is not a duration of 10ms to 1d, for example 5s"},
      {with({"--interval", "1ms"}), "--interval \"1ms\" is not a duration of 10ms to 1d"},
      {with({"--source", "::1"}), "--source \"::1\" is not an IPv4 address, for example 10.0.0.7"},
      {with({"--format", "xml"}), "--format \"xml\" is not one of text|json|hosts"},
      {with({"--format", "hosts"}), "--format hosts needs --output FILE"},
      {with({"--format", "prometheus"}), "--format prometheus needs --output FILE"},
      {with({"--format", "prometheus", "--output", "x"}), "--output \"x\" has to end in .json"},
      {with({"--output", "x"}), "--output belongs to --format hosts and --format prometheus"},
      {with({"--count", "0"}), "--count \"0\" is not a number from 1"},
      {with({"--count", "-1"}), "--count \"-1\" is not a number from 1"},
      {with({"--method", "tcp"}), "tcp:PORT, NAME:TEXT, NAME:HEX or INDEX:HEX is expected"},
      {with({"--method", "tcp:1", "--method", "tcp:2"}), "method 1 is given twice"},
      {with({"--catalogue", "1:web:sized"}), "method 1 is the built-in tcp and cannot be redefined"},
      {with({"--bogus"}), "not expected: --bogus"},
      {{"decode", "/nonexistent"}, "cannot read /nonexistent: No such file or directory"},
      {{"decode", "--hex", "--raw"}, "--hex excludes --raw"},
      {{"decode", "--datagram", "--raw"}, "--raw excludes --datagram"},
      {{"decode"}, "it has no bytes"},
      {{"decode", "--datagram"}, "it has no datagram"}};
  for (const Usage& usage : usages) {
    Program program(usage.arguments);
    EXPECT_EQ(program.wait(), 2) << usage.said;
    EXPECT_TRUE(program.error().starts_with("lekt: E705 ")) << program.error();
    EXPECT_NE(program.error().find(usage.said), std::string::npos) << program.error();
    EXPECT_EQ(program.out(), "");
  }
}

TEST(ProgramUsage, hexadecimal_that_is_none_is_refused) {
  Program program({"decode", "--hex"}, "4c4");
  EXPECT_EQ(program.wait(), 2);
  EXPECT_NE(program.error().find("the input is not hexadecimal"), std::string::npos);
}

TEST(ProgramUsage, every_help_documents_the_exit_codes) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--help"}, {"join", "--help"}, {"peers", "--help"}, {"ping", "--help"}, {"decode", "--help"}}) {
    Program program(arguments);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_NE(program.out().find("Exit codes: 0 "), std::string::npos) << arguments.front();
  }
}

TEST(ProgramUsage, the_version_names_program_and_protocol) {
  Program program({"--version"});
  EXPECT_EQ(program.wait(), 0);
  EXPECT_TRUE(program.out().starts_with("lekt ")) << program.out();
  EXPECT_TRUE(program.out().ends_with(", protocol 0.0\n")) << program.out();
}

}  // namespace
}  // namespace lekt::test
