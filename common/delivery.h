// Numbered messages over datagrams that may be lost, repeated and overtaken: one rule for both directions of the device
// protocol, and one class for the server and the device (docs/device-protocol.md, "Numbered messages").
//
// A sender has at most four messages under way. A receiver takes messages in order, and drops one that comes too early.
// When the timer fires, only the oldest is repeated; when that one is acknowledged, the others are sent again, because
// the receiver has dropped them. Nothing is repeated unless the timer has fired, so two sides that have nothing to say
// are silent.
//
// It decides what is to be sent, and its owner sends it: after each call, as long as next() yields something. It knows no
// socket and no clock, and keeps no more than four datagrams.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/bytes.h"
#include "common/device_packets.h"
#include "common/time.h"

namespace lekt {

class Delivery {
 public:
  static constexpr std::size_t window = 4;
  static constexpr AwakeTime timer_first{500};
  static constexpr AwakeTime timer_min{200};
  static constexpr AwakeTime timer_max{4000};
  static constexpr std::uint32_t number_max = UINT32_MAX - 1;

  struct Counts {            // no more of each than there are numbers
    std::uint32_t sent = 0;  ///< messages
    std::uint32_t received = 0;
    std::uint32_t repeated = 0;
    std::uint32_t duplicates = 0;
    std::uint32_t out_of_sequence = 0;
    /// Samples of the round trip: below 200 ms, below 500 ms, and others.
    std::array<std::uint32_t, 3> round_trips{};
  };

  /// What a received datagram is.
  enum class Receipt : std::uint8_t {
    next,             ///< the message that comes next: use it
    not_numbered,     ///< nothing but an acknowledgment
    duplicate,        ///< a message that was used before
    out_of_sequence,  ///< a message before it is missing
    impossible,       ///< acknowledges what was not sent, and changes nothing
  };

  /// Something that is to be sent now.
  struct Due {
    const Bytes* repeated = nullptr;  ///< a message that was sent before, with the newest acknowledgment
    bool acknowledgment = false;      ///< an acknowledgment alone, since nothing else carries it
  };

  /// `acknowledgment_delay`: how long an acknowledgment may wait for a message that carries it.
  explicit Delivery(AwakeTime acknowledgment_delay) : acknowledgment_delay_(acknowledgment_delay) {}

  // ---- Sending ----

  /// Whether one more message may be sent now.
  bool has_room() const { return under_way_.size() < window && sent_ < number_max && !repeats_all_; }
  /// Whether everything that was sent has been acknowledged.
  bool is_quiet() const { return under_way_.empty(); }
  /// Whether one side has no number left. Numbers never begin anew.
  bool is_used_up() const { return sent_ == number_max || received_ > number_max; }
  /// The highest number that the other side has acknowledged.
  std::uint32_t acknowledged() const { return sent_ - static_cast<std::uint32_t>(under_way_.size()); }
  /// The highest number that was sent.
  std::uint32_t sent() const { return sent_; }
  /// The head for the next message, which has this type.
  DatagramHead head(DatagramType type, std::uint64_t registration) const {
    return {type, version_spoken, registration, sent_ + 1, received_};
  }
  /// Notes that the next message was encoded as `datagram` and is sent now.
  void sent(Bytes datagram, AwakeTime now);

  /// What is to be sent now; call it until it yields nothing. It refers to memory that is valid until the next call.
  std::optional<Due> next(AwakeTime now);
  /// When to call next() again, if nothing is received before.
  std::optional<AwakeTime> due() const;
  /// Stops all sending until resume().
  void pause() { paused_ = true; }
  /// Ends the pause when the other side has been heard again: the oldest message is repeated at once.
  void resume(AwakeTime now);

  // ---- Receiving ----

  /// Judges a datagram by its head. A message that is `next` counts as used.
  Receipt receive(const DatagramHead& head, AwakeTime now);
  /// The highest number that came in order, for the heads of datagrams.
  std::uint32_t received() const { return received_; }
  /// Notes that a datagram with the newest acknowledgment was sent.
  void acknowledgment_was_sent() { acknowledgment_at_.reset(); }

  // ---- The other side ----

  /// Since when the oldest message has waited for its acknowledgment; nothing when none waits.
  std::optional<AwakeTime> unacknowledged_since() const;
  /// The smoothed time of a round trip (RFC 6298); nothing before the first sample.
  std::optional<AwakeTime> round_trip() const;
  const Counts& counts() const { return counts_; }
  /// The time of the newest round trip that counts; 0 before the first.
  AwakeTime newest_sample() const { return newest_sample_; }

  /// Throws std::logic_error when an invariant does not hold. For tests.
  void check() const;

 private:
  struct Message {
    Bytes datagram;
    AwakeTime first_sent;
    bool repeated = false;
  };

  void take_acknowledgment(std::uint32_t acknowledged, AwakeTime now);
  void take_sample(AwakeTime sample);

  AwakeTime acknowledgment_delay_;
  std::vector<Message>
      under_way_;  ///< the oldest first; the newest has the number sent_. Without memory when empty
  std::uint32_t sent_ = 0;
  std::uint32_t received_ = 0;
  AwakeTime timer_ = timer_first;  ///< how long the oldest message waits before it is repeated
  AwakeTime fires_at_{0};          ///< valid while something is under way
  bool timer_fired_ = false;       ///< the timer has fired for the oldest message
  /// The oldest message was repeated and has been acknowledged, so those behind it are sent again, from this index on.
  bool repeats_all_ = false;
  std::size_t sends_again_ = 0;
  bool paused_ = false;
  std::optional<AwakeTime> acknowledgment_at_;
  std::optional<double> smoothed_;  ///< ms
  double variation_ = 0;            ///< ms
  Counts counts_;
  AwakeTime newest_sample_{0};
};

}  // namespace lekt
