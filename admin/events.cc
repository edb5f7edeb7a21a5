#include "admin/events.h"

#include "server/operators/json.h"

namespace lekt::admin {

namespace {

std::string event(const std::string& name, std::uint64_t id, const Json& data) {
  return "id: " + std::to_string(id) + "\nevent: " + name + "\ndata: " + to_line(data) + "\n\n";
}

}  // namespace

std::optional<std::string> EventStream::next(Clock::time_point now, std::chrono::milliseconds patience) {
  std::string text;
  // The headers are sent only with the first bytes. The number is how many milliseconds a listener that has
  // lost its connection waits before it comes back.
  if (!begun_) text = "retry: 2000\n\n";
  const ChangeFeed::News news = feed_.wait(after_, begun_ ? patience : std::chrono::milliseconds(0));
  begun_ = true;
  if (news.missed) {
    after_ = news.entries.empty() ? feed_.newest() : news.entries.back().sequence;
    text += event("missed", after_, {{"sequence", after_}});
  } else {
    for (const ChangeFeed::Entry& entry : news.entries)
      text += event("change", entry.sequence, to_json(entry));
    if (!news.entries.empty()) after_ = news.entries.back().sequence;
  }
  if (text.empty() && news.closed) return std::nullopt;
  if (text.empty() && now - said_ >= keep_alive) text = ": here\n\n";
  if (!text.empty()) said_ = now;
  return text;
}

std::shared_ptr<void> Listeners::enter() {
  if (count_.fetch_add(1) >= count_max_) {
    count_.fetch_sub(1);
    return nullptr;
  }
  return {this, [this](void*) { count_.fetch_sub(1); }};
}

}  // namespace lekt::admin
