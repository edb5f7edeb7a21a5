// What is wrong, or risky, with settings of devices that are right by themselves.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/errors.h"
#include "lektd/configuration.h"

namespace lekt {

/// Whether devices are served that may speak DTLS, for which the server's certificate is needed.
bool offers_dtls(const Configuration& configuration);

/// Settings of devices that contradict each other or those of TLS, and what would be right.
std::optional<std::string> find_device_contradiction(const Configuration& configuration);

/// E622: the kernel may give the ports of devices to any program that opens a connection. `kernel` has its files
/// ip_local_port_range and ip_local_reserved_ports; without them nothing is known. Nothing without --device-listen.
std::optional<Rejection> trouble_with_device_ports(
    const Configuration& configuration, const std::filesystem::path& kernel = "/proc/sys/net/ipv4");

}  // namespace lekt
