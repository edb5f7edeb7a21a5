// What the user of a session works on: the selection of a host, the connection to it, and the screen of both.
//
//     no host: says so
//     selecting ── chosen, or there is only one ──> connecting ── connected() ──> working
//         ^   ^── escape ── trouble (enter tries again) <── failed(), the stream is broken ──┘│
//         └──────────────────────────── hung_up(), several hosts ────────────────────────────┘
//                                       hung_up(), one host: the session ends (E910)
//
// It has the terminal (terminal.h) and the conversation (telnet_dialogue.h) while there is a connection; the selection and
// what the user has to know otherwise are drawn by itself. docs/devices.md says what users see.
//
// Knows no socket, no clock and no thread: the service connects, reads and writes, and the simulation does so in its own
// way. Each session has one.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "common/bytes.h"
#include "common/errors.h"
#include "common/screen.h"
#include "devices/device_session.h"
#include "devices/telnet_dialogue.h"
#include "devices/terminal.h"

namespace lekt {

class Workplace final : private TelnetDialogue::Outside {
 public:
  /// What it wants of its owner. Nothing here may call the workplace.
  class Outside {
   public:
    virtual ~Outside() = default;
    /// Connect to this host, and call connected() or failed() later. A connection that was there before is given up.
    virtual void connect(const DeviceHost& host) = 0;
    /// Give the connection, or the attempt, up; neither failed() nor hung_up() follows.
    virtual void disconnect() = 0;
    /// Bytes for the host.
    virtual void send_to_host(ByteView bytes) = 0;
    /// What the user sees has changed: draw() yields something else, or the bell rings.
    virtual void screen_changed() = 0;
    /// Operators should know: E909, E917.
    virtual void alert(const Rejection& rejection) = 0;
    /// The session is over (E910). The workplace is not used any more.
    virtual void over(const Rejection& reason) = 0;
  };

  enum class State : std::uint8_t { no_host, selecting, connecting, working, trouble };

  /// The session's offer, size and text are looked at when they are needed; it outlives the workplace.
  Workplace(const DeviceSession& session, Outside& outside);
  ~Workplace() override;

  /// Connects if there is only one host. To be called once, after which the outside may be called.
  void begin();

  State state() const { return state_; }
  /// The host that is connected, or is being connected, or was last; null before the first.
  const DeviceHost* host() const;

  /// The items of an input.
  void input(ByteView items);
  /// The device has said another size.
  void resized();

  // ---- The connection ----

  void connected();
  /// E909: `reason` is "connection refused", "no answer within 10 s", ...
  void failed(const std::string& reason);
  void received(ByteView bytes);
  /// The host has closed the connection, or it broke; `reason` is empty if the host closed it.
  void hung_up(const std::string& reason);

  /// Makes `screen` what the user sees now.
  void draw(Screen& screen) const;
  bool take_bell();

 private:
  // to be written
};

}  // namespace lekt
