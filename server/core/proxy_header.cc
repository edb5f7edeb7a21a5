#include "server/core/proxy_header.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "common/text.h"

namespace lekt {

namespace {

// Version 1
constexpr ByteView line_start{"PROXY "};
constexpr ByteView line_end{"\r\n"};
constexpr ByteView unknown_start{"PROXY UNKNOWN"};
constexpr std::size_t line_bytes_min =
    15;  ///< of "PROXY UNKNOWN"; a line that names a client has 32 at least
constexpr std::size_t line_bytes_max = 107;
constexpr std::size_t line_words = 6;

// Version 2
constexpr ByteView signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t fixed_bytes = 16;

/// Addresses take 12 or 36 bytes; a proxy may add its name, a certificate's, and a checksum.
constexpr std::size_t following_bytes_max = 4096;

constexpr std::uint8_t command_local = 0x20;
constexpr std::uint8_t command_proxy = 0x21;
constexpr std::uint8_t tcp_over_ipv4 = 0x11;
constexpr std::uint8_t tcp_over_ipv6 = 0x21;

/// How the 16 bytes of an IPv4 address begin: ::ffff:0:0/96 (RFC 4291, section 2.5.5.2).
constexpr ByteView mapped_prefix{"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12};

ReadStatus wrong(Rejection& rejection, const std::string& what) {
  rejection = {ErrorCode::proxy_header_wrong, what +
                                                  "; a PROXY protocol header of version 1 or 2, for TCP "
                                                  "over IPv4, is expected from this address"};
  return ReadStatus::wrong;
}

ReadStatus partial(std::size_t& missing, std::size_t bytes) {
  missing = bytes;
  return ReadStatus::partial;
}

ReadStatus wrong_start(Rejection& rejection, ByteView start) {
  return wrong(rejection, "the bytes \"" + escape(start) + "\" begin no such header");
}

/// Not 0.0.0.0/8, 224.0.0.0/4 and 255.255.255.255: nobody's address (RFC 1122, section 3.2.1.3), and the first of
/// them means something else in the protocol.
bool can_be_a_client(Address address) {
  const std::uint32_t block = address.as_v4() >> 24;
  return block != 0 && (block < 224 || block >= 240) && address.as_v4() != UINT32_MAX;
}

ReadStatus name_client(Address client, ProxyHeader& header, Rejection& rejection) {
  if (!can_be_a_client(client))
    return wrong(rejection, to_string(client) + " is not the address of a client");
  header.client = client;
  return ReadStatus::complete;
}

/// A client of IPv6 as the header has it: 16 bytes.
ReadStatus name_ipv6_client(ByteView address, ProxyHeader& header, Rejection& rejection) {
  ByteReader reader(address);
  if (reader.take(mapped_prefix.size()) == mapped_prefix)
    return name_client(Address::v4(reader.u32()), header, rejection);
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, address.data(), text, sizeof(text));
  rejection = {
      ErrorCode::address_not_ipv4,
      "you came from " + std::string(text) +
          " to a proxy, but the protocol names clients by IPv4 address; connect to an IPv4 address of "
          "the proxy"};
  return ReadStatus::wrong;
}

// ---- Version 1 ----

bool is_port(ByteView word) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), port);
  return error == std::errc() && end == word.data() + word.size() &&
         (word.size() == 1 || word.front() != '0');
}

/// The 16 bytes of an IPv6 address that is written out.
std::optional<Bytes> parse_ipv6(ByteView word) {
  Bytes address(16, '\0');
  if (inet_pton(AF_INET6, std::string(word).c_str(), address.data()) != 1) return std::nullopt;
  return address;
}

std::vector<ByteView> words_of(ByteView line) {
  std::vector<ByteView> words;
  for (std::size_t begin = 0;;) {
    const std::size_t end = line.find(' ', begin);
    words.push_back(line.substr(begin, end - begin));
    if (end == line.npos) return words;
    begin = end + 1;
  }
}

ReadStatus read_words(ByteView line, ProxyHeader& header, Rejection& rejection) {
  const std::vector<ByteView> words = words_of(line);
  if (words[1] == "UNKNOWN") {
    header.client = std::nullopt;
    return ReadStatus::complete;
  }
  if (words.size() == line_words && is_port(words[4]) && is_port(words[5])) {
    const auto client = parse_address(words[2]);
    if (words[1] == "TCP4" && client && parse_address(words[3]))
      return name_client(*client, header, rejection);
    const auto client6 = parse_ipv6(words[2]);
    if (words[1] == "TCP6" && client6 && parse_ipv6(words[3]))
      return name_ipv6_client(*client6, header, rejection);
  }
  return wrong(rejection, "the line \"" + escape(line) + "\" names no client");
}

/// How many bytes of a line that has begun are still to come at least, whatever its words are.
std::size_t missing_of_line(ByteView received) {
  if (received.size() < line_bytes_min) return line_bytes_min - received.size();
  if (received.back() == '\r') return 1;
  if (received.starts_with(unknown_start)) return line_end.size();
  const auto words = static_cast<std::size_t>(std::ranges::count(received, ' ')) + 1;
  const std::size_t words_missing = words < line_words ? line_words - words : 0;
  return 2 * words_missing + (received.back() == ' ' ? 1 : 0) + line_end.size();
}

ReadStatus read_line(ByteView received, ProxyHeader& header, std::size_t& missing, Rejection& rejection) {
  const ByteView start = received.substr(0, line_start.size());
  if (start != line_start.substr(0, start.size())) return wrong_start(rejection, start);
  const ByteView most = received.substr(0, line_bytes_max);
  const std::size_t end = most.find(line_end);
  if (end != most.npos) return read_words(most.substr(0, end), header, rejection);
  if (most.size() < line_bytes_max)
    return partial(missing, std::min(missing_of_line(received), line_bytes_max - received.size()));
  return wrong(rejection, "a line has no end within " + std::to_string(line_bytes_max) + " bytes");
}

// ---- Version 2 ----

ReadStatus read_client(ByteView following, std::uint8_t family, ProxyHeader& header, Rejection& rejection) {
  if (family == tcp_over_ipv4 && following.size() >= 12)
    return name_client(Address::v4(ByteReader(following).u32()), header, rejection);
  if (family == tcp_over_ipv6 && following.size() >= 36)
    return name_ipv6_client(following.substr(0, 16), header, rejection);
  return wrong(rejection, "family and protocol " + std::to_string(family) + " with " +
                              std::to_string(following.size()) + " bytes name no client");
}

ReadStatus read_binary(ByteView received, ProxyHeader& header, std::size_t& missing, Rejection& rejection) {
  const std::size_t compared = std::min(received.size(), signature.size());
  if (received.substr(0, compared) != signature.substr(0, compared))
    return wrong_start(rejection, received.substr(0, compared));
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

}  // namespace

ReadStatus read_proxy_header(ByteView received, ProxyHeader& header, std::size_t& missing,
                             Rejection& rejection) {
  if (received.empty()) return partial(missing, std::min(line_bytes_min, fixed_bytes));
  return received.front() == line_start.front() ? read_line(received, header, missing, rejection)
                                                : read_binary(received, header, missing, rejection);
}

}  // namespace lekt
