// Hosts that do harm, by accident or on purpose: the device's user can leave them, and everybody else does not notice.
#include <atomic>
#include <csignal>
#include <fstream>
#include <list>

#include "tests/integration/devices.h"
#include "tests/integration/telnet_hosts.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;

constexpr std::size_t mebibyte = 1024 * 1024;

std::size_t resident_bytes(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string word; status >> word;)
    if (word == "VmRSS:") {
      std::size_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes * 1024;
    }
  return 0;
}

/// Echoes.
void echo(const TcpStream& user) {
  user.send("welcome to echo\r\n");
  for (Bytes bytes; !(bytes = user.receive()).empty();) user.send(bytes);
}

class DevicesUnrulyHostsTest : public DevicesTest {
 protected:
  DevicesUnrulyHostsTest() : good_(contact(), echo) {}

  /// Devices of the type "bad" work on that host, all others on one that echoes.
  void serve_with(const std::string& place) {
    serve({"--device-host", "bad=" + place, "--device-host", "good=" + good_.place(), "--device-group",
           "bad;type=bad;hosts=bad", "--device-group", "default;hosts=good"});
    resident_before_ = resident_bytes(daemon().id());
  }

  static Who on_bad(const std::string& uid) { return {uid, "127.0.0.3", "bad"}; }

  /// Another device and a client of the registry are served, and memory has a bound.
  void expect_others_are_served() {
    const Outcome other = run_device({"B1", "127.0.0.4"},
                                     {"--expect", "welcome to echo", "--send", "hello", "--expect", "hello"});
    EXPECT_EQ(other.status, 0) << other.errors;
    RawClient member = joined(daemon().port(), "127.0.0.2");
    EXPECT_GE(member.beat().packets.size(), 1u);
    // AddressSanitizer keeps for a while what was freed.
    if (sanitized) return;
    EXPECT_LT(resident_bytes(daemon().id()), resident_before_ + 16 * mebibyte);
  }

  TcpHost good_;
  std::size_t resident_before_ = 0;
};

}  // namespace

TEST_F(DevicesUnrulyHostsTest, one_that_sends_anything_does_no_harm) {
  constexpr std::size_t sent_in_all = 2 * mebibyte;
  Random random;
  const Bytes anything = random.bytes(sent_in_all);
  Bytes text = anything;
  std::erase(text, '\xff');
  std::atomic<std::size_t> whole = 0;
  std::atomic<std::size_t> whole_text = 0;
  // Telnet's commands are among the bytes of the first connection, and it may be left because of one. There are none in the
  // second.
  std::atomic<std::size_t> number = 0;
  TcpHost bad(contact(), [&](const TcpStream& user) {
    const bool is_first = number++ == 0;
    if (user.send(is_first ? anything : text)) ++(is_first ? whole : whole_text);
    user.receive();
  });
  serve_with(bad.place());
  const auto first = stay(on_bad("A1"));
  EXPECT_TRUE(eventually([&] { return whole == 1 || alerts() == Lines{"E917"}; }, patience()));
  const auto second = stay(on_bad("A2"));
  EXPECT_TRUE(eventually([&] { return whole_text == 1; }, patience())) << "it is read to its end";
  EXPECT_EQ(objects({"device", "A2", "--screen"}).at(0).at("size"), (Json{{"rows", 24}, {"columns", 80}}));
  expect_others_are_served();
}

TEST_F(DevicesUnrulyHostsTest, one_that_compresses_without_being_asked_is_left) {
  SharedText typed;
  const TcpHost bad(contact(), [&](const TcpStream& user) {
    user.send("\xff\xfb\x56");  // IAC WILL COMPRESS2
    for (Bytes bytes; !(bytes = user.receive()).empty();) {
      typed.add(bytes);
      if (bytes.find('x') != bytes.npos) user.send("\xff\xfa\x56\xff\xf0\x78\x9c\x4b\x4c\x02\x00");
    }
  });
  serve_with(bad.place());
  const auto user = on_terminal(on_bad("A1"));
  EXPECT_TRUE(eventually([&] { return typed.text() == "\xff\xfe\x56"; }, patience()))
      << testing::PrintToString(typed.text()) << " is not IAC DONT COMPRESS2";
  user->press("x");
  EXPECT_TRUE(user->shows("E917 bad (" + bad.place() + "): "));
  EXPECT_EQ(alerts(), Lines{"E917"});
  user->press("\r");
  EXPECT_TRUE(eventually([&] { return bad.connections() == 2; }, patience()));
}

TEST_F(DevicesUnrulyHostsTest, one_that_closes_at_once_ends_the_session_each_time) {
  const TcpHost bad(contact(), [](const TcpStream&) {});
  serve_with(bad.place());
  for (int time = 0; time < 3; ++time) {
    const Outcome done = run_device(on_bad("A1"), {"--expect", never_shown});
    EXPECT_EQ(done.status, 1);
    EXPECT_PRED_FORMAT2(IsSubstring, "E910 bad has closed the connection", done.errors);
  }
  EXPECT_EQ(bad.connections(), 3u);
  EXPECT_EQ(devices().size(), 0u);
  expect_others_are_served();
}

TEST_F(DevicesUnrulyHostsTest, one_that_never_reads_is_left_when_much_waits_for_it) {
  std::atomic<bool> goes_on = true;
  const TcpHost bad(contact(), [&](const TcpStream& user) {
    user.send("type here\r\n");
    goes_on.wait(true);
  });
  serve_with(bad.place());
  // Five bytes each, of three that are typed.
  std::string keys;
  for (int key = 0; key < 5000; ++key) keys += R"(\{F5})";
  Flags script = {"--expect", "type here"};
  for (int part = 0; part < 25; ++part) script.insert(script.end(), {"--send", keys});
  const Outcome done = run_device(on_bad("A1"), script);
  goes_on = false;
  goes_on.notify_all();
  EXPECT_EQ(done.status, 1);
  EXPECT_PRED_FORMAT2(
      IsSubstring, "E910 the connection to bad broke: the host does not read: more than 256 KB wait for it",
      done.errors);
  expect_others_are_served();
}

/// A session's host is read no faster than 64 KB for each screen, so 100 MB take several users. Each host sends its part, and on
/// until the test has looked.
TEST_F(DevicesUnrulyHostsTest, one_that_sends_100_megabytes_hears_keys_soon_and_takes_nobody_elses_time) {
  constexpr std::size_t users_in_all = 4;
  constexpr std::size_t sent_to_each = (sanitized ? 2 : 25) * mebibyte;
  constexpr int lines_in_all = 1000;
  const auto line = [](int number) { return "line " + std::to_string(number) + " of far too many"; };
  std::string lines;
  for (int number = 0; number < lines_in_all; ++number) lines += line(number) + "\r\n";
  std::atomic<std::size_t> sent = 0;
  std::atomic<std::size_t> keys_in_time = 0;
  std::atomic<bool> has_looked = false;
  const TcpHost bad(contact(), [&](const TcpStream& user) {
    std::atomic<bool> sends = true;
    std::thread reading([&] {
      for (Bytes bytes; !(bytes = user.receive()).empty();)
        if (sends && bytes == "q") ++keys_in_time;
    });
    for (std::size_t own = 0; (own < sent_to_each || !has_looked) && user.send(lines); own += lines.size())
      sent += lines.size();
    sends = false;
    user.send("and it has stopped");
    reading.join();
  });
  serve_with(bad.place());
  std::list<Process> users;
  for (std::size_t number = 1; number <= users_in_all; ++number)
    users.emplace_back(program_file("lekt"),
                       device_arguments(on_bad("A" + std::to_string(number)),
                                        {"--expect", "far too many", "--send", "q", "--expect",
                                         "and it has stopped", "--print", "--timeout", "10m"}),
                       directory_.path());
  EXPECT_TRUE(eventually([&] { return sent > users_in_all * sent_to_each / 4; }, patience())) << sent;
  expect_others_are_served();
  EXPECT_TRUE(eventually([&] { return keys_in_time == users_in_all; }, patience())) << keys_in_time;
  has_looked = true;
  Lines shown;
  for (int row = 1; row < 24; ++row) shown.push_back(line(lines_in_all - 24 + row));
  shown.push_back("and it has stopped");
  for (Process& user : users) {
    EXPECT_EQ(user.wait(slowed(2min)), 0) << user.errors();
    EXPECT_EQ(lines_of(user.output()), shown);
  }
  expect_others_are_served();
}

TEST_F(DevicesUnrulyHostsTest, one_that_stands_still_for_a_while_goes_on_and_so_does_a_device) {
  const std::string reason = missing_for(TelnetServer::busybox);
  if (!reason.empty()) GTEST_SKIP() << reason;
  const TelnetHost host(TelnetServer::busybox, contact(), directory_.path(), "vt220", "exec sh");
  serve_with(host.place());
  const auto user = on_terminal(on_bad("A1"));
  ASSERT_TRUE(user->shows("$"));
  host.process().send_signal(SIGSTOP);
  user->press("echo $((20 + 1)) is back\r");
  ASSERT_TRUE(eventually([&] { return objects({"device", "A1"}).at(0).at("inputs") > 0; }, patience()));
  expect_others_are_served();
  EXPECT_EQ(count(host.said(), "21 is back"), 0u);
  host.process().send_signal(SIGCONT);
  EXPECT_TRUE(user->shows("21 is back"));

  user->press("while [ ! -e go ]; do :; done; seq 1000; echo $((20 + 2)) is back\r");
  ASSERT_TRUE(eventually([&] { return count(host.said(), ") is back") == 2; }, patience()));
  user->send_signal(SIGSTOP);
  std::ofstream(directory_.path() / "go") << "\n";
  ASSERT_TRUE(eventually([&] { return count(host.said(), "22 is back") == 1; }, patience()));
  expect_others_are_served();
  user->send_signal(SIGCONT);
  EXPECT_TRUE(user->shows("22 is back"));
}

}  // namespace lekt::test
