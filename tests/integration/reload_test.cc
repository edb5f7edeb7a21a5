// SIGHUP: what a running server takes from its configuration file, and what it says about the rest.
#include <csignal>
#include <fstream>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

class ReloadTest : public DaemonTest {
 protected:
  void start_with(const std::string& text) {
    write(text);
    start({"--config=" + path().string()});
  }

  /// Returns when the server has said what came of it.
  void reload(const std::string& text, const std::string& event = "event=reloaded") {
    write(text);
    const std::size_t before = count(daemon().log(), event);
    ::kill(daemon().id(), SIGHUP);
    ASSERT_TRUE(daemon().logs(event, before + 1)) << daemon().log();
  }

  RawClient connect(const std::string& from) { return RawClient(daemon().port(), from); }

  std::filesystem::path path() const { return directory_.path() / "lektd.toml"; }

 private:
  void write(const std::string& text) const { std::ofstream(path()) << text; }
};

}  // namespace

TEST_F(ReloadTest, takes_lists_limits_and_catalogue_without_losing_a_client) {
  start_with("");
  RawClient stays = joined(daemon().port(), "127.0.0.2");
  reload("deny = [\"127.0.0.3\"]\nmax-clients = 2\nmethod = [\"2:chat:sized\", \"3:key:fixed:6\"]\n");
  EXPECT_PRED_FORMAT2(IsSubstring, "changed=\"max-clients, deny, method\" needs_restart=nothing",
                      daemon().log());
  EXPECT_PRED_FORMAT2(IsSubstring, "E404", connect("127.0.0.3").expect_reject());
  RawClient chats = joined(daemon().port(), "127.0.0.4", chat("hello"));
  EXPECT_EQ(stays.beat_until_news().added.size(), 2u);
  RawClient third = connect("127.0.0.5");
  third.send(setup_bytes(tcp(1)));
  (void)third.expect<AcceptPacket>();
  (void)third.expect<RequestPacket>();
  EXPECT_PRED_FORMAT2(IsSubstring, "E401", third.expect_reject());
  reload("");
  RawClient back = joined(daemon().port(), "127.0.0.3");
  EXPECT_EQ(back.beat(0).added.size(), 3u);
}

TEST_F(ReloadTest, names_what_needs_a_restart_and_keeps_it) {
  start_with("");
  reload("threads = 3\nheartbeat-timeout = \"7s\"\nlog-level = \"warn\"\n");
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "needs_restart=\"heartbeat-timeout, tcp-user-timeout, restart-grace, threads\"",
                      daemon().log());
  RawClient quiet = joined(daemon().port(), "127.0.0.2");
  EXPECT_EQ(count(daemon().log(), "event=join"), 0u) << "the log level was taken";
}

TEST_F(ReloadTest, keeps_the_old_settings_when_the_new_ones_are_wrong) {
  start_with("deny = [\"127.0.0.3\"]\n");
  reload("heartbeat-timeout = \"many\"\nallow = [\"127.0.0.9\"]\n", "event=reload_failed");
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "E607 " + path().string() + ":1:21: heartbeat-timeout: 'many' is not allowed",
                      daemon().log());
  EXPECT_PRED_FORMAT2(IsSubstring, "E404", connect("127.0.0.3").expect_reject());
  RawClient served = joined(daemon().port(), "127.0.0.2");
  reload("no-such-setting = 1\n", "event=reload_failed");
  std::filesystem::remove(path());
  ::kill(daemon().id(), SIGHUP);
  EXPECT_TRUE(daemon().logs("event=reload_failed", 3)) << "a file that is gone is wrong, too";
  served.beat();
  reload("");
  RawClient welcome = joined(daemon().port(), "127.0.0.3");
}

TEST_F(ReloadTest, does_not_outlive_a_stop_that_comes_at_the_same_moment) {
  start_with("");
  daemon().pause();
  ::kill(daemon().id(), SIGHUP);
  ::kill(daemon().id(), SIGTERM);
  daemon().resume();
  EXPECT_EQ(daemon().stop(SIGTERM), 0);
}

}  // namespace lekt::test
