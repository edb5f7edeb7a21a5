// Tells what happens to a device, one line for each event, with the time: its messages, the indicators, and each code
// that the server or the device itself has given. Once the server has told its time (packet 8), lines carry the
// server's.
//
// Knows no clock, and writes nothing.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "client/device_link.h"

namespace lekt::command {

class DeviceLog {
 public:
  /// What has happened since the last call; `now` is Unix time by the machine's clock. Call it after everything that
  /// could have changed the device.
  std::vector<std::string> look(const DeviceLink& link, std::chrono::milliseconds now);

 private:
  /// What the lines so far have told.
  struct Seen {
    DeviceLink::Phase phase;
    DeviceLink::Indicator indicator;
    std::string message;
    std::string ending;  ///< with its code
    Ticket ticket;
  };

  std::optional<Seen> seen_;
  std::optional<SetTime> time_;
  std::chrono::milliseconds ahead_{0};  ///< by how much the server's clock is ahead of the machine's
};

}  // namespace lekt::command
