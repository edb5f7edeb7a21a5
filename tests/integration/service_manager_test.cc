// lektd under a service manager: the test takes systemd's place, with the socket that is told of the state,
// and with sockets that it passes on. See sd-daemon(3), sd_notify(3), sd_listen_fds(3).
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "common/descriptor.h"
#include "tests/integration/daemon.h"
#include "tests/integration/open_socket.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"
#include "tests/support/certificates.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

/// A socket at which the service manager hears of the state ($NOTIFY_SOCKET), or the journal takes entries.
class DatagramSocket {
 public:
  explicit DatagramSocket(const std::filesystem::path& path)
      : path_(path), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (bind(socket_.value(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      fail("bind");
  }

  Environment environment() const { return {{"NOTIFY_SOCKET", path_.string()}}; }

  /// The next message; empty when none comes.
  std::string next() {
    pollfd readable{socket_.value(), POLLIN, 0};
    if (poll(&readable, 1, static_cast<int>(patience().count())) <= 0) return {};
    std::string message(4096, '\0');
    const ssize_t size = recv(socket_.value(), message.data(), message.size(), 0);
    message.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return message;
  }

  /// The next message that begins so; what comes before it is dropped.
  std::string next(const std::string& beginning) {
    std::string message = next();
    while (!message.empty() && !message.starts_with(beginning)) message = next();
    return message;
  }

 private:
  std::filesystem::path path_;
  Descriptor socket_;
};

class ServiceManagerTest : public DaemonTest {
 protected:
  DatagramSocket& notify_socket() { return notify_; }

  Daemon& start_notifying(const Environment& more = {}, const Flags& flags = {}) {
    Environment environment = notify_.environment();
    environment.insert(more.begin(), more.end());
    return start(flags, environment);
  }

  /// Starts lektd with these as the descriptors from 3 on, as the service manager does. Two at most.
  Process activate(const std::vector<const OpenSocket*>& sockets, const std::string& names,
                   const std::string& flags = "") {
    std::string script = "LISTEN_PID=$$ LISTEN_FDS=" + std::to_string(sockets.size()) +
                         " LISTEN_FDNAMES=" + names + " exec " + program_file("lektd") + " --database " +
                         database().string() + " " + flags;
    // By way of 20 and 21: one of the test's own may be a 3.
    for (std::size_t index = 0; index < sockets.size(); ++index)
      script += " " + std::to_string(20 + index) + "<&" + std::to_string(sockets[index]->value());
    for (std::size_t index = 0; index < sockets.size(); ++index)
      script += " " + std::to_string(3 + index) + "<&" + std::to_string(20 + index) + "-";
    return {"/bin/bash", {"-c", script}, directory_.path()};
  }

  /// For unshare(1): whoever is not root gets a namespace in which he is.
  static std::vector<std::string> namespace_flags() {
    if (geteuid() == 0) return {"--mount"};
    return {"--map-root-user", "--mount"};
  }

  /// Whether the kernel lets this user put another journal in place.
  static bool may_replace_journal() {
    std::vector<std::string> arguments = namespace_flags();
    arguments.push_back("true");
    return run("/usr/bin/unshare", arguments).status == 0;
  }

  /// JOURNAL_STREAM has to name standard error itself; here it is the file that the test reads. What the program sees of
  /// systemd's own files is in `systemd`.
  Process start_in_journal(const std::string& flags) {
    std::filesystem::create_directory(systemd_);
    const std::string script =
        "export JOURNAL_STREAM=$(stat --dereference --format=%d:%i /proc/self/fd/2)\n"
        "mkdir -p /run/systemd && mount --bind " +
        systemd_.string() + " /run/systemd && exec " + program_file("lektd") + " " + flags;
    std::vector<std::string> arguments = namespace_flags();
    arguments.insert(arguments.end(), {"/bin/bash", "-c", script});
    return {"/usr/bin/unshare", arguments, directory_.path(), notify_.environment()};
  }

  /// The value of a field in an entry, as the journal is sent it.
  static std::string field_of(const std::string& entry, const std::string& name) {
    const std::size_t begin = ("\n" + entry).find("\n" + name + "=");
    if (begin == entry.npos) return "(none)";
    const std::size_t value = begin + name.size() + 1;
    return entry.substr(value, entry.find('\n', value) - value);
  }

  const std::filesystem::path systemd_ = directory_.path() / "systemd";

  static void expect_serving(const Process& process) {
    EXPECT_TRUE(eventually([&] { return count(process.errors(), "event=started") == 1; }, patience()))
        << process.errors();
  }

  DatagramSocket notify_{directory_.path() / "notify"};
};

}  // namespace

TEST_F(ServiceManagerTest, hears_when_the_server_is_ready_and_how_many_clients_it_has) {
  start_notifying();
  EXPECT_EQ(notify_socket().next(), "READY=1");
  EXPECT_EQ(notify_socket().next(), "STATUS=Clients: 0, sessions: 0");
}

TEST_F(ServiceManagerTest, hears_that_the_server_stops) {
  start_notifying();
  EXPECT_EQ(daemon().stop(SIGTERM), 0);
  EXPECT_EQ(notify_socket().next("STOPPING"), "STOPPING=1");
}

TEST_F(ServiceManagerTest, hears_of_the_beginning_and_the_end_of_a_reload) {
  start_notifying();
  ASSERT_EQ(notify_socket().next(), "READY=1");
  kill(daemon().id(), SIGHUP);
  EXPECT_TRUE(notify_socket().next("RELOADING=1").starts_with("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_EQ(notify_socket().next("READY"), "READY=1");
}

TEST_F(ServiceManagerTest, is_told_that_all_threads_turn_several_times_in_its_interval) {
  const auto interval = slowed(8s);
  start_notifying({{"WATCHDOG_USEC", std::to_string(std::chrono::microseconds(interval).count())}});
  const Deadline deadline(interval);
  for (int time = 0; time < 3; ++time) EXPECT_EQ(notify_socket().next("WATCHDOG"), "WATCHDOG=1");
  EXPECT_FALSE(deadline.over());
}

TEST_F(ServiceManagerTest, is_not_told_of_life_when_it_does_not_ask) {
  start_notifying();
  EXPECT_EQ(daemon().stop(SIGTERM), 0);
  for (std::string message = notify_socket().next(); message != "STOPPING=1";
       message = notify_socket().next()) {
    ASSERT_FALSE(message.empty());
    if (!message.starts_with("WATCHDOG")) continue;
    ADD_FAILURE() << message;
  }
}

TEST_F(ServiceManagerTest, passes_a_socket_that_is_served_in_place_of_the_default) {
  const OpenSocket socket(SOCK_STREAM);
  const Process process = activate({&socket}, "lektd.socket");
  joined(socket.port(), "127.0.0.2").close();
  expect_serving(process);
  EXPECT_EQ(count(process.errors(), "event=listening"), 1u);
  EXPECT_PRED_FORMAT2(IsSubstring, "127.0.0.1:" + std::to_string(socket.port()) + " tls=no",
                      process.errors());
}

TEST_F(ServiceManagerTest, passes_a_socket_in_addition_to_what_the_flags_name) {
  const OpenSocket socket(SOCK_STREAM);
  const Process process = activate({&socket}, "lektd.socket", "--listen 127.0.0.1:0");
  expect_serving(process);
  EXPECT_EQ(count(process.errors(), "event=listening"), 2u);
}

TEST_F(ServiceManagerTest, names_the_socket_for_tls) {
  const TestCertificates certificates;
  const OpenSocket plain(SOCK_STREAM);
  const OpenSocket tls(SOCK_STREAM);
  const Process process = activate({&plain, &tls}, "plain:tls",
                                   "--tls-cert " + certificates.server.certificate.string() + " --tls-key " +
                                       certificates.server.key.string());
  expect_serving(process);
  joined(plain.port(), "127.0.0.2").close();
  EXPECT_PRED_FORMAT2(IsSubstring, std::to_string(tls.port()) + " tls=yes", process.errors());
  EXPECT_PRED_FORMAT2(IsSubstring, "event=certificate", process.errors());
}

TEST_F(ServiceManagerTest, cannot_pass_a_socket_for_tls_without_a_certificate) {
  const OpenSocket socket(SOCK_STREAM);
  Process process = activate({&socket}, "tls");
  EXPECT_EQ(process.wait(), 2);
  EXPECT_PRED_FORMAT2(IsSubstring, "E501 a passed socket for TLS needs", process.errors());
}

TEST_F(ServiceManagerTest, cannot_pass_what_is_no_listening_tcp_socket) {
  const OpenSocket good(SOCK_STREAM);
  const OpenSocket datagrams(SOCK_DGRAM);
  Process process = activate({&good, &datagrams}, "lektd.socket:other");
  EXPECT_EQ(process.wait(), 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E512 the service manager has passed descriptor 4, named \"other\"",
                      process.errors());
}

TEST_F(ServiceManagerTest, passes_nothing_to_a_child_of_the_process_it_meant) {
  const Environment meant_for_another = {{"LISTEN_PID", "1"}, {"LISTEN_FDS", "1"}};
  EXPECT_EQ(start({}, meant_for_another).ports().size(), 1u);
}

TEST_F(ServiceManagerTest, gives_the_journal_entries_with_a_field_for_each_value) {
  if (!may_replace_journal()) GTEST_SKIP() << "needs namespaces of its own";
  std::filesystem::create_directories(systemd_ / "journal");
  DatagramSocket journal(systemd_ / "journal" / "socket");
  Process process = start_in_journal("--listen 127.0.0.1:0 --database " + database().string());
  std::string entry = journal.next();
  EXPECT_EQ(field_of(entry, "PRIORITY"), "6") << entry;
  EXPECT_EQ(field_of(entry, "LEKT_EVENT"), "listening") << entry;
  const std::string message = "event=listening address=" + field_of(entry, "LEKT_ADDRESS") + " tls=no ";
  EXPECT_TRUE(field_of(entry, "MESSAGE").starts_with(message)) << entry;
  EXPECT_EQ(field_of(entry, "CODE_FILE"), "(none)") << entry;
  while (field_of(entry, "LEKT_EVENT") != "started" && !entry.empty()) entry = journal.next();
  process.send_signal(SIGTERM);
  EXPECT_EQ(process.wait(), 0);
  while (field_of(entry, "LEKT_EVENT") != "stopped" && !entry.empty()) entry = journal.next();
  EXPECT_FALSE(entry.empty()) << "the last entry is there before the program ends";
  EXPECT_EQ(process.errors(), "");
}

TEST_F(ServiceManagerTest, keeps_entries_for_a_journal_that_is_away) {
  if (!may_replace_journal()) GTEST_SKIP() << "needs namespaces of its own";
  std::filesystem::create_directories(systemd_ / "journal");
  const std::filesystem::path path = systemd_ / "journal" / "socket";
  std::optional<DatagramSocket> journal(path);
  Process process = start_in_journal("--listen 127.0.0.1:0 --database " + database().string());
  ASSERT_EQ(notify_socket().next("READY"), "READY=1");
  journal.reset();
  std::filesystem::remove(path);
  process.send_signal(SIGHUP);
  EXPECT_TRUE(eventually(
      [&] {
        return Operator(database()).ask_one("SELECT count(*) FROM warnings WHERE code = 'E615'") == "1";
      },
      patience()));
  journal.emplace(path);
  std::string entry = journal->next();
  while (field_of(entry, "LEKT_EVENT") != "reloaded" && !entry.empty()) entry = journal->next();
  EXPECT_FALSE(entry.empty());
}

TEST_F(ServiceManagerTest, stops_in_time_when_the_journal_takes_nothing) {
  if (!may_replace_journal()) GTEST_SKIP() << "needs namespaces of its own";
  std::filesystem::create_directories(systemd_ / "journal");
  const DatagramSocket journal(systemd_ / "journal" / "socket");
  Process process = start_in_journal("--listen 127.0.0.1:0 --database " + database().string());
  // Each reload is an entry at least, and a socket takes 10 or some hundred (net.unix.max_dgram_qlen).
  for (int reload = 0; reload < 600; ++reload) {
    ASSERT_EQ(notify_socket().next("READY"), "READY=1");
    process.send_signal(SIGHUP);
  }
  process.send_signal(SIGTERM);
  EXPECT_EQ(process.wait(), 0);
}

TEST_F(ServiceManagerTest, gives_the_journal_lines_with_a_priority_and_without_a_time) {
  if (!may_replace_journal()) GTEST_SKIP() << "needs namespaces of its own";
  const Process process = start_in_journal("--listen 127.0.0.1:0 --database " + database().string());
  expect_serving(process);
  EXPECT_TRUE(process.errors().starts_with("<6>event=listening address=127.0.0.1:")) << process.errors();
  EXPECT_EQ(count(process.errors(), "\n<6>event=started"), 1u) << process.errors();
}

TEST_F(ServiceManagerTest, gives_the_journal_json_as_it_was_asked_for) {
  if (!may_replace_journal()) GTEST_SKIP() << "needs namespaces of its own";
  const Process process =
      start_in_journal("--log-format json --listen 127.0.0.1:0 --database " + database().string());
  ASSERT_TRUE(eventually([&] { return count(process.errors(), "\"started\"") == 1; }, patience()));
  EXPECT_TRUE(process.errors().starts_with("{\"time\":")) << process.errors();
}

TEST_F(ServiceManagerTest, gives_the_journal_the_last_word_as_an_error) {
  if (!may_replace_journal()) GTEST_SKIP() << "needs namespaces of its own";
  Process without_database = start_in_journal("--database /nowhere/x");
  EXPECT_EQ(without_database.wait(), 1);
  EXPECT_TRUE(without_database.errors().starts_with("<3>lektd: E503")) << without_database.errors();
  Process with_wrong_setting = start_in_journal("--threads 0");
  EXPECT_EQ(with_wrong_setting.wait(), 2);
  EXPECT_TRUE(with_wrong_setting.errors().starts_with("<3>lektd: E501")) << with_wrong_setting.errors();
}

TEST_F(ServiceManagerTest, has_lines_with_a_time_when_standard_error_is_not_the_journal) {
  const Daemon& another = start({}, {{"JOURNAL_STREAM", "1:2"}});
  EXPECT_EQ(count(another.log(), "<6>"), 0u);
  EXPECT_EQ(count(another.log(), "Z info event=started"), 1u);
}

}  // namespace lekt::test
