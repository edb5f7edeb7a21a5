// A server of devices for tests: the real desk (devices/device_desk.h) with real sockets on 127.0.0.1 and a thread. It has
// no hosts. A session's screen says who it is and what was typed:
//
//     uid 0015708E863F
//     typed 1<enter><ctrl c>
//
// in the plain style, then a row in bold red on white, and one with wide characters. Ctrl d ends it, as if a host had hung
// up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/errors.h"

namespace lekt::test {

class DeviceServer {
 public:
  /// `ports`: how many devices it can serve at once. Throws std::runtime_error if there are no such ports.
  explicit DeviceServer(std::size_t ports = 4);
  ~DeviceServer();
  DeviceServer(const DeviceServer&) = delete;
  DeviceServer& operator=(const DeviceServer&) = delete;

  // ---- Everything here may be called by the test's thread ----

  /// Its contact port.
  std::uint16_t port() const;
  /// Whether it can be heard and hears; it can at first.
  void be_reachable(bool reachable);
  /// What was typed in the only session, as its screen says it; empty if there is no such session.
  std::string typed() const;
  /// The size of the screen in the only session: "24x80".
  std::string size() const;
  std::size_t sessions() const;
  /// How many sessions have begun, gone on with another registration, and ended so.
  std::size_t began() const;
  std::size_t resumed() const;
  std::vector<ErrorCode> ended() const;
  /// From the beginning of a session on, screens have one row more with each turn of the server, down to this row: "row 5".
  /// Afterwards something changes with each turn if `rests` is false.
  void draw_slowly(std::size_t last_row, bool rests = true);
  /// Ends all sessions for this reason.
  void end_sessions(const Rejection& reason);

 private:
  struct Desk;
  const std::unique_ptr<Desk> desk_;
};

}  // namespace lekt::test
