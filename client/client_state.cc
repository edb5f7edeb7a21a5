#include "client/client_state.h"

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "common/errors.h"
#include "common/packets.h"
#include "common/parse_number.h"
#include "common/text.h"

namespace lekt {

namespace {

constexpr std::string_view format_key = "lekt-state ";
constexpr std::uint32_t format = 1;
constexpr std::string_view sum_key = "sum ";
constexpr std::string_view nothing = "-";

/// An entry without methods: its size and the address.
constexpr std::size_t entry_head_bytes = 8;

[[noreturn]] void fail(const std::string& why) { throw CodedError(ErrorCode::client_state_unusable, why); }

std::string sum_of(std::string_view text) {
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const char byte : text) sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  Bytes bytes;
  ByteWriter(bytes).u64(sum);
  return to_hex(bytes);
}

std::string line_of(Address address, const Offer& offer) {
  const Bytes entry = encode(AddedEntry{address, offer.methods, offer.unknown});
  const ByteView methods = ByteView(entry).substr(entry_head_bytes);
  return to_string(address) + " " + (methods.empty() ? std::string(nothing) : to_hex(methods)) + "\n";
}

/// Takes line after line off a text that has been found whole.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  std::string_view next() {
    ++number_;
    const std::size_t end = rest_.find('\n');
    if (end == rest_.npos) fail();
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  std::string_view value_of(std::string_view key) {
    const std::string_view line = next();
    if (!line.starts_with(key)) fail();
    return line.substr(key.size());
  }

  /// The value, unless it could not be read.
  template <class Value>
  Value expect(std::optional<Value> value) const {
    if (!value) fail();
    return *std::move(value);
  }

  bool is_empty() const { return rest_.empty(); }
  [[noreturn]] void fail() const {
    lekt::fail("line " + std::to_string(number_) + " is not what this program writes there");
  }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

/// The lines without the sum, once the format and the sum have been found right.
std::string_view checked(std::string_view text) {
  const std::string_view first = text.substr(0, text.find('\n'));
  const auto version = first.starts_with(format_key)
                           ? parse_number<std::uint32_t>(first.substr(format_key.size()))
                           : std::nullopt;
  if (!version) fail("it does not begin as the state of a client does");
  if (*version != format)
    fail("it has the format " + std::to_string(*version) + ", and this program knows " +
         std::to_string(format));
  const std::size_t sum = text.rfind(std::string("\n").append(sum_key));
  if (sum == text.npos) fail("it is cut off");
  const std::string_view lines = text.substr(0, sum + 1);
  if (text.substr(sum + 1) != std::string(sum_key) + sum_of(lines) + "\n")
    fail("it is cut off or was changed: its sum is wrong");
  return lines;
}

std::pair<Address, Offer> peer_of(std::string_view line, const Lines& lines,
                                  const MethodCatalogue& catalogue) {
  const std::size_t space = line.find(' ');
  if (space == line.npos) lines.fail();
  const Address address = lines.expect(parse_address(line.substr(0, space)));
  const std::string_view hex = line.substr(space + 1);
  const Bytes methods = hex == nothing ? Bytes() : lines.expect(parse_hex(hex));
  Bytes bytes = encode(AddedEntry{address, {}, methods});
  ByteView rest = bytes;
  AddedEntry entry;
  Rejection rejection{ErrorCode::client_state_unusable, {}};
  const ReadContext context{.catalogue = catalogue, .from_server = true};
  if (read(rest, entry, context, rejection) == ReadStatus::wrong)
    fail(to_string(address) + ": " + rejection.message);
  if (!rest.empty() || entry.address != address || address == forget_everyone) lines.fail();
  normalise(entry.methods);
  return {address, {std::move(entry.methods), std::move(entry.unknown)}};
}

}  // namespace

std::string to_text(const ClientState& state) {
  const auto& identity = state.log.identity;
  std::string text = std::string(format_key) + std::to_string(format) + "\nserver " + state.log.server +
                     "\naddress " + to_string(state.log.address) + "\nidentity " +
                     (identity ? to_string(*identity) : std::string(nothing)) + "\ntimestamp " +
                     std::to_string(state.timestamp) + "\npeers " + std::to_string(state.peers.size()) + "\n";
  for (const auto& [address, offer] : state.peers) text += line_of(address, offer);
  return text + std::string(sum_key) + sum_of(text) + "\n";
}

ClientState parse_client_state(std::string_view text, const MethodCatalogue& catalogue) {
  Lines lines(checked(text));
  ClientState state;
  lines.next();
  state.log.server = lines.value_of("server ");
  state.log.address = lines.expect(parse_address(lines.value_of("address ")));
  if (const std::string_view identity = lines.value_of("identity "); identity != nothing)
    state.log.identity = lines.expect(parse_log_identity(identity));
  state.timestamp = lines.expect(parse_number<std::int64_t>(lines.value_of("timestamp ")));
  const auto count = lines.expect(parse_number<std::uint64_t>(lines.value_of("peers ")));
  for (std::uint64_t peer = 0; peer < count; ++peer) {
    auto [address, offer] = peer_of(lines.next(), lines, catalogue);
    if (!state.peers.emplace(address, std::move(offer)).second) lines.fail();
  }
  if (!lines.is_empty()) fail("it has more lines than it says");
  return state;
}

}  // namespace lekt
