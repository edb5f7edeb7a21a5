// What `lekt device` does without a terminal: waits for texts on the screen, and types.
//
// A step begins when everything that was typed before has been taken by the session. A text is there when a row of the
// screen has it. Knows no socket, no clock and no file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/bytes.h"
#include "common/screen.h"

namespace lekt::command {

class DeviceScript {
 public:
  struct Expect {
    std::string text;  ///< not empty
  };
  struct Send {
    Bytes items;  ///< of an input
  };
  using Step = std::variant<Expect, Send>;

  explicit DeviceScript(std::vector<Step> steps) : steps_(std::move(steps)) {}

  /// Goes on as far as this screen lets it. Yields what is to be typed now; call it again when that is taken.
  std::optional<Bytes> go_on(const Screen& screen);

  bool is_done() const { return next_ == steps_.size(); }
  /// The text that it waits for; null if it waits for none.
  const std::string* awaited() const;

 private:
  std::vector<Step> steps_;
  std::size_t next_ = 0;
};

}  // namespace lekt::command
