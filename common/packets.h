// Every packet of the protocol, drawn where it is coded. docs/protocol.md has the same pictures and the same
// bytes.
//
// A packet is a struct with one list of its fields, `fields(self, io)`. Reading (PacketReader), writing
// (PacketWriter) and printing (annotate.cc) all walk that list, so a field cannot exist on one side only.
//
//   every packet      0        1        2        3
//                +--------+--------+--------+--------+
//              0 |  'L'   |  'E'   |  'K'   |  'T'   |
//                +--------+--------+--------+--------+
//              4 |  type  | MAJOR  | MINOR  | EXTRA  |
//                +--------+--------+--------+--------+
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"
#include "common/bytes.h"
#include "common/catalogue.h"
#include "common/errors.h"
#include "common/features.h"
#include "common/limits.h"
#include "common/list_digest.h"

namespace lekt {

/// What every packet begins with, and every datagram of a device session as well.
inline constexpr std::string_view packet_begins = "LEKT";

/// The version in a header. EXTRA is a bit mask of optional features (common/features.h), and never decides acceptance.
struct Version {
  std::uint8_t major = 0;
  std::uint8_t minor = 0;
  std::uint8_t extra = 0;

  Features features() const { return Features::from_extra(extra); }

  bool operator==(const Version&) const = default;
};

/// The version that this program speaks, without optional features.
inline constexpr Version version_spoken{0, 0, 0};

/// The same version, and what is asked for, or in force.
constexpr Version version_with(Features features) {
  return {version_spoken.major, version_spoken.minor, features.extra()};
}

/// How many words the bit field has for `known` methods.
constexpr std::uint32_t words_for(std::uint32_t known) { return known / 32 + (known % 32 != 0 ? 1 : 0); }

/// Client to server, the first packet.
///
///              8 | number of known methods N, u32    |
///                +-----------------------------------+
///             12 | ceil(N / 32) words of a bit field |   method m is bit (m-1) mod 32, from the least
///                +-----------------------------------+   significant, of word (m-1) div 32
struct HandshakePacket {
  static constexpr char type = 'H';
  static constexpr std::string_view name = "handshake";
  Version version = version_spoken;
  std::uint32_t methods_known = 0;
  std::vector<std::uint32_t> words;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.header(name, type, self.version);
    io.methods_known("number of known methods", self.methods_known);
    io.method_bits("supported methods", self.words, self.methods_known);
  }

  /// Whether the bit of `method` is set; false for 0 and for methods beyond N.
  bool supports(std::uint32_t method) const;
  /// Sets the bit of `method` and grows N and the words to hold it.
  void support(std::uint32_t method);
};

/// Server to client: the handshake is accepted. EXTRA says what is in force from here on. The header alone, 8 bytes; with
/// `identity` in force 16 more:
///
///              8 | identity of the change log, 16 bytes |
struct AcceptPacket {
  static constexpr char type = 'A';
  static constexpr std::string_view name = "accept";
  Version version = version_spoken;
  LogIdentity identity{};

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.header(name, type, self.version);
    if (self.version.features().has(Feature::identity)) io.log_identity("identity of the log", self.identity);
  }
};

/// Server to client, in any phase: the last packet. The version is the server's own, so a reader does not
/// compare it; EXTRA says what the server could do, to a client that has asked for something.
///
///              8 | UTF-8 text, NUL, zeros to a multiple of 4 |
struct RejectPacket {
  static constexpr char type = 'R';
  static constexpr std::string_view name = "reject";
  Version version = version_spoken;
  std::string text;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.header(name, type, self.version);
    io.text("message", self.text);
  }
};

/// Server to client: asks for the information of a method; index 0 ends the setup.
///
///              8 | index of method, u32 |
struct RequestPacket {
  static constexpr char type = 'T';
  static constexpr std::string_view name = "request";
  Version version = version_spoken;
  std::uint32_t index = 0;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.header(name, type, self.version);
    io.u32("index of method", self.index);
  }
};

/// Client to server: answers a request.
///
///              8 | index of method, u32             |
///             12 | information, as its form says it |
struct ResponsePacket {
  static constexpr char type = 'T';
  static constexpr std::string_view name = "response";
  Version version = version_spoken;
  MethodInformation method;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.header(name, type, self.version);
    io.requested_index("index of method", self.method.index);
    io.information("information", self.method.index, self.method.information);
  }
};

/// Client to server: I hold everything before this second.
///
///              8 | Unix timestamp, i64 |
///             12 |                     |
struct HeartbeatPacket {
  static constexpr char type = 'H';
  static constexpr std::string_view name = "heartbeat";
  Version version = version_spoken;
  std::int64_t timestamp = 0;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.header(name, type, self.version);
    io.timestamp("timestamp", self.timestamp);
  }
};

enum class UpdateKind : char { added = 'A', removed = 'R' };

/// Server to client: the head of an update; `count` entries follow. 'A' with count 0 closes an answer.
/// With `digest` in force the closing one has 12 bytes more, which say what the list is that the client holds now.
///
///              8 | Unix timestamp, i64           |
///             12 |                               |
///                +--------+----------------------+
///             16 | 'A'/'R'| count, 24 bits       |
///                +--------+----------------------+
///             20 | AddedEntry or RemovedEntry... |   closing, with `digest`: | number of clients, u32 |
///                                                                         | digest, u64            |
///                                                                         |                        |
struct UpdatePacket {
  static constexpr char type = 'H';
  static constexpr std::string_view name = "update";
  Version version = version_spoken;
  std::int64_t timestamp = 0;
  UpdateKind kind = UpdateKind::added;
  std::uint32_t count = 0;
  std::optional<ListDigest> list = {};  ///< in a closing one, with `digest` in force

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.header(name, type, self.version);
    io.timestamp("timestamp", self.timestamp);
    io.update_kind("kind", self.kind);
    io.u24("number of clients", self.count);
    if (self.closes()) io.list_digest("clients in the list", "digest of the list", self.list);
  }

  bool closes() const { return kind == UpdateKind::added && count == 0; }
};

/// A client in an 'A' packet.
///
///              0 | size of client object: bytes after this field, u32 |
///              4 | IPv4 address                                       |
///              8 | index of method, u32                               |  any number of methods,
///             12 | information, as its form says it                   |  until the size is used up
struct AddedEntry {
  Address address;
  Methods methods;
  /// The bytes after the last method that the reader's catalogue knows. They begin with the index of an
  /// unknown method.
  Bytes unknown;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.client("client", self.address, self.methods, self.unknown);
  }
};

/// A client in an 'R' packet: its address. 0.0.0.0 means "forget everyone".
struct RemovedEntry {
  Address address;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.address("removed", self.address);
  }
};

inline constexpr Address forget_everyone{};

/// What a reader must know: the catalogue, and which sizes a peer may choose.
struct ReadContext {
  const MethodCatalogue& catalogue;
  std::uint32_t methods_max = limits::methods_max_default;
  /// The index that the server has asked for; 0 accepts every index of the catalogue.
  std::uint32_t index_requested = 0;
  /// Whether the packets are the server's: a client has one code for everything that is wrong with them.
  bool from_server = false;
  /// What is in force on the connection. A reader of accepts and handshakes needs none.
  Features features = {};
};

enum class ReadStatus {
  complete,  ///< the packet is read, and the input begins after it
  partial,   ///< nothing is wrong so far, but bytes are missing; the input has not moved
  wrong,     ///< the peer broke the protocol; see the rejection
};

/// Reads the fields of a packet in the order of the bytes. It ends at the first thing that is wrong or
/// missing; later fields keep their values. Allocates nothing for a count before it has checked the count
/// against its limit.
class PacketReader {
 public:
  PacketReader(ByteView input, const ReadContext& context)
      : reader_(input), input_(input), context_(context) {}

  void header(std::string_view name, char type, Version& version);
  void u32(std::string_view name, std::uint32_t& value);
  void u24(std::string_view name, std::uint32_t& value);
  void timestamp(std::string_view name, std::int64_t& value);
  void update_kind(std::string_view name, UpdateKind& kind);
  void methods_known(std::string_view name, std::uint32_t& count);
  void method_bits(std::string_view name, std::vector<std::uint32_t>& words, std::uint32_t known);
  void requested_index(std::string_view name, std::uint32_t& index);
  void information(std::string_view name, std::uint32_t index, Bytes& information);
  void log_identity(std::string_view name, LogIdentity& identity);
  void list_digest(std::string_view clients, std::string_view sum, std::optional<ListDigest>& list);
  void text(std::string_view name, std::string& text);
  void address(std::string_view name, Address& address);
  void client(std::string_view name, Address& address, Methods& methods, Bytes& unknown);

  ReadStatus status() const;
  std::size_t consumed() const { return reader_.consumed(); }
  const Rejection& rejection() const { return rejection_; }

 private:
  void refuse(ErrorCode code, std::string message);
  bool stopped() const { return wrong_ || reader_.ran_short(); }

  ByteReader reader_;
  ByteView input_;
  const ReadContext& context_;
  bool wrong_ = false;
  Rejection rejection_{ErrorCode::not_lekt, {}};
};

/// Appends the fields of a packet.
class PacketWriter {
 public:
  explicit PacketWriter(Bytes& out) : writer_(out) {}

  void header(std::string_view name, char type, const Version& version);
  void u32(std::string_view, std::uint32_t value) { writer_.u32(value); }
  void u24(std::string_view, std::uint32_t value) { writer_.u24(value); }
  void timestamp(std::string_view, std::int64_t value) { writer_.i64(value); }
  void update_kind(std::string_view, UpdateKind kind) { writer_.u8(static_cast<std::uint8_t>(kind)); }
  void methods_known(std::string_view, std::uint32_t count) { writer_.u32(count); }
  void method_bits(std::string_view name, const std::vector<std::uint32_t>& words, std::uint32_t known);
  void requested_index(std::string_view, std::uint32_t index) { writer_.u32(index); }
  void information(std::string_view, std::uint32_t, const Bytes& information) { writer_.bytes(information); }
  void log_identity(std::string_view, const LogIdentity& identity) {
    for (const std::uint8_t byte : identity) writer_.u8(byte);
  }
  void list_digest(std::string_view, std::string_view, const std::optional<ListDigest>& list) {
    if (!list) return;
    writer_.u32(list->clients);
    writer_.u64(list->sum);
  }
  void text(std::string_view name, const std::string& text);
  void address(std::string_view, const Address& address) { writer_.u32(address.as_v4()); }
  void client(std::string_view name, const Address& address, const Methods& methods, const Bytes& unknown);

 private:
  ByteWriter writer_;
};

/// Reads a packet or an entry from the front of `input`.
template <class Packet>
ReadStatus read(ByteView& input, Packet& packet, const ReadContext& context, Rejection& rejection) {
  PacketReader reader(input, context);
  Packet::fields(packet, reader);
  const ReadStatus status = reader.status();
  if (status == ReadStatus::complete) input.remove_prefix(reader.consumed());
  if (status == ReadStatus::wrong) rejection = reader.rejection();
  return status;
}

template <class Packet>
void write(Bytes& out, const Packet& packet) {
  PacketWriter writer(out);
  Packet::fields(packet, writer);
}

template <class Packet>
Bytes encode(const Packet& packet) {
  Bytes out;
  write(out, packet);
  return out;
}

}  // namespace lekt
