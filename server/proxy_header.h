// The header with which a proxy says for whom it connects: PROXY protocol, version 2
// (https://www.haproxy.org/download/2.7/doc/proxy-protocol.txt, section 2.2).
//
//     0                   1                   2                   3
//     |  \r \n \r \n  |  \0 \r \n Q  |  U I T \n  |                       12 bytes that begin nothing else
//     |  version, command  |  family, protocol  |  length of what follows |
//     |  source address | destination address | their ports | extensions ...
//
// Version 1, a line of text, is not read: its end has to be searched for, byte by byte.
#pragma once

#include <cstddef>
#include <optional>

#include "common/address.h"
#include "common/bytes.h"
#include "common/errors.h"
#include "common/packets.h"

namespace lekt {

struct ProxyHeader {
  /// Whose connection it is; none when the proxy speaks for itself, as in a health check.
  std::optional<Ipv4Address> client;
};

/// Reads a header from the beginning of a stream. While it is partial, `missing` says how many bytes to add
/// at least, and never more than belong to the header: what follows it is for somebody else. Wrong ones yield
/// E108, and E106 for a client of IPv6.
ReadStatus read_proxy_header(ByteView received, ProxyHeader& header, std::size_t& missing,
                             Rejection& rejection);

}  // namespace lekt
