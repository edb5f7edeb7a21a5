// A network in which the kernel takes little at once: what a client does not read waits in the server.
#include <chrono>
#include <fstream>
#include <memory>
#include <vector>

#include "tests/fault/fault_support.h"
#include "tests/fault/network.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class SmallBuffersTest : public FaultTest {
 protected:
  void SetUp() override {
    const std::string reason = Network::cannot_have_one();
    if (!reason.empty()) GTEST_SKIP() << reason;
    network_ = std::make_unique<NetworkNamespace>();
    stay_ = std::make_unique<NetworkNamespace::Stay>(*network_);
    std::ofstream("/proc/sys/net/ipv4/tcp_wmem") << "4096 8192 8192";
  }
  void TearDown() override { daemon_.reset(); }

 private:
  std::unique_ptr<NetworkNamespace> network_;
  std::unique_ptr<NetworkNamespace::Stay> stay_;
};

}  // namespace

TEST_F(SmallBuffersTest, who_reads_all_the_time_but_too_slowly_is_let_go) {
  const auto timeout = slowed(2s);
  Flags flags = catalogue_flags();
  flags.insert(flags.end(), {"--heartbeat-timeout", duration_flag(2s), "--tcp-user-timeout", "1h"});
  const std::uint16_t port = start(flags).port();
  std::vector<RawClient> others;
  for (std::size_t number = 0; number < 100; ++number)
    others.push_back(joined(port, address_number(number), chat(Bytes(4096, 'x'))));
  RawClient slow(port, "127.0.0.2", {.receive_buffer = 4096});
  slow.join({});
  slow.send(heartbeat_bytes(0));  // 410 KB: what the socket does not take is to be read in time
  const auto begin = Clock::now();
  const auto is_let_go = [&] {
    slow.read_a_drop(128);
    return count(daemon().log(), "E302") > 0;
  };
  EXPECT_TRUE(eventually(is_let_go, patience())) << daemon().log();
  // The server looks at its clock ten times in a timeout.
  EXPECT_GE(Clock::now() - begin, timeout * 4 / 5) << "it was let go though it did read";
  EXPECT_TRUE(daemon().logs("event=leave address=127.0.0.2"));
}

}  // namespace lekt::test
