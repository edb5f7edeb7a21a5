#include "tests/simulation/device_world_site.h"

#include <algorithm>
#include <utility>

namespace lekt::test {

void DeviceWorld::Site::expect_word(const std::string& word) {
  typed_.push_back(word);
  const bool is_for_host =
      workplace_.state() == Workplace::State::working || workplace_.state() == Workplace::State::connecting;
  may_be_lost_ = may_be_lost_ || !is_for_host;
}

void DeviceWorld::Site::connect(const DeviceHost&) {
  ++connection_;
  text_.clear();
  delay_ = AwakeTime(world_.random_.between(1, world_.random_.chance(20) ? 5000 : 50));
  const bool refuses = world_.hosts_are_moody && world_.random_.chance(15);
  later([refuses](Site& site) {
    if (refuses) {
      ++site.world_.statistics_.refusals;
      site.may_be_lost_ = true;
      return site.workplace_.failed("connection refused");
    }
    ++site.world_.statistics_.connections;
    site.workplace_.connected();
  });
}

void DeviceWorld::Site::disconnect() {
  ++connection_;
  may_be_lost_ = true;
}

void DeviceWorld::Site::later(std::function<void(Site&)> happens) {
  ++on_the_way_;
  world_.host_events_.emplace(
      world_.now_ + delay_,
      HostEvent{session_.number(), [happens = std::move(happens), connection = connection_](Site& site) {
                  --site.on_the_way_;
                  if (site.connection_ == connection) happens(site);
                }});
}

void DeviceWorld::Site::arrive(const Bytes& bytes) {
  for (const char byte : bytes) {
    if (byte == '\r')
      take_word(std::exchange(text_, {}));
    else if (byte != '\0')
      text_ += byte;
  }
}

void DeviceWorld::Site::take_word(const std::string& word) {
  const auto found = std::ranges::find(typed_, word);
  expect_guarantee(found != typed_.end(), "the host gets \"" + word + "\" once, and from nobody else");
  expect_guarantee(found == typed_.begin() || may_be_lost_,
                   "no word before \"" + word + "\" is lost on the way to the host");
  typed_.erase(typed_.begin(), found + 1);
  may_be_lost_ = false;
  answer(word);
}

void DeviceWorld::Site::answer(const std::string& word) {
  if (world_.hosts_are_moody && world_.random_.chance(1)) {
    return later([](Site& site) {
      if (!site.world_.hosts_are_moody) return;
      ++site.world_.statistics_.hang_ups;
      site.may_be_lost_ = true;
      site.workplace_.hung_up("");
    });
  }
  std::uint64_t lines = 1;
  if (world_.random_.chance(5)) {
    ++world_.statistics_.floods;
    lines = world_.random_.below(500);
  }
  ++world_.statistics_.echoes;
  for (; lines > 0; --lines) later([word](Site& site) { site.workplace_.received("\a" + word + "\r\n"); });
}

// ---- Between hosts and desk ----

/// What is due.
void DeviceWorld::take_host_events() {
  while (!host_events_.empty() && host_events_.begin()->first <= now_) {
    const HostEvent event = std::move(host_events_.begin()->second);
    host_events_.erase(host_events_.begin());
    const auto found = sites_.find(event.session);
    if (found == sites_.end()) continue;
    event.happens(*found->second);
  }
}

/// Outside of the desk's calls, since nothing in them may call it.
void DeviceWorld::tell_desk() {
  for (const auto& ending : std::exchange(over_, {}))
    desk_->end_sessions([&](const DeviceSession& session) { return session.number() == ending.first; },
                        ending.second);
  for (const DeviceSession::Number number : std::exchange(changed_, {})) {
    const auto found = sites_.find(number);
    if (found == sites_.end()) continue;
    const DeviceSession& session = *desk_->book().find(number);
    if (found->second->workplace().take_bell()) desk_->ring(session, now_);
    desk_->screen_changed(session, now_);
  }
}

}  // namespace lekt::test
