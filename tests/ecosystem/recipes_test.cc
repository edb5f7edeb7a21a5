// The recipes of docs/recipes.md, with the programs that they are for.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/ecosystem/loopback.h"
#include "tests/integration/daemon.h"
#include "tests/support/paths.h"

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
    return {program_file("lekt"), flags, directory_.path()};
  }

  static void leave(Process& member) {
    member.send_signal(SIGTERM);
    EXPECT_EQ(member.wait(), 0);
  }

  std::string file(const std::string& name) const { return (directory_.path() / name).string(); }
};

class DnsmasqTest : public RecipesTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(dnsmasq)) GTEST_SKIP() << "needs Debian's dnsmasq-base";
  }

  Flags flags(Flags more) const {
    more.insert(more.end(),
                {"--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                 "--listen-address=127.0.0.1", "--bind-interfaces", "--port=" + std::to_string(port_),
                 "--pid-file=" + file("dnsmasq.pid"), "--domain=lekt.example", "--expand-hosts"});
    return more;
  }

  /// Whether the name has these addresses, sooner or later.
  bool has(const std::string& name, const Lines& addresses) const {
    return eventually([&] { return resolve(port_, name) == addresses; }, patience());
  }

  const std::uint16_t port_ = free_port();
};

TEST_F(DnsmasqTest, knows_who_is_there_and_forgets_who_has_left) {
  const Process server(dnsmasq, flags({"--addn-hosts=" + file("peers")}), directory_.path());
  ASSERT_TRUE(eventually([&] { return server.errors().find("started") != std::string::npos; }, patience()));
  const Process keeper = join("127.0.0.1", {"--format", "hosts", "--output", file("peers"), "--exec-batch",
                                            "kill -HUP " + std::to_string(server.id())});
  EXPECT_TRUE(has("lekt-127-0-0-1", {"127.0.0.1"})) << server.errors();
  Process member = join("127.0.0.7", {});
  EXPECT_TRUE(has("lekt-127-0-0-7", {"127.0.0.7"})) << server.errors() << keeper.errors();
  EXPECT_TRUE(has("lekt-127-0-0-7.lekt.example", {"127.0.0.7"}));
  leave(member);
  EXPECT_TRUE(has("lekt-127-0-0-7", {})) << server.errors() << keeper.errors();
  EXPECT_TRUE(has("lekt-127-0-0-1", {"127.0.0.1"}));
}

TEST_F(DnsmasqTest, a_directory_of_hosts_needs_no_signal_and_what_a_killed_keeper_leaves_is_not_read) {
  std::filesystem::create_directory(file("hosts.d"));
  std::ofstream(file("hosts.d/.lekt.lekt-abcdef")) << "10.9.9.9 ghost\n";
  const Process server(dnsmasq, flags({"--hostsdir=" + file("hosts.d")}), directory_.path());
  std::ofstream(file("hosts.d/real")) << "10.9.9.8 real\n";
  EXPECT_TRUE(has("real", {"10.9.9.8"})) << server.errors();
  EXPECT_TRUE(has("ghost", {}));
  std::ofstream(file("hosts.d/.lekt.lekt-fedcba")) << "10.9.9.9 ghost\n";
  const Process keeper = join("127.0.0.1", {"--format", "hosts", "--output", file("hosts.d/lekt")});
  EXPECT_TRUE(has("lekt-127-0-0-1", {"127.0.0.1"})) << server.errors();
  EXPECT_TRUE(has("ghost", {}));
  EXPECT_FALSE(std::filesystem::exists(file("hosts.d/.lekt.lekt-abcdef")));
}

TEST_F(DnsmasqTest, twenty_thousand_names_are_read_again_without_a_gap) {
  {
    std::ofstream names(file("peers"));
    for (std::uint32_t number = 0; number < 20'000; ++number) {
      const std::string address = to_string(Address::v4(0x0a000000 + number));
      names << address << " lekt-" << address << "  # tcp:7890\n";
    }
  }
  const Process server(dnsmasq, flags({"--addn-hosts=" + file("peers")}), directory_.path());
  ASSERT_TRUE(has("lekt-10.0.78.31", {"10.0.78.31"})) << server.errors();
  std::ofstream(file("peers"), std::ios::app) << "10.9.9.9 later\n";
  server.send_signal(SIGHUP);
  // With a directory of hosts the first answer would come after seconds.
  EXPECT_TRUE(eventually([&] { return resolve(port_, "later") == Lines{"10.9.9.9"}; }, patience() / 4));
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
    std::filesystem::create_directory(file("conf.d"));
    text << "  include " << file("conf.d/*.conf") << ";\n"
         << "  server { listen 127.0.0.1:" << front << "; location / { proxy_pass http://lekt; } }\n"
         << "  server { listen 127.0.0.7:" << back << "; return 200 seven; }\n"
         << "  server { listen 127.0.0.9:" << back << "; return 200 nine; }\n}\n";
  }

  std::string recipe() const {
    return source_file("deploy/recipes/nginx-upstream") + " " + file("peers") + " " +
           file("conf.d/lekt.conf") + " " + nginx + " -c " + file("nginx.conf");
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

  Flags keeping() const { return {"--format", "hosts", "--output", file("peers"), "--exec-batch", recipe()}; }
  void expect_upstream_of(const Process& keeper) const {
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(file("conf.d/lekt.conf")); }, patience()))
        << keeper.errors();
  }

  const std::uint16_t front = free_port();
  const std::uint16_t back = free_port();
};

TEST_F(NginxTest, sends_requests_to_who_is_there) {
  if (!std::filesystem::exists(nginx)) GTEST_SKIP() << "needs Debian's nginx-light";
  write_configuration();
  const Process keeper = join("127.0.0.1", keeping());
  ASSERT_NO_FATAL_FAILURE(expect_upstream_of(keeper));
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

TEST_F(NginxTest, a_mistake_elsewhere_keeps_the_old_upstream_and_the_new_one_comes_when_it_is_mended) {
  if (!std::filesystem::exists(nginx)) GTEST_SKIP() << "needs Debian's nginx-light";
  write_configuration();
  const Process keeper = join("127.0.0.1", keeping());
  ASSERT_NO_FATAL_FAILURE(expect_upstream_of(keeper));
  const Nginx server(nginx, {"-c", file("nginx.conf")}, directory_.path());
  EXPECT_TRUE(is_answered_by({"502"})) << server.errors();
  const std::string before = read_text(file("conf.d/lekt.conf"));
  std::ofstream(file("conf.d/site.conf")) << "mistake;\n";
  const Process seven = join("127.0.0.7", {"--method", "tcp:" + std::to_string(back)});
  EXPECT_TRUE(
      eventually([&] { return count(keeper.errors(), "so the old upstream stays") >= 2; }, patience()))
      << keeper.errors();
  EXPECT_TRUE(eventually([&] { return read_text(file("conf.d/lekt.conf")) == before; }, patience()));
  EXPECT_EQ(fetch(front), "502");
  std::filesystem::remove(file("conf.d/site.conf"));
  EXPECT_TRUE(is_answered_by({"seven"})) << server.errors() << keeper.errors();
}

TEST_F(NginxTest, a_recipe_that_was_killed_before_nginx_was_told_does_its_work_later) {
  if (!std::filesystem::exists(nginx)) GTEST_SKIP() << "needs Debian's nginx-light";
  write_configuration();
  std::ofstream(file("conf.d/lekt.conf")) << "upstream lekt {\n  server 127.0.0.1:1 down;\n}\n";
  const Nginx server(nginx, {"-c", file("nginx.conf")}, directory_.path());
  EXPECT_TRUE(is_answered_by({"502"})) << server.errors();
  // What such a run leaves: the new upstream in place, and nginx with the old one.
  std::ofstream(file("peers")) << "127.0.0.7 lekt-127-0-0-7  # tcp:" << back << "\n";
  std::ofstream(file("conf.d/lekt.conf")) << "upstream lekt {\n  server 127.0.0.7:" << back << ";\n}\n";
  std::ofstream(file("conf.d/.lekt.conf.pending"));
  EXPECT_EQ(run("/bin/sh", {"-c", recipe()}).status, 0);
  EXPECT_TRUE(is_answered_by({"seven"})) << server.errors();
  EXPECT_FALSE(std::filesystem::exists(file("conf.d/.lekt.conf.pending")));
}

TEST_F(RecipesTest, nginx_takes_no_name_for_a_port) {
  std::ofstream(file("peers"))
      << R"(127.0.0.7 lekt-127-0-0-7 a.lekt  # tcp:80 name:"a \" tcp:1;} b tcp:22 c" tcp:81)" << '\n';
  const Outcome made = run(
      "/bin/sh", {source_file("deploy/recipes/nginx-upstream"), file("peers"), file("made.conf"), "true"});
  EXPECT_EQ(made.status, 0) << made.errors;
  EXPECT_EQ(read_text(file("made.conf")),
            "upstream lekt {\n  server 127.0.0.7:80;\n  server 127.0.0.7:81;\n}\n");
}

TEST_F(RecipesTest, prometheus_finds_its_targets) {
  if (!std::filesystem::exists(promtool)) GTEST_SKIP() << "needs Debian's prometheus";
  std::ofstream(file("prometheus.yml"))
      << "scrape_configs:\n"
         "  - job_name: peers\n"
         "    file_sd_configs: [{files: ['*.json']}]\n"
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
  // What a keeper leaves that is killed in the middle of its work.
  std::ofstream(file(".lekt.json.lekt-abcdef")) << "[{\"targets\":";
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
