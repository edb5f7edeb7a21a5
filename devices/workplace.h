// What the user of a session works on: the selection of a host, the connection to it, and the screen of both.
//
//     no host: says so
//     selecting ── chosen, or there is only one ──> connecting ── connected() ──> working
//         ^   ^── escape ── trouble (enter tries again) <── failed(), the stream is broken ──┘│
//         └──────────────────────────── hung_up(), several hosts ────────────────────────────┘
//                                       hung_up(), one host: the session is over (E910)
//
// It has the terminal (terminal.h) and the conversation (telnet_dialogue.h) only while there is a connection. The
// selection (host_selection.h) and whatever else the user has to know are drawn here. docs/devices.md says what users
// see.
//
// What is typed goes to the host in order. While the connection is being made it is kept, up to a limit at which the
// bell rings, and is delivered when the host is there. If the user gives the attempt up, or reads that it failed, what
// was typed is dropped.
//
// Knows no socket, no clock and no thread: the service connects, reads and writes, and the simulation does so in its own
// way. Each session has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"
#include "common/device_items.h"
#include "common/errors.h"
#include "common/screen.h"
#include "common/screen_pass.h"
#include "devices/device_session.h"
#include "devices/host_selection.h"
#include "devices/telnet_dialogue.h"

namespace lekt {

class Workplace final : private TelnetDialogue::Outside {
 public:
  /// The most bytes of input items that are kept while the connection is being made. A scan has 20 bytes, a fast user
  /// types 10 a second.
  static constexpr std::size_t typed_ahead_max = 4096;

  /// What the workplace wants from its owner. Nothing here may call the workplace but draw() and take_bell(), nor
  /// destroy it.
  class Outside {
   public:
    virtual ~Outside() = default;
    /// Connects to this host, and calls connected() or failed() later. There is no other connection or attempt.
    virtual void connect(const DeviceHost& host) = 0;
    /// Gives the connection, or the attempt, up; neither failed() nor hung_up() follows.
    virtual void disconnect() = 0;
    /// Sends bytes to the host.
    virtual void send_to_host(ByteView bytes) = 0;
    /// Called when what the user sees has changed: draw() yields something else, or the bell rings.
    virtual void screen_changed() = 0;
    /// Tells operators of trouble with the host: E909, E917.
    virtual void alert(const Rejection& rejection) = 0;
    /// Called when the session is over (E910); what is given to the workplace from now on does nothing.
    virtual void over(const Rejection& reason) = 0;
  };

  enum class State : std::uint8_t { no_host, selecting, connecting, working, trouble, over };

  /// The session's offer and size are looked at when they are needed; it outlives the workplace.
  Workplace(const DeviceSession& session, Outside& outside);
  ~Workplace() override;
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  /// Connects if there is only one host. To be called once, before which the outside is not called.
  void begin();

  State state() const { return state_; }
  /// The host that is connected, or is being connected, or was last; null before the first.
  const DeviceHost* host() const { return host_ ? &hosts()[*host_] : nullptr; }
  /// Whether a host draws on the screen.
  Liveliness liveliness() const { return state_ == State::working ? Liveliness::lively : Liveliness::still; }

  /// Takes the items of an input, which break no rule.
  void input(ByteView items);
  /// Notes that the device has said another size.
  void resized();

  // ---- The connection. What comes from one that was given up does nothing ----

  void connected();
  /// Notes that the connection could not be made (E909); `reason` is "connection refused", "no answer within 10 s", ...
  void failed(const std::string& reason);
  void received(ByteView bytes);
  /// Notes that the host has closed the connection, or that it broke; `reason` is empty if the host closed it.
  void hung_up(const std::string& reason);

  /// Makes `screen` what the user sees now.
  void draw(Screen& screen) const;
  /// Whether the bell has rung since the last call.
  bool take_bell();

 private:
  struct Connection;

  // TelnetDialogue::Outside
  void text_of_host(ByteView text) override;
  void send_to_host(ByteView bytes) override { outside_.send_to_host(bytes); }

  const std::vector<DeviceHost>& hosts() const { return session_.offer().hosts; }
  bool has_choice() const { return hosts().size() > 1; }
  void take(const InputItem& item, ByteView bytes);
  void select(const InputItem& item);
  void keep(const InputItem& item, ByteView bytes);
  void connect(std::size_t host);
  void disconnect();
  void give_up();
  void come_back(std::string notice);
  void fail(const Rejection& rejection);
  void draw_own(Screen& screen) const;

  const DeviceSession& session_;
  Outside& outside_;
  State state_ = State::no_host;
  HostSelection selection_;
  std::optional<std::size_t> host_;
  std::unique_ptr<Connection> connection_;  ///< while working
  Bytes typed_ahead_;                       ///< while connecting
  bool typed_too_much_ = false;             ///< something was lost, so nothing more is kept
  bool enter_ends_number_ = false;  ///< an enter that is typed next belongs to the number of the chosen host
  bool has_drawn_ = false;          ///< the host has drawn, with the bytes that are being received
  bool rings_ = false;
  std::string words_;  ///< what is to be said in trouble, and when the session is over
};

/// The state in a word or two: "selecting", "connecting".
std::string_view to_string(Workplace::State state);

}  // namespace lekt
