// What users of real telnet hosts see: the same as on another terminal, whatever program draws it, and again after the device
// was killed.
#include <csignal>
#include <fstream>
#include <map>

#include "tests/integration/devices.h"
#include "tests/integration/telnet_hosts.h"

namespace lekt::test {

namespace {

namespace fs = std::filesystem;
using testing::IsSubstring;

/// A program of the host, and what a user does with it.
struct Program {
  std::string name;
  std::string command;
  Flags script;  ///< it has done all once this is done
};

std::string text_file() {
  std::string text;
  for (int line = 1; line <= 100; ++line)
    text += "line " + std::to_string(line) + "\tof the text, \xc3\xbc and \xe6\xbc\xa2\n";
  return text;
}

std::vector<Program> programs() {
  return {
      {"sh",
       "exec sh",
       {"--expect", "$", "--send", R"(seq 50\r)", "--expect", "50", "--send",
        R"(printf '\\033[2;5H\\033[7mhere\\033[0m\\033[K\\033[5;9H')"
        "\\r",
        "--expect", "here"}},
      {"vim",
       "exec vim.tiny -u NONE -N -i NONE -n -c 'set ruler' vim.txt",
       {"--expect", "line 1", "--send", R"(\{page down}\{page down}\{up}dd)", "--send", R"(Onew ü\e\{down})",
        "--send", R"(:set nu\rGx)", "--expect", "ine 100"}},
      {"nano",
       "exec nano -I nano.txt",
       {"--expect", "^X", "--send", R"(hello \{down}\{down}\{end}!)", "--send",
        R"(\{page down}\{down}\{down}\{down}\{down}\{down}\{down}\{down}\{down}\{down}\{down}\{down}\{down})",
        "--send", R"(new\r\x0b\x0b\{page up}\{up}\{up}\{up}\{up}\{up}\{up}\{up}\{up})", "--send", R"(\x0f)",
        "--expect", "nano.txt"}},
      {"htop", "exec htop -d 100", {"--expect", "PID", "--expect", "Help"}},
  };
}

struct Host {
  TelnetServer server = TelnetServer::busybox;
  std::string term;
};

class DevicesScreensTest : public DevicesTest {
 protected:
  void SetUp() override {
    for (const Program& program : programs())
      std::ofstream(directory_.path() / (program.name + ".txt")) << text_file();
  }

  /// A host for each program; a device has the one that its type names.
  void serve_programs(const Host& host) {
    Flags flags;
    for (const Program& program : programs()) {
      hosts_[program.name] =
          std::make_unique<TelnetHost>(host.server, contact(), directory_.path(), host.term, program.command);
      flags.insert(flags.end(), {"--device-host",
                                 program.name + "=" + hosts_[program.name]->place() + ";term=" + host.term});
      flags.insert(flags.end(),
                   {"--device-group", program.name + ";type=" + program.name + ";hosts=" + program.name});
    }
    serve(flags);
  }

  /// What the device is shown once it has the last row of `expected` that is not blank; rows come from above.
  std::string shown_to(const Who& who, const std::string& expected, const Flags& size = {}) const {
    Flags flags = {"--print", "--timeout", duration_flag(std::chrono::seconds(1))};
    flags.insert(flags.end(), size.begin(), size.end());
    std::string last;
    for (const std::string& row : lines_of(expected))
      if (!row.empty()) last = row;
    if (!last.empty()) flags.insert(flags.end(), {"--expect", last});
    return run_device(who, flags).output;
  }

  /// As PyteScreen::cursor.
  std::string cursor_of(const Who& who) const {
    const Json cursor = objects({"device", who.uid, "--screen"}).at(0).at("cursor");
    return cursor.at("row").dump() + " " + cursor.at("column").dump() +
           (cursor.at("shown") ? " shown" : " hidden");
  }

  std::string shown_by_operator() const {
    const Json screen = objects({"device", "A1", "--screen"}).at(0);
    std::string text;
    for (const std::string row : screen.at("rows")) text += row + "\n";
    return text;
  }

  std::map<std::string, std::unique_ptr<TelnetHost>> hosts_;
};

class DevicesOnPrograms : public DevicesScreensTest, public testing::WithParamInterface<Host> {};

TEST_P(DevicesOnPrograms, are_shown_what_another_terminal_shows) {
  for (const std::string& reason : {missing_for(GetParam().server), missing_for_pyte()})
    if (!reason.empty()) GTEST_SKIP() << reason;
  serve_programs(GetParam());
  for (const auto& [rows, columns] : {std::pair{24, 80}, std::pair{16, 26}}) {
    const Flags size = {"--rows", std::to_string(rows), "--columns", std::to_string(columns)};
    for (const Program& program : programs()) {
      SCOPED_TRACE(program.name + " on " + std::to_string(rows) + " x " + std::to_string(columns));
      const Who who = {program.name + std::to_string(rows), "127.0.0.3", program.name};
      Flags script = size;
      script.insert(script.end(), program.script.begin(), program.script.end());
      const Outcome done = run_device(who, script);
      ASSERT_EQ(done.status, 0) << done.errors;
      std::string ours, our_cursor;
      PyteScreen other;
      // The program may still be drawing.
      eventually(
          [&] {
            other = pyte_screen(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns),
                                hosts_.at(program.name)->said());
            ours = shown_to(who, other.grid, size);
            our_cursor = cursor_of(who);
            return ours == other.grid && our_cursor == other.cursor;
          },
          patience());
      EXPECT_EQ(lines_of(ours), lines_of(other.grid));
      EXPECT_EQ(our_cursor, other.cursor);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    , DevicesOnPrograms,
    testing::Values(Host{TelnetServer::busybox, "vt220"}, Host{TelnetServer::busybox, "screen-256color"},
                    Host{TelnetServer::inetutils, "vt220"}, Host{TelnetServer::inetutils, "screen-256color"}),
    [](const auto& tested) {
      std::string name = tested.param.server == TelnetServer::busybox ? "busybox_" : "inetutils_";
      return name + (tested.param.term == "vt220" ? "vt220" : "screen_256color");
    });

TEST_F(DevicesScreensTest, a_host_is_told_the_size_and_the_type_of_the_terminal_and_a_new_size) {
  const std::string reason = missing_for(TelnetServer::inetutils);
  if (!reason.empty()) GTEST_SKIP() << reason;
  TelnetHost host(TelnetServer::inetutils, contact(), directory_.path(), "",
                  "trap 'echo now $(stty size)' WINCH; echo $TERM has $(stty size); exec 3<&0; while :; do "
                  "read x <&3; done");
  serve({"--device-host", "wms=" + host.place() + ";term=screen-256color"});
  const auto user = on_terminal({"A1", "127.0.0.3"});
  EXPECT_TRUE(user->shows("screen-256color has 24 80"));
  user->resize({.columns = 60, .rows = 20});
  user->press("\r");
  EXPECT_TRUE(user->shows("now 20 60"));
}

TEST_F(DevicesScreensTest, a_device_that_was_killed_in_the_middle_of_vim_comes_back_to_the_same_screen) {
  const std::string reason = missing_for(TelnetServer::busybox);
  if (!reason.empty()) GTEST_SKIP() << reason;
  serve_programs({TelnetServer::busybox, "vt220"});
  RawClient observer = joined(daemon().port(), "127.0.0.2");
  const Who who = {"A1", "127.0.0.3", "vim"};
  Flags script = {"--expect", "line 1", "--send", "O"};
  std::string numbers;
  for (int number = 1; number <= 200; ++number) {
    const std::string word = std::to_string(number) + " ";
    numbers += word;
    script.insert(script.end(), {"--send", word});
  }
  {
    Process typing(program_file("lekt"), device_arguments(who, script), directory_.path());
    ASSERT_TRUE(are_there(1));
    ASSERT_TRUE(eventually([&] { return count(shown_by_operator(), " 19 20 21 ") > 0; }, patience()))
        << typing.errors();
    ASSERT_TRUE(eventually([&] { return observer.beat(), observer.peers().size() == 2; }, patience()));
    typing.send_signal(SIGKILL);
    typing.wait();
  }
  const Json session = device("A1").at("session");
  std::string before, after;
  eventually([&] { return before = shown_by_operator(), (after = shown_to(who, before)) == before; },
             patience());
  EXPECT_EQ(lines_of(after), lines_of(before));
  EXPECT_EQ(device("A1").at("session"), session) << "the same as before";
  EXPECT_EQ(observer.beat().changes.size(), 0u) << "peers hear nothing of it";
  EXPECT_EQ(run_device(who, {"--send", R"(|\e:w! typed\r:q!\r)", "--timeout", "10s"}).status, 0);
  const auto file = directory_.path() / "typed";
  ASSERT_TRUE(
      eventually([&] { return fs::exists(file) && count(read_text(file), "\n") == 101; }, patience()));
  const std::string typed = lines_of(read_text(file)).at(0);
  EXPECT_EQ(typed, numbers.substr(0, typed.size() - 1) + "|") << "each once and in order";
}

}  // namespace

}  // namespace lekt::test
