// One DTLS session, of either side: datagrams of the network go in, datagrams of the device protocol come out, and the
// other way round (docs/device-protocol.md, "DTLS"). Each datagram travels in a record and a UDP datagram of its own.
//
// Has no socket, and takes the time of its deadlines from its owner, with one exception: OpenSSL decides by the machine's
// clock when a flight of the handshake is to be repeated. If that clock is set back during a handshake, nothing is repeated
// until it has caught up, and the handshake may fail at its limit.
//
// Nothing is kept for later, in either direction: what cannot be sent or read at once is lost, as datagrams may be.
//
// Until the handshake is complete nothing is proven, so anybody who can forge the other side's address and port can
// make it fail. After that a forged, repeated or damaged record does nothing.
#pragma once

#include <openssl/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/device_packets.h"
#include "common/errors.h"
#include "common/time.h"
#include "tls/datagram_bio.h"
#include "tls/dtls_context.h"

namespace lekt {

/// Whether bytes of the network are records of DTLS and no plain datagram (docs/device-protocol.md, "DTLS").
inline bool is_dtls_record(ByteView bytes) { return !bytes.empty() && bytes[0] >= 20 && bytes[0] <= 25; }

/// How a client judges the server.
struct DtlsServerCheck {
  std::string name;  ///< for a server that chooses its certificate by a name; empty: the server is told none
  /// Says what is wrong with a certificate, in one printable line; empty if it is good. Asked for each one, from the
  /// authority's down to the server's; `sound` is what OpenSSL thinks of it.
  std::function<std::string(bool sound, X509_STORE_CTX& chain)> trouble;
};

/// Used by one thread. A session does not move, since OpenSSL knows where it is.
class DtlsSession {
 public:
  enum class Phase : std::uint8_t {
    handshaking,
    open,
    closed,  ///< in order, by either side
    failed,  ///< failure() says why
  };
  using Datagrams = std::vector<Bytes>;

  static constexpr AwakeTime handshake_limit = std::chrono::seconds(10);
  /// The time after which a flight is repeated for the first time. Each repetition doubles it, up to `repeat_max`.
  static constexpr AwakeTime repeat_first{500};
  static constexpr AwakeTime repeat_max{4000};
  /// The longest datagram that can be sent.
  static constexpr std::size_t plain_bytes_max = dtls_datagram_bytes_max - dtls_record_bytes;
  static_assert(plain_bytes_max >= limits::datagram_bytes_max);

  /// Makes a server's session, which waits for the client. Throws std::bad_alloc.
  DtlsSession(const DtlsContext& context, AwakeTime now);
  /// Makes a client's session, which begins at its first on_timer().
  DtlsSession(const DtlsContext& context, DtlsServerCheck check, AwakeTime now);
  ~DtlsSession();
  DtlsSession(const DtlsSession&) = delete;
  DtlsSession& operator=(const DtlsSession&) = delete;

  Phase phase() const { return phase_; }
  /// E109 with the reason, in phase `failed`.
  const Rejection& failure() const { return failure_; }

  /// Takes a datagram of the network. Appends what is to be sent, and the datagrams that it held.
  void receive(ByteView datagram, AwakeTime now, Datagrams& to_send, Datagrams& received);

  /// Appends `plain` as a record. False if the session is not open, or `plain` is empty or longer than plain_bytes_max.
  bool send(ByteView plain, Datagrams& to_send);

  /// When on_timer() has something to do; never once the handshake is over.
  std::optional<AwakeTime> due() const { return due_; }
  /// Begins the handshake, repeats a flight, or gives up. Does nothing before due().
  void on_timer(AwakeTime now, Datagrams& to_send);

  /// Tells the other side that nothing more will come. It is told once, and may miss it.
  void close(Datagrams& to_send);

 private:
  struct Free {
    void operator()(SSL* ssl) const;
  };

  struct RecordHead;

  static std::optional<RecordHead> read_record(ByteView bytes);
  static int judge(int sound, X509_STORE_CTX* chain);

  ByteView good_part(ByteView datagram);
  bool may_be_sealed(const RecordHead& record);
  void shake_hands();
  void read_records(Datagrams& received);
  void fail(const std::string& what);
  void set_due(AwakeTime now);

  DatagramPassage passage_;
  std::unique_ptr<SSL, Free> ssl_;
  DtlsServerCheck check_;
  std::string trouble_;  ///< the check's last words
  Rejection failure_{ErrorCode::tls_handshake_failed, ""};
  AwakeTime deadline_;
  std::optional<AwakeTime> due_;
  Phase phase_ = Phase::handshaking;
  std::uint8_t sealed_records_ = 0;  ///< those that came before the handshake was complete
};

}  // namespace lekt
