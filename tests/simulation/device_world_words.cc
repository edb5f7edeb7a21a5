// What a world of devices tells of itself: its numbers, and how it stands when a guarantee is broken.
#include "devices/group_syntax.h"
#include "tests/simulation/device_world.h"

namespace lekt::test {

DeviceWorld::Statistics& DeviceWorld::Statistics::operator+=(const Statistics& other) {
  datagrams += other.datagrams;
  lost += other.lost;
  lost_for_size += other.lost_for_size;
  duplicated += other.duplicated;
  forged += other.forged;
  inputs += other.inputs;
  sessions += other.sessions;
  resumed += other.resumed;
  ended += other.ended;
  moves += other.moves;
  reboots += other.reboots;
  restarts += other.restarts;
  repeated += other.repeated;
  ports_taken += other.ports_taken;
  connections += other.connections;
  refusals += other.refusals;
  hang_ups += other.hang_ups;
  chosen += other.chosen;
  given_up += other.given_up;
  came_back += other.came_back;
  echoes += other.echoes;
  floods += other.floods;
  handshakes += other.handshakes;
  handshakes_failed += other.handshakes_failed;
  impersonated += other.impersonated;
  for (const auto& [code, count] : other.alerts) alerts[code] += count;
  for (const auto& [code, count] : other.failures) failures[code] += count;
  return *this;
}

std::string DeviceWorld::describe() {
  std::string text = "at " + std::to_string(now_.count()) + " ms; ports " + std::to_string(first_) + " to " +
                     std::to_string(last_) + "; one way takes " + std::to_string(network.delay_min.count()) +
                     " to " + std::to_string(network.delay_max.count()) + " ms, loses " +
                     std::to_string(network.loss) + " %, above " + std::to_string(network.large) + " bytes " +
                     std::to_string(network.loss_of_large) + " % more, repeats " +
                     std::to_string(network.duplication) + " %; at most " +
                     std::to_string(settings_.limits.sessions_max) + " sessions, " +
                     std::to_string(settings_.limits.per_address_max) + " of an address; groups:";
  for (const auto& offer : settings_.groups->all()) text += " " + to_string(offer->group);
  text += "\n";
  for (std::size_t index = 0; index < devices_.size(); ++index) {
    const Device& device = devices_[index];
    const DeviceLink& link = *device.link;
    text += device.uid + " at " + to_string(device.endpoint) + ": phase " +
            std::to_string(static_cast<int>(link.phase())) + ", indicator " +
            std::to_string(static_cast<int>(link.indicator())) + ", \"" + link.message() + "\"" +
            (link.has_delivered() ? "" : ", inputs wait") + (is_settled(index) ? ", settled" : "") +
            (link.ending() ? ", " + link.ending()->text() : "") + "\n";
  }
  for (std::uint32_t port = first_; port <= last_; ++port)
    if (const Registration* const registration = desk_->registration(static_cast<std::uint16_t>(port)))
      text += "port " + std::to_string(port) + ": " + std::string(to_string(registration->state())) + ", " +
              to_string(registration->device()) + "\n";
  desk_->book().for_each([&](const DeviceSession& session) {
    text += "session " + std::to_string(session.number()) + " of " + session.device().uid + " at " +
            to_string(session.endpoint()) +
            (session.port() ? " port " + std::to_string(*session.port()) : "") + "\n";
  });
  return text;
}

}  // namespace lekt::test
