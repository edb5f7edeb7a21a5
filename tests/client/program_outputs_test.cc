// `lekt join` with outputs that are in trouble: the membership goes on, and programs are told what happens.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>

#include "common/descriptor.h"
#include "tests/client/fake_server.h"
#include "tests/client/program.h"
#include "tests/support/paths.h"

namespace lekt::test {
namespace {

const std::vector<AddedEntry> one_peer = {added("10.0.0.7", tcp(7890))};

std::vector<std::string> join_quickly(const FakeServer& server, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"join", "--server", server.name(), "--interval", "10ms"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// The numbers of a process's children, zombies among them, without the space at the end.
std::string children_of(const std::string& process) {
  std::string children = read_text("/proc/" + process + "/task/" + process + "/children");
  if (!children.empty()) children.pop_back();
  return children;
}

/// Answers until the client leaves. Yields how often.
int answer_until_it_leaves(FakeConnection& connection, const std::atomic<bool>& leaving) {
  for (int answers = 0;; ++answers) {
    try {
      connection.answer(100, {});
    } catch (const std::exception&) {
      EXPECT_TRUE(leaving) << "the client has left by itself";
      return answers;
    }
  }
}

TEST(ProgramOutputs, a_program_is_told_of_the_connection_and_can_tell_an_empty_list_from_none) {
  FakeServer server({[](FakeConnection& connection) {
                       connection.let_join();
                       connection.answer(100, {});
                     },
                     [](FakeConnection& connection) {
                       connection.receive<HandshakePacket>();
                       connection.send(encode(RejectPacket{.text = "E405 busy"}));
                     },
                     [](FakeConnection& connection) {
                       connection.let_join();
                       connection.answer(101, one_peer);
                     },
                     [](FakeConnection& connection) {
                       connection.receive<HandshakePacket>();
                       connection.send(encode(RejectPacket{.text = "E104 too many"}));
                     }});
  Program program(join_quickly(server, {"--format", "json"}));
  EXPECT_EQ(program.wait(), 1);
  std::string out = program.out();
  for (std::size_t at = 0; (at = out.find("\"retry_in_ms\":", at)) != out.npos;) {
    at += 14;
    if (out[at] != 'n') out.replace(at, out.find('}', at) - at, "N");
  }
  const std::string lost =
      "{\"event\":\"lost\",\"server\":\"" + server.name() +
      "\",\"code\":\"E702\",\"reason\":\"E702 the server closed the connection without a "
      "reason\",\"retry_in_ms\":N}\n";
  const std::string joined =
      "{\"event\":\"joined\",\"server\":\"" + server.name() + "\",\"address\":\"127.0.0.1\"}\n";
  const std::string refused = "{\"event\":\"refused\",\"server\":\"" + server.name() + "\",";
  EXPECT_EQ(out,
            joined + "{\"event\":\"complete\",\"peers\":0}\n" + lost + refused +
                "\"code\":\"E405\",\"reason\":\"E405 busy\",\"retry_in_ms\":N}\n" + joined +
                "{\"event\":\"added\",\"address\":\"10.0.0.7\",\"methods\":[{\"index\":1,\"name\":\"tcp\","
                "\"port\":7890}]}\n{\"event\":\"complete\",\"peers\":1}\n" +
                lost + refused + "\"code\":\"E104\",\"reason\":\"E104 too many\",\"retry_in_ms\":null}\n");
}

TEST(ProgramOutputs, an_attempt_that_fails_as_the_one_before_is_no_event) {
  const auto refuse = [](const char* text) {
    return [text](FakeConnection& connection) {
      connection.receive<HandshakePacket>();
      connection.send(encode(RejectPacket{.text = text}));
    };
  };
  FakeServer server({refuse("E405 busy"), refuse("E405 busy still"), refuse("E104 too many")});
  Program program(join_quickly(server, {"--format", "json"}));
  EXPECT_EQ(program.wait(), 1);
  const std::string out = program.out();
  for (const char* code : {"\"E405\"", "\"E104\""}) EXPECT_EQ(out.find(code), out.rfind(code)) << out;
  EXPECT_EQ(std::ranges::count(out, '\n'), 2) << out;
}

TEST(ProgramOutputs, a_reader_who_does_not_read_holds_up_neither_heartbeats_nor_the_end) {
  const TempDirectory directory;
  const std::string pipe = directory.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Descriptor reader(::open(pipe.c_str(), O_RDWR | O_CLOEXEC));
  std::atomic<bool> is_full = false;
  std::atomic<bool> leaving = false;
  FakeServer server({[&](FakeConnection& connection) {
    connection.let_join();
    // Far more than a pipe holds, and answered long after it is full.
    for (std::uint16_t port = 1; port <= 20; ++port) {
      std::vector<AddedEntry> many;
      for (int i = 0; i < 200; ++i) many.push_back(added("10.0.1." + std::to_string(i), tcp(port)));
      connection.answer(100, many);
    }
    is_full = true;
    answer_until_it_leaves(connection, leaving);
  }});
  Program program("/bin/sh",
                  {"-c", std::string("exec ") + program_file("lekt") +
                             " join --format json --interval 10ms --server " + server.name() + " > " + pipe},
                  "");
  EXPECT_TRUE(eventually([&] { return is_full.load(); }, std::chrono::seconds(20)));
  leaving = true;
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
}

TEST(ProgramOutputs, leaves_as_soon_as_its_reader_has_gone) {
  FakeServer server({[&](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, one_peer);
    connection.expect_end();
  }});
  const TempDirectory directory;
  const std::string code = directory.path() / "code";
  // The next heartbeat would be in an hour.
  Program program("/bin/sh",
                  {"-c", "{ " + program_file("lekt") + " join --interval 1h --server " + server.name() +
                             "; echo $? > " + code + "; } | head -n 1"},
                  "");
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(read_text(code), "1\n");
  EXPECT_EQ(program.out(), "+ 10.0.0.7 tcp:7890\n");
  EXPECT_NE(program.error().find("lekt: E706 nobody reads standard output any more"), std::string::npos);
}

TEST(ProgramOutputs, a_device_is_refused_before_joining) {
  Program program({"join", "--server", "127.0.0.1:1", "--format", "hosts", "--output", "/dev/null"});
  EXPECT_EQ(program.wait(), 2);
  EXPECT_TRUE(program.error().starts_with("lekt: E705 --output \"/dev/null\" is a device"))
      << program.error();
}

TEST(ProgramOutputs, a_file_that_cannot_be_written_later_does_not_end_the_membership) {
  const TempDirectory directory;
  const auto place = directory.path() / "place";
  const std::string path = place / "hosts";
  const std::string ran = directory.path() / "ran";
  std::filesystem::create_directory(place);
  std::atomic<bool> leaving = false;
  FakeServer server({[&](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {});
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(path); }));
    std::filesystem::rename(place, directory.path() / "gone");
    connection.answer(100, one_peer);
    answer_until_it_leaves(connection, leaving);
  }});
  // The command is run only when the file has the change.
  Program program(join_quickly(server, {"--format", "hosts", "--output", path, "--exec",
                                        "test $LEKT_EVENT = added && cp " + path + " " + ran + " || true"}));
  EXPECT_TRUE(eventually(
      [&] { return program.error().find("E706 cannot create a file beside") != std::string::npos; }));
  EXPECT_FALSE(std::filesystem::exists(ran));
  std::filesystem::create_directory(place);
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(ran) && !read_text(ran).empty(); }));
  EXPECT_TRUE(read_text(ran).ends_with("10.0.0.7 lekt-10-0-0-7  # tcp:7890\n"));
  leaving = true;
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_NE(program.error().find("could be written again\n"), std::string::npos);
}

TEST(ProgramOutputs, empty_values_and_two_commands_are_wrong_usage) {
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--output", ""},
                                                {"--exec", ""},
                                                {"--exec-batch", ""},
                                                {"--exec", "true", "--exec-batch", "true"},
                                                {"--exec", "true", "--exec-timeout", "0s"}}) {
    std::vector<std::string> arguments = {"join", "--server", "127.0.0.1:1"};
    arguments.insert(arguments.end(), wrong.begin(), wrong.end());
    Program program(arguments);
    EXPECT_EQ(program.wait(), 2) << wrong.front();
    EXPECT_TRUE(program.error().starts_with("lekt: E705 ")) << program.error();
  }
}

TEST(ProgramOutputs, as_the_first_process_of_a_container_it_takes_in_orphans) {
  const TempDirectory directory;
  const std::string orphan = directory.path() / "orphan";
  const std::string clean = directory.path() / "clean";
  Program trial("/usr/bin/unshare", {"--pid", "--fork", "--kill-child", "--mount-proc", "true"}, "");
  if (trial.wait() != 0) GTEST_SKIP() << "needs the right to make a namespace of processes";
  std::atomic<bool> leaving = false;
  FakeServer server({[&](FakeConnection& connection) {
    connection.let_join();
    answer_until_it_leaves(connection, leaving);
  }});
  // The orphan ends while the command runs; as a zombie it would stay in /proc.
  Program program("/usr/bin/unshare",
                  {"--pid", "--fork", "--kill-child", "--mount-proc", program_file("lekt"), "join",
                   "--server", server.name(), "--interval", "10ms", "--exec",
                   "test $LEKT_EVENT = joined || exit 0; sh -c 'sleep 0.05 & echo $! > " + orphan +
                       "'; while test -e /proc/$(cat " + orphan + "); do sleep 0.02; done; touch " + clean},
                  "");
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(clean); }));
  leaving = true;
}

TEST(ProgramOutputs, as_the_first_process_of_a_container_it_takes_in_orphans_while_no_command_runs) {
  const TempDirectory directory;
  const std::string pipe = directory.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Descriptor writer(::open(pipe.c_str(), O_RDWR | O_CLOEXEC));
  Program trial("/usr/bin/unshare", {"--pid", "--fork", "--kill-child", "true"}, "");
  if (trial.wait() != 0) GTEST_SKIP() << "needs the right to make a namespace of processes";
  for (const std::string commands : {"", " --exec 'test $LEKT_EVENT = joined'"}) {
    std::atomic<int> answers = 0;
    std::atomic<bool> leaving = false;
    FakeServer server({[&](FakeConnection& connection) {
      connection.let_join();
      connection.answer(100, one_peer);
      answers = 1;
      answer_until_it_leaves(connection, leaving);
    }});
    // The shell's child becomes that of `lekt`, which has not started it.
    Program program("/usr/bin/unshare",
                    {"--pid", "--fork", "--kill-child", "sh", "-c",
                     "(read line < " + pipe + ") & exec " + program_file("lekt") +
                         " join --interval 10ms --server " + server.name() + commands},
                    "");
    EXPECT_TRUE(eventually([&] { return answers == 1; }));
    const std::string lekt = children_of(std::to_string(program.id()));
    EXPECT_NE(children_of(lekt), "");
    ASSERT_EQ(::write(writer.value(), "\n", 1), 1);
    EXPECT_TRUE(eventually([&] { return children_of(lekt).empty(); })) << commands;
    leaving = true;
  }
}

}  // namespace
}  // namespace lekt::test
