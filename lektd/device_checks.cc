#include "lektd/device_checks.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <variant>

#include "common/parse_number.h"
#include "devices/groups.h"

namespace lekt {

namespace {

const char* name_of(DeviceEncryption encryption) {
  switch (encryption) {
    case DeviceEncryption::off:
      return "off";
    case DeviceEncryption::offered:
      return "offered";
    case DeviceEncryption::required:
      return "required";
  }
  return "";
}

/// Tells whether a list such as "5000-6000,8080" has a port.
class ReservedPorts {
 public:
  explicit ReservedPorts(const std::string& list) {
    std::istringstream parts(list);
    for (std::string part; std::getline(parts, part, ',');) {
      part.erase(part.find_last_not_of('\n') + 1);
      const std::size_t dash = part.find('-');
      const auto first = parse_number<std::uint16_t>(std::string_view(part).substr(0, dash));
      const auto last =
          dash == part.npos ? first : parse_number<std::uint16_t>(std::string_view(part).substr(dash + 1));
      if (first && last) ranges_.push_back({*first, *last});
    }
  }

  bool have(std::uint16_t port) const {
    return std::ranges::any_of(ranges_, [&](const PortRange& range) { return range.contains(port); });
  }

  bool have_all(const PortRange& ports) const {
    for (std::uint32_t port = ports.first; port <= ports.last; ++port)
      if (!have(static_cast<std::uint16_t>(port))) return false;
    return true;
  }

 private:
  std::vector<PortRange> ranges_;
};

/// What the kernel says of ports.
struct KernelPorts {
  PortRange local;  ///< that it gives to programs
  ReservedPorts reserved;
};

/// Nothing unless both can be read: what is reserved decides whether there is trouble.
std::optional<KernelPorts> read_kernel_ports(const std::filesystem::path& kernel) {
  std::ifstream range(kernel / "ip_local_port_range");
  std::ifstream list(kernel / "ip_local_reserved_ports");
  PortRange local;
  std::string reserved;
  if (!(range >> local.first >> local.last) || !list.is_open()) return std::nullopt;
  std::getline(list, reserved);
  return KernelPorts{local, ReservedPorts(reserved)};
}

}  // namespace

bool offers_dtls(const Configuration& configuration) {
  return !configuration.device_listen.empty() && configuration.device_encryption != DeviceEncryption::off;
}

std::optional<std::string> find_device_contradiction(const Configuration& configuration) {
  const DeviceEncryption encryption = configuration.device_encryption;
  const TlsSettings& tls = configuration.tls;
  if (encryption != DeviceEncryption::off && (tls.certificate.empty() || tls.key.empty()))
    return "--device-encryption " + std::string(name_of(encryption)) +
           " needs a certificate and its key: give --tls-cert and --tls-key";
  for (const ListenAddress& contact : configuration.device_listen)
    if (configuration.device_ports.contains(contact.port))
      return "--device-ports " + to_string(configuration.device_ports) +
             " has the contact port of --device-listen " + contact.text() +
             ", which no device can have for itself: give another range, or another contact port";
  const auto made = DeviceGroups::make(configuration.device_groups, configuration.device_hosts);
  if (const auto* fault = std::get_if<std::string>(&made)) return *fault;
  for (const DeviceGroup& group : configuration.device_groups)
    if (group.encryption_required && encryption == DeviceEncryption::off)
      return "device group '" + group.name +
             "': encryption=required leaves nobody to serve while --device-encryption is off: give "
             "--tls-cert and --tls-key, and --device-encryption offered or required";
  if (configuration.device_listen.empty() &&
      !(configuration.device_hosts.empty() && configuration.device_groups.empty()))
    return "--device-host and --device-group are of no use without --device-listen: give it, or take them "
           "away";
  return std::nullopt;
}

bool knows_kernel_ports(const std::filesystem::path& kernel) { return read_kernel_ports(kernel).has_value(); }

std::optional<Rejection> trouble_with_device_ports(const Configuration& configuration,
                                                   const std::filesystem::path& kernel) {
  if (configuration.device_listen.empty()) return std::nullopt;
  const auto known = read_kernel_ports(kernel);
  if (!known) return std::nullopt;
  const PortRange local = known->local;
  const PortRange shared{std::max(local.first, configuration.device_ports.first),
                         std::min(local.last, configuration.device_ports.last)};
  if (shared.first > shared.last || known->reserved.have_all(shared)) return std::nullopt;
  return Rejection{ErrorCode::device_ports_shared,
                   "the kernel gives ports " + to_string(shared) + " of --device-ports " +
                       to_string(configuration.device_ports) +
                       " to any program that opens a connection: add " + to_string(shared) +
                       " to net.ipv4.ip_local_reserved_ports (sysctl), or choose ports outside " +
                       to_string(local)};
}

}  // namespace lekt
