#include "common/packets.h"

#include <algorithm>

#include "common/text.h"

namespace lekt {

namespace {

std::string version_text(const Version& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

std::string type_text(char type) { return "'" + escape(std::string_view(&type, 1)) + "'"; }

/// The head of a TLS record (RFC 8446, section 5.1): its type, and 3 for the version.
bool is_tls(ByteView input) { return input.size() >= 2 && input[0] >= 20 && input[0] <= 23 && input[1] == 3; }

}  // namespace

bool HandshakePacket::supports(std::uint32_t method) const {
  if (method == 0 || method > methods_known) return false;
  return (words[(method - 1) / 32] >> (method - 1) % 32 & 1) != 0;
}

void HandshakePacket::support(std::uint32_t method) {
  methods_known = std::max(methods_known, method);
  words.resize(words_for(methods_known));
  words[(method - 1) / 32] |= 1u << (method - 1) % 32;
}

// ---- Reading ----

void PacketReader::refuse(ErrorCode code, std::string message) {
  if (stopped()) return;
  wrong_ = true;
  rejection_ = {context_.from_server ? ErrorCode::answer_malformed : code, std::move(message)};
}

ReadStatus PacketReader::status() const {
  if (wrong_) return ReadStatus::wrong;
  return reader_.ran_short() ? ReadStatus::partial : ReadStatus::complete;
}

void PacketReader::header(std::string_view name, char type, Version& version) {
  const ByteView start = input_.substr(0, packet_begins.size());
  if (start != packet_begins.substr(0, start.size())) {
    const std::string begin = "the bytes " + quote_bytes(input_.substr(0, 8));
    if (is_tls(input_))
      refuse(ErrorCode::not_lekt,
             begin + (context_.from_server ? " are TLS: the server takes nothing else at this port"
                                           : " are TLS, and this port takes plain text; connect without "
                                             "TLS, or to a port of --tls-listen"));
    else
      refuse(ErrorCode::not_lekt, begin + " begin no LEKT packet; every packet begins with \"LEKT\"");
    return;
  }
  reader_.take(packet_begins.size());
  const auto found = static_cast<char>(reader_.u8());
  const Version read{reader_.u8(), reader_.u8(), reader_.u8()};
  if (stopped()) return;
  if (found != type) {
    refuse(ErrorCode::packet_unexpected, "a packet of type " + type_text(found) + " came where " +
                                             type_text(type) + " (" + std::string(name) + ") is expected");
    return;
  }
  version = read;
  const bool same = read.major == version_spoken.major && read.minor == version_spoken.minor;
  if (!same && type != RejectPacket::type)
    refuse(ErrorCode::version_unsupported,
           "protocol version " + version_text(read) + " is not supported; this " +
               (context_.from_server ? "client" : "server") + " speaks " + version_text(version_spoken));
}

void PacketReader::u32(std::string_view, std::uint32_t& value) {
  if (!stopped()) value = reader_.u32();
}

void PacketReader::u24(std::string_view, std::uint32_t& value) {
  if (!stopped()) value = reader_.u24();
}

void PacketReader::timestamp(std::string_view, std::int64_t& value) {
  if (!stopped()) value = reader_.i64();
}

void PacketReader::address(std::string_view, Address& address) {
  if (!stopped()) address = Address::v4(reader_.u32());
}

void PacketReader::update_kind(std::string_view name, UpdateKind& kind) {
  if (stopped()) return;
  const auto found = static_cast<char>(reader_.u8());
  if (found != 'A' && found != 'R')
    refuse(ErrorCode::answer_malformed, "the " + std::string(name) + " of an update is " + type_text(found) +
                                            "; 'A' or 'R' would be right");
  kind = static_cast<UpdateKind>(found);
}

void PacketReader::methods_known(std::string_view name, std::uint32_t& count) {
  if (stopped()) return;
  const std::uint32_t found = reader_.u32();
  if (found > context_.methods_max)
    refuse(ErrorCode::methods_too_many, "the " + std::string(name) + " is " + std::to_string(found) +
                                            "; this server allows at most " +
                                            std::to_string(context_.methods_max));
  if (!stopped()) count = found;
}

void PacketReader::method_bits(std::string_view, std::vector<std::uint32_t>& words, std::uint32_t known) {
  if (stopped()) return;
  ByteReader field(reader_.take(std::size_t{4} * words_for(known)));
  if (stopped()) return;
  words.resize(words_for(known));
  for (std::uint32_t& word : words) word = field.u32();
  if (known % 32 == 0 || words.back() >> known % 32 == 0) return;
  const std::uint32_t last = 31 - static_cast<std::uint32_t>(__builtin_clz(words.back()));
  const std::uint32_t method = 32 * (words_for(known) - 1) + last + 1;
  refuse(ErrorCode::method_bit_beyond,
         "the bit of method " + std::to_string(method) + " is set, but only " + std::to_string(known) +
             " methods are known; method m is bit (m-1) mod 32 of word (m-1) div 32");
}

void PacketReader::requested_index(std::string_view, std::uint32_t& index) {
  if (stopped()) return;
  const std::uint32_t found = reader_.u32();
  if (context_.index_requested != 0 && found != context_.index_requested)
    refuse(ErrorCode::response_index_wrong, "a response for method " + std::to_string(found) +
                                                " came; method " + std::to_string(context_.index_requested) +
                                                " was requested");
  else if (context_.catalogue.find(found) == nullptr)
    refuse(ErrorCode::response_index_wrong, "method " + std::to_string(found) + " is not in the catalogue");
  if (!stopped()) index = found;
}

void PacketReader::information(std::string_view, std::uint32_t index, Bytes& information) {
  if (stopped()) return;
  const auto rejection =
      context_.catalogue.read_information(*context_.catalogue.find(index), reader_, information);
  if (rejection) refuse(rejection->code, rejection->message);
}

void PacketReader::log_identity(std::string_view, LogIdentity& identity) {
  if (stopped()) return;
  const ByteView taken = reader_.take(identity.size());
  if (!stopped()) std::ranges::copy(taken, identity.begin());
}

void PacketReader::list_digest(std::string_view, std::string_view, std::optional<ListDigest>& list) {
  if (stopped() || !context_.features.has(Feature::digest)) return;
  const std::uint32_t clients = reader_.u32();
  const std::uint64_t sum = reader_.u64();
  if (!stopped()) list = ListDigest{clients, sum};
}

void PacketReader::text(std::string_view name, std::string& text) {
  if (stopped()) return;
  const ByteView rest = input_.substr(reader_.consumed());
  const std::size_t length = rest.find('\0');
  if (std::min(length, rest.size()) > limits::reject_text_max) {
    refuse(ErrorCode::answer_malformed, "the " + std::string(name) + " of a reject is longer than " +
                                            std::to_string(limits::reject_text_max) + " bytes");
    return;
  }
  // Without its NUL the text is not complete: ask for one byte more than there is.
  const ByteView taken = reader_.take(length == rest.npos ? rest.size() + 1 : padded(length + 1));
  if (!stopped()) text = taken.substr(0, length);
}

void PacketReader::client(std::string_view name, Address& address, Methods& methods, Bytes& unknown) {
  if (stopped()) return;
  const std::uint32_t size = reader_.u32();
  if (stopped()) return;
  if (size < 4 || size % 4 != 0 || size > limits::packet_bytes_ceiling) {
    refuse(ErrorCode::answer_malformed, "the size of a " + std::string(name) + " object is " +
                                            std::to_string(size) + "; a multiple of 4 from 4 to " +
                                            std::to_string(limits::packet_bytes_ceiling) + " would be right");
    return;
  }
  const ByteView object = reader_.take(size);
  if (stopped()) return;
  ByteReader inner(object);
  address = Address::v4(inner.u32());
  methods.clear();
  unknown.clear();
  while (inner.left() > 0) {
    const ByteView rest = object.substr(inner.consumed());
    const std::uint32_t index = inner.u32();
    const Method* method = context_.catalogue.find(index);
    if (method == nullptr) {
      unknown = rest;
      return;
    }
    MethodInformation read{index, {}};
    const auto rejection = context_.catalogue.read_information(*method, inner, read.information);
    if (rejection || inner.ran_short()) {
      refuse(ErrorCode::answer_malformed, rejection ? rejection->message
                                                    : "the information of method " + std::to_string(index) +
                                                          " does not fit its client object");
      return;
    }
    methods.push_back(std::move(read));
  }
}

// ---- Writing ----

void PacketWriter::header(std::string_view, char type, const Version& version) {
  writer_.bytes(packet_begins);
  writer_.u8(static_cast<std::uint8_t>(type));
  writer_.u8(version.major);
  writer_.u8(version.minor);
  writer_.u8(version.extra);
}

void PacketWriter::method_bits(std::string_view, const std::vector<std::uint32_t>& words, std::uint32_t) {
  for (const std::uint32_t word : words) writer_.u32(word);
}

void PacketWriter::text(std::string_view, const std::string& text) {
  const ByteView cut = ByteView(text).substr(0, limits::reject_text_max);
  writer_.bytes(cut);
  writer_.zeros(1 + padding_of(cut.size() + 1));
}

void PacketWriter::client(std::string_view, const Address& address, const Methods& methods,
                          const Bytes& unknown) {
  writer_.u32(static_cast<std::uint32_t>(4 + encoded_size(methods) + unknown.size()));
  writer_.u32(address.as_v4());
  append_methods(writer_, methods);
  writer_.bytes(unknown);
}

}  // namespace lekt
