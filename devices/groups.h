// Device groups: what is decided for a device by its address and its type, above all which hosts it may work on.
//
// Settings write them as group_syntax.h says. A device belongs to the group that fits it most closely: the one with the
// longest prefix that contains its address; of these, the one whose pattern has the most characters that are no
// wildcards; of these, the one that was named first. The group `default` takes everybody whom no other takes, and
// always exists.
//
// A list of groups never changes; a reload makes another one. A session keeps the group that it was given, so it keeps
// its hosts and rules as long as it lives. Any thread may read them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/address.h"
#include "common/block.h"
#include "common/bytes.h"

namespace lekt {

namespace limits {

/// The most groups: far more than any site has. Each is compared with each device that comes.
inline constexpr std::size_t device_groups_max = 256;
/// The most hosts: nobody could choose from more on the screen of a device.
inline constexpr std::size_t device_hosts_max = 256;
/// The most sessions that one device may have.
inline constexpr std::uint32_t device_sessions_ceiling = 10;

}  // namespace limits

inline constexpr std::string_view default_group_name = "default";

/// DTLS between devices and this server.
enum class DeviceEncryption : std::uint8_t {
  off,
  offered,   ///< for those that want it; a group may require it
  required,  ///< nobody else is served (E913)
};

/// A telnet host that users of devices work on.
struct DeviceHost {
  std::string name;  ///< as users see it in the selection
  std::string host;  ///< a name or an IPv4 address
  std::uint16_t port = 0;
  std::string term = "vt220";  ///< the type of terminal that the host is told

  bool operator==(const DeviceHost&) const = default;
};

/// The host with its place, for operators and for users who ask them: "wms (10.1.0.5:23)".
std::string full_name(const DeviceHost& host);

/// A group as settings say it.
struct DeviceGroup {
  enum class Resume : std::uint8_t {
    ticket,  ///< whoever has the ticket of a session may resume it
    uid,     ///< so may whoever says its uid, which everybody on the radio can
  };

  std::string name;

  // Whom it is for.
  Block from = Block::everyone();
  std::string type = "*";  ///< '*' is any characters, '?' is one; the case of letters does not count

  // What they get.
  std::vector<std::string> hosts;  ///< in the order of the selection; none: all, in the settings' order
  std::chrono::seconds idle = std::chrono::hours(12);     ///< a session ends after this long without input
  std::optional<std::chrono::seconds> keyboard_timeout;   ///< 0: none
  std::optional<std::chrono::seconds> backlight_timeout;  ///< 0: none
  bool encryption_required = false;                       ///< whatever the server's setting is
  std::uint32_t sessions = 1;                             ///< how many one device may have
  std::optional<bool> headless;
  std::optional<bool> voice;
  std::optional<std::chrono::seconds> keep_alive;  ///< 0: a device that has nothing to say is quiet
  Resume resume = Resume::ticket;

  bool operator==(const DeviceGroup&) const = default;
};

/// The rules of packet 7 that a group gives, as SetDeviceConfig has them: encryption (whether DTLS is in force) and
/// sessions always, the others if the group says them.
Bytes encode_rules(const DeviceGroup& group, bool encrypted);

class DeviceGroups {
 public:
  /// A group and the hosts that it offers, in the order of the selection; there may be none.
  struct Offer {
    DeviceGroup group;
    std::vector<DeviceHost> hosts;
  };

  /// The group `default` alone, without hosts.
  DeviceGroups();

  /// All groups and all hosts of the settings; `default` is added unless it is there. If they do not fit, returns what
  /// is wrong and what would be right, in one line: a name that is given twice, or a host that does not exist.
  static std::variant<DeviceGroups, std::string> make(const std::vector<DeviceGroup>& groups,
                                                      const std::vector<DeviceHost>& hosts);

  /// The group of a device. A reload does not change it for those who keep it.
  std::shared_ptr<const Offer> match(Address address, std::string_view type) const;

  /// All groups, in the order of the settings; a `default` that was added is the last one.
  const std::vector<std::shared_ptr<const Offer>>& all() const { return offers_; }

 private:
  /// One of `offers` is `default`.
  explicit DeviceGroups(std::vector<std::shared_ptr<const Offer>> offers);

  std::vector<std::shared_ptr<const Offer>> offers_;
  std::shared_ptr<const Offer> default_;
};

}  // namespace lekt
