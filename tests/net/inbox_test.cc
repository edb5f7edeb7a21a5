// What reaches the writer, and what nobody will carry out.
#include "server/net/inbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace lekt {
namespace {

using namespace std::chrono_literals;

TEST(Inbox, takes_nothing_that_nobody_will_carry_out) {
  Inbox inbox;
  EXPECT_TRUE(inbox.post(LeaveCommand{}));
  inbox.close();
  EXPECT_FALSE(inbox.post(LeaveCommand{}));
  std::vector<Command> commands;
  EXPECT_TRUE(inbox.take(commands, 0ms));
  EXPECT_EQ(commands.size(), 1u);
}

}  // namespace
}  // namespace lekt
