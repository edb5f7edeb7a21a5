#include "devices/handler_log.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/devices/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace handler_event;

using test::example_device;
using test::example_endpoint;

constexpr Address server_address = Address::v4(0xc0a8640c);

/// 25 January 2010, 08:29:42 and some milliseconds.
LoggedTime moment(std::chrono::milliseconds after) { return {1264408182s + after, 0s}; }

std::string line_of(std::chrono::milliseconds after, const HandlerEvent& event) {
  return handler_line(HandlerLevel::protocol, moment(after), event);
}

std::string words_of_line(const HandlerEvent& event) {
  const std::string line = handler_line(HandlerLevel::socket, {}, event);
  EXPECT_TRUE(line.ends_with('\n'));
  return line.substr(26, line.size() - 27);
}

bool is_one_printable_line(std::string_view line) {
  return line.ends_with('\n') &&
         std::ranges::all_of(line.substr(0, line.size() - 1), [](char c) { return c >= ' ' && c <= '~'; });
}

DeviceString device_of(const std::string& text) {
  DeviceString string;
  string.type = string.uid = string.version = text;
  return string;
}

TEST(HandlerLog, has_the_eight_lines_of_the_choreography) {
  const std::string string =
      "AB~001~19~000~PDT9090_E5~16~26~09~01~0107~0000~000~0015708E863F~640~6006~1~20100118100852~S~"
      "WindowsCE      ~2~01~0~";
  EXPECT_EQ(line_of(549ms, starting_session(example_device)),
            "01/25/2010 08:29:42:549 - Device Handler Starting Session for 10.10.225.150\n");
  EXPECT_EQ(
      line_of(597ms, attempting_to_open(server_address, 5000, 6000)),
      "01/25/2010 08:29:42:597 - Device Handler: Attempting to open a socket on IP 192.168.100.12 on a UDP "
      "port between 5000 and 6000\n");
  EXPECT_EQ(line_of(723ms, using_socket(server_address, 5007)),
            "01/25/2010 08:29:42:723 - Device Handler is using socket on IP: 192.168.100.12  Port: 5007\n");
  EXPECT_EQ(line_of(723ms, sending_connect_accept(example_endpoint)),
            "01/25/2010 08:29:42:723 - Sending Connect Accept to: 10.10.225.150:3771\n");
  EXPECT_EQ(line_of(1029ms, processing_registration(example_endpoint)),
            "01/25/2010 08:29:43:029 - Device Handler Processing Registration for 10.10.225.150 at "
            "10.10.225.150:3771\n");
  EXPECT_EQ(line_of(1029ms, sending_registration_accept(example_endpoint)),
            "01/25/2010 08:29:43:029 - Sending Registration Accept to: 10.10.225.150:3771\n");
  EXPECT_EQ(line_of(1170ms, getting_device_config()), "01/25/2010 08:29:43:170 - esp_GetDeviceConfig()\n");
  EXPECT_EQ(line_of(1248ms, got_device_config(string)),
            "01/25/2010 08:29:43:248 - esp_GetDeviceConfig() returns'" + string + "'\n");
}

TEST(HandlerLog, has_lines_of_sessions) {
  const DeviceString device{"PDT9090_E5", 16, 26, true, "9.1.107", "0015708E863F", ""};
  EXPECT_EQ(words_of_line(session_started(device, "trucks")),
            "Session of '0015708E863F' started: type 'PDT9090_E5', screen 16x26, version '9.1.107', group "
            "'trucks'");
  EXPECT_EQ(words_of_line(session_resumed("0015708E863F", example_endpoint)),
            "Session of '0015708E863F' resumed at 10.10.225.150:3771");
  EXPECT_EQ(words_of_line(host_connected("0015708E863F", "wms (10.1.0.5:23)")),
            "Session of '0015708E863F' connected to wms (10.1.0.5:23)");
  EXPECT_EQ(words_of_line(host_lost("0015708E863F", "wms (10.1.0.5:23)", "connection reset by peer")),
            "Session of '0015708E863F' lost wms (10.1.0.5:23): connection reset by peer");
  EXPECT_EQ(words_of_line(host_trouble("0015708E863F", "E909 wms (10.1.0.5:23) cannot be reached: refused")),
            "Session of '0015708E863F': E909 wms (10.1.0.5:23) cannot be reached: refused");
  EXPECT_EQ(words_of_line(session_ended("0015708E863F", "E910 the host closed")),
            "Session of '0015708E863F' ended: E910 the host closed");
}

TEST(HandlerLog, has_a_line_for_each_datagram_without_its_contents) {
  const DatagramHead input{.type = DatagramType::message, .registration = 1, .number = 2, .acknowledged = 4};
  EXPECT_EQ(words_of_line(datagram(Fate::received, input, 40, example_endpoint)),
            "Received M number 2, acknowledges 4, 40 bytes from 10.10.225.150:3771");
  EXPECT_EQ(words_of_line(datagram(Fate::duplicate, input, 40, example_endpoint)),
            "Received again, dropped: M number 2, acknowledges 4, 40 bytes from 10.10.225.150:3771");
  EXPECT_EQ(words_of_line(datagram(Fate::out_of_order, input, 40, example_endpoint)),
            "Received out of order, dropped: M number 2, acknowledges 4, 40 bytes from 10.10.225.150:3771");
  EXPECT_EQ(words_of_line(datagram(Fate::sent, input, 79, example_endpoint)),
            "Sent M number 2, acknowledges 4, 79 bytes to 10.10.225.150:3771");
  EXPECT_EQ(words_of_line(datagram(Fate::repeated, input, 79, example_endpoint)),
            "Sent again M number 2, acknowledges 4, 79 bytes to 10.10.225.150:3771");
  const DatagramHead failure{.type = DatagramType::failure, .registration = 1, .number = 908};
  EXPECT_EQ(words_of_line(datagram(Fate::sent, failure, 63, example_endpoint)),
            "Sent F E908, acknowledges 0, 63 bytes to 10.10.225.150:3771");
}

TEST(HandlerLog, has_nested_levels) {
  const HandlerEvent session = session_ended("u", "E915 bye");
  const HandlerEvent protocol = getting_device_config();
  const HandlerEvent socket = datagram(Fate::sent, {}, 24, example_endpoint);
  const auto logged = [&](HandlerLevel level) {
    std::string found;
    for (const auto& [name, event] : {std::pair('s', session), {'p', protocol}, {'d', socket}})
      if (!handler_line(level, {}, event).empty()) found += name;
    return found;
  };
  EXPECT_EQ(logged(HandlerLevel::off), "");
  EXPECT_EQ(logged(HandlerLevel::session), "s");
  EXPECT_EQ(logged(HandlerLevel::protocol), "sp");
  EXPECT_EQ(logged(HandlerLevel::socket), "spd");
}

TEST(HandlerLog, has_local_time) {
  EXPECT_EQ(format_logged_time({1264408182'549ms, 3600s}), "01/25/2010 09:29:42:549");
  EXPECT_EQ(format_logged_time({1264408182'549ms, -9 * 3600s}), "01/24/2010 23:29:42:549");
  EXPECT_EQ(format_logged_time({1264408182'549ms, 5 * 3600s + 1800s}), "01/25/2010 13:59:42:549");
  EXPECT_EQ(format_logged_time({951782400'007ms, 0s}), "02/29/2000 00:00:00:007");
}

TEST(HandlerLog, bears_any_clock) {
  const auto most = std::chrono::milliseconds::max();
  EXPECT_EQ(format_logged_time({most, 86'400s}), "12/31/9999 23:59:59:999");
  EXPECT_EQ(format_logged_time({most, std::chrono::seconds::max()}), "12/31/9999 23:59:59:999");
  EXPECT_EQ(format_logged_time({-most, std::chrono::seconds::min()}), "01/01/1970 00:00:00:000");
  EXPECT_EQ(format_logged_time({0ms, -3600s}), "01/01/1970 00:00:00:000");
}

TEST(HandlerLog, has_one_line_for_an_event_whatever_bytes_it_contains) {
  Bytes bytes;
  for (int value = 0; value < 256; ++value) bytes += static_cast<char>(value);
  const DeviceString device = device_of(bytes);
  for (const HandlerEvent& event :
       {got_device_config(bytes), session_started(device, bytes), session_resumed(bytes, example_endpoint),
        session_ended(bytes, bytes), host_connected(bytes, bytes), host_lost(bytes, bytes, bytes),
        host_trouble(bytes, bytes)})
    EXPECT_TRUE(is_one_printable_line(handler_line(HandlerLevel::socket, {}, event)));
  EXPECT_EQ(words_of_line(session_ended("u\n", "a\x1b[2J\"\\")), R"(Session of 'u\n' ended: a\x1b[2J\"\\)");
}

TEST(HandlerLog, has_lines_with_a_limit) {
  const std::string longest(limits::device_string_bytes_max, 'x');
  EXPECT_TRUE(words_of_line(got_device_config(longest)).ends_with("x'")) << "the longest string fits";
  const std::string line = line_of(0ms, session_ended("u", std::string(1'000'000, '\xff')));
  EXPECT_LE(line.size(), 4 * limits::handler_words_bytes_max + 27);
}

TEST(HandlerLog, has_a_file_for_each_address) {
  EXPECT_EQ(handler_log_file(example_device), "device-10.10.225.150.log");
  EXPECT_EQ(handler_log_older_file(example_device), "device-10.10.225.150.log.1");
}

}  // namespace
}  // namespace lekt
