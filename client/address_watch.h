// Tells when the IPv4 addresses of this machine change: a lease that ran out, another network, a VPN.
//
// TCP does not notice that the address of a connection has gone: packets go nowhere until a timeout. Linux tells a
// program that asks (rtnetlink). Where it may not ask, as in a sandbox, only the timeouts are left. A message is only a
// hint; is_own_address() says what is true.
//
// Private to the library; lives on the thread that runs the io_context.
#pragma once

#include <array>
#include <asio.hpp>
#include <functional>

#include "common/address.h"

namespace lekt {

class AddressWatch {
 public:
  /// Calls `changed` after each change. `appeared` says that there may be an address that was not there before.
  AddressWatch(asio::io_context& context, std::function<void(bool appeared)> changed);

 private:
  void wait();
  bool read_messages();

  asio::posix::stream_descriptor socket_;
  std::function<void(bool)> changed_;
  std::array<char, 8192> buffer_;
};

/// Whether the address is this machine's, so that a socket can be bound to it.
bool is_own_address(Address address);

}  // namespace lekt
