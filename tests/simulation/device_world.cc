#include "tests/simulation/device_world.h"

#include <algorithm>

#include "tests/simulation/device_world_site.h"

namespace lekt::test {

namespace {

std::string string_of(const std::string& uid) {
  return "AB~001~19~000~PDT9090_E5~16~26~09~01~0107~0000~000~" + uid +
         "~640~6006~1~20100118100852~S~WindowsCE      ~2~01~0~";
}

std::string row_text(const Screen& screen, std::size_t row) {
  std::string text;
  for (const Cell& cell : screen.row(row)) text += static_cast<char>(cell.character);
  return text;
}

}  // namespace

DeviceWorld::DeviceWorld(Random& random, std::uint16_t first, std::uint16_t last)
    : random_(random), first_(first), last_(last) {
  start_desk();
}

DeviceWorld::~DeviceWorld() = default;

void DeviceWorld::start_desk() {
  DeviceDesk::Secrets secrets;
  for (char& byte : secrets.token) byte = static_cast<char>(random_.below(256));
  secrets.list = random_.next();
  words_.clear();
  registered_.clear();
  host_events_.clear();
  sites_.clear();
  changed_.clear();
  over_.clear();
  if (dtls_) dtls_->forget();
  desk_ = std::make_unique<DeviceDesk>(first_, last_, secrets, static_cast<DeviceDesk::Outside&>(*this));
  desk_->use(settings_);
}

void DeviceWorld::use(const DeviceDesk::Settings& settings) {
  settings_ = settings;
  desk_->use(settings_);
  if (settings.encryption == DeviceEncryption::off || dtls_) return;
  dtls_ = std::make_unique<DeviceWorldDtls>(
      [this](std::uint16_t port, const DeviceEndpoint& device, const auto& records) {
        for (const Bytes& record : records) send(port, device, record);
      });
}

// ---- What the desk needs, and tells ----

void DeviceWorld::send(std::uint16_t from, const DeviceEndpoint& to, ByteView datagram) {
  if (const auto found = strangers_.find(to.address); found != strangers_.end())
    found->second.second += datagram.size();
  const auto device = device_at(to);
  if (!device) return;  // it has moved, or was never there
  fly({false, *device, to, from, Bytes(datagram)});
}

DeviceDesk::Judgement DeviceWorld::judge(Address) { return {}; }

Ticket DeviceWorld::random_ticket() {
  Ticket ticket;
  for (char& byte : ticket) byte = static_cast<char>(random_.below(256));
  return ticket;
}

LoggedTime DeviceWorld::time() { return {std::chrono::milliseconds(1'264'408'182'549) + now_, {}}; }

void DeviceWorld::log(Address, LoggedTime time, const HandlerEvent& event) {
  log_.push_back(handler_line(HandlerLevel::socket, time, event));
}

void DeviceWorld::send_encrypted(std::uint16_t port, ByteView datagram) { dtls_->send(port, datagram); }

void DeviceWorld::registered(std::uint16_t port, const DeviceEndpoint& device, bool encrypted) {
  expect_guarantee(registered_.insert(port).second, "a port has one registration");
  if (encrypted) dtls_->registered(port, device, desk_->registration(port)->number());
}

void DeviceWorld::registration_ended(std::uint16_t port, const std::optional<Rejection>& reason) {
  expect_guarantee(registered_.erase(port) == 1, "what ends has begun");
  if (dtls_) dtls_->registration_ended(port, reason.has_value());
}

void DeviceWorld::alert(const DeviceDesk::Alert& alert) {
  alerts_.push_back(alert);
  ++statistics_.alerts[alert.code];
}

void DeviceWorld::session_began(const DeviceSession& session) {
  ++statistics_.sessions;
  words_[session.number()] = 0;
  const auto& site = sites_[session.number()] = std::make_unique<Site>(*this, session);
  site->begin();
  check_secrecy(session);
}

void DeviceWorld::session_resumed(const DeviceSession& session, const DeviceEndpoint&) {
  ++statistics_.resumed;
  expect_guarantee(session.port().has_value(), "a session that goes on has a registration");
  check_secrecy(session);
  session_described(session);
}

void DeviceWorld::session_described(const DeviceSession& session) {
  sites_.at(session.number())->workplace().resized();
}

void DeviceWorld::session_ended(const DeviceSession& session, const Rejection&) {
  ++statistics_.ended;
  words_.erase(session.number());
  sites_.erase(session.number());
}

/// Each word is "UID NUMBER". A session gets its own device's, each once, and in order.
void DeviceWorld::input(const DeviceSession& session, ByteView items) {
  check_secrecy(session);
  std::string text;
  (void)for_each_input_item(items, [&](const auto& item) {
    if constexpr (requires { item.text; }) text += std::string(item.text) + "\n";
  });
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string word = text.substr(at, end - at);
    at = end + 1;
    if (word.find(' ') == word.npos) continue;  // the choice of a host
    const std::string uid = word.substr(0, word.find(' '));
    const std::uint64_t number = std::stoull(word.substr(uid.size() + 1));
    expect_guarantee(uid == session.device().uid, "a session gets what its own device has typed");
    std::uint64_t& last = words_.at(session.number());
    // A uid may have several sessions, and its device come back to another one than it typed in last.
    const bool had_others = std::ranges::any_of(devices_, [&](const Device& device) {
      return device.uid == uid && (device.lost_to.contains(number - 1) || device.taken + 1 == number);
    });
    expect_guarantee(last == 0 || number == last + 1 || had_others,
                     "word " + std::to_string(number) + " of " + uid + " follows " + std::to_string(last));
    last = number;
    ++statistics_.inputs;
    for (Device& device : devices_) {
      if (device.uid != uid) continue;
      expect_guarantee(number > device.taken,
                       "word " + std::to_string(number) + " of " + uid + " is taken once");
      device.taken = number;
    }
  }
  sites_.at(session.number())->input(items);
}

Liveliness DeviceWorld::draw(const DeviceSession& session, Screen& screen) {
  Workplace& workplace = sites_.at(session.number())->workplace();
  workplace.draw(screen);
  return workplace.liveliness();
}

// ---- Devices ----

std::optional<std::size_t> DeviceWorld::device_at(const DeviceEndpoint& endpoint) const {
  for (std::size_t index = 0; index < devices_.size(); ++index)
    if (devices_[index].endpoint == endpoint) return index;
  return std::nullopt;
}

std::size_t DeviceWorld::add_device(const std::string& uid, Address address, const std::string& text,
                                    const Ticket& ticket, bool encrypted) {
  Device device;
  device.uid = uid;
  device.text = text.empty() ? string_of(uid) : text;
  device.endpoint = {address, 3771};
  device.ticket = ticket;
  device.encrypted = encrypted;
  devices_.push_back(std::move(device));
  reboot(devices_.size() - 1, false);
  --statistics_.reboots;
  return devices_.size() - 1;
}

void DeviceWorld::reboot(std::size_t index, bool keeps_ticket) {
  ++statistics_.reboots;
  Device& device = devices_[index];
  device.lost_to.insert(device.typed);
  if (device.link != nullptr) device.ticket = keeps_ticket ? device.link->ticket() : no_ticket;
  device.wire.reset();
  device.link = std::make_unique<DeviceLink>(
      DeviceLink::Settings{device.text, device.ticket, device.encrypted}, [this] { return random_.next(); },
      now_);
  device.wire = std::make_unique<DeviceWire>(
      *device.link, device.encrypted ? std::optional(DeviceWorldDtls::of_device()) : std::nullopt);
  pump(index);
}

void DeviceWorld::type(std::size_t index) {
  Device& device = devices_[index];
  Bytes items;
  const std::string word = device.uid + " " + std::to_string(device.typed + 1);
  append_item(items, TypedItem{word});
  append_item(items, KeyItem{Key::enter, 0});
  if (!device.link->type(items)) return;
  ++device.typed;
  pump(index);
}

void DeviceWorld::move(std::size_t index, const DeviceEndpoint& endpoint) {
  ++statistics_.moves;
  devices_[index].endpoint = endpoint;
}

void DeviceWorld::pump(std::size_t index) {
  Device& device = devices_[index];
  while (auto datagram = device.wire->next(now_)) {
    auto& [port, bytes] = *datagram;
    expect_guarantee(
        bytes.size() <= (is_dtls_record(bytes) ? dtls_datagram_bytes_max : limits::datagram_bytes_max),
        "no datagram is too large");
    fly({true, index, device.endpoint, port, std::move(bytes)});
  }
}

// ---- The network ----

void DeviceWorld::fly(Flight flight) {
  ++statistics_.datagrams;
  check_secrecy(flight);
  const bool cut_off = flight.device < devices_.size() && devices_[flight.device].cut_off;
  if (cut_off || (passes && !passes(flight)) || random_.chance(network.loss)) {
    ++statistics_.lost;
    return;
  }
  if (flight.bytes.size() > network.large && random_.chance(network.loss_of_large)) {
    ++statistics_.lost_for_size;
    return;
  }
  for (int copies = random_.chance(network.duplication) ? 2 : 1; copies > 0; --copies) {
    const AwakeTime delay(random_.between(network.delay_min.count(), network.delay_max.count()));
    if (copies == 2) ++statistics_.duplicated;
    flights_.emplace(now_ + delay, flight);
  }
}

void DeviceWorld::forge(const DeviceEndpoint& from, std::uint16_t port, Bytes bytes) {
  ++statistics_.forged;
  flights_.emplace(now_, Flight{true, SIZE_MAX, from, port, std::move(bytes)});
}

void DeviceWorld::arrive(const Flight& flight) {
  if (flight.to_server) {
    if (flight.device == SIZE_MAX) strangers_[flight.endpoint.address].first += flight.bytes.size();
    if (dtls_ && flight.port != 0 && is_dtls_record(flight.bytes))
      dtls_->receive(*desk_, flight.port, flight.endpoint, flight.bytes);
    else if (flight.port == 0)
      desk_->receive_at_contact(flight.endpoint, Address::v4(0xc0a8640c), flight.bytes, now_);
    else
      desk_->receive(flight.port, flight.endpoint, flight.bytes, now_);
    return;
  }
  Device& device = devices_[flight.device];
  if (device.endpoint != flight.endpoint || device.cut_off) return;  // it has moved
  if (flight.bytes.size() > 4 && flight.bytes[4] == 'F')
    if (const auto head = read_head_to_device(flight.bytes))
      ++statistics_.failures[static_cast<ErrorCode>(head->number)];
  const Ticket before = device.link->ticket();
  device.wire->receive(flight.port, flight.bytes, now_);
  // What was typed for a session that has ended meanwhile is forgotten.
  if (before != no_ticket && before != device.link->ticket()) device.lost_to.insert(device.typed);
  pump(flight.device);
}

void DeviceWorld::restart() {
  ++statistics_.restarts;
  start_desk();
}

/// What happens next, if it does so before `until`.
void DeviceWorld::step(AwakeTime until) {
  AwakeTime next = until;
  if (!flights_.empty()) next = std::min(next, flights_.begin()->first);
  if (!host_events_.empty()) next = std::min(next, host_events_.begin()->first);
  if (const auto due = desk_->due()) next = std::min(next, *due);
  if (const auto due = dtls_ ? dtls_->due() : std::nullopt) next = std::min(next, *due);
  for (const Device& device : devices_)
    if (const auto due = device.wire->due()) next = std::min(next, *due);
  now_ = std::max(now_, next);
  if (dtls_) dtls_->advance(now_);
  while (!flights_.empty() && flights_.begin()->first <= now_) {
    const Flight flight = std::move(flights_.begin()->second);
    flights_.erase(flights_.begin());
    arrive(flight);
    tell_desk();
  }
  take_host_events();
  tell_desk();
  desk_->advance(now_);
  for (std::size_t index = 0; index < devices_.size(); ++index) pump(index);
}

void DeviceWorld::run(AwakeTime time) {
  const AwakeTime until = now_ + time;
  std::size_t steps_without_time = 0;
  for (AwakeTime before = now_; now_ < until; before = now_) {
    step(until);
    steps_without_time = now_ == before ? steps_without_time + 1 : 0;
    expect_guarantee(steps_without_time < 10'000, "time goes on: nobody is due again and again");
  }
  check();
}

bool DeviceWorld::run_until(const std::function<bool()>& holds, AwakeTime time) {
  const AwakeTime until = now_ + time;
  std::size_t steps_without_time = 0;
  while (!holds() && now_ < until) {
    const AwakeTime before = now_;
    step(until);
    steps_without_time = now_ == before ? steps_without_time + 1 : 0;
    expect_guarantee(steps_without_time < 10'000, "time goes on: nobody is due again and again");
  }
  check();
  return holds();
}

bool DeviceWorld::is_settled(std::size_t index) {
  Device& device = devices_[index];
  if (device.link->phase() != DeviceLink::Phase::serving || !device.link->has_delivered()) return false;
  const Delivery* const delivery = device.link->delivery();
  if (delivery == nullptr || !delivery->is_quiet()) return false;
  DeviceSession* const session = desk_->book().find(device.link->ticket());
  if (session == nullptr || !session->port()) return false;
  const Registration* const registration = desk_->registration(*session->port());
  if (registration->device() != device.endpoint || !registration->delivery().is_quiet()) return false;
  Site& site = *sites_.at(session->number());
  if (!site.is_quiet()) return false;
  Screen expected(1, 1);
  site.workplace().draw(expected);
  const Screen& shown = device.link->screen();
  if (site.workplace().state() != Workplace::State::no_host) return shown == expected;
  if (!shown.has_size_of(expected)) return false;
  for (std::size_t row = 0; row < shown.rows(); ++row)
    if (row != 5 && row_text(shown, row) != row_text(expected, row)) return false;  // row 5 is the time
  return true;
}

void DeviceWorld::check() {
  desk_->check();
  desk_->book().for_each([this](const DeviceSession& session) { check_secrecy(session); });
  for (const auto& [address, bytes] : strangers_)
    expect_guarantee(bytes.second <= bytes.first, to_string(address) + " got more bytes than it sent");
  for (Device& device : devices_) {
    // The uid is on the screen of a session.
    std::string all;
    for (std::size_t row = 0; row < device.link->screen().rows(); ++row)
      all += row_text(device.link->screen(), row);
    for (const Device& other : devices_)
      if (other.uid != device.uid)
        expect_guarantee(all.find(other.uid) == all.npos, "nobody sees another's screen");
  }
}

}  // namespace lekt::test
