// Gives a device the addresses of its server one after the other: it asks for the next one when the last one has not
// answered. When all of them were given, the name is looked up again.
//
// Asio is behind it only because the lookup of names needs it. Used by one thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "common/address.h"

namespace lekt::command {

class ServerFinder {
 public:
  /// `host`: a name or an IPv4 address.
  explicit ServerFinder(const std::string& host);
  ~ServerFinder();
  ServerFinder(const ServerFinder&) = delete;
  ServerFinder& operator=(const ServerFinder&) = delete;

  /// The first address. Waits for it no longer than `limit`. Throws CodedError E701.
  Address find(std::chrono::milliseconds limit);

  /// Begins to look for another address, unless that is under way already.
  void look_again();
  /// Whether take() is to be called now and then.
  bool is_looking() const;
  /// The address that was found, once; nothing after that, and before.
  std::optional<Address> take();

 private:
  struct Search;

  const std::string host_;
  const std::unique_ptr<Search> search_;
};

}  // namespace lekt::command
