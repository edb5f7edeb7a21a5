// A registration on the server's side: what a device has from its packet 3 on, with a dedicated port and its own numbers.
//
//     registered ── DTLS, if agreed; 100 ms ──> configuring ── packet 6 ──> serving <── heard ── away
//                                                             └── 30 s without acknowledgment ──┘
//
// It sends packet 5, waits for packet 6, and then sends packets 7 and 8 and the screen. It decides when the device is
// away, and when it is lost. What a datagram means for sessions is its owner's business (device_desk.h).
//
// Knows no socket and no clock. While nothing is under way it has no deadline and sends nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "common/delivery.h"
#include "common/device_packets.h"
#include "common/rate.h"
#include "common/screen.h"
#include "common/screen_pass.h"
#include "common/time.h"
#include "devices/handler_log.h"

namespace lekt {

class Registration {
 public:
  static constexpr AwakeTime handshake_patience{10'000};  ///< from packet 4 to the end of the DTLS handshake
  static constexpr AwakeTime config_delay{100};  ///< from packet 4, or the end of the handshake, to packet 5
  static constexpr AwakeTime config_patience{10'000};  ///< from packet 5 to packet 6
  static constexpr AwakeTime silence_max{30'000};      ///< without acknowledgment, until the device is away
  static constexpr AwakeTime asked_patience{
      5'000};                                    ///< the same for a device that was asked whether it is there
  static constexpr AwakeTime away_max{120'000};  ///< until the device is lost
  static constexpr AwakeTime acknowledgment_delay{50};  ///< so that a screen carries it
  /// The rate of the device's datagrams, with twice as many at once; those that acknowledge something new are not
  /// counted.
  static constexpr std::uint32_t datagrams_a_second = 100;

  enum class State : std::uint8_t { registered, configuring, serving, away };

  /// Sends a datagram to the device.
  using Send = std::function<void(ByteView)>;
  /// What the user sees now.
  struct Picture {
    const Screen& contents;
    Liveliness liveliness;
  };
  /// Draws the picture, which is valid until the next call.
  using Draw = std::function<Picture()>;

  /// Begins when packet 4 is sent. `encrypted`: both sides have agreed to DTLS.
  Registration(std::uint64_t number, const DeviceEndpoint& device, bool encrypted, AwakeTime now);

  std::uint64_t number() const { return number_; }
  const DeviceEndpoint& device() const { return device_; }
  State state() const { return state_; }
  bool is_encrypted() const { return is_encrypted_; }
  /// Whether its datagrams may be taken and sent: it needs no handshake, or that is done.
  bool is_ready() const { return is_ready_; }
  /// Notes that the DTLS handshake of an encrypted registration is done.
  void handshake_done(AwakeTime now);
  AwakeTime since() const { return since_; }
  AwakeTime heard() const { return heard_; }
  /// When the device went away; only while it is away.
  AwakeTime away_since() const { return away_since_; }
  const Delivery& delivery() const { return delivery_; }

  // ---- Receiving ----

  /// What a datagram of this registration and address is. Views are into the datagram.
  struct TooFast {};  ///< beyond the rate: as if it had not come
  struct Nothing {
  };  ///< nothing to be done; or one that was used, comes too early, or acknowledges what was not sent
  struct Impossible {};  ///< acknowledges what was not sent: as if it had not come
  struct Broken {        ///< the next message breaks a rule
    std::string fault;
  };
  using Received = std::variant<Nothing, TooFast, Impossible, Broken, DeviceConfig, InputMessage, Bye>;
  Received receive(const DatagramHead& head, ByteView datagram, AwakeTime now);

  // ---- Sending ----

  /// What packets 7 and 8 say.
  struct Service {
    Ticket ticket{};
    std::uint32_t input = 0;  ///< the highest that the session has taken
    Bytes rules;
    LoggedTime time;
  };
  /// Serves the device, whose packet 6 has come and belongs to a session: packets 7 and 8 and the screen follow.
  void serve(const Service& service, AwakeTime now, const Send& send);
  /// Notes that the user sees something else now.
  void screen_changed();
  /// Makes the device ring its bell.
  void ring();
  /// Asks whether the device is there, unless something is under way that asks it already.
  void ask(AwakeTime now, const Send& send);

  /// What becomes of the registration.
  enum class Fate : std::uint8_t {
    lives,
    handshake_missing,  ///< the DTLS handshake was not done in time (E109)
    config_missing,     ///< packet 6 has not come (E908)
    lost,               ///< away for too long; nobody is there to be told
    used_up,            ///< no number is left (E905)
  };
  /// Sends what is due; call it after everything else, and when due() has come. The screen is drawn when a message can be
  /// made of it, and only while the device is served.
  Fate advance(AwakeTime now, const Send& send, const Draw& draw);
  /// When to call advance() if nothing happens before; nothing when that is not needed.
  std::optional<AwakeTime> due() const;

  /// Throws std::logic_error when an invariant does not hold. For tests.
  void check() const { delivery_.check(); }

 private:
  /// How much of the screen the device has.
  struct Display {
    ScreenPass pass;
    Liveliness liveliness = Liveliness::still;  ///< when it was drawn last
  };

  template <class Body>
  void send_message(const Body& body, AwakeTime now, const Send& send);
  ScreenPass& pass();
  void send_screen(AwakeTime now, const Send& send, const Draw& draw);
  void go_away(AwakeTime now);
  /// When the device has been silent for too long; nothing while nothing is expected from it.
  std::optional<AwakeTime> silent_at() const;

  std::uint64_t number_;
  DeviceEndpoint device_;
  State state_ = State::registered;
  bool is_encrypted_;
  bool is_ready_;
  AwakeTime since_;
  AwakeTime heard_;
  AwakeTime config_at_;  ///< when the handshake must be done, packet 5 be sent, or packet 6 have come
  AwakeTime away_since_{0};
  AwakeTime returned_{0};  ///< when the device last came back
  Delivery delivery_{acknowledgment_delay};
  Rate::Time paid_until_{0};  ///< datagrams of the device
  std::optional<AwakeTime> asked_until_;
  /// Dropped as soon as the device has a still screen. When something else is shown later, everything is sent.
  std::unique_ptr<Display> display_;
};

std::string_view to_string(Registration::State state);

}  // namespace lekt
