// What the database keeps about devices (docs/devices.md). All of it is for operators alone: a server never reads it
// back.
//
// Texts are kept byte for byte. Seconds are Unix seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/address.h"
#include "common/errors.h"

namespace lekt::storage {

/// The most devices that are remembered.
inline constexpr std::size_t devices_max = 100'000;
/// The most devices that may be written without forgetting any (Batch::forget_devices_before). Forgetting makes room
/// for this many, so there are never more than devices_max.
inline constexpr std::size_t devices_written_max = 5'000;
/// The most alerts that are remembered: the newest ones.
inline constexpr std::size_t device_alerts_max = 1'000;

/// A device as it was last seen. It replaces the row that is stored for its uid.
struct DeviceRow {
  std::string uid = {};
  std::string text = {};  ///< the whole string of the device
  std::string type = {};
  std::string version = {};
  std::string system = {};
  std::size_t rows = 0;  ///< rows of its screen
  std::size_t columns = 0;
  Address address = {};
  std::string device_group = {};
  std::int64_t seen = 0;
  std::uint64_t sessions = 0;  ///< begun since its previous row; added to the stored number
};

/// A session of a device as it is now.
struct DeviceSessionRow {
  std::uint64_t number = 0;  ///< never used again while the server runs
  std::string uid = {};
  Address address = {};           ///< of its registration, or of its last one
  std::uint16_t port = 0;         ///< the server's dedicated port; 0 if it has no registration
  std::uint16_t client_port = 0;  ///< the device's own port
  std::string device_group = {};
  std::string state = {};  ///< in the words of DeviceStatus
  bool dtls = false;
  std::int64_t began = 0;
  std::int64_t heard = 0;
};

/// Something that an operator should know about a device.
struct DeviceAlertRow {
  std::int64_t second = 0;
  ErrorCode code{};
  Address address = {};
  std::string uid = {};  ///< empty if it is not known
  std::string message = {};
};

/// What one batch writes about devices.
struct DeviceRows {
  std::vector<DeviceRow> devices = {};
  std::vector<DeviceSessionRow> sessions = {};     ///< those that have begun or changed
  std::vector<std::uint64_t> ended_sessions = {};  ///< their numbers; also of sessions that are in `sessions`
  std::vector<DeviceAlertRow> alerts = {};         ///< the oldest first

  bool empty() const {
    return devices.empty() && sessions.empty() && ended_sessions.empty() && alerts.empty();
  }
};

}  // namespace lekt::storage
