// How the numbers of a registration's messages become counters of the server.
#pragma once

#include <cstdint>

#include "devices/device_desk.h"
#include "server/operators/device_meters.h"

namespace lekt {

/// Counts what a datagram changes in the numbers of its registration, from its beginning to its end.
class Measured {
 public:
  Measured(const DeviceDesk& desk, std::uint16_t port, DeviceMeters& meters)
      : desk_(desk), port_(port), meters_(meters) {
    const Registration* const registration = desk.registration(port);
    if (registration == nullptr) return;
    number_ = registration->number();
    before_ = registration->delivery().counts();
  }
  ~Measured() {
    const Registration* const registration = desk_.registration(port_);
    if (registration == nullptr || registration->number() != number_) return;
    const Delivery::Counts& after = registration->delivery().counts();
    meters_.duplicates.add(after.duplicates - before_.duplicates);
    meters_.out_of_order.add(after.out_of_sequence - before_.out_of_sequence);
    if (after.round_trips != before_.round_trips) meters_.rtt.add(registration->delivery().newest_sample());
  }
  Measured(const Measured&) = delete;
  Measured& operator=(const Measured&) = delete;

 private:
  const DeviceDesk& desk_;
  std::uint16_t port_;
  DeviceMeters& meters_;
  std::uint64_t number_ = 0;
  Delivery::Counts before_;
};

}  // namespace lekt
