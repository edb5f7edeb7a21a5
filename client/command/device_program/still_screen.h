// When a screen is whole: a screen comes in several messages, and a host draws in several steps, of which none is the last
// to be seen. So it is taken for whole when nothing has changed for a short time.
//
// Knows no clock and no device.
#pragma once

#include <optional>

#include "common/screen.h"
#include "common/time.h"

namespace lekt::command {

class StillScreen {
 public:
  static constexpr AwakeTime still_for{500};

  /// Whether the screen has been the same in all looks of so long a time. To be called after each change.
  bool look(const Screen& screen, AwakeTime now) {
    if (!seen_ || *seen_ != screen) {
      seen_ = screen;
      since_ = now;
    }
    return now >= since_ + still_for;
  }
  /// When to look again if nothing changes before; nothing until it has looked.
  std::optional<AwakeTime> due() const { return seen_ ? std::optional(since_ + still_for) : std::nullopt; }
  /// The next look is the first.
  void reset() { seen_.reset(); }

 private:
  std::optional<Screen> seen_;
  AwakeTime since_{0};
};

}  // namespace lekt::command
