// What a user of a world does who reads the device's screen, which may be an old one.
#include <regex>

#include "tests/simulation/device_world_site.h"
#include "tests/support/screens.h"

namespace lekt::test {

namespace {

bool has_row(const Screen& screen, const std::string& begin) {
  for (std::size_t row = 0; row < screen.rows(); ++row)
    if (text_of(screen, row).starts_with(begin)) return true;
  return false;
}

struct ListedHost {
  std::size_t number;
  std::string name;
};

std::vector<ListedHost> listed_hosts(const Screen& screen) {
  static const std::regex line(" *([0-9]+) ([a-z]+)");
  std::vector<ListedHost> hosts;
  for (std::size_t row = 1; row < screen.rows(); ++row) {
    const std::string text = text_of(screen, row);
    if (std::smatch found; std::regex_match(text, found, line))
      hosts.push_back({std::stoul(found[1]), found[2]});
  }
  return hosts;
}

}  // namespace

void DeviceWorld::go_to_host(std::size_t index) {
  const Screen& screen = devices_[index].link->screen();
  if (has_row(screen, "Enter: try again")) return press(index, items_of(KeyItem{Key::enter, 0}));
  if (!has_row(screen, "Select a host")) return;
  const auto hosts = listed_hosts(screen);
  expect_guarantee(!hosts.empty(), "who selects a host sees them");
  const auto& [number, name] = random_.pick(hosts);
  // Until then it may be the screen of the session before.
  if (is_settled(index)) {
    const DeviceSession& session = *desk_->book().find(devices_[index].link->ticket());
    expect_guarantee(session.offer().hosts.at(number - 1).name == name,
                     "a host has the number that users read");
  }
  // To the one on which the cursor stands, if there is one.
  if (random_.chance(20)) return press(index, items_of(KeyItem{Key::enter, 0}));
  Bytes items;
  const bool with_cursor = random_.chance(30);
  if (with_cursor) {
    append_item(items, KeyItem{Key::home, 0});
    for (std::size_t below = 1; below < number; ++below) append_item(items, KeyItem{Key::down, 0});
  } else {
    append_item(items, TypedItem{std::to_string(number)});
  }
  if (with_cursor || random_.chance(50)) append_item(items, KeyItem{Key::enter, 0});
  press(index, items);
}

void DeviceWorld::leave_host(std::size_t index) {
  const Screen& screen = devices_[index].link->screen();
  if (has_row(screen, "Connecting to") || has_row(screen, "Enter: try again"))
    press(index, items_of(KeyItem{Key::escape, 0}));
}

void DeviceWorld::press(std::size_t index, const Bytes& items) {
  if (devices_[index].link->type(items)) pump(index);
}

bool DeviceWorld::is_at_work(std::size_t index) {
  const DeviceSession* const session = desk_->book().find(devices_[index].link->ticket());
  if (session == nullptr) return false;
  const Workplace::State state = sites_.at(session->number())->workplace().state();
  return state == Workplace::State::working || state == Workplace::State::no_host;
}

}  // namespace lekt::test
