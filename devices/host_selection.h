// The selection of a host, where a group has several:
//
//     Select a host      trucks     the title, in reverse
//     wms has closed the            what there is to say, until the next key
//      1 wms
//      2 mail
//     1-12 of 14                    if there are more than rows
//     1                             what is typed
//
// A host is chosen by its number, as soon as no other number begins with what is typed, or with enter; or by up, down,
// page up, page down, home and end, which the cursor follows, and enter. What a scanner sends is text as well. A text
// that is no number of a host chooses none.
//
// Names are those of settings, which have no control characters (group_syntax.h). Knows no host but by its name and number.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/device_items.h"
#include "common/screen.h"
#include "devices/groups.h"

namespace lekt {

class HostSelection {
 public:
  /// `offer` outlives it. Without hosts it has nothing to select from, and nothing else is called.
  explicit HostSelection(const DeviceGroups::Offer& offer) : offer_(offer) {}

  /// Uses what was typed on a screen with this many rows. Yields the index of the host that is chosen with it.
  std::optional<std::size_t> take(const InputItem& item, std::size_t rows);

  /// Begins anew for a user who comes back from this host and reads the notice. Enter goes there again.
  void come_back(std::size_t host, std::string notice);

  /// Draws the selection on a screen that is blank.
  void draw(Screen& screen) const;

 private:
  /// Where things are on a screen.
  struct Layout {
    std::size_t top;     ///< the row of the first host
    std::size_t height;  ///< how many hosts there is room for
  };
  static Layout layout(std::size_t rows, std::size_t top);

  std::optional<std::size_t> take_text(std::string_view text);
  std::optional<std::size_t> take_key(Key key, std::size_t page);
  std::optional<std::size_t> typed_host() const;
  std::size_t draw_page(Screen& screen, const Layout& layout, std::size_t first) const;

  const DeviceGroups::Offer& offer_;
  std::optional<std::size_t> chosen_;  ///< the host chosen by cursor keys, or before
  std::string typed_;
  std::string notice_;
};

}  // namespace lekt
