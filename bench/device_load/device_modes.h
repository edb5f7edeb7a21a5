// What the load generator of devices can do. Each mode connects, measures, and says what it found as JSON.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "bench/load/crew.h"

namespace lekt::bench {

struct DeviceOptions {
  Target server;
  pid_t pid = 0;  ///< of the server; 0: its processor time is not measured
  std::size_t devices = 1000;
  std::chrono::milliseconds warm_up{500};
  std::chrono::milliseconds time{3000};
  double rate = 10'000;    ///< messages a second of all devices
  bool echo = false;       ///< the server is run_device_echo(), and its port the first of `devices` ports
  std::size_t rounds = 1;  ///< of registering
};

/// Registered devices send messages without items at a fixed rate, and each is acknowledged.
nlohmann::ordered_json run_device_messages(const DeviceOptions& options);
/// All devices register at the same moment, and leave when each has its first screen; so often.
nlohmann::ordered_json run_device_registrations(const DeviceOptions& options);
/// Devices register and then say nothing.
nlohmann::ordered_json run_device_idle(const DeviceOptions& options);

}  // namespace lekt::bench
