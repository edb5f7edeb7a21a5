#include <algorithm>
#include <variant>

#include "common/device_packets.h"
#include "common/device_string.h"
#include "devices/handler_log.h"
#include "tests/fuzz/fuzzers.h"

namespace lekt::fuzz {

namespace {

bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void expect_method(const DeviceString& device, std::string_view group) {
  const Bytes content = device_method_content(device, group);
  require(content.size() <= limits::device_method_bytes_max, "the method has a limit");
  require(std::ranges::count(content, '=') == 5 && std::ranges::count(content, ',') == 4,
          "no value of the method begins another");
  require(is_printable_ascii(content), "the method is ASCII");
}

void expect_line(const HandlerEvent& event) {
  const std::string line = handler_line(HandlerLevel::socket, {}, event);
  require(line.size() <= 4 * limits::handler_words_bytes_max + 27, "a line has a limit");
  require(line.ends_with('\n') && is_printable_ascii(std::string_view(line).substr(0, line.size() - 1)),
          "an event is one line");
}

}  // namespace

void fuzz_device_string(ByteView input) {
  expect_line(handler_event::got_device_config(input));
  const auto read = read_device_string(input);
  if (const auto* fault = std::get_if<std::string>(&read)) {
    require(!fault->empty() && fault->size() <= 300 && is_printable_ascii(*fault),
            "what is wrong is said in one line");
    return;
  }
  const auto& device = std::get<DeviceString>(read);
  require(std::ranges::count(input, '~') >= 13, "thirteen fields have an end");
  require(device.uid.size() <= limits::device_uid_bytes_max && input.find(device.uid) != input.npos,
          "the uid is as it was sent, and short");
  require(device.type.size() <= limits::device_type_bytes_max &&
              device.system.size() <= limits::device_system_bytes_max &&
              device.version.size() <= limits::device_version_bytes_max,
          "all that is kept has a limit");
  require(device.rows >= 1 && device.rows <= limits::screen_rows_max && device.columns >= 1 &&
              device.columns <= limits::screen_columns_max,
          "a screen has a size");
  require(device.has_size || (device.rows == limits::screen_rows_default &&
                              device.columns == limits::screen_columns_default),
          "without a size it is that of most terminals");
  expect_method(device, input);
  expect_line(handler_event::session_started(device, input));
  expect_line(handler_event::session_resumed(device.uid, {}));
  expect_line(handler_event::session_ended(device.uid, input));
}

}  // namespace lekt::fuzz
