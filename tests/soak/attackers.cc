#include "tests/soak/attackers.h"

#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t held_max = 60;
constexpr int lists_never_read = 150;

}  // namespace

Attackers::Attackers(std::uint16_t server_port, std::uint64_t seed)
    : server_port_(server_port), random_(seed) {
  thread_ = std::thread([this] { work(); });
}

Attackers::~Attackers() {
  stopping_ = true;
  thread_.join();
}

void Attackers::work() {
  while (!stopping_) {
    if (!active_) held_.clear();
    if (active_) try {
        attack();
        drip();
      } catch (const std::exception&) {
        // The server is down, or has refused it: as it should.
      }
    std::this_thread::sleep_for(5ms);
  }
}

void Attackers::attack() {
  ++attacks_;
  switch (random_.below(6)) {
    case 0:  // noise
      (void)connect().try_send(random_.bytes(1 + random_.below(8000)));
      return;
    case 1:  // a conversation with one wrong byte, or cut
      return hold(connect(), broken_conversation());
    case 2: {  // the same at once
      RawClient client = connect();
      (void)client.try_send(broken_conversation());
      return;
    }
    case 3:  // silence
      return hold(connect());
    case 4: {  // joins, asks, and closes with unread bytes, which is a reset
      RawClient client = connect();
      client.join(tcp(1));
      (void)client.try_send(heartbeat_bytes(0));
      client.receives_within(50ms);
      return;
    }
    default: {  // asks and never reads
      RawClient client = connect(4096);
      client.join(tcp(2));
      for (int list = 0; list < lists_never_read; ++list) (void)client.try_send(heartbeat_bytes(0));
      return hold(std::move(client));
    }
  }
}

/// One byte each.
void Attackers::drip() {
  for (Held& held : held_) {
    if (held.drip.empty()) continue;
    (void)held.client.try_send(held.drip.substr(0, 1));
    held.drip.erase(0, 1);
  }
}

void Attackers::hold(RawClient client, Bytes drip) {
  if (held_.size() >= held_max) held_.pop_front();
  held_.push_back({std::move(client), std::move(drip)});
}

RawClient Attackers::connect(int receive_buffer) {
  return RawClient(server_port_, "127.0.9." + std::to_string(1 + random_.below(200)),
                   {.receive_buffer = receive_buffer});
}

Bytes Attackers::broken_conversation() {
  Bytes bytes = setup_bytes(tcp(3)) + heartbeat_bytes(0) + heartbeat_bytes(INT64_MAX);
  if (random_.chance(50)) return bytes.substr(0, random_.below(bytes.size()));
  random_.pick(bytes) = static_cast<char>(random_.next());
  return bytes;
}

}  // namespace lekt::test
