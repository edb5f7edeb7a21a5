#include "client/command/device_program/device_log.h"

#include <utility>

#include "common/calendar.h"
#include "common/printable.h"

namespace lekt::command {

namespace {

using Phase = DeviceLink::Phase;
using Indicator = DeviceLink::Indicator;

/// "2010-01-25T08:29:43.248Z".
std::string time_text(std::chrono::milliseconds unix_time) {
  std::string text = to_iso(clamp_wall(unix_time.count() / 1000));
  const std::string fraction = std::to_string(1000 + unix_time.count() % 1000).substr(1);
  return text.insert(text.size() - 1, "." + fraction);
}

std::string words_of(Indicator indicator) {
  switch (indicator) {
    case Indicator::linking:
      return "[Linking]";
    case Indicator::out_of_range:
      return "[Out of Range]";
    case Indicator::none:
      break;
  }
  return "the server answers again";
}

}  // namespace

std::vector<std::string> DeviceLog::look(const DeviceLink& link, std::chrono::milliseconds now) {
  Seen seen{link.phase(), link.indicator(), link.message(), link.ending() ? link.ending()->text() : "",
            link.ticket()};
  if (link.time() != time_) {
    time_ = link.time();
    if (time_)
      ahead_ = std::chrono::seconds(clamp_wall(time_->seconds)) +
               std::chrono::milliseconds(time_->milliseconds) - now;
  }
  std::vector<std::string> lines;
  const auto add = [&](const std::string& words) {
    lines.push_back(time_text(now + ahead_) + " " + printable(words));
  };
  const Seen before =
      seen_ ? *seen_ : Seen{Phase::connecting, DeviceLink::Indicator::none, {}, {}, seen.ticket};
  if (seen.message != before.message) add(seen.message);
  // The message may have said the same already.
  if (!seen.ending.empty() && seen.ending != before.ending && seen.ending != seen.message) add(seen.ending);
  if (seen.phase != before.phase && seen.phase == Phase::serving)
    add(seen.ticket == before.ticket ? "the session goes on" : "a session has begun");
  if (seen.indicator != before.indicator) add(words_of(seen.indicator));
  seen_ = std::move(seen);
  return lines;
}

}  // namespace lekt::command
