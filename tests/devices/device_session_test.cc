#include "devices/device_session.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/devices/support.h"

namespace lekt::test {
namespace {

using namespace std::chrono_literals;

class DeviceSessionTest : public testing::Test {
 protected:
  static DeviceString device(const std::string& uid) {
    DeviceString device;
    device.uid = uid;
    device.type = "PDT9090_E5";
    device.version = "9.1.107";
    return device;
  }

  DeviceSession session_{1,  Ticket{}, device("UID"), "the string", DeviceGroups().match(example_device, ""),
                         0ms};
};

TEST_F(DeviceSessionTest, takes_each_input_once_and_in_order) {
  EXPECT_EQ(session_.take(2, 0ms), DeviceSession::Input::beyond);
  EXPECT_EQ(session_.take(1, 0ms), DeviceSession::Input::next);
  EXPECT_EQ(session_.take(1, 0ms), DeviceSession::Input::taken);
  EXPECT_EQ(session_.take(0, 0ms), DeviceSession::Input::taken);
  EXPECT_EQ(session_.take(2, 0ms), DeviceSession::Input::next);
  EXPECT_EQ(session_.taken(), 2u);
}

TEST_F(DeviceSessionTest, is_idle_since_its_last_new_input) {
  EXPECT_EQ(session_.idle_at(), 12h);
  (void)session_.take(1, 1h);
  EXPECT_EQ(session_.idle_at(), 13h);
  (void)session_.take(1, 2h);
  EXPECT_EQ(session_.idle_at(), 13h) << "one that was used before is none";
}

TEST_F(DeviceSessionTest, keeps_its_uid_whatever_the_device_says_later) {
  DeviceString turned = device("ANOTHER");
  turned.rows = 26;
  turned.columns = 16;
  session_.describe(turned, "another string");
  EXPECT_EQ(session_.device().uid, "UID");
  EXPECT_EQ(session_.device().columns, 16);
  EXPECT_EQ(session_.text(), "another string");
}

TEST_F(DeviceSessionTest, draws_its_screen_in_the_size_of_the_device) {
  DeviceString small = device("UID");
  small.rows = 1;
  small.columns = 5;
  session_.describe(small, "");
  const Screen screen = draw_session(session_);
  EXPECT_EQ(screen.rows(), 1u);
  ASSERT_EQ(screen.columns(), 5u);
  std::string text;
  for (const Cell& cell : screen.row(0)) text += static_cast<char>(cell.character);
  EXPECT_EQ(text, "Group");
}

}  // namespace
}  // namespace lekt::test
