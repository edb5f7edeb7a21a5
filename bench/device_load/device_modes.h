// What the load generator of devices can do. Each mode connects, measures, and says what it found as JSON.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "bench/device_load/device_crew.h"
#include "bench/load/crew.h"

namespace lekt::bench {

struct DeviceOptions {
  Target server;
  pid_t pid = 0;  ///< of the server; 0: its processor time is not measured
  std::size_t devices = 1000;
  std::chrono::milliseconds warm_up{500};
  std::chrono::milliseconds time{3000};
  DeviceCrew::Manner manner;
  double rate = 10'000;  ///< messages a second of all devices
  /// The server is run_device_echo() or run_device_relay(), and its port the first of `devices` ports.
  bool echo = false;
  std::size_t rounds = 1;  ///< of registering
};

/// Registered devices send messages without items at a fixed rate, and each is acknowledged.
nlohmann::ordered_json run_device_messages(const DeviceOptions& options);
/// All devices register at the same moment, and leave when each has its first screen; so often.
nlohmann::ordered_json run_device_registrations(const DeviceOptions& options);
/// Devices register and then say nothing.
nlohmann::ordered_json run_device_idle(const DeviceOptions& options);

// ---- With a host (device_hosts.h) ----

/// Users type at a fixed rate, each when the screen shows the key before.
nlohmann::ordered_json run_device_keys(const DeviceOptions& options);
/// One user types a key, which the host answers with a picture, and another one, which it echoes: bytes of both screens.
nlohmann::ordered_json run_device_picture(const DeviceOptions& options);
/// Hosts write as fast as they can: screens, and memory of the server after a quarter of the time and at its end.
nlohmann::ordered_json run_device_flood(const DeviceOptions& options);

}  // namespace lekt::bench
