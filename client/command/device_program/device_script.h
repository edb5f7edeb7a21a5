// What `lekt device` does without a terminal: waits for texts on the screen, and types.
//
// A step begins when the session has taken everything that was typed before. A text is on the screen when one of its
// rows contains it. Knows no socket, no clock and no file.
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
    Bytes items;  ///< items of an input
  };
  using Step = std::variant<Expect, Send>;

  explicit DeviceScript(std::vector<Step> steps) : steps_(std::move(steps)) {}

  /// Continues as far as this screen allows. Yields what is to be typed now; call it again when that is taken.
  std::optional<Bytes> go_on(const Screen& screen);

  bool is_done() const { return next_ == steps_.size(); }
  /// The text that it waits for; null if it waits for none.
  const std::string* awaited() const;

 private:
  std::vector<Step> steps_;
  std::size_t next_ = 0;
};

}  // namespace lekt::command
