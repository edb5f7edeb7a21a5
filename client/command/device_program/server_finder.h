// The addresses of the server of devices, one after the other: the next one is asked for when the last one has not
// answered. When each was given, its name is looked up again.
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

  /// The first address; waits for it, for so long. Throws CodedError E701.
  Address find(std::chrono::milliseconds limit);

  /// Begins to look for another address, unless it does already.
  void look_again();
  /// Whether take() is to be called now and then.
  bool is_looking() const;
  /// The address that was looked for, once.
  std::optional<Address> take();

 private:
  struct Search;

  const std::string host_;
  const std::unique_ptr<Search> search_;
};

}  // namespace lekt::command
