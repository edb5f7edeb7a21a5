// The recipes of docs/recipes.md, with the programs that they are for.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/ecosystem/loopback.h"
#include "tests/integration/daemon.h"

namespace lekt::test {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* dnsmasq = "/usr/sbin/dnsmasq";
constexpr const char* nginx = "/usr/sbin/nginx";
constexpr const char* promtool = "/usr/bin/promtool";

class RecipesTest : public DaemonTest {
 protected:
  RecipesTest() { start({"--method", "2:chat:sized"}); }

  /// `lekt join` from this address, until the scope ends or it is told to leave.
  Process join(const std::string& address, Flags flags) {
    flags.insert(flags.begin(), {"join", "--server", "127.0.0.1:" + std::to_string(daemon().port()),
                                 "--source", address, "--interval", "100ms"});
    return {LEKT_PROGRAM, flags, directory_.path()};
  }

  static void leave(Process& member) {
    member.send_signal(SIGTERM);
    EXPECT_EQ(member.wait(), 0);
  }

  std::string file(const std::string& name) const { return (directory_.path() / name).string(); }
};

TEST_F(RecipesTest, dnsmasq_knows_who_is_there_and_forgets_who_has_left) {
  if (!std::filesystem::exists(dnsmasq)) GTEST_SKIP() << "needs Debian's dnsmasq-base";
  std::filesystem::create_directory(file("hosts.d"));
  const std::uint16_t port = free_port();
  const Process keeper = join("127.0.0.1", {"--format", "hosts", "--output", file("hosts.d/lekt")});
  const Process server(dnsmasq,
                       {"--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                        "--listen-address=127.0.0.1", "--bind-interfaces", "--port=" + std::to_string(port),
                        "--hostsdir=" + file("hosts.d"), "--domain=lekt.example", "--expand-hosts"},
                       directory_.path());
  const auto has = [port](const std::string& name, const Lines& addresses) {
    return eventually([&] { return resolve(port, name) == addresses; }, patience());
  };
  EXPECT_TRUE(has("lekt-127-0-0-1", {"127.0.0.1"})) << server.errors();
  Process member = join("127.0.0.7", {});
  EXPECT_TRUE(has("lekt-127-0-0-7", {"127.0.0.7"})) << server.errors();
  EXPECT_TRUE(has("lekt-127-0-0-7.lekt.example", {"127.0.0.7"}));
  leave(member);
  EXPECT_TRUE(has("lekt-127-0-0-7", {})) << server.errors();
  EXPECT_TRUE(has("lekt-127-0-0-1", {"127.0.0.1"}));
}

/// Ends with its workers, which a SIGKILL would leave behind.
class Nginx : public Process {
 public:
  using Process::Process;
  ~Nginx() {
    send_signal(SIGTERM);
    eventually([this] { return has_ended(); }, patience());
  }
};

class NginxTest : public RecipesTest {
 protected:
  /// An nginx whose front asks the peers, and which plays two of them as well; one process, which ends with
  /// the test.
  void write_configuration() {
    std::ofstream text(file("nginx.conf"));
    text << "daemon off; worker_processes 1; pid " << file("nginx.pid") << "; error_log stderr;\n"
         << "events {}\nhttp {\n  access_log off;\n";
    for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      text << "  " << kind << "_temp_path " << file(kind) << ";\n";
    text << "  include " << file("lekt.conf") << ";\n"
         << "  server { listen 127.0.0.1:" << front << "; location / { proxy_pass http://lekt; } }\n"
         << "  server { listen 127.0.0.7:" << back << "; return 200 seven; }\n"
         << "  server { listen 127.0.0.9:" << back << "; return 200 nine; }\n}\n";
  }

  /// Whether the front is answered by all of these, and by nobody else, sooner or later.
  bool is_answered_by(const std::set<std::string>& peers) {
    return eventually(
        [&] {
          std::set<std::string> found;
          for (int i = 0; i < 6; ++i) found.insert(fetch(front));
          return found == peers;
        },
        patience());
  }

  const std::uint16_t front = free_port();
  const std::uint16_t back = free_port();
};

TEST_F(NginxTest, sends_requests_to_who_is_there) {
  if (!std::filesystem::exists(nginx)) GTEST_SKIP() << "needs Debian's nginx-light";
  write_configuration();
  const std::string command = std::string(LEKT_SOURCE_DIR "/deploy/recipes/nginx-upstream ") + file("peers") +
                              " " + file("lekt.conf") + " " + nginx + " -c " + file("nginx.conf");
  const Process keeper =
      join("127.0.0.1", {"--format", "hosts", "--output", file("peers"), "--exec", command});
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(file("lekt.conf")); }, patience()))
      << keeper.errors();
  const Nginx server(nginx, {"-c", file("nginx.conf")}, directory_.path());
  const Flags method = {"--method", "tcp:" + std::to_string(back)};
  EXPECT_TRUE(is_answered_by({"502"})) << "nobody offers anything\n" << server.errors();
  Process seven = join("127.0.0.7", method);
  EXPECT_TRUE(is_answered_by({"seven"})) << server.errors() << keeper.errors();
  const Process nine = join("127.0.0.9", method);
  EXPECT_TRUE(is_answered_by({"seven", "nine"})) << server.errors() << keeper.errors();
  leave(seven);
  EXPECT_TRUE(is_answered_by({"nine"})) << server.errors() << keeper.errors();
}

TEST_F(RecipesTest, prometheus_finds_its_targets) {
  if (!std::filesystem::exists(promtool)) GTEST_SKIP() << "needs Debian's prometheus";
  std::ofstream(file("prometheus.yml"))
      << "scrape_configs:\n"
         "  - job_name: peers\n"
         "    file_sd_configs: [{files: [lekt.json]}]\n"
         "    relabel_configs:\n"
         "      - {action: labelmap, regex: __meta_lekt_(address|method_chat)}\n";
  const Flags catalogue = {"--catalogue", "2:chat:sized"};
  const Process chatty =
      join("127.0.0.7", {"--method", "tcp:4000", "--method", "chat:0a0b", catalogue[0], catalogue[1]});
  const Process keeper = join(
      "127.0.0.1", {"--format", "prometheus", "--output", file("lekt.json"), catalogue[0], catalogue[1]});
  const auto has_target = [&] {
    return std::filesystem::exists(file("lekt.json")) && count(read_text(file("lekt.json")), ":4000") == 1;
  };
  ASSERT_TRUE(eventually(has_target, patience())) << keeper.errors();
  const Outcome found =
      run(promtool, {"check", "service-discovery", "--timeout=1s", file("prometheus.yml"), "peers"});
  ASSERT_EQ(found.status, 0) << found.errors;
  const auto targets = nlohmann::json::parse(found.output);
  ASSERT_EQ(targets.size(), 1u);
  EXPECT_EQ(targets[0]["labels"]["instance"], "127.0.0.7:4000");
  EXPECT_EQ(targets[0]["labels"]["address"], "127.0.0.7");
  EXPECT_EQ(targets[0]["labels"]["method_chat"], "0a0b");
}

}  // namespace
}  // namespace lekt::test
