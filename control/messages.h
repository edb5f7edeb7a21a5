// Every message of the control socket. docs/lektctl.md has the same tables.
//
//     {"command":"kick","address":"10.0.0.7"}  ->  {"ok":true,"result":{"sessions":1,"was_waiting":false}}
//                                                  {"ok":false,"code":"E803","message":"..."}
//
// A request is a struct with its name, the lane in which it is carried out, its answer, and one list of its fields
// (server/operators/json.h). The server reads it, and lektctl writes it, by walking that list; the answer goes the same
// way back. An answer whose struct has other users, too, is in server/operators.
//
// To add one: a struct here and in Requests, and what it does in requests.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "common/block.h"
#include "server/operators/device_status.h"
#include "server/operators/json.h"
#include "server/operators/operations.h"
#include "server/operators/status.h"
#include "server/operators/tracer.h"

namespace lekt::control {

/// Requests of one lane are carried out one after the other, and no lane waits for another: an operator who
/// looks sees the server even while another one steers it, and one who steers need not wait until a database of
/// many gigabytes is compacted.
enum class Lane : std::uint8_t { look, steer, compact };
inline constexpr std::size_t lanes = 3;

/// The most refused clients that a request may ask for.
inline constexpr std::size_t rejects_max = 1000;
/// The most alerts about devices that a request may ask for.
inline constexpr std::size_t device_alerts_max = 1000;

// ---- Answers that nobody else uses ----

/// The answer that says only that the request was carried out.
struct Done {
  template <class Self, class Io>
  static void fields(Self&, Io&) {}
};

struct Healthy {
  std::size_t threads = 0;  ///< threads that serve clients
  bool ready = false;       ///< more clients can be taken in

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("threads", self.threads);
    io.field("ready", self.ready);
  }
};

// ---- Requests ----

/// A request that has nothing but its name.
struct WithoutArguments {
  template <class Self, class Io>
  static void fields(Self&, Io&) {}
};

/// A request about one client.
struct OfAddress {
  Address address;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("address", self.address);
  }
};

/// A request about a block of addresses.
struct OfBlock {
  Block block;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("block", self.block);
  }
};

struct AskStatus : WithoutArguments {
  static constexpr std::string_view name = "status";
  static constexpr Lane lane = Lane::look;
  using Answer = Status;
};

struct AskSessions : OfAddress {
  static constexpr std::string_view name = "sessions";
  static constexpr Lane lane = Lane::look;
  using Answer = std::vector<SessionStatus>;
};

/// Asks who was refused last: of these addresses, or of all.
struct AskRejects {
  static constexpr std::string_view name = "rejects";
  static constexpr Lane lane = Lane::look;
  using Answer = std::vector<RejectStatus>;
  std::optional<Block> block;
  std::size_t count = 20;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.optional("block", self.block);
    io.optional("count", self.count, Range<std::size_t>{1, rejects_max});
  }
};

struct AskDevices : WithoutArguments {
  static constexpr std::string_view name = "devices";
  static constexpr Lane lane = Lane::look;
  using Answer = std::vector<DeviceStatus>;
};

struct AskDevice {
  static constexpr std::string_view name = "device";
  static constexpr Lane lane = Lane::look;
  using Answer = std::vector<DeviceDetails>;
  std::string device;  ///< a uid or an address

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("device", self.device);
  }
};

/// Asks what the user of a device sees.
struct AskDeviceScreen : AskDevice {
  static constexpr std::string_view name = "device_screen";
  static constexpr bool reveals = true;  ///< the log says who has asked
  using Answer = std::vector<DeviceScreen>;
};

struct AskDeviceAlerts {
  static constexpr std::string_view name = "device_alerts";
  static constexpr Lane lane = Lane::look;
  using Answer = std::vector<DeviceAlertStatus>;
  std::size_t count = 20;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.optional("count", self.count, Range<std::size_t>{1, device_alerts_max});
  }
};

struct Kick : OfAddress {
  static constexpr std::string_view name = "kick";
  static constexpr Lane lane = Lane::steer;
  using Answer = Operations::Kicked;
};

struct KickDevice {
  static constexpr std::string_view name = "kick_device";
  static constexpr Lane lane = Lane::steer;
  using Answer = Operations::Kicked;
  std::string uid;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("uid", self.uid);
  }
};

struct Ban {
  static constexpr std::string_view name = "ban";
  static constexpr Lane lane = Lane::steer;
  using Answer = Operations::Banned;
  Block block;
  std::string reason;
  std::optional<std::chrono::seconds> duration;  ///< nothing: without end

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("block", self.block);
    io.optional("reason", self.reason);
    io.optional("seconds", self.duration,
                Range<std::chrono::seconds>{std::chrono::seconds(1), Operations::ban_max});
  }
};

struct Unban : OfBlock {
  static constexpr std::string_view name = "unban";
  static constexpr Lane lane = Lane::steer;
  using Answer = Done;
};

struct Compact : WithoutArguments {
  static constexpr std::string_view name = "compact";
  static constexpr Lane lane = Lane::compact;
  using Answer = Operations::Compacted;
};

struct Trace {
  static constexpr std::string_view name = "trace";
  static constexpr Lane lane = Lane::steer;
  using Answer = TraceStatus;
  Block block;
  std::chrono::seconds duration{};

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("block", self.block);
    io.field("seconds", self.duration,
             Range<std::chrono::seconds>{std::chrono::seconds(1), Tracer::duration_max});
  }
};

struct Untrace : OfBlock {
  static constexpr std::string_view name = "untrace";
  static constexpr Lane lane = Lane::steer;
  using Answer = Done;
};

/// Asks whether all threads make progress and, if wanted, whether the server can take in more clients.
struct AskHealth {
  static constexpr std::string_view name = "health";
  static constexpr Lane lane = Lane::look;
  using Answer = Healthy;
  bool ready = false;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.optional("ready", self.ready);
  }
};

struct Reload : WithoutArguments {
  static constexpr std::string_view name = "reload";
  static constexpr Lane lane = Lane::steer;
  using Answer = Operations::Reloaded;
};

/// All requests, for those who visit each.
using Requests =
    std::tuple<AskStatus, AskSessions, AskRejects, AskDevices, AskDevice, AskDeviceScreen, AskDeviceAlerts,
               Kick, KickDevice, Ban, Unban, Compact, Trace, Untrace, AskHealth, Reload>;

// ---- Around them ----

/// The key of a request's name.
inline constexpr const char* command_key = "command";

template <class Request>
Json to_request(const Request& request) {
  Json json{{command_key, Request::name}};
  json.update(to_json(request));
  return json;
}

/// The envelope of every answer: a result, or a code and a message.
struct Envelope {
  bool ok = false;
  std::optional<Json> result;
  std::optional<std::string> code;  ///< as text: it may be a code of another version
  std::optional<std::string> message;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("ok", self.ok);
    io.optional("result", self.result);
    io.optional("code", self.code);
    io.optional("message", self.message);
  }
};

}  // namespace lekt::control
