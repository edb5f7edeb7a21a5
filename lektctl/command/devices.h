// Turns what the server says of devices into what `lektctl devices` and `lektctl device` print. Everything that a
// device has sent passes through printable().
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "server/operators/device_status.h"

namespace lekt::lektctl {

/// What devices can be grouped by. A subnet has 256 addresses.
inline constexpr std::array<std::string_view, 3> device_groupings = {"subnet", "type", "group"};

/// The devices that have something in common.
struct DevicesTogether {
  std::string name;  ///< the subnet, type or group; may be empty
  std::size_t devices = 0;
  std::size_t active = 0;
  std::size_t away = 0;
  std::size_t waiting = 0;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("name", self.name);
    io.field("devices", self.devices);
    io.field("active", self.active);
    io.field("away", self.away);
    io.field("waiting", self.waiting);
  }
};

/// The groups that are not empty: subnets by address, the others by name. `grouping`: one of device_groupings.
std::vector<DevicesTogether> group_devices(const std::vector<DeviceStatus>& devices,
                                           std::string_view grouping);

/// A device in detail, for people; no line longer than `width`.
std::string describe_device(const DeviceDetails& device, std::size_t width);

/// What the user of a device sees, below two lines about it; no line longer than `width`.
std::string describe_screen(const DeviceScreen& screen, std::size_t width);

}  // namespace lekt::lektctl
