// Devices of a real lektd whose users choose hosts, cannot reach them, and are left by them; and what of a host's bytes
// operators are shown.
#include <atomic>
#include <filesystem>
#include <regex>

#include "common/printable.h"
#include "tests/admin/http_client.h"
#include "tests/integration/devices.h"
#include "tests/integration/sqlite.h"
#include "tests/integration/tcp_host.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

/// Says its name, and what is typed, until that ends with "bye".
TcpHost::Serve greet(const std::string& name) {
  return [name](const TcpStream& user) {
    user.send("welcome to " + name + "\r\n");
    Bytes typed;
    for (Bytes bytes; !(bytes = user.receive()).empty();) {
      typed += bytes;
      user.send(bytes);
      if (typed.ends_with("bye")) return;
    }
  };
}

/// What a host may say to do harm to who sees it. It has "evil" in each part that is not text.
const std::string harm =
    "\x1b]0;evil title\a\x1b]2;evil title\x1b\\\x1bkevil title\x1b\\\x1b]52;c;ZXZpbA==\a"  // titles, the clipboard
    "\x1bPevil string\x1b\\\x1b_evil string\x1b\\\x1b^evil string\x1b\\"  // strings of other kinds
    "\x1b[21t\x1b[5i\x1b[4i\x1b[?2004h\x1b[>c"                            // the title, the printer
    "\x1b[2J\x1b[H<script>evil</script>'; DROP TABLE device_record; --\r\n"
    "\xe2\x80\xaetfel ot thgir\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf\r\n"  // the other direction, what is invisible
    "\xc2\x9b"
    "31m\xc2\x85 \xff\xff \x7f\x01\x02 \xed\xa0\x80 \xf4\x90\x80\x80\r\n"  // other controls, bad UTF-8
    "and that was all\r\n";

class DevicesHostsTest : public DevicesTest {
 protected:
  static Flags hosts(const std::vector<std::pair<std::string, std::string>>& given) {
    Flags flags;
    for (const auto& [name, place] : given)
      flags.insert(flags.end(), {"--device-host", std::string(name).append("=").append(place)});
    return flags;
  }
};

}  // namespace

TEST_F(DevicesHostsTest,
       a_host_is_chosen_by_number_or_with_arrows_and_the_selection_comes_back_when_it_has_gone) {
  const TcpHost wms(contact(), greet("wms"));
  const TcpHost mail(contact(), greet("mail"));
  serve(hosts({{"wms", wms.place()}, {"mail", mail.place()}}));
  const Who who = {"A1", "127.0.0.3"};
  const Outcome done = run_device(who, {"--expect", "Select a host",
                                        "--send",   "1",
                                        "--expect", "welcome to wms",
                                        "--send",   "hello",
                                        "--expect", "hello",
                                        "--send",   "bye",
                                        "--expect", "wms has closed the connection",
                                        "--send",   R"(\{down}\r)",
                                        "--expect", "welcome to mail",
                                        "--send",   "bye",
                                        "--expect", "mail has closed the connection",
                                        "--expect", "2 mail",
                                        "--print"});
  EXPECT_EQ(done.status, 0) << done.errors;
  EXPECT_EQ(lines_of(done.output).at(1), "mail has closed the connection");
  EXPECT_EQ(device("A1").at("state"), "selecting");
  EXPECT_EQ(wms.connections(), 1u);
  EXPECT_EQ(mail.connections(), 1u);
  EXPECT_EQ(alerts(), Lines{});
}

TEST_F(DevicesHostsTest, an_enter_that_ends_the_number_of_a_host_is_not_typed_into_it) {
  SharedText typed;
  const TcpHost wms(contact(), listen_only(typed));
  const TcpHost mail(contact(), greet("mail"));
  serve(hosts({{"wms", wms.place()}, {"mail", mail.place()}}));
  EXPECT_EQ(run_device({"A1", "127.0.0.3"}, {"--expect", "Select", "--send", R"(1\rjoe\r)"}).status, 0);
  EXPECT_TRUE(eventually([&] { return !typed.text().empty(); }, patience()));
  EXPECT_TRUE(typed.text().starts_with("joe\r")) << testing::PrintToString(typed.text());
}

TEST_F(DevicesHostsTest, a_host_that_cannot_be_reached_is_tried_again_with_enter_and_left_with_escape) {
  const TcpHost mail(contact(), greet("mail"));
  const std::string nowhere = contact() + ":" + std::to_string(free_port(contact()));
  serve(hosts({{"wms", nowhere}, {"mail", mail.place()}}));
  const auto user = on_terminal({"A1", "127.0.0.3"});
  ASSERT_TRUE(user->shows("Select a host"));
  user->press("1");
  ASSERT_TRUE(user->shows("Escape: select another host"));
  EXPECT_PRED_FORMAT2(IsSubstring, "E909 wms (" + nowhere + ") cannot be reached: connection refused",
                      user->output());
  user->press("\r");
  EXPECT_TRUE(eventually(
      [&] {
        return alerts() == Lines{"E909", "E909"};
      },
      patience()))
      << testing::PrintToString(alerts());
  user->press("\x1b");
  ASSERT_TRUE(user->shows("Select a host"));
  user->press("2");
  EXPECT_TRUE(user->shows("welcome to mail"));
  EXPECT_PRED_FORMAT2(IsSubstring, "event=device_alert", daemon().log());
}

TEST_F(DevicesHostsTest, escape_gives_a_host_up_that_does_not_answer) {
  const SilentPlace wms(contact());
  const TcpHost mail(contact(), greet("mail"));
  serve(hosts({{"wms", wms.place()}, {"mail", mail.place()}}));
  const Outcome done = run_device(
      {"A1", "127.0.0.3"}, {"--expect", "Select a host", "--send", "1", "--expect", "Connecting to wms ...",
                            "--send", R"(for nobody\e)", "--expect", "Select a host", "--send", "2",
                            "--expect", "welcome to mail", "--print"});
  EXPECT_EQ(done.status, 0) << done.errors;
  EXPECT_EQ(count(done.output, "for nobody"), 0u) << done.output;
  EXPECT_EQ(alerts(), Lines{});
}

TEST_F(DevicesHostsTest, when_the_only_host_hangs_up_the_session_is_over_and_the_device_ends_well) {
  const TcpHost wms(contact(), greet("wms"));
  serve(hosts({{"wms", wms.place()}}));
  const auto user = on_terminal({"A1", "127.0.0.3"});
  ASSERT_TRUE(user->shows("welcome to wms"));
  user->press("bye");
  EXPECT_EQ(user->wait(), 0);
  EXPECT_PRED_FORMAT2(IsSubstring, "E910 wms has closed the connection", user->output());
  EXPECT_TRUE(are_there(0));
  EXPECT_EQ(devices().size(), 0u);
  const Outcome next = run_device({"A1", "127.0.0.3"}, {"--expect", "welcome"});
  EXPECT_EQ(next.status, 0) << "it has heard it: " << next.errors;
  const Outcome last = run_device({"A2", "127.0.0.3"}, {"--expect", "welcome", "--send", "bye"});
  EXPECT_EQ(last.status, 0) << "all was typed: " << last.errors;
  const Outcome waits =
      run_device({"A3", "127.0.0.3"}, {"--expect", "welcome", "--send", "bye", "--expect", never_shown});
  EXPECT_EQ(waits.status, 1) << "it was not done";
  EXPECT_PRED_FORMAT2(IsSubstring, "E910 wms has closed the connection", waits.errors);
}

TEST_F(DevicesHostsTest, who_was_away_when_the_only_host_hung_up_is_told_so_once_and_has_a_new_session_then) {
  std::atomic<const TcpStream*> user = nullptr;
  const TcpHost wms(contact(), [&](const TcpStream& stream) {
    user = &stream;
    stream.send("welcome to wms\r\n");
    while (!stream.receive().empty()) {
    }
  });
  serve(hosts({{"wms", wms.place()}}));
  const Who who = {"A1", "127.0.0.3"};
  const Outcome first = run_device(who, {"--expect", "welcome"});
  ASSERT_EQ(first.status, 0) << first.errors;
  EXPECT_EQ(devices().size(), 1u) << "its session waits for it";
  user.load()->finish();
  ASSERT_TRUE(are_there(0));
  const Outcome told = run_device(who, {"--expect", "welcome"});
  EXPECT_EQ(told.status, 1) << told.output;
  EXPECT_PRED_FORMAT2(
      IsSubstring, "lekt: E910 wms has closed the connection; start again for a new session\n", told.errors);
  const Outcome again = run_device(who, {"--expect", "welcome"});
  EXPECT_EQ(again.status, 0) << again.errors;
}

TEST_F(DevicesHostsTest, a_group_without_a_host_says_so) {
  serve();
  const Outcome done =
      run_device({"A1", "127.0.0.3"}, {"--expect", "This group has no host: ask", "--print"});
  EXPECT_EQ(done.status, 0) << done.errors;
}

TEST_F(DevicesHostsTest, what_a_host_writes_reaches_no_operator_as_it_is) {
  SharedText typed;
  const TcpHost wms(contact(), [&](const TcpStream& user) {
    user.send(harm);
    listen_only(typed)(user);
  });
  Flags flags = hosts({{"wms", wms.place()}});
  flags.insert(flags.end(), {"--admin", "127.0.0.1:0", "--device-log", "socket"});
  serve(flags);
  const std::string traced = lektctl({"trace", "127.0.0.3"}).output;
  std::smatch file;
  ASSERT_TRUE(std::regex_search(traced, file, std::regex("into ([^ ]+) for"))) << traced;
  const Outcome done = run_device({"A1", "127.0.0.3"}, {"--expect", "and that was all", "--print"});
  ASSERT_EQ(done.status, 0) << done.errors;
  ASSERT_EQ(lektctl({"untrace", "127.0.0.3"}).status, 0);

  const auto expect_plain = [](const std::string& what, const std::string& text) {
    for (const std::string& line : lines_of(text))
      EXPECT_TRUE(is_plain_text(line)) << what << ": " << printable(line);
  };
  const std::string screen = lektctl({"device", "A1", "--screen"}).output;
  EXPECT_PRED_FORMAT2(IsSubstring, "<script>evil</script>'; DROP TABLE", screen);
  EXPECT_EQ(count(screen, "evil"), 1u) << "titles and strings are no text: " << screen;
  expect_plain("lektctl device --screen", screen);
  expect_plain("its JSON", lektctl({"device", "A1", "--screen", "--json"}).output);
  expect_plain("lekt device --print", done.output);
  expect_plain("the trace", read_text(file[1].str()));

  // Elsewhere there is nothing of a screen at all.
  std::smatch admin;
  const std::string log = daemon().log();
  ASSERT_TRUE(std::regex_search(log, admin, std::regex("event=admin url=http://127.0.0.1:([0-9]+)/"))) << log;
  const auto port = static_cast<std::uint16_t>(std::stoul(admin[1]));
  std::string told = log;
  for (const char* path : {"/", "/api/v1/devices", "/metrics"}) told += get(port, path).body;
  for (const Flags& words : {Flags{"devices"}, Flags{"device", "A1"}, Flags{"devices", "--alerts"}})
    told += lektctl(words).output;
  Operator reader(database());
  for (const char* view : {"devices", "device_sessions", "device_alerts"})
    for (const std::string& row : reader.ask(std::string("SELECT * FROM ") + view)) told += row + "\n";
  for (const auto& entry : std::filesystem::directory_iterator(database().string() + ".devices"))
    told += read_text(entry.path());
  EXPECT_EQ(count(told, "evil"), 0u);
  EXPECT_EQ(count(typed.text(), "evil"), 0u)
      << "the host is not told its own title: what it sends would be typed";
}

}  // namespace lekt::test
