#include "bench/device_load/device_crew.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <system_error>

namespace lekt::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t events_max = 64;

/// How long devices may wait for their server, all of them together.
constexpr auto patience = 30s;

/// Of device 0; the others have the addresses after it.
const Address first_source = Address::v4(0x7f010001);  // 127.1.0.1

/// What a device says of itself; its uid is its own.
std::string string_of(std::uint32_t number, const DeviceCrew::Manner& manner) {
  std::string uid = "000000000000";
  const std::string digits = std::to_string(number);
  uid.replace(uid.size() - digits.size(), digits.size(), digits);
  return "AB~001~19~000~PDT9090_E5~" + std::to_string(manner.rows) + "~" + std::to_string(manner.columns) +
         "~09~01~0107~0000~000~" + uid + "~640~6006~1~20100118100852~S~WindowsCE      ~2~01~0~";
}

DeviceLink::Random random_numbers() {
  return [engine = std::make_shared<std::mt19937_64>(std::random_device{}())] { return (*engine)(); };
}

}  // namespace

DeviceCrew::DeviceCrew(const Target& server, std::size_t devices, const Manner& manner)
    : server_{parse_address(server.address).value(), server.port},
      manner_(manner),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(2048) {
  if (!epoll_.is_open()) throw std::system_error(errno, std::generic_category());
  devices_.reserve(devices);
  for (std::uint32_t number = 0; number < devices; ++number) {
    const Device& device = devices_.emplace_back(Address::v4(first_source.as_v4() + number), number);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = number;
    if (epoll_ctl(epoll_.value(), EPOLL_CTL_ADD, device.socket.descriptor(), &event) != 0)
      throw std::system_error(errno, std::generic_category());
  }
}

AwakeTime DeviceCrew::awake() const { return std::chrono::duration_cast<AwakeTime>(now() - began_); }

// ---- Registering ----

void DeviceCrew::begin(std::size_t first, std::size_t last) {
  const auto random = random_numbers();
  for (std::size_t number = first; number < last; ++number) {
    Device& device = devices_[number];
    device.link.emplace(DeviceLink::Settings{string_of(device.number, manner_), no_ticket}, random, awake());
    device.progress = Progress::begun;
  }
  for (std::size_t number = first; number < last; ++number) send_what_is_due(devices_[number]);
}

void DeviceCrew::leave() {
  accepted_ = served_ = left_ = 0;
  for (Device& device : devices_) device.link->leave(awake());
  for (Device& device : devices_) send_what_is_due(device);
}

void DeviceCrew::turn_by(Time latest) {
  Time next = latest;
  if (!to_server_.empty()) next = std::min(next, to_server_.front().arrives);
  if (!to_devices_.empty()) next = std::min(next, to_devices_.front().arrives);
  if (!deadlines_.empty()) next = std::min<Time>(next, began_ + deadlines_.begin()->first);
  turn(next - now());
}

void DeviceCrew::turn(std::chrono::nanoseconds time) {
  for (const std::uint32_t number : wait(time)) {
    while (const auto arrival = receive_from(number)) {
      const std::uint16_t port = arrival->from.port == server_.port ? 0 : arrival->from.port;
      if (manner_.delay == 0ms)
        take(devices_[number], port, arrival->datagram);
      else if (!is_lost())
        to_devices_.push_back({now() + manner_.delay, number, port, Bytes(arrival->datagram)});
    }
    send_what_is_due(devices_[number]);
  }
  let_arrive();
  while (!deadlines_.empty() && deadlines_.begin()->first <= awake())
    send_what_is_due(devices_[deadlines_.begin()->second]);
}

template <class Condition>
void DeviceCrew::turn_until(const char* what, Condition condition) {
  const Time end = now() + patience;
  while (!condition()) {
    if (now() > end)
      throw BenchError(std::string("not all devices ") + what + ": " + std::to_string(accepted_) +
                       " are registered, " + std::to_string(served_) + " have a screen, " +
                       std::to_string(left_) + " have left");
    turn_by(end);
  }
}

void DeviceCrew::turn_until_served(std::size_t count) {
  turn_until("are served", [&] { return served_ >= count; });
  turn_until("are quiet", [&] { return deadlines_.empty() && to_server_.empty() && to_devices_.empty(); });
}

void DeviceCrew::turn_until_left() {
  turn_until("have left", [&] { return left_ == devices_.size(); });
}

/// What is on its way for long enough gets there.
void DeviceCrew::let_arrive() {
  for (; !to_server_.empty() && to_server_.front().arrives <= now(); to_server_.pop_front())
    send_now(to_server_.front().number, to_server_.front().port, to_server_.front().datagram);
  for (; !to_devices_.empty() && to_devices_.front().arrives <= now(); to_devices_.pop_front()) {
    Device& device = devices_[to_devices_.front().number];
    take(device, to_devices_.front().port, to_devices_.front().datagram);
    send_what_is_due(device);
  }
}

bool DeviceCrew::is_lost() {
  return served_ == devices_.size() && std::uniform_real_distribution<>(0, 1)(chance_) < manner_.loss;
}

void DeviceCrew::type(std::size_t number, ByteView items) {
  devices_[number].link->type(items);
  send_what_is_due(devices_[number]);
}

bool DeviceCrew::sees_its_host(const Device& device) const {
  return !manner_.hosted || device.link->screen().row(0)[0].character == U'$';
}

void DeviceCrew::take(Device& device, std::uint16_t port, ByteView datagram) {
  if (!device.link) return;
  DeviceLink& link = *device.link;
  if (link.phase() == DeviceLink::Phase::ended) return;
  const auto head = read_head_to_device(datagram);
  link.receive(port, datagram, awake());
  if (link.phase() == DeviceLink::Phase::ended) {
    if (link.ending()->code == ErrorCode::session_ended) return void(++left_);
  }
  // Who loses many datagrams in a row registers anew, and goes on with its session.
  if (link.ending() && (manner_.loss == 0 || link.phase() == DeviceLink::Phase::ended))
    throw BenchError("device " + std::to_string(device.number) + ": " + link.ending()->text());
  if (!head) throw BenchError("device " + std::to_string(device.number) + " got what it cannot read");
  if (head->type == DatagramType::registration_accept && device.progress == Progress::begun) {
    device.progress = Progress::accepted;
    ++accepted_;
    last_accepted_ = now();
  }
  const bool is_screen = head->type == DatagramType::message && datagram.size() > limits::datagram_head_bytes;
  if (is_screen && link.phase() == DeviceLink::Phase::serving && device.progress == Progress::accepted &&
      sees_its_host(device)) {
    device.progress = Progress::served;
    ++served_;
    last_served_ = now();
  }
  if (taken_) taken_(device.number, *head, datagram);
}

void DeviceCrew::send_what_is_due(Device& device) {
  if (!device.link) return;
  DeviceLink& link = *device.link;
  while (auto datagram = link.next(awake())) {
    if (const auto head = read_head_to_server(datagram->bytes)) device.registration = head->registration;
    device.port = datagram->port;
    const std::uint16_t port = datagram->port == 0 ? server_.port : datagram->port;
    if (manner_.delay == 0ms)
      send_now(device.number, port, datagram->bytes);
    else if (!is_lost())
      to_server_.push_back({now() + manner_.delay, device.number, port, std::move(datagram->bytes)});
  }
  const auto due = link.due();
  if (due == device.scheduled) return;
  if (device.scheduled) deadlines_.erase({*device.scheduled, device.number});
  if (due) deadlines_.emplace(*due, device.number);
  device.scheduled = due;
}

// ---- Below the protocol ----

DeviceCrew::Registered DeviceCrew::registered(std::size_t number) const {
  const Device& device = devices_[number];
  const Delivery* const delivery = device.link ? device.link->delivery() : nullptr;
  if (delivery == nullptr) throw BenchError("device " + std::to_string(number) + " is not registered");
  return {device.registration, device.port, delivery->sent(), delivery->received()};
}

void DeviceCrew::send_now(std::size_t number, std::uint16_t port, ByteView datagram) {
  Device& device = devices_[number];
  device.socket.send(device.source, {server_.address, port}, datagram);
}

const std::vector<std::uint32_t>& DeviceCrew::wait(std::chrono::nanoseconds time) {
  std::array<epoll_event, events_max> events;
  const auto left = std::max(time, 0ns);
  const timespec limit{left / 1s, (left % 1s).count()};
  const int count = epoll_pwait2(epoll_.value(), events.data(), events_max, &limit, nullptr);
  ready_.clear();
  for (int index = 0; index < count; ++index)
    ready_.push_back(events[static_cast<std::size_t>(index)].data.u32);
  return ready_;
}

std::optional<UdpSocket::Arrival> DeviceCrew::receive_from(std::size_t number) {
  const auto arrival = devices_[number].socket.receive(buffer_);
  if (arrival) ++datagrams_;
  return arrival;
}

}  // namespace lekt::bench
