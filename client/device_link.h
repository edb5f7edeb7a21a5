// A device's side of the device protocol (docs/device-protocol.md): registers, resumes its session, keeps what was
// typed until the session has taken it, and holds the screen.
//
//     C, P, G, Y: an attempt ── Q, D, S ──> current ── 3 s without acknowledgment ──> an attempt beside it ...
//
// An attempt has a registration of its own. When its packet 7 comes, the attempt takes the place of the current
// registration. Until then the current one continues if it can; if the server answers on it, the attempt is dropped.
//
// It decides, and its owner sends and receives: after each call, as long as next() yields a datagram. It knows no socket
// and no clock. Everything is bounded. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/delivery.h"
#include "common/device_items.h"
#include "common/device_packets.h"
#include "common/errors.h"
#include "common/screen.h"
#include "common/time.h"

namespace lekt {

class DeviceLink {
 public:
  static constexpr AwakeTime host_timeout{10'000};  ///< for packets 1 to 4, and from packet 4 to packet 7
  static constexpr AwakeTime linking_after{3'000};  ///< without acknowledgment, until it tries anew
  static constexpr AwakeTime out_of_range_after{30'000};
  static constexpr AwakeTime later_first{5'000};  ///< the delay after a refusal; doubled each time
  static constexpr AwakeTime later_max{60'000};
  static constexpr AwakeTime at_once{1'000};       ///< between attempts after E904 and E905
  static constexpr AwakeTime leaving_max{20'000};  ///< for finding the session again in order to end it
  static constexpr std::size_t typed_bytes_max = 16 * 1024;

  /// The phase of the whole device.
  enum class Phase : std::uint8_t {
    connecting,  ///< no registration yet
    serving,     ///< it has a session
    pausing,     ///< the server has refused it; it tries again later
    leaving,     ///< the user ends the session
    ended,       ///< nothing more will happen; see ending()
  };
  enum class Indicator : std::uint8_t { none, linking, out_of_range };

  struct Settings {
    std::string string;  ///< what packet 6 says
    Ticket ticket{};     ///< from an earlier run, or no_ticket
    /// Whether it wants DTLS (docs/device-protocol.md, "DTLS") and accepts no server without it. Its owner makes the
    /// handshakes.
    bool encrypted = false;
  };

  /// Makes numbers that nobody can guess.
  using Random = std::function<std::uint64_t()>;

  DeviceLink(Settings settings, Random random, AwakeTime now);

  // ---- The network ----

  struct Datagram {
    std::uint16_t port = 0;  ///< the server's port; 0: its contact port
    Bytes bytes;
    std::uint64_t sealed_for = 0;  ///< the registration in whose DTLS it travels; 0: it is plain
  };
  /// What is to be sent now; call it until it yields nothing.
  std::optional<Datagram> next(AwakeTime now);
  /// When to call next() if nothing happens before.
  std::optional<AwakeTime> due() const;
  /// Takes a datagram that came from this port of the server; 0: its contact port.
  void receive(std::uint16_t port, ByteView datagram, AwakeTime now);

  // ---- DTLS ----

  /// A registration whose datagrams travel in DTLS from its packet 4 on.
  struct Encrypted {
    std::uint64_t registration = 0;
    std::uint16_t port = 0;  ///< the server's, with which the handshake is made
  };
  /// The registrations in DTLS: two while the device registers anew. The newest is the first: if both have one port,
  /// the server has forgotten the other.
  std::vector<Encrypted> encrypted() const;
  void handshake_done(std::uint64_t registration, AwakeTime now);
  /// Notes that the handshake has failed or DTLS has ended, so that the registration is of no more use.
  void dtls_ended(std::uint64_t registration, const Rejection& why, AwakeTime now);
  /// Takes a datagram that came in a record of this registration.
  void receive_decrypted(std::uint64_t registration, ByteView datagram, AwakeTime now);

  // ---- The user ----

  /// Types the items of an input (device_items.h). Drops them and returns false when too much is waiting already.
  bool type(ByteView items);
  /// Notes that the device says something else of itself, for example another size.
  void describe(std::string string);
  /// Ends the session for the user. Without a registration the device registers once more to say so. The ticket is
  /// forgotten at the end, whether or not the server has answered.
  void leave(AwakeTime now);

  // ---- What the device shows ----

  Phase phase() const { return phase_; }
  /// "Connecting...", "Register Port 5007", "Connected", "Err:Host Timeout!", or what the server has said.
  const std::string& message() const { return message_; }
  Indicator indicator() const { return indicator_; }
  const Screen& screen() const { return screen_; }
  /// How many times the bell was rung.
  std::uint64_t bells() const { return bells_; }
  /// Why the device has ended, or why the server refused it last.
  const std::optional<Rejection>& ending() const { return ending_; }
  const Ticket& ticket() const { return ticket_; }
  /// Whether everything that was typed has been taken.
  bool has_delivered() const { return inputs_.empty() && typed_.empty(); }
  /// What packet 8 said last. The owner has to know how far the server's clock was from that of the device then.
  const std::optional<SetTime>& time() const { return time_; }
  const std::vector<std::pair<DeviceRule, std::uint32_t>>& rules() const { return rules_; }
  /// The numbers of the current registration; null while there is none.
  const Delivery* delivery() const { return current_ ? &current_->delivery : nullptr; }

 private:
  enum class Step : std::uint8_t { requesting, registering, waiting, serving };

  /// A registration, from its packet 1 on.
  struct Try {
    std::uint64_t registration = 0;
    Step step = Step::requesting;
    std::uint16_t port = 0;
    Token token{};
    AwakeTime begun;        ///< when its packet 1 was first sent
    AwakeTime since;        ///< the time from which the limit of its packets 1 to 4, or of 4 to 7, counts
    AwakeTime send_at;      ///< when to send packet 1 or 3
    std::size_t sends = 0;  ///< how many times that was sent
    Delivery delivery{AwakeTime(0)};
    bool is_sealed = false;  ///< its handshake is done
    bool describes = false;  ///< a packet 6 is to be sent
    /// Messages with inputs that are not acknowledged: their numbers, and those of the inputs.
    std::deque<std::pair<std::uint32_t, std::uint32_t>> under_way;
  };

  struct Input {
    std::uint32_t number;
    Bytes items;
  };

  void begin(AwakeTime now);
  void pause(AwakeTime now, AwakeTime delay);
  void pause_later(AwakeTime now);
  void end(const Rejection& why);
  void find_session_to_leave(AwakeTime begun, AwakeTime now);
  std::optional<Datagram> next_bye(AwakeTime now);
  std::optional<AwakeTime> due_while_leaving() const;
  void expire(AwakeTime now);
  std::optional<Datagram> next_of(Try& attempt, AwakeTime now);
  std::optional<Datagram> next_request(Try& attempt, AwakeTime now);
  std::optional<Datagram> next_message(Try& attempt, AwakeTime now);
  std::optional<AwakeTime> due_of(const Try& attempt) const;
  void receive_by(Try& attempt, std::uint16_t port, const DatagramHead& head, ByteView datagram,
                  AwakeTime now);
  void go_on_registering(Try& attempt, const DatagramHead& head, ByteView datagram, AwakeTime now);
  void use(Try& attempt, const BodyToDevice& body, AwakeTime now);
  void configure(Try& attempt, const SetDeviceConfig& config, AwakeTime now);
  void fail(Try& attempt, const DatagramHead& head, ByteView datagram, AwakeTime now);
  void lose(Try& attempt, const Rejection& rejection, AwakeTime now);
  void refuse_plain_server(AwakeTime now);
  Try* find(std::uint64_t registration) const;
  bool is_encrypted(const Try& attempt) const;
  std::uint64_t sealed_for(const Try& attempt) const;
  void look_at_silence(AwakeTime now);

  std::string string_;
  const bool encrypted_;
  Random random_;
  Ticket ticket_;
  Phase phase_ = Phase::connecting;
  Indicator indicator_ = Indicator::none;
  std::string message_;
  std::optional<Rejection> ending_;
  Screen screen_;
  std::uint64_t bells_ = 0;
  std::optional<SetTime> time_;
  std::vector<std::pair<DeviceRule, std::uint32_t>> rules_;

  std::unique_ptr<Try> current_;  ///< its packet 7 has come
  std::unique_ptr<Try> attempt_;  ///< its packet 7 has not
  AwakeTime begin_at_{0};         ///< while pausing, or linking without an attempt: the next attempt
  AwakeTime later_ = later_first;
  /// Whether an attempt later than the current registration has sent packet 6. Whatever became of it, the server may
  /// have moved the session to it.
  bool may_have_replaced_itself_ = false;
  AwakeTime leaving_since_{0};
  AwakeTime bye_at_{0};  ///< while leaving: when to say so again
  std::size_t byes_ = 0;
  AwakeTime last_sent_{0};   ///< when something was last sent in the current registration
  AwakeTime keep_alive_{0};  ///< 0: quiet

  Bytes typed_;                 ///< items that wait for room
  std::deque<Input> inputs_;    ///< those that the session may not have taken
  std::uint32_t numbered_ = 0;  ///< the highest number of an input
  std::uint32_t sent_ = 0;      ///< the highest that was sent in the current registration
};

}  // namespace lekt
