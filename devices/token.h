// The token that packet 2 gives and packet 3 brings back. It proves that whoever sends packet 3 can read what is sent to
// its address, and that this server offered it this port; so the server keeps nothing until packet 3.
//
//              0 | second, u32                       |   of the server's awake time
//              4 | the first 12 bytes of             |
//                | HMAC-SHA256(secret, "LEKT" | ip, 4 bytes | port, u16 | registration, u64 | second, u32 | EXTRA, u8)
//
// The second is of the server's awake time and not of the wall clock. A wall clock may be set forward, and devices that
// have just come would be refused; or back, and tokens that somebody recorded an hour ago would be good again. Awake
// time only goes on, and begins anew when the server does; but then the secret is another one, too. So none of a
// server's tokens can come from the future, and one that says so is refused.
//
// The port that the device sends from is not in it: a NAT may map the contact port and the dedicated port differently.
//
// Keeps nothing about tokens: the owner of the port sees to it that each is used only once (docs/device-protocol.md).
// Knows no clock. Used by one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>

#include "common/address.h"
#include "common/device_packets.h"

struct evp_mac_ctx_st;

namespace lekt {

/// The secret is random, and another one in each run of the server.
using TokenSecret = std::array<char, 32>;

/// What a token is made for, and good for.
struct TokenSubject {
  Address address;                 ///< the device's
  std::uint16_t port = 0;          ///< the dedicated one
  std::uint64_t registration = 0;  ///< the device's number of this run of packets 1 to 4
  std::uint8_t extra = 0;          ///< the agreed bits, so that nobody on the way can take back DTLS

  bool operator==(const TokenSubject&) const = default;
};

class TokenMaker {
 public:
  using Time = std::chrono::milliseconds;

  /// How long a token is good: longer than a device repeats packets 1 and 3 with one registration.
  static constexpr Time age_max = std::chrono::seconds(15);

  /// Throws std::runtime_error when OpenSSL has no HMAC-SHA256.
  explicit TokenMaker(const TokenSecret& secret);
  ~TokenMaker();
  TokenMaker(const TokenMaker&) = delete;
  TokenMaker& operator=(const TokenMaker&) = delete;

  /// `now` is awake time; both take that of the same thread.
  Token make(const TokenSubject& subject, Time now) const;

  /// Whether this object made the token for the subject, not longer ago than age_max. How long it takes does not depend
  /// on how much of a wrong token is right.
  bool is_good(const Token& token, const TokenSubject& subject, Time now) const;

 private:
  struct ContextDeleter {
    void operator()(evp_mac_ctx_st* context) const;
  };

  Token make_for_second(const TokenSubject& subject, std::uint32_t second) const;

  std::unique_ptr<evp_mac_ctx_st, ContextDeleter> context_;  ///< has the key; each token begins it anew
};

}  // namespace lekt
