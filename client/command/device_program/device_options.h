// What the flags of `lekt device` say.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "client/command/device_program/device_script.h"
#include "client/device_wire.h"
#include "common/address.h"

namespace lekt::command {

struct DeviceOptions {
  std::string server;  ///< a name or an IPv4 address
  std::uint16_t server_port = 3006;
  std::optional<DeviceWire::Dtls> dtls;  ///< none: plain
  std::optional<Address> source;
  std::uint16_t own_port = 0;  ///< 0: any
  std::string string;          ///< what packet 6 says, without the size of a terminal
  bool has_size = false;       ///< the string keeps its own size, whatever size the terminal has
  std::optional<std::filesystem::path> ticket;  ///< where the ticket is kept; none: it is not kept

  // Without a terminal:
  std::vector<DeviceScript::Step> steps;
  bool prints = false;
  std::size_t count = 1;
  std::chrono::milliseconds timeout{30'000};
};

/// Both run the device to its end, and yield the exit code. They throw CodedError.
int run_device_in_terminal(const DeviceOptions& options);
int run_device_script(const DeviceOptions& options);

}  // namespace lekt::command
