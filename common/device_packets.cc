#include "common/device_packets.h"

#include <cassert>

#include "common/datagram_fields.h"
#include "common/utf8.h"

namespace lekt {

namespace {

/// The offset in a head of the number that it acknowledges.
constexpr std::size_t acknowledged_offset = 20;

std::optional<DatagramHead> read_head(ByteView datagram, std::string_view types) {
  DatagramHead head;
  DatagramReader reader(datagram, types);
  DatagramHead::fields(head, reader);
  if (reader.fault()) return std::nullopt;
  const bool is_request =
      head.type == DatagramType::connection_request || head.type == DatagramType::registration_request;
  if (is_request && datagram.size() != limits::device_request_bytes) return std::nullopt;
  const bool is_head = head.type == DatagramType::acknowledgment || head.type == DatagramType::bye;
  if (is_head && datagram.size() != limits::datagram_head_bytes) return std::nullopt;
  return head;
}

template <class Bodies>
BodyOrFault<Bodies> read_body(const DatagramHead& head, ByteView datagram) {
  BodyOrFault<Bodies> result;
  const bool is_taken = with_body_of(static_cast<const Bodies*>(nullptr), head.type, [&]<class Body>() {
    Body body;
    DatagramReader reader(datagram, {});
    reader.pass_head();
    Body::fields(body, reader);
    reader.end(Body::name);
    if (auto fault = reader.fault())
      result = *std::move(fault);
    else
      result = Bodies(body);
  });
  if (!is_taken) result = "this side takes no datagram of such a type";
  return result;
}

}  // namespace

std::string_view rule_name(DeviceRule rule) {
  switch (rule) {
    case DeviceRule::keyboard_timeout:
      return "keyboard timeout, s";
    case DeviceRule::backlight_timeout:
      return "backlight timeout, s";
    case DeviceRule::encryption:
      return "encryption";
    case DeviceRule::sessions:
      return "sessions";
    case DeviceRule::headless:
      return "headless";
    case DeviceRule::voice:
      return "voice";
    case DeviceRule::keep_alive:
      return "keep-alive, s";
  }
  return {};
}

std::optional<DatagramHead> read_head_to_server(ByteView datagram) {
  return read_head(datagram, TypesOf<BodyToServer>::value);
}

std::optional<DatagramHead> read_head_to_device(ByteView datagram) {
  return read_head(datagram, TypesOf<BodyToDevice>::value);
}

BodyOrFault<BodyToServer> read_body_to_server(const DatagramHead& head, ByteView datagram) {
  return read_body<BodyToServer>(head, datagram);
}

BodyOrFault<BodyToDevice> read_body_to_device(const DatagramHead& head, ByteView datagram) {
  return read_body<BodyToDevice>(head, datagram);
}

template <class Body>
Bytes encode_datagram(DatagramHead head, const Body& body) {
  Bytes out;
  out.reserve(limits::device_request_bytes);
  DatagramWriter writer(out);
  head.type = Body::type;
  DatagramHead::fields(head, writer);
  Body::fields(body, writer);
  assert(out.size() <= limits::datagram_bytes_max);
  return out;
}

template Bytes encode_datagram(DatagramHead, const ConnectionRequest&);
template Bytes encode_datagram(DatagramHead, const ConnectionAccept&);
template Bytes encode_datagram(DatagramHead, const RegistrationRequest&);
template Bytes encode_datagram(DatagramHead, const RegistrationAccept&);
template Bytes encode_datagram(DatagramHead, const GetDeviceConfig&);
template Bytes encode_datagram(DatagramHead, const DeviceConfig&);
template Bytes encode_datagram(DatagramHead, const SetDeviceConfig&);
template Bytes encode_datagram(DatagramHead, const SetTime&);
template Bytes encode_datagram(DatagramHead, const ScreenMessage&);
template Bytes encode_datagram(DatagramHead, const InputMessage&);
template Bytes encode_datagram(DatagramHead, const Acknowledgment&);
template Bytes encode_datagram(DatagramHead, const Bye&);
template Bytes encode_datagram(DatagramHead, const DeviceFailure&);

Bytes encode_failure(std::uint64_t registration, const Rejection& rejection, std::size_t bytes_max) {
  assert(bytes_max >= limits::datagram_head_bytes && bytes_max <= limits::datagram_bytes_max);
  DatagramHead head;
  head.registration = registration;
  head.number = static_cast<std::uint32_t>(rejection.code);
  return encode_datagram(
      head, DeviceFailure{cut_to_bytes(rejection.message, bytes_max - limits::datagram_head_bytes)});
}

void set_acknowledged(Bytes& datagram, std::uint32_t acknowledged) {
  assert(datagram.size() >= limits::datagram_head_bytes);
  Bytes field;
  ByteWriter(field).u32(acknowledged);
  datagram.replace(acknowledged_offset, field.size(), field);
}

}  // namespace lekt
