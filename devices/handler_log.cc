#include "devices/handler_log.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "common/text.h"

namespace lekt {

std::string format_logged_time(LoggedTime time) {
  using namespace std::chrono;
  constexpr sys_time<milliseconds> first{milliseconds(0)};
  constexpr sys_time<milliseconds> last{sys_days{year(9999) / 12 / 31} + hours(24) - milliseconds(1)};
  // The zone is limited before it is added, so no sum leaves the range of 64 bits.
  const milliseconds east = std::clamp(time.east, seconds(-86'400), seconds(86'400));
  const milliseconds utc = std::clamp(time.unix_time, first.time_since_epoch(), last.time_since_epoch());
  const sys_time<milliseconds> local{
      std::clamp(utc + east, first.time_since_epoch(), last.time_since_epoch())};
  const auto day_begins = floor<days>(local);
  const year_month_day date(day_begins);
  const hh_mm_ss clock(local - day_begins);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%02u/%02u/%04d %02d:%02d:%02d:%03d",
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(date.year()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text.data();
}

std::string to_string(const DeviceEndpoint& endpoint) {
  return to_string(endpoint.address) + ":" + std::to_string(endpoint.port);
}

std::string handler_line(HandlerLevel logged, LoggedTime time, const HandlerEvent& event) {
  if (event.level > logged) return {};
  const std::string_view words = std::string_view(event.words).substr(0, limits::handler_words_bytes_max);
  return format_logged_time(time) + " - " + escape(words) + "\n";
}

std::string handler_log_file(Address device) { return "device-" + to_string(device) + ".log"; }
std::string handler_log_older_file(Address device) { return handler_log_file(device) + ".1"; }

namespace handler_event {

namespace {

HandlerEvent of_protocol(std::string words) { return {HandlerLevel::protocol, std::move(words)}; }
HandlerEvent of_session(std::string words) { return {HandlerLevel::session, std::move(words)}; }

std::string_view words_of(Fate fate) {
  switch (fate) {
    case Fate::received:
      return "Received ";
    case Fate::duplicate:
      return "Received again, dropped: ";
    case Fate::out_of_order:
      return "Received out of order, dropped: ";
    case Fate::sent:
      return "Sent ";
    case Fate::repeated:
      return "Sent again ";
  }
  return "";
}

bool is_sent(Fate fate) { return fate == Fate::sent || fate == Fate::repeated; }

}  // namespace

HandlerEvent starting_session(Address device) {
  return of_protocol("Device Handler Starting Session for " + to_string(device));
}

HandlerEvent attempting_to_open(Address local, std::uint16_t first_port, std::uint16_t last_port) {
  return of_protocol("Device Handler: Attempting to open a socket on IP " + to_string(local) +
                     " on a UDP port between " + std::to_string(first_port) + " and " +
                     std::to_string(last_port));
}

HandlerEvent using_socket(Address local, std::uint16_t port) {
  return of_protocol("Device Handler is using socket on IP: " + to_string(local) +
                     "  Port: " + std::to_string(port));
}

HandlerEvent sending_connect_accept(const DeviceEndpoint& device) {
  return of_protocol("Sending Connect Accept to: " + to_string(device));
}

HandlerEvent processing_registration(const DeviceEndpoint& device) {
  return of_protocol("Device Handler Processing Registration for " + to_string(device.address) + " at " +
                     to_string(device));
}

HandlerEvent sending_registration_accept(const DeviceEndpoint& device) {
  return of_protocol("Sending Registration Accept to: " + to_string(device));
}

HandlerEvent getting_device_config() { return of_protocol("esp_GetDeviceConfig()"); }

HandlerEvent got_device_config(std::string_view string) {
  return of_protocol("esp_GetDeviceConfig() returns'" + std::string(string) + "'");
}

HandlerEvent size_unusable(const DeviceString& device) {
  return of_protocol("The device config has no rows and columns of a screen (1 to " +
                     std::to_string(limits::screen_rows_max) + " and 1 to " +
                     std::to_string(limits::screen_columns_max) + "); " + std::to_string(device.rows) + "x" +
                     std::to_string(device.columns) + " is used");
}

HandlerEvent session_started(const DeviceString& device, std::string_view group) {
  return of_session("Session of '" + device.uid + "' started: type '" + device.type + "', screen " +
                    std::to_string(device.rows) + "x" + std::to_string(device.columns) + ", version '" +
                    device.version + "', group '" + std::string(group) + "'");
}

HandlerEvent session_resumed(std::string_view uid, const DeviceEndpoint& device) {
  return of_session("Session of '" + std::string(uid) + "' resumed at " + to_string(device));
}

HandlerEvent session_ended(std::string_view uid, std::string_view reason) {
  return of_session("Session of '" + std::string(uid) + "' ended: " + std::string(reason));
}

HandlerEvent host_connected(std::string_view uid, std::string_view host) {
  return of_session("Session of '" + std::string(uid) + "' connected to " + std::string(host));
}

HandlerEvent host_lost(std::string_view uid, std::string_view host, std::string_view reason) {
  return of_session("Session of '" + std::string(uid) + "' lost " + std::string(host) + ": " +
                    std::string(reason));
}

HandlerEvent host_trouble(std::string_view uid, std::string_view trouble) {
  return of_session("Session of '" + std::string(uid) + "': " + std::string(trouble));
}

HandlerEvent datagram(Fate fate, const DatagramHead& head, std::size_t bytes, const DeviceEndpoint& device) {
  std::string words(words_of(fate));
  words += static_cast<char>(head.type);
  if (head.type == DatagramType::failure)
    words += " E" + std::to_string(head.number);
  else if (head.number != 0)
    words += " number " + std::to_string(head.number);
  words += ", acknowledges " + std::to_string(head.acknowledged) + ", " + std::to_string(bytes) + " bytes ";
  words += (is_sent(fate) ? "to " : "from ") + to_string(device);
  return {HandlerLevel::socket, std::move(words)};
}

}  // namespace handler_event

}  // namespace lekt
