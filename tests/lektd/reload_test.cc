#include "lektd/reload.h"

#include <gtest/gtest.h>

#include "tests/lektd/configuration_support.h"

namespace lekt {
namespace {

using test::settings;
using Names = std::vector<std::string>;

TEST(Reload, finds_nothing_when_nothing_has_changed) {
  const Reload reload = plan_reload(settings({}), settings({}));
  EXPECT_EQ(reload.changed, Names{});
  EXPECT_EQ(reload.needs_restart, Names{});
}

TEST(Reload, keeps_the_running_value_of_what_needs_a_restart) {
  const Reload reload =
      plan_reload(settings({}), settings({"--threads=77", "--max-clients=5", "--listen=[::1]:9"}));
  EXPECT_EQ(reload.changed, Names{"max-clients"});
  EXPECT_EQ(reload.needs_restart, (Names{"listen", "threads"}));
  EXPECT_EQ(reload.configuration.threads, settings({}).threads);
  EXPECT_EQ(reload.configuration.listen, settings({}).listen);
  EXPECT_EQ(reload.configuration.clients_max, 5u);
}

TEST(Reload, lets_what_follows_the_heartbeat_timeout_follow_the_one_in_use) {
  const Reload reload = plan_reload(settings({}), settings({"--heartbeat-timeout=30s"}));
  EXPECT_EQ(reload.changed, Names{});
  EXPECT_EQ(reload.needs_restart, (Names{"heartbeat-timeout", "tcp-user-timeout", "restart-grace"}));
  EXPECT_EQ(reload.configuration.silence_patience, settings({}).silence_patience);
}

TEST(Reload, names_each_of_the_files_for_tls) {
  const Names running = {"--tls-listen=127.0.0.1:1", "--tls-cert=a", "--tls-key=b"};
  const Reload reload =
      plan_reload(settings(running),
                  settings({"--tls-listen=127.0.0.1:2", "--tls-cert=a", "--tls-key=c", "--tls-client-ca=d"}));
  EXPECT_EQ(reload.changed, (Names{"tls-key", "tls-client-ca"}));
  EXPECT_EQ(reload.needs_restart, Names{"tls-listen"});
}

TEST(Reload, takes_limits_lists_catalogue_and_log_level) {
  const Reload reload = plan_reload(settings({}), settings({"--max-heartbeat-rate=3", "--deny=10.0.0.1",
                                                            "--method=2:chat:sized", "--log-level=warn"}));
  EXPECT_EQ(reload.changed, (Names{"max-heartbeat-rate", "deny", "method", "log-level"}));
  EXPECT_EQ(reload.needs_restart, Names{});
  EXPECT_NE(reload.configuration.catalogue.find("chat"), nullptr);
}

}  // namespace
}  // namespace lekt
