// The addresses of the server, in the order in which they are tried.
//
// They are tried in rounds. A round asks again for the addresses of the name, and begins with the one after the
// address that was tried last. So an address that fails, however and whenever, does not keep the others from
// their turn. A round is over when each address has had its turn, or when one of them has proved good.
//
// Private to the library. It lives on the thread that runs the io_context, and through all attempts to connect.
#pragma once

#include <asio.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/name_lookup.h"
#include "client/server_name.h"
#include "common/address.h"

namespace lekt {

class Route {
 public:
  Route(asio::io_context& context, ServerName server);

  const ServerName& server() const { return server_; }

  /// Begins a round unless one is under way. Calls `ready`, at once or later: `trouble` says why there is no
  /// address, and is empty if there is one.
  void begin_round(std::function<void(const std::string& trouble)> ready);
  /// Gives a begun round up: `ready` will not be called.
  void cancel() { lookup_.cancel(); }

  /// Whether an earlier round knew addresses.
  bool knows_addresses() const { return !known_.empty(); }
  /// Begins the round with the known addresses, and waits for no others.
  void begin_with_known();

  /// The number of addresses of the round that have not had their turn.
  std::size_t left() const { return left_.size(); }
  /// The number of addresses that the name had when the round began.
  std::size_t size() const { return known_.size(); }

  /// Takes the next address; left() must not be 0.
  Address take();

  /// Ends the round: the next attempt begins a new one.
  void end_round() { left_.clear(); }

 private:
  void fill();

  const ServerName server_;
  NameLookup lookup_;
  std::deque<Address> left_;
  std::vector<Address> known_;  ///< all addresses of the name, as of the last answer
  std::optional<Address> taken_last_;
};

}  // namespace lekt
