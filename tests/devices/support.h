// What tests of devices share: the device of the worked example, and settings as values.
#pragma once

#include <string>
#include <variant>

#include "common/address.h"
#include "devices/group_syntax.h"
#include "devices/handler_log.h"

namespace lekt::test {

/// 10.10.225.150, from its usual port.
inline constexpr Address example_device = Address::v4(0x0a0ae196);
inline constexpr DeviceEndpoint example_endpoint{example_device, 3771};

/// A setting that is right; throws std::bad_variant_access otherwise.
inline DeviceGroup group_of(const std::string& text) {
  return std::get<DeviceGroup>(parse_device_group(text));
}
inline DeviceHost host_of(const std::string& text) { return std::get<DeviceHost>(parse_device_host(text)); }

}  // namespace lekt::test
