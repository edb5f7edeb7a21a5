#include "tests/core/support.h"

#include <algorithm>
#include <stdexcept>

namespace lekt::test {

namespace {

/// Longer logs are not looked through: their tests would take too long.
constexpr std::size_t entries_looked_at_max = 200;

const MethodCatalogue& catalogue() {
  static const MethodCatalogue built_in;
  return built_in;
}

/// In words; long information as its size.
std::string words(const AddedEntry& entry) {
  std::string text = catalogue().describe(entry.methods);
  if (!entry.unknown.empty()) text += " and " + std::to_string(entry.unknown.size()) + " bytes";
  return text;
}

template <class Packet>
Packet take(ByteView& bytes) {
  const ReadContext context{catalogue(), limits::methods_max_default, 0, true};
  Packet packet;
  Rejection rejection{};
  if (read(bytes, packet, context, rejection) != ReadStatus::complete)
    throw std::invalid_argument("not a whole packet: " + rejection.message);
  return packet;
}

}  // namespace

Address address(std::string_view dotted) { return parse_address(dotted).value(); }

Address numbered(std::uint32_t number) { return Address::v4(0x0a000000 + number); }

Methods tcp(std::uint16_t port) { return {{tcp_index, tcp_information(port)}}; }

Methods filler(std::size_t size) { return {{999, Bytes(size, '\0')}}; }

std::vector<AnswerPacket> take_apart(ByteView answer) {
  std::vector<AnswerPacket> packets;
  while (!answer.empty()) {
    const std::size_t before = answer.size();
    AnswerPacket packet;
    packet.head = take<UpdatePacket>(answer);
    for (std::uint32_t index = 0; index < packet.head.count; ++index)
      if (packet.head.kind == UpdateKind::added)
        packet.added.push_back(take<AddedEntry>(answer));
      else
        packet.removed.push_back(take<RemovedEntry>(answer).address);
    packet.size = before - answer.size();
    packets.push_back(std::move(packet));
  }
  return packets;
}

std::int64_t Follower::ask() {
  if (timestamp_ <= 0) list_.clear();
  return timestamp_;
}

void Follower::apply(const AnswerPacket& packet) {
  for (const AddedEntry& entry : packet.added) list_[to_string(entry.address)] = words(entry);
  for (const Address removed : packet.removed) {
    if (removed == forget_everyone) list_.clear();
    list_.erase(to_string(removed));
  }
  timestamp_ = packet.head.timestamp;
}

void Follower::apply(const std::vector<AnswerPacket>& packets) {
  for (const AnswerPacket& packet : packets) apply(packet);
}

Bytes answer_of(const ChangeView& view, Cursor& cursor, std::int64_t timestamp) {
  Output output;
  view.answer(cursor, timestamp, {}, output);
  return flatten(output);
}

List list_of(const ChangeView& view) {
  Cursor cursor;
  Follower follower;
  follower.apply(take_apart(answer_of(view, cursor, follower.ask())));
  return follower.list();
}

History::History(std::size_t packet_bytes_max) : log_(packet_bytes_max) {
  state_.second = begins + 1;
  state_.history_begins = begins;
}

History& History::at(std::int64_t second) {
  if (second < state_.second) throw std::invalid_argument("seconds never go back");
  commit();
  state_.second = second;
  return *this;
}

History& History::add(Address address, Methods methods) {
  const Bytes entry = encode(AddedEntry{address, methods, {}});
  ByteView bytes = entry;
  list_[to_string(address)] = words(take<AddedEntry>(bytes));
  gather(UpdateKind::added, address, std::move(methods));
  return *this;
}

History& History::add(std::string_view dotted, std::uint16_t port) { return add(address(dotted), tcp(port)); }

History& History::remove(Address address) {
  list_.erase(to_string(address));
  gather(UpdateKind::removed, address, {});
  return *this;
}

History& History::remove(std::string_view dotted) { return remove(address(dotted)); }

void History::gather(UpdateKind kind, Address address, Methods methods) {
  if (std::ranges::find(gathered_, address, &storage::Change::address) != gathered_.end()) commit();
  gathered_.push_back({++state_.sequence, state_.second, kind, address, std::move(methods)});
}

History& History::commit() {
  log_.append(gathered_);
  gathered_.clear();
  return *this;
}

History& History::forget(std::int64_t second) {
  commit();
  const ChangeLog::Forgettable forgettable = log_.forgettable(second);
  if (forgettable.count == 0) return *this;
  log_.forget(second);
  state_.history_begins = std::max(state_.history_begins, forgettable.newest_second + 1);
  state_.forgotten_sequence = std::max(state_.forgotten_sequence, forgettable.newest_sequence);
  return *this;
}

std::shared_ptr<const ChangeView> History::view() {
  commit();
  auto view = log_.publish(state_, state_.second - 1);
  if (log_.entries() <= entries_looked_at_max) log_.check(*view);
  return view;
}

Cursor History::join() const {
  Cursor cursor;
  cursor.second = state_.second;
  return cursor;
}

}  // namespace lekt::test
