#include "devices/request_list.h"

#include <cassert>
#include <utility>

#include "common/device_packets.h"

namespace lekt {

namespace {

constexpr std::size_t connection_accept_bytes = limits::datagram_head_bytes + 4 + sizeof(Token);

/// Every bit of the result depends on every bit of the number (the finisher of MurmurHash3).
std::uint64_t mix(std::uint64_t number) {
  number = (number ^ number >> 33) * 0xff51afd7ed558ccdULL;
  number = (number ^ number >> 33) * 0xc4ceb9fe1a85ec53ULL;
  return number ^ number >> 33;
}

}  // namespace

std::vector<LoggedEvent> handler_events(const DeviceRequest& request, std::uint16_t first_port,
                                        std::uint16_t last_port) {
  using namespace handler_event;
  std::vector<LoggedEvent> events;
  const auto add = [&](std::size_t accept, HandlerEvent event) {
    events.push_back({request.accepted.at(accept), std::move(event)});
  };
  const DatagramHead request_head{.type = DatagramType::connection_request};
  const DatagramHead accept_head{.type = DatagramType::connection_accept};
  for (std::size_t accept = 0; accept < request.accepts; ++accept) {
    add(accept, datagram(Fate::received, request_head, limits::device_request_bytes, request.device));
    if (accept == 0) {
      add(accept, starting_session(request.device.address));
      add(accept, attempting_to_open(request.local, first_port, last_port));
      add(accept, using_socket(request.local, request.port));
    }
    add(accept, sending_connect_accept(request.device));
    add(accept, datagram(Fate::sent, accept_head, connection_accept_bytes, request.device));
  }
  return events;
}

RequestList::RequestList(std::uint64_t secret)
    : secret_(secret), places_(requests_max), chains_(chains, none) {}

DeviceRequest* RequestList::find(Address address, std::uint64_t registration) {
  for (Index index = chain_of(address, registration); index != none; index = places_[index].next) {
    DeviceRequest& request = places_[index].request;
    if (request.registration == registration && request.device.address == address) return &request;
  }
  return nullptr;
}

DeviceRequest& RequestList::add(const DeviceRequest& request) {
  assert(find(request.device.address, request.registration) == nullptr);
  if (count_ == requests_max) forget_oldest();
  const std::size_t index = (first_ + count_++) % requests_max;
  Index& chain = chain_of(request.device.address, request.registration);
  places_[index] = {request, chain};
  chain = static_cast<Index>(index);
  return places_[index].request;
}

std::optional<DeviceRequest> RequestList::take_incomplete(Time now) {
  while (count_ > 0 && now - places_[first_].request.since >= patience) {
    const DeviceRequest oldest = places_[first_].request;
    forget_oldest();
    if (!oldest.is_registered) return oldest;
  }
  return std::nullopt;
}

std::optional<RequestList::Time> RequestList::next_look() const {
  if (count_ == 0) return std::nullopt;
  return places_[first_].request.since + patience;
}

RequestList::Index& RequestList::chain_of(Address address, std::uint64_t registration) {
  return chains_[mix(mix(address.folded() ^ secret_) ^ registration) % chains];
}

void RequestList::forget_oldest() {
  const DeviceRequest& oldest = places_[first_].request;
  Index* link = &chain_of(oldest.device.address, oldest.registration);
  while (*link != first_) link = &places_[*link].next;
  *link = none;  // new ones stand first in their chain, so the oldest was its last
  first_ = (first_ + 1) % requests_max;
  --count_;
}

}  // namespace lekt
