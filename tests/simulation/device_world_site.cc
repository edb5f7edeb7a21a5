#include "tests/simulation/device_world_site.h"

#include <algorithm>
#include <regex>
#include <utility>

namespace lekt::test {

namespace {

/// Without the keys that send escapes, which come from users who took the host for the selection.
std::string without_escapes(const std::string& line) {
  static const std::regex escapes("\x1b([O[][0-9;]*[A-Z~])?");
  return line.find('\x1b') == line.npos ? line : std::regex_replace(line, escapes, "");
}

}  // namespace

void DeviceWorld::Site::begin() {
  if (hosts().size() == 1) (void)foresee_choice(0);
  workplace_.begin();
  expect_guarantee(choices_.empty(), "who has one host gets to it at once");
}

// ---- What has to come of what is typed ----

void DeviceWorld::Site::input(ByteView items) {
  Workplace::State state = workplace_.state();
  (void)for_each_input_item(items, [&](const auto& item) { state = foresee(item, state); });
  workplace_.input(items);
  expect_guarantee(choices_.empty(), "who chooses a host gets to it");
  expect_guarantee(workplace_.state() == state, "what is typed leads where users read that it does");
}

Workplace::State DeviceWorld::Site::foresee(const InputItem& item, Workplace::State state) {
  const auto* const key = std::get_if<KeyItem>(&item);
  const bool is_escape = key != nullptr && key->key == Key::escape;
  switch (state) {
    case Workplace::State::selecting:
      return foresee_at_selection(item);
    case Workplace::State::connecting:
      if (!is_escape) break;
      ++world_.statistics_.given_up;
      lose_host();
      return hosts().size() > 1 ? Workplace::State::selecting : Workplace::State::trouble;
    case Workplace::State::trouble:
      if (key != nullptr && key->key == Key::enter) return foresee_choice(*host_);
      return is_escape && hosts().size() > 1 ? Workplace::State::selecting : state;
    case Workplace::State::working:
      enter_belongs_to_choice_ = false;
      break;
    case Workplace::State::no_host:
    case Workplace::State::over:
      return state;
  }
  foresee_at_host(item);
  return state;
}

/// There are less than ten hosts, so a digit is the number of one.
Workplace::State DeviceWorld::Site::foresee_at_selection(const InputItem& item) {
  if (const auto* const text = std::get_if<TypedItem>(&item)) {
    line_ += text->text;
    const std::size_t number = line_.size() == 1 ? static_cast<std::size_t>(line_[0] - '0') : 0;
    if (number < 1 || number > hosts().size()) return Workplace::State::selecting;
    const Workplace::State state = foresee_choice(number - 1);
    enter_belongs_to_choice_ = true;
    return state;
  }
  const bool follows_text = !std::exchange(line_, {}).empty();
  switch (std::get<KeyItem>(item).key) {
    case Key::enter:
      if (!follows_text && host_) return foresee_choice(*host_);
      break;
    case Key::home:
      host_ = 0;
      break;
    case Key::down:
      host_ = host_ ? std::min(*host_ + 1, hosts().size() - 1) : 0;
      break;
    default:
      host_.reset();
  }
  return Workplace::State::selecting;
}

Workplace::State DeviceWorld::Site::foresee_choice(std::size_t host) {
  host_ = host;
  line_.clear();
  choices_.push_back(host);
  enter_belongs_to_choice_ = false;
  return Workplace::State::connecting;
}

void DeviceWorld::Site::foresee_at_host(const InputItem& item) {
  const bool belongs_to_choice = std::exchange(enter_belongs_to_choice_, false);
  if (const auto* const text = std::get_if<TypedItem>(&item)) line_ += text->text;
  const auto* const key = std::get_if<KeyItem>(&item);
  if (key != nullptr && key->key == Key::enter && !belongs_to_choice)
    typed_.push_back(std::exchange(line_, {}));
}

void DeviceWorld::Site::lose_host() {
  line_.clear();
  typed_.clear();
}

// ---- The host ----

void DeviceWorld::Site::connect(const DeviceHost& host) {
  expect_guarantee(!choices_.empty() && hosts()[choices_.front()].name == host.name,
                   "no host is connected but the one that was chosen");
  choices_.pop_front();
  if (hosts().size() > 1) ++world_.statistics_.chosen;
  ++connection_;
  text_.clear();
  delay_ = AwakeTime(world_.random_.between(1, world_.random_.chance(20) ? 5000 : 50));
  const bool refuses = world_.hosts_are_moody && world_.random_.chance(15);
  later([refuses](Site& site) {
    if (refuses) {
      ++site.world_.statistics_.refusals;
      site.lose_host();
      return site.workplace_.failed("connection refused");
    }
    ++site.world_.statistics_.connections;
    site.workplace_.connected();
  });
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
      take_line(without_escapes(std::exchange(text_, {})));
    else if (byte != '\0')
      text_ += byte;
  }
}

void DeviceWorld::Site::take_line(const std::string& line) {
  expect_guarantee(!typed_.empty() && typed_.front() == line,
                   "the host gets \"" + line + "\" in its turn, once, and from nobody else");
  typed_.pop_front();
  answer(line);
}

void DeviceWorld::Site::answer(const std::string& line) {
  if (world_.hosts_are_moody && world_.random_.chance(1)) {
    return later([](Site& site) {
      if (!site.world_.hosts_are_moody) return;
      ++site.world_.statistics_.hang_ups;
      if (site.hosts().size() > 1) ++site.world_.statistics_.came_back;
      ++site.connection_;  // nothing more comes of it
      site.lose_host();
      site.workplace_.hung_up("");
    });
  }
  std::uint64_t lines = 1;
  if (world_.random_.chance(5)) {
    ++world_.statistics_.floods;
    lines = world_.random_.below(500);
  }
  ++world_.statistics_.echoes;
  for (; lines > 0; --lines) later([line](Site& site) { site.workplace_.received("\a" + line + "\r\n"); });
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
