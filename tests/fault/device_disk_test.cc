// Devices of a server whose disk is full: their sessions live in memory, so they begin, go on and are typed in. Only peers
// hear of them when there is space again.
#include "tests/fault/machine.h"
#include "tests/integration/devices.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

class DeviceDiskTest : public DevicesTest {
 protected:
  std::filesystem::path database() const override { return directory_.path() / "disk" / "lekt.db"; }

  std::uint64_t inputs(const std::string& uid) const {
    return objects({"device", uid}).at(0).at("inputs").get<std::uint64_t>();
  }
  bool is_told_of(RawClient& observer, const std::string& address) const {
    return observer.beat(), observer.view().peers().contains(ip(address));
  }
};

TEST_F(DeviceDiskTest, that_is_full_keeps_no_device_from_its_session_and_peers_hear_of_it_in_the_end) {
  const std::string reason = SmallDisk::cannot_mount();
  if (!reason.empty()) GTEST_SKIP() << reason;
  SmallDisk disk(directory_.path() / "disk", 2 * 1024 * 1024);
  serve({"--database", database().string()});
  RawClient observer = joined(daemon().port(), "127.0.0.2");
  const auto stays = on_terminal({"A1", "127.0.0.3"});
  auto returns = stay({"A2", "127.0.0.4"});
  ASSERT_TRUE(are_there(2));
  ASSERT_TRUE(eventually(
      [&] { return is_told_of(observer, "127.0.0.3") && is_told_of(observer, "127.0.0.4"); }, patience()));
  const Json session = device("A2").at("session");

  disk.fill();
  // What is on its way to the disk at that moment may still get there.
  ASSERT_TRUE(eventually([&] { return !try_to_join("127.0.0.9").empty(); }, patience()));
  stays->press("x");
  EXPECT_TRUE(eventually([&] { return inputs("A1") == 1; }, patience())) << "it types";
  returns.reset();
  returns = stay({"A2", "127.0.0.6"});
  EXPECT_TRUE(eventually([&] { return device("A2").at("address") == "127.0.0.6"; }, patience()));
  EXPECT_EQ(device("A2").at("session"), session) << "it goes on elsewhere";
  const Outcome typed = run_device({"A3", "127.0.0.5"}, {"--expect", "default", "--send", "x"});
  EXPECT_EQ(typed.status, 0) << typed.errors << "it registers and types";
  const auto newcomer = stay({"A4", "127.0.0.7"});
  EXPECT_TRUE(eventually([&] { return device("A4") != nullptr && device("A4").at("state") == "active"; },
                         patience()));
  EXPECT_FALSE(is_told_of(observer, "127.0.0.7")) << "what is not stored is not told";
  EXPECT_TRUE(daemon().logs("event=storage_trouble"));

  disk.make_space();
  EXPECT_TRUE(daemon().logs("event=storage_recovered"));
  // A join that was refused is tried again after half a minute.
  for (const char* address : {"127.0.0.6", "127.0.0.7"})
    EXPECT_TRUE(eventually([&] { return is_told_of(observer, address); }, 3 * patience())) << address;
  EXPECT_FALSE(is_told_of(observer, "127.0.0.4")) << "it has moved";
  // A3 has left its session on the server.
  const Lines all = {"A1|127.0.0.3", "A2|127.0.0.6", "A3|127.0.0.5", "A4|127.0.0.7"};
  Lines stored;
  eventually(
      [&] {
        stored = Operator(database()).ask("SELECT uid, address FROM device_sessions ORDER BY uid");
        return stored == all;
      },
      patience());
  EXPECT_EQ(stored, all);
}

}  // namespace

}  // namespace lekt::test
