// What operators see of devices on the running server. Copies, taken when somebody asks. `fields` are their lists, with
// the names that operators know (json.h). docs/devices.md says what they mean.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"
#include "common/block.h"
#include "common/device_string.h"
#include "common/errors.h"

namespace lekt {

/// What a device can be at, in the order in which it comes to that: packet 1 has come; it has a registration; it is being
/// told its rules; it has a session, and its user chooses a host; it has one, and is heard; is not heard at the
/// moment; has no registration.
inline constexpr std::array<std::string_view, 7> device_states = {
    "connecting", "registered", "configuring", "selecting", "active", "away", "waiting"};

/// A device: one that is connecting, or a session of one.
struct DeviceStatus {
  std::string uid;  ///< empty until it is known
  Address address;  ///< where its registration is, or the last one was
  std::uint16_t client_port = 0;
  std::uint16_t port = 0;  ///< the dedicated one; 0: it has no registration
  std::string state;       ///< one of device_states
  std::string type;
  std::string group;
  std::string host;  ///< the name of the one that it works on or is being connected to; empty otherwise
  std::string version;
  std::uint64_t session = 0;  ///< its number; 0 until it has one
  bool dtls = false;
  double age_seconds = 0;                  ///< of the session, or of the registration
  double silent_seconds = 0;               ///< since it was last heard
  std::optional<double> rtt_milliseconds;  ///< smoothed; nothing until it was measured

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("uid", self.uid);
    io.field("address", self.address);
    io.field("client_port", self.client_port);
    io.field("port", self.port);
    io.field("state", self.state);
    io.field("type", self.type);
    io.field("group", self.group);
    io.field("host", self.host);
    io.field("version", self.version);
    io.field("session", self.session);
    io.field("dtls", self.dtls);
    io.field("age_seconds", self.age_seconds);
    io.field("silent_seconds", self.silent_seconds);
    io.field("rtt_milliseconds", self.rtt_milliseconds);
  }
};

/// Which devices are asked for; those that are empty ask for nothing.
struct DeviceQuery {
  std::optional<Block> block;
  std::string type;  ///< a pattern, as that of a group
  std::string state;

  bool fits(const DeviceStatus& device) const {
    return (!block || block->contains(device.address)) && (type.empty() || fits_type(type, device.type)) &&
           (state.empty() || state == device.state);
  }
};

/// Something that an operator should know of a device.
struct DeviceAlertStatus {
  std::int64_t second = 0;  ///< Unix seconds
  ErrorCode code{};
  Address address;
  std::string uid;  ///< empty if it is not known
  std::string message;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.time("time", self.second);
    io.field("code", self.code);
    io.field("address", self.address);
    io.field("uid", self.uid);
    io.field("message", self.message);
  }
};

/// One device in detail.
struct DeviceDetails {
  DeviceStatus status;
  std::string text;  ///< the whole string of the device
  std::string system;
  std::size_t rows = 0;  ///< of its screen
  std::size_t columns = 0;
  std::string host;                ///< where it is and how it is with it: "wms (10.1.0.5:23), working"
  std::vector<std::string> rules;  ///< that packet 7 gave it, in words
  std::uint64_t inputs = 0;        ///< that its session has taken
  std::uint64_t sent = 0;          ///< messages with a number, of this registration as all that follow
  std::uint64_t received = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t repeated = 0;
  std::uint64_t rtt_below_200 = 0;  ///< samples of the round trip, in milliseconds
  std::uint64_t rtt_below_500 = 0;
  std::uint64_t rtt_above = 0;
  std::vector<DeviceAlertStatus> alerts;  ///< of its uid or address, the newest first

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("status", self.status);
    io.field("string", self.text);
    io.field("system", self.system);
    io.field("rows", self.rows);
    io.field("columns", self.columns);
    io.field("host", self.host);
    io.field("rules", self.rules);
    io.field("inputs", self.inputs);
    io.field("sent", self.sent);
    io.field("received", self.received);
    io.field("duplicates", self.duplicates);
    io.field("out_of_order", self.out_of_order);
    io.field("repeated", self.repeated);
    io.field("rtt_below_200", self.rtt_below_200);
    io.field("rtt_below_500", self.rtt_below_500);
    io.field("rtt_above", self.rtt_above);
    io.field("alerts", self.alerts);
  }
};

/// What the user of a session sees.
struct DeviceScreen {
  struct Size {
    std::size_t rows = 0;
    std::size_t columns = 0;

    template <class Self, class Io>
    static void fields(Self& self, Io& io) {
      io.field("rows", self.rows);
      io.field("columns", self.columns);
    }
  };
  /// Row and column are counted from 0.
  struct Cursor {
    std::size_t row = 0;
    std::size_t column = 0;
    bool shown = false;

    template <class Self, class Io>
    static void fields(Self& self, Io& io) {
      io.field("row", self.row);
      io.field("column", self.column);
      io.field("shown", self.shown);
    }
  };

  std::string uid;
  Address address;
  std::uint64_t session = 0;  ///< its number
  std::string state;
  std::string host;
  Size size;
  Cursor cursor;
  std::vector<std::string> rows;  ///< as printable_rows() makes them (device_screen.h)

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("uid", self.uid);
    io.field("address", self.address);
    io.field("session", self.session);
    io.field("state", self.state);
    io.field("host", self.host);
    io.field("size", self.size);
    io.field("cursor", self.cursor);
    io.field("rows", self.rows);
  }
};

}  // namespace lekt
