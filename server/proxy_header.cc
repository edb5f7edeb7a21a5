#include "server/proxy_header.h"

#include <algorithm>
#include <string>

#include "common/text.h"

namespace lekt {

namespace {

constexpr ByteView signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t fixed_bytes = 16;

/// Addresses take 12 or 36 bytes; a proxy may add its name, a certificate's, and a checksum.
constexpr std::size_t following_bytes_max = 4096;

constexpr std::uint8_t command_local = 0x20;
constexpr std::uint8_t command_proxy = 0x21;
constexpr std::uint8_t tcp_over_ipv4 = 0x11;
constexpr std::uint8_t tcp_over_ipv6 = 0x21;

/// ::ffff:0:0/96 (RFC 4291, section 2.5.5.2)
constexpr ByteView mapped_prefix{"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12};

ReadStatus wrong(Rejection& rejection, const std::string& what) {
  rejection = {
      ErrorCode::proxy_header_wrong,
      what + "; a PROXY protocol header of version 2, for TCP over IPv4, is expected from this address"};
  return ReadStatus::wrong;
}

ReadStatus partial(std::size_t& missing, std::size_t bytes) {
  missing = bytes;
  return ReadStatus::partial;
}

ReadStatus read_client(ByteView following, std::uint8_t family, ProxyHeader& header, Rejection& rejection) {
  ByteReader reader(following);
  if (family == tcp_over_ipv4 && following.size() >= 12) {
    header.client = Ipv4Address{reader.u32()};
    return ReadStatus::complete;
  }
  if (family != tcp_over_ipv6 || following.size() < 36)
    return wrong(rejection, "family and protocol " + std::to_string(family) + " with " +
                                std::to_string(following.size()) + " bytes name no client");
  if (reader.take(mapped_prefix.size()) != mapped_prefix) {
    rejection = {
        ErrorCode::address_not_ipv4,
        "you came to a proxy over IPv6, but the protocol names clients by IPv4 address; connect to an "
        "IPv4 address of the proxy"};
    return ReadStatus::wrong;
  }
  header.client = Ipv4Address{reader.u32()};
  return ReadStatus::complete;
}

}  // namespace

ReadStatus read_proxy_header(ByteView received, ProxyHeader& header, std::size_t& missing,
                             Rejection& rejection) {
  const std::size_t compared = std::min(received.size(), signature.size());
  if (received.substr(0, compared) != signature.substr(0, compared))
    return wrong(rejection,
                 "the bytes \"" + escape(received.substr(0, compared)) + "\" begin no such header");
  if (received.size() < fixed_bytes) return partial(missing, fixed_bytes - received.size());

  ByteReader reader(received.substr(signature.size()));
  const std::uint8_t command = reader.u8();
  const std::uint8_t family = reader.u8();
  const std::size_t following = reader.u16();
  if (following > following_bytes_max)
    return wrong(rejection, "a header of " + std::to_string(following) + " bytes is too long (at most " +
                                std::to_string(following_bytes_max) + ")");
  if (command != command_local && command != command_proxy)
    return wrong(rejection, "version and command " + std::to_string(command) + " are not known");
  if (received.size() < fixed_bytes + following)
    return partial(missing, fixed_bytes + following - received.size());
  if (command == command_proxy)
    return read_client(received.substr(fixed_bytes, following), family, header, rejection);
  header.client = std::nullopt;
  return ReadStatus::complete;
}

}  // namespace lekt
