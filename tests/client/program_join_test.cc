// `lekt join` against a scripted server: what it prints, to the letter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/client/fake_server.h"
#include "tests/client/program.h"
#include "tests/support/paths.h"

namespace lekt::test {
namespace {

const std::vector<AddedEntry> two = {added("10.0.0.7", tcp(7890)), added("10.0.0.9", {})};

/// Answers three times: two peers; one changed, one gone; nothing.
void answer_three_times(FakeConnection& connection) {
  connection.let_join();
  connection.answer(100, two);
  connection.receive<HeartbeatPacket>();
  connection.send(update(100, {added("10.0.0.7", tcp(7891))}) +
                  update(100, std::vector<std::string_view>{"10.0.0.9"}) + closing(101));
  connection.answer(101, {});
  connection.expect_end();
}

std::vector<std::string> join(const FakeServer& server, const std::vector<std::string>& more,
                              const std::string& interval = "10ms") {
  std::vector<std::string> arguments = {"join", "--server", server.name(), "--interval", interval};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(ProgramJoin, prints_the_list_and_then_changes) {
  FakeServer server({answer_three_times});
  Program program(join(server, {"--count", "3"}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.out(), "+ 10.0.0.7 tcp:7890\n+ 10.0.0.9\n~ 10.0.0.7 tcp:7891\n- 10.0.0.9\n");
  EXPECT_THAT(program.error(),
              testing::MatchesRegex("lekt: joined " + server.name() + " from 127.0.0.1:[0-9]+\n"));
}

TEST(ProgramJoin, takes_a_name_as_it_is) {
  FakeServer server({[](FakeConnection& connection) {
    EXPECT_EQ(names_in(connection.let_join()), std::vector<std::string>{"kitchen \"pi\""});
    connection.answer(100, {});
    connection.expect_end();
  }});
  Program program(join(server, {"--count", "1", "--name", "kitchen \"pi\""}));
  EXPECT_EQ(program.wait(), 0) << program.error();
}

TEST(ProgramJoin, has_one_name) {
  Program program({"join", "--server", "127.0.0.1:1", "--name", "a", "--method", "name:b"});
  EXPECT_EQ(program.wait(), 2);
  EXPECT_NE(program.error().find("--name and a --method name:TEXT exclude each other"), std::string::npos);
}

TEST(ProgramJoin, says_that_others_cannot_reach_a_loopback_address) {
  FakeServer server({answer_three_times});
  Program program(join(server, {"--count", "3", "--method", "tcp:4000"}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_NE(
      program.error().find("lekt: E710 others are told 127.0.0.1 for this program, and 10.0.0.7 for one "
                           "cannot reach it by that; name the coordinator by its address in the network "
                           "instead of " +
                           server.name() + "\n"),
      std::string::npos)
      << program.error();
}

TEST(ProgramJoin, says_nothing_of_loopback_addresses_to_those_who_all_have_one) {
  FakeServer server({[](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {added("127.0.0.2", tcp(1)), added("127.0.0.3", tcp(2))});
    connection.expect_end();
  }});
  Program program(join(server, {"--count", "1", "--method", "tcp:4000"}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.error().find("E710"), std::string::npos) << program.error();
}

TEST(ProgramJoin, prints_json) {
  FakeServer server({answer_three_times});
  Program program(join(server, {"--count", "3", "--format", "json"}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.out(),
            R"({"event":"joined","server":")" + server.name() +
                R"(","address":"127.0.0.1"})"
                "\n"
                R"({"event":"added","address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7890}]})"
                "\n"
                R"({"event":"added","address":"10.0.0.9","methods":[]})"
                "\n"
                R"({"event":"complete","peers":2})"
                "\n"
                R"({"event":"changed","address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7891}],)"
                R"("methods_before":[{"index":1,"name":"tcp","port":7890}]})"
                "\n"
                R"({"event":"removed","address":"10.0.0.9"})"
                "\n");
}

TEST(ProgramJoin, keeps_a_hosts_file) {
  const TempDirectory directory;
  const std::string path = directory.path() / "hosts";
  FakeServer server({answer_three_times});
  Program program(join(server, {"--count", "3", "--format", "hosts", "--output", path}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.out(), "");
  EXPECT_EQ(read_text(path), "# Peers that the coordinator " + server.name() +
                                 " lists. Rewritten by `lekt join`; edits are lost.\n"
                                 "10.0.0.7 lekt-10-0-0-7  # tcp:7891\n");
}

TEST(ProgramJoin, a_hosts_file_of_an_empty_network_is_written_too) {
  const TempDirectory directory;
  const std::string path = directory.path() / "hosts";
  FakeServer server({[](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {});
    connection.expect_end();
  }});
  Program program(join(server, {"--count", "1", "--format", "hosts", "--output", path}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(read_text(path).find('\n'), read_text(path).size() - 1);
}

TEST(ProgramJoin, keeps_a_file_of_targets_for_prometheus) {
  const TempDirectory directory;
  const std::string path = directory.path() / "lekt.json";
  FakeServer server({answer_three_times});
  Program program(join(server, {"--count", "3", "--format", "prometheus", "--output", path}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.out(), "");
  const auto groups = nlohmann::json::parse(read_text(path));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0]["targets"], nlohmann::json({"10.0.0.7:7891"}));
  EXPECT_EQ(groups[0]["labels"]["__meta_lekt_server"], server.name());
}

TEST(ProgramJoin, a_command_finds_its_change_in_the_file) {
  const TempDirectory directory;
  const std::string path = directory.path() / "hosts";
  const std::string seen = directory.path() / "seen";
  FakeServer server({[](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, two);
    connection.expect_end();
  }});
  Program program(join(server, {"--count", "1", "--format", "hosts", "--output", path, "--exec",
                                "grep -o \"^$LEKT_ADDRESS \" " + path + " >> " + seen}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(read_text(seen), "10.0.0.7 \n10.0.0.9 \n");
}

TEST(ProgramJoin, does_not_join_when_the_hosts_file_cannot_be_written) {
  Program program({"join", "--server", "127.0.0.1:1", "--format", "hosts", "--output", "/proc/hosts"});
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(program.error(),
            "lekt: E706 cannot create a file beside \"/proc/hosts\": No such file or directory\n");
}

TEST(ProgramJoin, runs_a_command_for_each_event_with_the_event_in_its_environment) {
  const TempDirectory directory;
  const std::string path = directory.path() / "events";
  const std::string first =
      "joined|127.0.0.1||||\n"
      "added|10.0.0.7|tcp:7890||7890|\n"
      "added|10.0.0.9||||\n"
      "complete|||||2\n";
  FakeServer server({[&](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, two);
    // What happens to a peer while a command waits would be told in one.
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(path) && read_text(path) == first; }));
    connection.receive<HeartbeatPacket>();
    connection.send(update(100, {added("10.0.0.7", tcp(7891))}) +
                    update(100, std::vector<std::string_view>{"10.0.0.9"}) + closing(101));
    connection.expect_end();
  }});
  Program program(join(
      server,
      {"--count", "2", "--exec",
       "echo \"$LEKT_EVENT|$LEKT_ADDRESS|$LEKT_METHODS|$LEKT_METHODS_BEFORE|$LEKT_TCP_PORT|$LEKT_PEERS\" "
       ">> " +
           path}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(read_text(path), first + "changed|10.0.0.7|tcp:7891|tcp:7890|7891|\nremoved|10.0.0.9||||\n");
}

TEST(ProgramJoin, a_slow_command_delays_no_heartbeat) {
  const TempDirectory directory;
  const std::string go = directory.path() / "go";
  const std::string done = directory.path() / "done";
  FakeServer server({[&](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, two);
    for (int i = 0; i < 5; ++i) connection.answer(100, {});
    EXPECT_FALSE(std::filesystem::exists(done));
    std::ofstream(go).put('\n');
    connection.answer(100, {});
    connection.expect_end();
  }});
  // The first command ends only when six heartbeats have been answered.
  Program program(join(
      server, {"--count", "7", "--exec", "until test -e " + go + "; do sleep 0.01; done; touch " + done}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_TRUE(std::filesystem::exists(done));
}

TEST(ProgramJoin, a_command_that_fails_is_reported_and_ends_nothing) {
  FakeServer server({answer_three_times});
  Program program(join(server, {"--count", "3", "--exec", "test $LEKT_EVENT != complete"}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_NE(program.error().find("lekt: E706 the command for 'complete' ended with exit code 1\n"),
            std::string::npos);
}

TEST(ProgramJoin, announces_the_methods_of_its_flags) {
  FakeServer server({[](FakeConnection& connection) {
    const auto handshake = connection.receive<HandshakePacket>();
    EXPECT_TRUE(handshake.supports(1) && handshake.supports(2) && handshake.supports(9));
    connection.send(encode(AcceptPacket{}) + encode(RequestPacket{.index = 2}));
    connection.receive_bytes(hex("4c454b54 54000000 00000002 00000002 0a0b0000"));
    connection.send(encode(RequestPacket{.index = 9}));
    connection.receive_bytes(hex("4c454b54 54000000 00000009 01020300"));
    connection.send(encode(RequestPacket{}));
    AddedEntry entry = added("10.0.0.7", tcp(4000));
    entry.methods.push_back({2, hex("00000002 0a0b0000")});
    connection.answer(100, {entry});
    connection.expect_end();
  }});
  Program program(join(server, {"--count", "1", "--catalogue", "2:chat:sized", "--method", "tcp:4000",
                                "--method", "chat:0a0b", "--method", "9:010203"}));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.out(), "+ 10.0.0.7 tcp:4000 chat:0a0b\n");
}

TEST(ProgramJoin, comes_back_by_itself_and_repeats_nothing) {
  FakeServer server({[](FakeConnection& connection) {
                       connection.let_join();
                       connection.answer(100, two);
                     },
                     [](FakeConnection& connection) {
                       connection.let_join();
                       EXPECT_EQ(connection.answer(100, {two[0], added("10.0.0.8", {})}), 100);
                       connection.expect_end();
                     }});
  Program program(join(server, {"--count", "2"}, "1h"));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.out(), "+ 10.0.0.7 tcp:7890\n+ 10.0.0.9\n+ 10.0.0.8\n");
  EXPECT_NE(
      program.error().find("lekt: E702 the server closed the connection without a reason; next attempt in "),
      std::string::npos);
}

TEST(ProgramJoin, leaves_cleanly_on_signals) {
  for (const int number : {SIGINT, SIGTERM}) {
    std::atomic<bool> answered = false;
    FakeServer server({[&](FakeConnection& connection) {
      connection.let_join();
      connection.answer(100, two);
      answered = true;
      connection.expect_end();
    }});
    Program program(join(server, {}, "1h"));
    ASSERT_TRUE(eventually([&] { return answered.load() && !program.out().empty(); }));
    program.signal(number);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(program.out(), "+ 10.0.0.7 tcp:7890\n+ 10.0.0.9\n");
  }
}

TEST(ProgramJoin, gives_up_when_it_is_refused_for_good) {
  FakeServer server({[](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.send(encode(RejectPacket{.text = "E104 too many"}));
  }});
  Program program(join(server, {}));
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(program.error(), "lekt: E104 too many; trying again would not help\n");
}

TEST(ProgramJoin, says_that_a_full_disk_keeps_it_from_printing) {
  FakeServer server({[](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, two);
    connection.expect_end();
  }});
  Program program("/bin/sh",
                  {"-c", program_file("lekt") + " join --count 1 --server " + server.name() + " > /dev/full"},
                  "");
  EXPECT_EQ(program.wait(), 1);
  EXPECT_NE(program.error().find("lekt: E706 cannot write to standard output: No space left on device"),
            std::string::npos);
}

}  // namespace
}  // namespace lekt::test
