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

/// Where the kernel says which ports it gives to programs: its files ip_local_port_range and ip_local_reserved_ports.
inline constexpr const char* kernel_ports = "/proc/sys/net/ipv4";

/// Whether both can be read. In a sandbox (ProcSubset=pid of systemd) they may not be there.
bool knows_kernel_ports(const std::filesystem::path& kernel = kernel_ports);

/// E622: the kernel may give the ports of devices to any program that opens a connection. Nothing without --device-listen,
/// and nothing if the kernel does not say so.
std::optional<Rejection> trouble_with_device_ports(const Configuration& configuration,
                                                   const std::filesystem::path& kernel = kernel_ports);

}  // namespace lekt
