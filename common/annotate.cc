#include "common/annotate.h"

#include <algorithm>
#include <vector>

#include "common/annotated_lines.h"
#include "common/packets.h"
#include "common/text.h"

namespace lekt {

namespace {

/// The io of a field list that reads and prints in one pass: it prints what it could read before what is wrong.
class PacketAnnotator {
 public:
  PacketAnnotator(ByteView stream, std::size_t start, const ReadContext& context, std::string& out)
      : start_(start),
        reader_(stream.substr(start), context),
        context_(context),
        lines_(stream, start, out) {}

  void header(std::string_view name, char type, Version& version) {
    reader_.header(name, type, version);
    item(name_and_version(name, version));
  }

  void u32(std::string_view name, std::uint32_t& value) {
    reader_.u32(name, value);
    item(std::string(name) + ": " + std::to_string(value) +
         (value == 0 ? " (the setup ends)" : method_name(value)));
  }

  void u24(std::string_view name, std::uint32_t& value) {
    reader_.u24(name, value);
    item(std::string(name) + ": " + std::to_string(value));
  }

  void timestamp(std::string_view name, std::int64_t& value) {
    reader_.timestamp(name, value);
    item(std::string(name) + ": " + std::to_string(value) + calendar_text(value));
  }

  void update_kind(std::string_view name, UpdateKind& kind) {
    reader_.update_kind(name, kind);
    item(std::string(name) + ": " + (kind == UpdateKind::added ? "'A' added" : "'R' removed"));
  }

  void methods_known(std::string_view name, std::uint32_t& count) {
    reader_.methods_known(name, count);
    item(std::string(name) + ": " + std::to_string(count));
  }

  void method_bits(std::string_view name, std::vector<std::uint32_t>& words, std::uint32_t known) {
    reader_.method_bits(name, words, known);
    std::string list;
    HandshakePacket packet;
    packet.methods_known = words.empty() ? 0 : known;
    packet.words = words;
    for (std::uint32_t method = 1; method <= packet.methods_known; ++method)
      if (packet.supports(method)) list += " " + std::to_string(method) + method_name(method);
    item(std::string(name) + ":" + (list.empty() ? " none" : list));
  }

  void requested_index(std::string_view name, std::uint32_t& index) {
    reader_.requested_index(name, index);
    item(std::string(name) + ": " + std::to_string(index) + method_name(index));
  }

  void information(std::string_view name, std::uint32_t index, Bytes& information) {
    reader_.information(name, index, information);
    item(std::string(name) + ": " + context_.catalogue.describe(MethodInformation{index, information}));
  }

  void log_identity(std::string_view name, LogIdentity& identity) {
    reader_.log_identity(name, identity);
    item(std::string(name) + ": " + to_string(identity));
  }

  void list_digest(std::string_view clients, std::string_view sum, std::optional<ListDigest>& list) {
    reader_.list_digest(clients, sum, list);
    if (!list) return;
    Bytes bytes;
    ByteWriter(bytes).u64(list->sum);
    item(std::string(clients) + ": " + std::to_string(list->clients) + ", " + std::string(sum) + ": " +
         to_hex(bytes));
  }

  void text(std::string_view name, std::string& text) {
    reader_.text(name, text);
    item(std::string(name) + ": \"" + escape(text) + "\"");
  }

  void address(std::string_view name, Address& address) {
    reader_.address(name, address);
    item(std::string(name) + ": " + to_string(address) +
         (address == forget_everyone ? " (forget everyone)" : ""));
  }

  void client(std::string_view name, Address& address, Methods& methods, Bytes& unknown) {
    reader_.client(name, address, methods, unknown);
    std::string text = std::string(name) + ": " + to_string(address);
    const std::string offered = context_.catalogue.describe(methods);
    if (!offered.empty()) text += " " + offered;
    if (!unknown.empty()) text += " and methods that are not in the catalogue: " + to_hex(unknown);
    item(text);
  }

  const PacketReader& reader() const { return reader_; }

 private:
  std::string method_name(std::uint32_t index) const {
    const Method* method = context_.catalogue.find(index);
    return method == nullptr ? "" : " (" + method->name + ")";
  }

  void item(std::string_view meaning) {
    if (reader_.status() == ReadStatus::complete) lines_.print_to(start_ + reader_.consumed(), meaning);
  }

  std::size_t start_;
  PacketReader reader_;
  const ReadContext& context_;
  AnnotatedLines lines_;
};

class StreamAnnotator {
 public:
  StreamAnnotator(ByteView stream, Direction direction, const MethodCatalogue& catalogue)
      : stream_(stream),
        context_{catalogue, limits::methods_max_ceiling, 0, direction == Direction::to_client} {
    result_.direction = direction;
  }

  Annotation run() {
    result_.complete = true;
    while (result_.complete && position_ < stream_.size()) {
      result_.complete = packet();  // also false when entries are missing although no byte is left over
      if (!result_.complete) break;
      ++result_.packets;
      result_.understood = position_;
    }
    return std::move(result_);
  }

  std::size_t understood() const { return position_; }

 private:
  bool packet() {
    const ByteView rest = stream_.substr(position_);
    const char type = rest.size() > 4 ? rest[4] : '\0';
    // A recording may begin anywhere, so each packet is believed about what is in force.
    context_.features = Features::from_extra(rest.size() > 7 ? static_cast<std::uint8_t>(rest[7]) : 0);
    if (result_.direction == Direction::to_server) {
      if (type == ResponsePacket::type) return one<ResponsePacket>();
      const bool handshake = position_ == 0 && !begins_with_heartbeat(rest);
      return handshake ? one<HandshakePacket>() : one<HeartbeatPacket>();
    }
    if (type == AcceptPacket::type) return one<AcceptPacket>();
    if (type == RejectPacket::type) return one<RejectPacket>();
    if (type == RequestPacket::type) return one<RequestPacket>();
    return update();
  }

  // Handshake and heartbeat share a type. A recording that starts in the heartbeat phase reads like a
  // handshake with no methods (the upper half of a timestamp is zero), and then the lower half stands where
  // "LEKT" would. The upper half of a negative timestamp would be a count that no handshake may have.
  static bool begins_with_heartbeat(ByteView rest) {
    if (rest.size() < limits::heartbeat_bytes) return false;
    const ByteView upper = rest.substr(8, 4);
    return upper == "\xff\xff\xff\xff" || (upper == ByteView("\0\0\0\0", 4) && rest.substr(12, 4) != "LEKT");
  }

  bool update() {
    UpdatePacket packet;
    if (!item("packet", packet)) return false;
    for (std::uint32_t entry = 0; entry < packet.count; ++entry) {
      AddedEntry added;
      RemovedEntry removed;
      if (!(packet.kind == UpdateKind::added ? item("", added) : item("", removed))) return false;
    }
    return true;
  }

  template <class Packet>
  bool one() {
    Packet packet;
    return item("packet", packet);
  }

  template <class Item>
  bool item(std::string_view title, Item& value) {
    if (!title.empty())
      result_.text +=
          std::string(title) + " " + std::to_string(result_.packets + 1) +
          (result_.direction == Direction::to_server ? ", client to server" : ", server to client") + "\n";
    PacketAnnotator annotator(stream_, position_, context_, result_.text);
    Item::fields(value, annotator);
    const PacketReader& reader = annotator.reader();
    if (reader.status() == ReadStatus::complete) {
      position_ += reader.consumed();
      return true;
    }
    const std::string rest =
        std::to_string(stream_.size() - position_) + " bytes from offset " + std::to_string(position_);
    result_.wrong = reader.status() == ReadStatus::wrong;
    if (result_.wrong)
      result_.text += "  wrong: " + reader.rejection().text() + " (" + rest + " not understood)\n";
    else
      result_.text += "  cut off: the last packet is not complete (" + rest + ")\n";
    return false;
  }

  ByteView stream_;
  ReadContext context_;
  std::size_t position_ = 0;
  Annotation result_;
};

}  // namespace

Annotation annotate(ByteView bytes, Direction direction, const MethodCatalogue& catalogue) {
  if (direction != Direction::detect) return StreamAnnotator(bytes, direction, catalogue).run();
  StreamAnnotator to_server(bytes, Direction::to_server, catalogue);
  StreamAnnotator to_client(bytes, Direction::to_client, catalogue);
  Annotation sent = to_server.run();
  Annotation received = to_client.run();
  return to_client.understood() > to_server.understood() ? received : sent;
}

}  // namespace lekt
