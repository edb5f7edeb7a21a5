#include "server/admission.h"

#include <cassert>
#include <string>

namespace lekt {

std::optional<Rejection> Admission::admit(Ipv4Address address) {
  const std::size_t connections = connections_.fetch_add(1, std::memory_order_relaxed);
  std::size_t handshakes = 0;
  std::size_t of_address = 0;
  {
    const std::lock_guard lock(mutex_);
    handshakes = handshakes_++;
    of_address = by_address_[address]++;
  }
  if (!rules_.admits(address))
    return Rejection{ErrorCode::address_denied, "this server does not serve " + to_string(address) +
                                                    "; its operator decides that with --allow and --deny"};
  if (connections >= limits_.connections_max)
    return Rejection{ErrorCode::server_full, "the server has " + std::to_string(limits_.connections_max) +
                                                 " connections, as many as it may have; try again later"};
  if (of_address >= limits_.handshakes_per_address_max)
    return Rejection{ErrorCode::address_busy,
                     to_string(address) +
                         " has as many connections that have not joined yet as one address may have (" +
                         std::to_string(limits_.handshakes_per_address_max) + "); finish or close them"};
  if (handshakes >= limits_.handshakes_max)
    return Rejection{ErrorCode::handshakes_too_many, "as many connections as the server bears (" +
                                                         std::to_string(limits_.handshakes_max) +
                                                         ") have not joined yet; try again in a moment"};
  return std::nullopt;
}

void Admission::end_handshake(Ipv4Address address) {
  const std::lock_guard lock(mutex_);
  const auto found = by_address_.find(address);
  assert(found != by_address_.end() && handshakes_ > 0);
  --handshakes_;
  if (--found->second == 0) by_address_.erase(found);
}

std::size_t Admission::handshakes() const {
  const std::lock_guard lock(mutex_);
  return handshakes_;
}

}  // namespace lekt
