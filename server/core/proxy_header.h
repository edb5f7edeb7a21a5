// The header with which a proxy says for whom it connects: PROXY protocol, version 1 or 2
// (https://www.haproxy.org/download/2.7/doc/proxy-protocol.txt, sections 2.1 and 2.2).
//
// Version 1 is a line of at most 107 bytes:
//
//     PROXY TCP4 192.0.2.7 192.0.2.10 50000 7890\r\n
//     PROXY UNKNOWN ...\r\n                                            the proxy speaks for itself
//
// Version 2 is binary:
//
//     0                   1                   2                   3
//     |  \r \n \r \n  |  \0 \r \n Q  |  U I T \n  |                       12 bytes that begin nothing else
//     |  version, command  |  family, protocol  |  length of what follows |
//     |  source address | destination address | their ports | extensions ...
//
// Whichever it is shows in the first byte.
#pragma once

#include <cstddef>
#include <optional>

#include "common/address.h"
#include "common/bytes.h"
#include "common/errors.h"
#include "common/packets.h"

namespace lekt {

struct ProxyHeader {
  /// Whose connection it is; nothing if the proxy speaks for itself, as in a health check.
  std::optional<Address> client;
};

/// Reads a header from the beginning of a stream. While the header is partial, `missing` says how many bytes to add
/// at least. It never counts bytes beyond the header, which are for others to read. A wrong header yields E108, and so
/// does one that names an address that no client can have; one that names an IPv6 client yields E106.
ReadStatus read_proxy_header(ByteView received, ProxyHeader& header, std::size_t& missing,
                             Rejection& rejection);

}  // namespace lekt
