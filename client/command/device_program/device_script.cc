#include "client/command/device_program/device_script.h"

#include "client/command/device_program/screen_text.h"

namespace lekt::command {

namespace {

bool shows(const Screen& screen, const std::string& text) {
  for (std::size_t row = 0; row < screen.rows(); ++row)
    if (row_text(screen, row).find(text) != std::string::npos) return true;
  return false;
}

}  // namespace

std::optional<Bytes> DeviceScript::go_on(const Screen& screen) {
  while (!is_done()) {
    if (const auto* send = std::get_if<Send>(&steps_[next_])) {
      ++next_;
      return send->items;
    }
    if (!shows(screen, *awaited())) break;
    ++next_;
  }
  return std::nullopt;
}

const std::string* DeviceScript::awaited() const {
  const auto* expect = is_done() ? nullptr : std::get_if<Expect>(&steps_[next_]);
  return expect == nullptr ? nullptr : &expect->text;
}

}  // namespace lekt::command
