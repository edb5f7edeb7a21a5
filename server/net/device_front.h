// What operators can ask of the front that devices come to, besides what every front has (front.h). Its thread answers.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/errors.h"
#include "server/net/front.h"
#include "server/operators/device_meters.h"
#include "server/operators/device_status.h"

namespace lekt {

class DeviceFront : public Front {
 public:
  // ---- From any thread ----

  /// What it counts of devices; meters() has what every front counts of its clients.
  virtual const DeviceMeters& device_meters() const = 0;

  // ---- On the front's thread ----

  /// Those that are connecting, registered, or have a session.
  virtual std::vector<DeviceStatus> devices() const = 0;
  /// The devices with this uid; if there is none, those at this address, if it is one.
  virtual std::vector<DeviceDetails> device(const std::string& uid_or_address) const = 0;
  /// What their users see, of the devices that device() has. Logs that it was looked at.
  virtual std::vector<DeviceScreen> screens(const std::string& uid_or_address) = 0;
  /// The newest first.
  virtual std::vector<DeviceAlertStatus> alerts(std::size_t count_max) const = 0;
  /// Ends the sessions of this uid, tells their devices why, and says how many there were.
  virtual std::size_t end_sessions_of(const std::string& uid, const Rejection& rejection) = 0;
};

}  // namespace lekt
