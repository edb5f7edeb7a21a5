// Brings a device's screen to what it should show: the server's side of a screen.
//
// It has a copy of what the device shows, or will show once everything that was sent has been acknowledged. A pass is one
// sweep over the grid, from the first cell to the last and then bell and cursor. It begins when everything is acknowledged
// and `interval` after the last one began, and its messages are made one at a time, when the owner can send one, from the
// contents as they are then. So nothing is queued, however much the host writes: what changed behind the sweep is for the next
// pass. A row that changes all the time does not keep the others from being sent.
//
// It knows no clock, no numbers and no window: the owner says what time it is and whether everything is acknowledged, asks
// for a message only when one more may be on its way, and sends what it gets.
//
//   pass.contents_changed();
//   while (delivery.has_room() && pass.next_message(contents, now, delivery.is_idle(), items)) delivery.send(items);
//   wake_at(pass.due(delivery.is_idle()));
//
// Invariants
// - A device that has applied every message in order shows shown(), whatever the contents were. - A message is neither
//   empty nor longer than items_bytes_max. A device that already shows the newest contents gets none.
// - The messages of a pass are bounded by the size of the grid, since a sweep never goes back unless the size changes.
//
// Each session of the server has one, on the thread of the devices.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/bytes.h"
#include "common/device_packets.h"
#include "common/screen.h"

namespace lekt {

/// Whether a screen is going to change, so that it is worthwhile to keep what the device shows and to send differences.
enum class Liveliness : std::uint8_t {
  still,   ///< nothing is kept: a session that only waits costs no memory for its screen
  lively,  ///< a host draws on it
};

class ScreenPass {
 public:
  using Time = std::chrono::milliseconds;

  static constexpr Time interval{20};
  static constexpr std::size_t items_bytes_max = limits::datagram_bytes_max - limits::datagram_head_bytes;

  /// Notes that the contents may differ from those of the last message; without this no pass begins.
  void contents_changed() { has_changed_ = true; }

  /// Makes the device ring its bell, once a pass.
  void ring() { rings_ = has_changed_ = true; }

  /// Forgets what the device shows, which is unknown once it has registered anew. The next pass begins at once, with
  /// the size.
  void forget() { *this = ScreenPass(); }

  /// Whether next_message() would look at the contents; if not, the caller need not prepare them.
  bool wants_contents(Time now, bool everything_is_acknowledged) const;

  /// Puts the items of the next message into `items`, in place of what they hold. False: there is nothing to send until
  /// the contents change, everything is acknowledged, or the time due() has come.
  bool next_message(const Screen& contents, Time now, bool everything_is_acknowledged, Bytes& items);

  /// When a pass may begin; nothing if time alone begins none.
  std::optional<Time> due(bool everything_is_acknowledged) const;

  /// Whether a pass has begun and is not over.
  bool is_under_way() const { return is_under_way_; }

  /// What the device shows once everything is acknowledged; nothing before the first message.
  const std::optional<Screen>& shown() const { return shown_; }

 private:
  bool write(const Screen& contents, Bytes& items);

  std::optional<Screen> shown_;
  std::optional<Time> began_;  ///< where the sweep continues
  std::size_t row_ = 0;        ///< where the sweep goes on
  std::size_t column_ = 0;
  bool is_under_way_ = false;
  bool has_changed_ = true;
  bool rings_ = false;
};

}  // namespace lekt
