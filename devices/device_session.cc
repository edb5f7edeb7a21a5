#include "devices/device_session.h"

#include <array>
#include <utility>

#include "devices/server_screen.h"

namespace lekt {

DeviceSession::DeviceSession(Number number, const Ticket& ticket, DeviceString device, std::string text,
                             std::shared_ptr<const DeviceGroups::Offer> group, AwakeTime now)
    : number_(number),
      ticket_(ticket),
      device_(std::move(device)),
      text_(std::move(text)),
      offer_(std::move(group)),
      began_(now),
      heard_(now),
      last_input_(now) {}

void DeviceSession::describe(DeviceString device, std::string text) {
  // The uid stays: what is known of a session by its uid must not change under it.
  device.uid = device_.uid;
  device_ = std::move(device);
  text_ = std::move(text);
}

DeviceSession::Input DeviceSession::take(std::uint32_t input, AwakeTime now) {
  if (input <= taken_) return Input::taken;
  if (input != taken_ + 1) return Input::beyond;
  taken_ = input;
  last_input_ = now;
  return Input::next;
}

std::optional<AwakeTime> DeviceSession::idle_at() const {
  if (group().idle == std::chrono::seconds(0)) return std::nullopt;
  return last_input_ + group().idle;
}

Screen draw_session(const DeviceSession& session) {
  const DeviceString& device = session.device();
  Screen screen(device.rows, device.columns);
  const std::array lines = {
      "Group " + session.group().name,
      device.type.empty() ? std::string("unknown type") : device.type,
      std::to_string(device.rows) + "x" + std::to_string(device.columns) + ", version " + device.version,
      device.names_anybody() ? device.uid : std::string("no uid"),
      device.system,
      format_logged_time(session.told_time()),
  };
  std::uint8_t row = 0;
  for (const std::string& line : lines)
    if (!line.empty()) screen.draw(TextItem{row++, 0, line}, StyleItem{});
  std::size_t below = row;
  if (session.offer().hosts.empty())
    below = draw_lines(screen, below + 1u, "This group has no host: ask your operator.");
  draw_cursor(screen, below);
  return screen;
}

}  // namespace lekt
