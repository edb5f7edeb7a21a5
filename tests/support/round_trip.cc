#include "tests/support/round_trip.h"

#include <stdexcept>
#include <vector>

namespace lekt::test {

namespace {

template <class Item>
ReadStatus copy_item(ByteView& input, Item& item, const ReadContext& context, RoundTrip& result) {
  const ReadStatus status = read(input, item, context, result.rejection);
  if (status == ReadStatus::complete) write(result.encoded, item);
  return status;
}

template <class Packet>
ReadStatus copy_one(ByteView& input, const ReadContext& context, RoundTrip& result) {
  Packet packet;
  return copy_item(input, packet, context, result);
}

ReadStatus copy_update(ByteView& input, const ReadContext& context, RoundTrip& result) {
  UpdatePacket packet;
  ReadStatus status = copy_item(input, packet, context, result);
  for (std::uint32_t entry = 0; status == ReadStatus::complete && entry < packet.count; ++entry)
    status = packet.kind == UpdateKind::added ? copy_one<AddedEntry>(input, context, result)
                                              : copy_one<RemovedEntry>(input, context, result);
  return status;
}

ReadStatus copy(PacketForm form, ByteView& input, const ReadContext& context, RoundTrip& result) {
  switch (form) {
    case PacketForm::handshake:
      return copy_one<HandshakePacket>(input, context, result);
    case PacketForm::accept:
      return copy_one<AcceptPacket>(input, context, result);
    case PacketForm::reject:
      return copy_one<RejectPacket>(input, context, result);
    case PacketForm::request:
      return copy_one<RequestPacket>(input, context, result);
    case PacketForm::response:
      return copy_one<ResponsePacket>(input, context, result);
    case PacketForm::heartbeat:
      return copy_one<HeartbeatPacket>(input, context, result);
    case PacketForm::update:
      return copy_update(input, context, result);
  }
  throw std::invalid_argument("no such packet form");
}

}  // namespace

bool from_server(PacketForm form) {
  return form == PacketForm::accept || form == PacketForm::reject || form == PacketForm::request ||
         form == PacketForm::update;
}

RoundTrip round_trip(PacketForm form, ByteView input, const ReadContext& context) {
  RoundTrip result;
  ByteView rest = input;
  result.status = copy(form, rest, context, result);
  if (result.status == ReadStatus::complete) result.consumed = input.size() - rest.size();
  return result;
}

RoundTrip round_trip_guarded(PacketForm form, ByteView input, const ReadContext& context) {
  const std::vector<char> copy(input.begin(), input.end());
  return round_trip(form, ByteView(copy.data(), copy.size()), context);
}

bool keeps_the_law(PacketForm form, ByteView input, const RoundTrip& result) {
  if (result.status != ReadStatus::complete) return true;
  const ByteView read = input.substr(0, result.consumed);
  if (form != PacketForm::reject) return result.encoded == read;
  const std::size_t text_ends = read.find('\0', limits::header_bytes);
  return result.encoded.size() == read.size() && text_ends != read.npos &&
         result.encoded.substr(0, text_ends + 1) == read.substr(0, text_ends + 1);
}

const MethodCatalogue& example_catalogue() {
  static const MethodCatalogue catalogue = [] {
    MethodCatalogue made;
    for (const char* specification : {"2:chat:sized", "3:key:fixed:6"})
      if (const auto wrong = made.add(specification)) throw std::logic_error(*wrong);
    return made;
  }();
  return catalogue;
}

}  // namespace lekt::test
