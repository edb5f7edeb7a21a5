#include "devices/host_selection.h"

#include <algorithm>
#include <utility>

#include "common/character_width.h"
#include "common/parse_number.h"
#include "common/utf8.h"
#include "devices/server_screen.h"

namespace lekt {

namespace {

/// The most of a typed text that is shown. A longer one is no number of a host.
constexpr std::size_t typed_bytes_max = 32;

/// The row from which the hosts stand when there is nothing to say.
constexpr std::size_t first_row = 2;

void take_last_character(std::string& text) {
  while (!text.empty()) {
    const bool begins_character = (static_cast<unsigned char>(text.back()) & 0xc0) != 0x80;
    text.pop_back();
    if (begins_character) return;
  }
}

std::size_t cells_of_text(std::string_view text) {
  std::size_t cells = 0;
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    cells += cells_of(character.value);
    text.remove_prefix(character.bytes);
  }
  return cells;
}

}  // namespace

HostSelection::Layout HostSelection::layout(std::size_t rows, std::size_t top) {
  top = std::min(top, rows - 1);
  // Two rows below are for what does not fit, and for what is typed.
  return {top, rows > top + 2 ? rows - top - 2 : 1};
}

void HostSelection::come_back(std::size_t host, std::string notice) {
  chosen_ = host;
  typed_.clear();
  notice_ = std::move(notice);
}

// ---- Keys ----

std::optional<std::size_t> HostSelection::take(const InputItem& item, std::size_t rows) {
  notice_.clear();
  std::optional<std::size_t> host;
  if (const auto* typed = std::get_if<TypedItem>(&item)) host = take_text(typed->text);
  if (const auto* key = std::get_if<KeyItem>(&item))
    host = take_key(key->key, layout(rows, first_row).height);
  if (!host) return std::nullopt;
  chosen_ = host;
  typed_.clear();
  return host;
}

/// The host whose number is typed.
std::optional<std::size_t> HostSelection::typed_host() const {
  const auto number = parse_number<std::uint32_t>(typed_);
  if (!number || *number < 1 || *number > offer_.hosts.size()) return std::nullopt;
  return *number - 1;
}

std::optional<std::size_t> HostSelection::take_text(std::string_view text) {
  typed_ += text;
  typed_ = cut_to_bytes(typed_, typed_bytes_max);
  const auto host = typed_host();
  const bool may_go_on = host && (*host + 1) * 10 <= offer_.hosts.size();
  return may_go_on ? std::nullopt : host;
}

std::optional<std::size_t> HostSelection::take_key(Key key, std::size_t page) {
  const std::size_t last = offer_.hosts.size() - 1;
  const auto choose = [this](std::size_t host) {
    chosen_ = host;
    typed_.clear();
  };
  switch (key) {
    case Key::enter: {
      if (typed_.empty()) return chosen_;
      const auto host = typed_host();
      if (!host) notice_ = "There is no host " + std::exchange(typed_, {});
      return host;
    }
    case Key::backspace:
    case Key::remove:
      take_last_character(typed_);
      break;
    case Key::escape:
      typed_.clear();
      chosen_.reset();
      break;
    case Key::up:
      choose(chosen_ ? *chosen_ - std::min<std::size_t>(*chosen_, 1) : last);
      break;
    case Key::down:
      choose(chosen_ ? std::min(*chosen_ + 1, last) : 0);
      break;
    case Key::page_up:
      choose(chosen_ ? *chosen_ - std::min(*chosen_, page) : 0);
      break;
    case Key::page_down:
      choose(std::min(chosen_.value_or(0) + page, last));
      break;
    case Key::home:
      choose(0);
      break;
    case Key::end:
      choose(last);
      break;
    default:
      break;
  }
  return std::nullopt;
}

// ---- The screen ----

void HostSelection::draw(Screen& screen) const {
  draw_title(screen, "Select a host", offer_.group.name);
  const Layout its = layout(screen.rows(), std::max(first_row, draw_lines(screen, 1, notice_)));
  const std::size_t first = chosen_.value_or(0) / its.height * its.height;
  const std::size_t below = its.top + draw_page(screen, its, first);
  const std::size_t prompt = std::min(below + 1, screen.rows() - 1);
  if (below < prompt && offer_.hosts.size() > its.height)
    draw_lines(screen, below,
               std::to_string(first + 1) + "-" + std::to_string(first + below - its.top) + " of " +
                   std::to_string(offer_.hosts.size()));
  if (chosen_ && typed_.empty()) return draw_cursor(screen, its.top + *chosen_ - first);
  const auto row = static_cast<std::uint8_t>(prompt);
  if (!typed_.empty()) screen.draw(BlanksItem{row, 0, static_cast<std::uint8_t>(screen.columns())}, {});
  screen.draw(TextItem{row, 0, typed_}, {});
  draw_cursor(screen, prompt, cells_of_text(typed_));
}

/// Draws as many hosts as there is room for, from `first` on, and yields how many these are.
std::size_t HostSelection::draw_page(Screen& screen, const Layout& layout, std::size_t first) const {
  const std::size_t digits = std::to_string(offer_.hosts.size()).size();
  const std::size_t count = std::min(layout.height, offer_.hosts.size() - first);
  for (std::size_t index = 0; index < count; ++index) {
    const std::string number = std::to_string(first + index + 1);
    const std::string line =
        std::string(digits - number.size(), ' ') + number + " " + offer_.hosts[first + index].name;
    screen.draw(TextItem{static_cast<std::uint8_t>(layout.top + index), 0, line}, {});
  }
  return count;
}

}  // namespace lekt
