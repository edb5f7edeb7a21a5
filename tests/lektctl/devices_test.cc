// Devices are told apart, counted, and none of their bytes reaches the terminal as it is.
#include "lektctl/command/devices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/support/support.h"

namespace lekt::lektctl {

namespace {

using testing::IsSubstring;

constexpr auto any_width = std::numeric_limits<std::size_t>::max();

DeviceStatus device_of(std::string_view address, std::string type, std::string group, std::string state) {
  DeviceStatus device;
  device.address = parse_address(address).value();
  device.type = std::move(type);
  device.group = std::move(group);
  device.state = std::move(state);
  return device;
}

std::vector<std::string> counts_of(const std::vector<DeviceStatus>& devices, std::string_view grouping) {
  std::vector<std::string> lines;
  for (const DevicesTogether& group : group_devices(devices, grouping))
    lines.push_back(group.name + " " + std::to_string(group.devices) + " " + std::to_string(group.active) +
                    " " + std::to_string(group.away) + " " + std::to_string(group.waiting));
  return lines;
}

using Texts = std::vector<std::string>;

TEST(DeviceGroupsTest, count_those_that_have_something_in_common) {
  const std::vector<DeviceStatus> devices = {
      device_of("10.0.9.1", "PDT", "default", "active"), device_of("10.0.9.255", "Truck", "trucks", "away"),
      device_of("10.0.10.1", "PDT", "default", "waiting"), device_of("10.0.10.2", "PDT", "", "connecting")};
  EXPECT_EQ(counts_of(devices, "subnet"), (Texts{"10.0.9.0/24 2 1 1 0", "10.0.10.0/24 2 0 0 1"}))
      << "in the order of addresses, not of texts";
  EXPECT_EQ(counts_of(devices, "type"), (Texts{"PDT 3 1 0 1", "Truck 1 0 1 0"}));
  EXPECT_EQ(counts_of(devices, "group"), (Texts{" 1 0 0 0", "default 2 1 0 1", "trucks 1 0 1 0"}));
  EXPECT_EQ(counts_of({}, "group"), Texts{});
}

DeviceDetails example() {
  DeviceDetails device;
  device.status = device_of("10.10.225.150", "PDT9090_E5", "trucks", "active");
  device.status.uid = "0015708E863F";
  device.status.client_port = 3771;
  device.status.port = 5007;
  device.status.version = "9.1.107";
  device.status.session = 17;
  device.status.age_seconds = 3700;
  device.status.silent_seconds = 2.5;
  device.status.rtt_milliseconds = 34.2;
  device.text = "AB~001~";
  device.system = "WindowsCE";
  device.rows = 16;
  device.columns = 26;
  device.host = "wms (10.1.0.5:23), working";
  device.rules = {"DTLS is not in force", "one session"};
  device.inputs = 240;
  device.sent = 12;
  device.received = 40;
  device.duplicates = 1;
  device.out_of_order = 2;
  device.repeated = 3;
  device.rtt_below_200 = 9;
  device.rtt_below_500 = 8;
  device.rtt_above = 7;
  device.alerts = {{1767323040, ErrorCode::uid_in_use, device.status.address, "0015708E863F", "two have it"}};
  return device;
}

TEST(DeviceTextTest, says_what_is_known) {
  EXPECT_EQ(describe_device(example(), any_width),
            "Device        0015708E863F is active, here for 1h 1m, last heard 2.5s ago\n"
            "Address       10.10.225.150:3771, port 5007 here\n"
            "Type          PDT9090_E5, version 9.1.107, WindowsCE\n"
            "Group         trucks\n"
            "Host          wms (10.1.0.5:23), working\n"
            "Screen        16 rows of 26\n"
            "String        AB~001~\n"
            "Rules         DTLS is not in force\n"
            "              one session\n"
            "Session       17, 240 inputs taken\n"
            "Messages      SNT 12, RCV 40, DUP 1, OSQ 2, RTX 3\n"
            "Round trip    34.2 ms; 9 below 200 ms, 8 below 500 ms, 7 longer\n"
            "\n"
            "ALERT (UTC)          CODE  MESSAGE\n"
            "2026-01-02 03:04:00  E918  two have it\n");
}

TEST(DeviceTextTest, of_one_that_only_connects_says_that_nothing_is_known) {
  DeviceDetails device;
  device.status = device_of("10.0.0.7", "", "", "connecting");
  EXPECT_EQ(describe_device(device, any_width),
            "Device        without a uid is connecting, here for 0.0s, last heard 0.0s ago\n"
            "Address       10.0.0.7:0\n"
            "Messages      SNT 0, RCV 0, DUP 0, OSQ 0, RTX 0\n"
            "Round trip    not measured yet\n");
}

TEST(DeviceTextTest, has_no_byte_of_a_device_that_a_terminal_would_obey) {
  const std::string evil = "\x1b[2J\n\x9b\xe2\x80\xae";
  DeviceDetails device = example();
  for (std::string* text : {&device.status.uid, &device.status.type, &device.status.group,
                            &device.status.state, &device.status.version, &device.text, &device.system,
                            &device.host, &device.rules[0], &device.alerts[0].message})
    *text = evil;
  const std::string text = describe_device(device, any_width);
  EXPECT_EQ(text.find('\x1b'), text.npos);
  EXPECT_EQ(text.find('\x9b'), text.npos);
  EXPECT_EQ(text.find("\xe2\x80\xae"), text.npos);
  EXPECT_EQ(std::ranges::count(text, '\n'), std::ranges::count(describe_device(example(), any_width), '\n'));
  EXPECT_PRED_FORMAT2(IsSubstring, "String        \\x1b[2J\\n\\x9b", text);
}

DeviceScreen example_screen() {
  DeviceScreen screen;
  screen.uid = "0015708E863F";
  screen.address = parse_address("10.10.225.150").value();
  screen.state = "active";
  screen.host = "wms";
  screen.size = {3, 26};
  screen.cursor = {2, 4, true};
  screen.rows = {"Pick list", "", "Qty \xc3\xa9"};
  return screen;
}

TEST(DeviceScreenTest, is_shown_as_it_is_below_what_it_belongs_to) {
  EXPECT_EQ(describe_screen(example_screen(), any_width),
            "Device        0015708E863F at 10.10.225.150 is active, host wms\n"
            "Screen        3 rows of 26, the cursor in row 3, column 5\n"
            "\n"
            "Pick list\n"
            "\n"
            "Qty \xc3\xa9\n");
  DeviceScreen screen = example_screen();
  screen.uid = screen.host = "";
  screen.state = "waiting";
  screen.size.rows = 1;
  screen.cursor.shown = false;
  screen.rows = {""};
  EXPECT_EQ(describe_screen(screen, any_width),
            "Device        without a uid at 10.10.225.150 is waiting\n"
            "Screen        1 row of 26, the cursor hidden\n"
            "\n"
            "\n");
}

TEST(DeviceScreenTest, has_no_byte_that_a_terminal_would_obey_whatever_the_server_says) {
  DeviceScreen screen = example_screen();
  for (std::string* text : {&screen.uid, &screen.state, &screen.host, &screen.rows[0]})
    *text = "\x1b[2J\n\x9b\xe2\x80\xae";
  const std::string text = describe_screen(screen, any_width);
  EXPECT_EQ(text.find('\x1b'), text.npos);
  EXPECT_EQ(text.find('\x9b'), text.npos);
  EXPECT_EQ(text.find("\xe2\x80\xae"), text.npos);
  EXPECT_EQ(std::ranges::count(text, '\n'),
            std::ranges::count(describe_screen(example_screen(), any_width), '\n'));
}

TEST(DeviceScreenTest, is_cut_where_the_terminal_ends) {
  EXPECT_PRED_FORMAT2(IsSubstring, "\nPi...\n", describe_screen(example_screen(), 5));
}

TEST(DeviceTextTest, fits_the_terminal) {
  DeviceDetails device = example();
  device.text = std::string(500, 'x');
  const std::string text = describe_device(device, 40);
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != text.npos; begin = end + 1, end = text.find('\n', begin))
    EXPECT_LE(end - begin, 40u);
}

}  // namespace

}  // namespace lekt::lektctl
