// A session: what a user of a device has, and what outlives registrations, addresses and reboots of the device.
//
// A device proves with the session's ticket that a session is its own. The uid that it says of itself can be seen by
// everybody on the radio, so it is a name and no key (docs/device-protocol.md, "Resume").
//
// Knows no datagram and no clock. Owned by the book (session_book.h); used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/address.h"
#include "common/device_packets.h"
#include "common/device_string.h"
#include "common/screen.h"
#include "common/time.h"
#include "devices/groups.h"
#include "devices/handler_log.h"

namespace lekt {

class DeviceSession {
 public:
  using Number = std::uint64_t;  ///< of a session, never used again while the process lives

  DeviceSession(Number number, const Ticket& ticket, DeviceString device, std::string text,
                std::shared_ptr<const DeviceGroups::Offer> group, AwakeTime now);

  Number number() const { return number_; }
  AwakeTime began() const { return began_; }
  const Ticket& ticket() const { return ticket_; }
  const DeviceString& device() const { return device_; }
  /// The whole string of the device.
  const std::string& text() const { return text_; }
  const DeviceGroups::Offer& offer() const { return *offer_; }
  const DeviceGroup& group() const { return offer_->group; }

  /// The dedicated port of its registration; nothing while it has none.
  std::optional<std::uint16_t> port() const { return port_; }
  /// Where its registration is, or the last one was.
  const DeviceEndpoint& endpoint() const { return endpoint_; }
  /// Called by the book alone, which keeps the sessions without a registration apart.
  void attach(std::uint16_t port, const DeviceEndpoint& endpoint) {
    port_ = port;
    endpoint_ = endpoint;
    turn_ = 0;
  }
  /// `heard`: when its registration was heard last.
  void detach(AwakeTime heard, std::uint64_t turn) {
    port_.reset();
    heard_ = heard;
    turn_ = turn;
  }
  /// The time that its device was told last (packet 8).
  const LoggedTime& told_time() const { return told_time_; }
  void tell_time(const LoggedTime& time) { told_time_ = time; }
  /// When its last registration, which is over, was heard last.
  AwakeTime heard() const { return heard_; }
  /// Its place among the sessions that wait for a registration, the longest first; 0 while it has one.
  std::uint64_t turn() const { return turn_; }

  /// Notes that the device says something else of itself: its screen was turned, its window has another size.
  void describe(DeviceString device, std::string text);

  // ---- Inputs: each is used once, whatever was lost on the way ----

  enum class Input : std::uint8_t {
    next,    ///< use it; it counts as taken
    taken,   ///< it was used before
    beyond,  ///< an input before it is missing, which no device may skip
  };
  Input take(std::uint32_t input, AwakeTime now);
  /// The highest input that was taken.
  std::uint32_t taken() const { return taken_; }
  /// When the session ends unless there is an input before; nothing if its group does not say.
  std::optional<AwakeTime> idle_at() const;
  /// When the desk is going to check idle_at(); nothing if it never is.
  std::optional<AwakeTime> looked_at() const { return looked_at_; }
  void look_at(std::optional<AwakeTime> time) { looked_at_ = time; }

 private:
  Number number_;
  Ticket ticket_;
  DeviceString device_;
  std::string text_;
  std::shared_ptr<const DeviceGroups::Offer> offer_;
  DeviceEndpoint endpoint_;
  std::optional<std::uint16_t> port_;
  std::uint64_t turn_ = 0;
  AwakeTime began_;
  AwakeTime heard_;
  LoggedTime told_time_{};
  std::uint32_t taken_ = 0;
  AwakeTime last_input_;
  std::optional<AwakeTime> looked_at_;
};

/// The screen that the server draws: the group, the string in words, the time that its device was told, and, if so,
/// that the group has no host.
Screen draw_session(const DeviceSession& session);

}  // namespace lekt
