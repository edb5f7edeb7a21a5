// Settings of devices in a running lektd: none of them costs anything while devices are off, what a reload takes, what
// limits refuse, and starts that cannot work.
#include <csignal>
#include <fstream>
#include <set>

#include "server/net/udp_socket.h"
#include "tests/integration/devices.h"
#include "tests/integration/sqlite.h"
#include "tests/integration/tcp_host.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;
namespace fs = std::filesystem;

/// The inodes in /proc/net/udp and udp6 as the links in /proc/PID/fd name them: "socket:[123]".
std::set<std::string> udp_sockets_of_the_machine() {
  std::set<std::string> sockets;
  for (const char* file : {"/proc/net/udp", "/proc/net/udp6"}) {
    std::ifstream table(file);
    std::string line;
    std::getline(table, line);
    while (std::getline(table, line)) {
      std::istringstream words(line);
      std::string inode;
      for (int column = 0; column < 10; ++column) words >> inode;
      sockets.insert("socket:[" + inode + "]");
    }
  }
  return sockets;
}

std::size_t udp_sockets_of(pid_t process) {
  const std::set<std::string> all = udp_sockets_of_the_machine();
  std::size_t found = 0;
  for (const auto& file : fs::directory_iterator("/proc/" + std::to_string(process) + "/fd"))
    if (fs::is_symlink(file) && all.contains(fs::read_symlink(file).string())) ++found;
  return found;
}

std::size_t threads_of(pid_t process) {
  const fs::directory_iterator threads("/proc/" + std::to_string(process) + "/task");
  return static_cast<std::size_t>(std::distance(begin(threads), end(threads)));
}

class DevicesSettingsTest : public DevicesTest {
 protected:
  void start_with(const std::string& text) {
    write(text);
    start({"--config=" + path().string()});
  }
  void reload(const std::string& text) {
    write(text);
    const std::size_t before = count(daemon().log(), "event=reloaded");
    ::kill(daemon().id(), SIGHUP);
    ASSERT_TRUE(daemon().logs("event=reloaded", before + 1)) << daemon().log();
  }
  /// Lines of a configuration file that every one of them has.
  std::string listens() const { return "device-listen = [\"" + contact() + ":" + contact_port + "\"]\n"; }

  void expect_no_start(const Flags& flags, int status, const std::string& part) const {
    const Outcome outcome = run(program_file("lektd"), arguments_of(flags));
    EXPECT_EQ(outcome.status, status) << outcome.errors;
    EXPECT_PRED_FORMAT2(IsSubstring, part, outcome.errors);
  }

 private:
  fs::path path() const { return directory_.path() / "lektd.toml"; }
  void write(const std::string& text) const { std::ofstream(path()) << text; }
  Flags arguments_of(Flags flags) const {
    flags.insert(flags.begin(), {"--listen", "127.0.0.1:0", "--database", database().string()});
    return flags;
  }
};

}  // namespace

TEST_F(DevicesSettingsTest, that_are_off_cost_no_thread_and_no_socket) {
  start({"--max-device-sessions", "7"});
  const std::size_t threads = threads_of(daemon().id());
  EXPECT_EQ(udp_sockets_of(daemon().id()), 0u);
  expect_failed({"devices"}, 1, "--device-listen");
  EXPECT_EQ(lektctl({"health"}).status, 0);
  serve();
  EXPECT_EQ(threads_of(daemon().id()), threads + 1);
  EXPECT_EQ(udp_sockets_of(daemon().id()), 1u) << "dedicated ports are opened when they are offered";
  ASSERT_EQ(run_device({"A1", "127.0.0.3"}).status, 0);
  EXPECT_EQ(udp_sockets_of(daemon().id()), 2u);
}

TEST_F(DevicesSettingsTest, a_new_group_is_for_the_next_session_and_not_for_one_that_lives) {
  start_with(listens() + "device-ports = \"5000-5099\"\n");
  const auto before = stay({"A1", "127.0.0.3", "truck-1"});
  ASSERT_TRUE(are_there(1));
  reload(listens() +
         "device-ports = \"5000-5099\"\ndevice-group = [\"trucks;type=truck*;keyboard-timeout=5m\"]\n");
  EXPECT_PRED_FORMAT2(IsSubstring, "changed=device-group needs_restart=nothing", daemon().log());
  const auto after = stay({"A2", "127.0.0.4", "truck-2"});
  ASSERT_TRUE(are_there(2));
  EXPECT_EQ(device("A1").at("group"), "default");
  EXPECT_EQ(device("A2").at("group"), "trucks");
  EXPECT_EQ(objects({"device", "A2"}).at(0).at("rules").at(0), "keyboard timeout, s 300");
}

TEST_F(DevicesSettingsTest, hosts_of_a_reload_are_for_the_next_session_and_not_for_one_that_lives) {
  const auto say = [](const std::string& name) {
    return [name](const TcpStream& user) {
      user.send("welcome to " + name + "\r\n");
      user.receive();
    };
  };
  const TcpHost old_host(contact(), say("old"));
  const TcpHost new_host(contact(), say("new"));
  start_with(listens() + "device-ports = \"5000-5099\"\ndevice-host = [\"wms=" + old_host.place() + "\"]\n");
  EXPECT_EQ(run_device({"A1", "127.0.0.3"}, {"--expect", "welcome to old"}).status, 0);
  reload(listens() + "device-ports = \"5000-5099\"\ndevice-host = [\"wms=" + new_host.place() + "\"]\n");
  EXPECT_EQ(run_device({"A2", "127.0.0.4"}, {"--expect", "welcome to new"}).status, 0);
  EXPECT_EQ(run_device({"A1", "127.0.0.3"}, {"--expect", "welcome to old"}).status, 0);
  EXPECT_EQ(old_host.connections(), 1u);
  EXPECT_EQ(new_host.connections(), 1u);
}

TEST_F(DevicesSettingsTest, that_need_a_restart_are_named_and_kept) {
  start_with(listens() + "device-ports = \"5000-5099\"\n");
  reload(
      "device-listen = [\"127.0.0.1:0\"]\ndevice-ports = \"5000-5001\"\ndevice-log-directory = \"logs\"\n");
  EXPECT_PRED_FORMAT2(IsSubstring, "needs_restart=\"device-listen, device-ports, device-log-directory\"",
                      daemon().log());
  EXPECT_EQ(run_device({"A1", "127.0.0.3"}).status, 0) << "it listens where it did";
}

TEST_F(DevicesSettingsTest, the_fourth_device_of_an_address_that_may_have_three_is_refused_with_an_alert) {
  serve({"--max-devices-per-address", "3"});
  std::vector<std::unique_ptr<Process>> three;
  for (const char* uid : {"A1", "A2", "A3"}) three.push_back(stay({uid, "127.0.0.3"}));
  ASSERT_TRUE(are_there(3));
  const Outcome fourth =
      run_device({"A4", "127.0.0.3"}, {"--timeout", duration_flag(std::chrono::seconds(1))});
  EXPECT_EQ(fourth.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "E912 the address has 3 device sessions, as many as --max-devices-per-address allows",
                      fourth.errors);
  EXPECT_TRUE(daemon().logs("event=device_alert"));
  EXPECT_EQ(alerts(), Lines{"E912"});
  EXPECT_TRUE(eventually(
      [&] {
        return Operator(database()).ask("SELECT code, address, uid FROM device_alerts") ==
               Lines{"E912|127.0.0.3|A4"};
      },
      patience()));
  EXPECT_EQ(run_device({"A5", "127.0.0.4"}).status, 0) << "another address";
  EXPECT_TRUE(are_there(4));
}

TEST_F(DevicesSettingsTest, a_listen_address_that_cannot_be_is_named_with_its_code) {
  const UdpSocket taken(ip(contact()), 3006);
  const std::string address = contact() + ":" + contact_port;
  expect_no_start(device_flags(), 1,
                  "E502 cannot listen on " + address + " for devices: Address already in use");
  expect_no_start({"--device-listen", "[::1]:3006"}, 2, "E501");
  expect_no_start({"--device-listen", "[::1]:3006"}, 2, "IPv4");
  expect_no_start(device_flags({}, "3000-3100"), 2, "E501");
  expect_no_start(device_flags({}, "3000-3100"), 2,
                  "--device-ports 3000-3100 has the contact port of --device-listen " + address);
}

TEST_F(DevicesSettingsTest, ports_that_the_kernel_gives_to_others_are_warned_of) {
  std::uint32_t first = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first;
  const std::string ports = std::to_string(first + 10) + "-" + std::to_string(first + 19);
  start(device_flags({}, ports));
  const Outcome status = lektctl({"status"});
  EXPECT_EQ(status.status, 0) << "devices are served";
  EXPECT_PRED_FORMAT2(IsSubstring, "E622", status.output);
  EXPECT_PRED_FORMAT2(IsSubstring, "the kernel gives ports " + ports + " of --device-ports " + ports,
                      status.output);
  serve();
  EXPECT_EQ(count(lektctl({"status"}).output, "E622"), 0u);
}

}  // namespace lekt::test
