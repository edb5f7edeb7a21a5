#include "lektctl/transfer.h"

#include <map>

#include "common/calendar.h"
#include "common/catalogue.h"
#include "common/errors.h"
#include "common/limits.h"
#include "common/text.h"
#include "control/requests.h"
#include "server/operators/json.h"

namespace lekt::lektctl {

namespace {

constexpr int format = 1;
constexpr const char* header_type = "lekt-export";

/// The longest line. A client with all the methods that fit the largest packet has 32 MiB of hexadecimal. Methods
/// without information grow most: 4 bytes of the packet become 33 of the line.
constexpr std::size_t line_bytes_max = 10 * limits::packet_bytes_ceiling;

/// The largest information of a method, with its length word and padding.
constexpr std::size_t information_bytes_max = 4 + padded(limits::information_bytes_max);

/// The most bytes of methods that an address's entry may have. With header, size and address it fits the largest
/// packet that a server can be set to, so an export can be imported whatever --max-packet-bytes its server had.
constexpr std::size_t methods_bytes_max = limits::packet_bytes_ceiling - limits::update_header_bytes - 4 - 4;

/// Why a line cannot be used. The number of the line is added where it is known.
class LineError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Json to_export(const storage::PortableClient& client) {
  Json methods = Json::array();
  for (const MethodInformation& method : client.methods)
    methods.push_back({{"index", method.index}, {"information", to_hex(method.information)}});
  return {{"type", "client"},
          {"address", to_string(client.address)},
          {"since", to_iso(client.since)},
          {"last_heard", client.heard == 0 ? Json(nullptr) : Json(to_iso(client.heard))},
          {"methods", std::move(methods)}};
}

Json to_export(const storage::Ban& ban) {
  Json line{{"type", "ban"}};
  line.update(to_json(ban));
  return line;
}

const Json& value_of(const Json& line, const char* key) {
  const auto found = line.find(key);
  if (found == line.end()) throw LineError(std::string("\"") + key + "\" is missing");
  return *found;
}

std::string text_of(const Json& line, const char* key) {
  const Json& value = value_of(line, key);
  if (!value.is_string()) throw LineError(std::string("\"") + key + "\" must be a string");
  return value.get<std::string>();
}

std::int64_t number_of(const Json& line, const char* key, std::int64_t first, std::int64_t last) {
  const Json& value = value_of(line, key);
  if (!value.is_number_integer() || value < first || value > last)
    throw LineError(std::string("\"") + key + "\" must be a whole number from " + std::to_string(first) +
                    " to " + std::to_string(last));
  return value.get<std::int64_t>();
}

std::int64_t time_of(const Json& line, const char* key) {
  const std::string text = text_of(line, key);
  const auto second = parse_iso(text);
  if (!second)
    throw LineError(std::string("\"") + key + "\" must be a time such as 2026-01-02T11:00:00Z; it is \"" +
                    escape(text) + "\"");
  return *second;
}

MethodInformation method_of(const Json& line) {
  static const MethodCatalogue built_in;
  MethodInformation method;
  method.index = static_cast<std::uint32_t>(number_of(line, "index", 1, limits::methods_max_ceiling));
  const std::string digits = text_of(line, "information");
  const auto information = parse_hex(digits);
  if (!information || information->size() > information_bytes_max || padding_of(information->size()) != 0)
    throw LineError("\"information\" of method " + std::to_string(method.index) +
                    " must be hexadecimal, a multiple of 4 bytes, at most " +
                    std::to_string(information_bytes_max));
  method.information = *information;
  const Method* known = built_in.find(method.index);
  if (known == nullptr) return method;
  ByteReader reader(method.information);
  Bytes read;
  if (const auto rejection = built_in.read_information(*known, reader, read))
    throw LineError(rejection->message);
  if (read != method.information || reader.ran_short() || reader.left() != 0)
    throw LineError("\"information\" of method " + known->name + " must have " +
                    (known->form.has_length() ? "a length word, as many bytes, and zeros to a multiple of 4"
                                              : std::to_string(known->form.bytes) + " bytes"));
  return method;
}

storage::PortableClient client_of(const Json& line) {
  storage::PortableClient client;
  const std::string text = text_of(line, "address");
  const auto address = parse_address(text);
  if (!address || address == Address())
    throw LineError("\"address\" must be an IPv4 address; it is \"" + escape(text) + "\"");
  client.address = *address;
  client.since = time_of(line, "since");
  if (const auto heard = line.find("last_heard"); heard != line.end() && !heard->is_null())
    client.heard = time_of(line, "last_heard");
  const Json& methods = value_of(line, "methods");
  if (!methods.is_array()) throw LineError("\"methods\" must be an array");
  for (const Json& method : methods) {
    if (!method.is_object()) throw LineError("a method must be an object");
    client.methods.push_back(method_of(method));
  }
  normalise(client.methods);
  if (encoded_size(client.methods) > methods_bytes_max)
    throw LineError("the methods have " + std::to_string(encoded_size(client.methods)) + " bytes; at most " +
                    std::to_string(methods_bytes_max) + " fit a packet");
  return client;
}

storage::Ban ban_of(const Json& line) {
  const std::string text = text_of(line, "block");
  const auto block = parse_block(text);
  if (!block) throw LineError("\"block\" \"" + escape(text) + "\" is not " + expected_block(text));
  storage::Ban ban{*block, time_of(line, "since"), text_of(line, "reason")};
  if (const auto until = line.find("until"); until != line.end() && !until->is_null())
    ban.until = time_of(line, "until");
  if (const auto wrong = control::problem_of_reason(ban.reason)) throw LineError("\"reason\" " + *wrong);
  return ban;
}

class Import {
 public:
  void take(const std::string& text) {
    ++line_;
    try {
      const bool is_blank = text.find_first_not_of(" \t\r") == std::string::npos;
      // Blank lines may stand only at the end, where an editor may have left them.
      if (is_blank && line_ > 1) return note_blank();
      if (blank_ != 0)
        throw LineError("line " + std::to_string(blank_) + " before it is blank; only the last ones may be");
      take_line(text);
    } catch (const LineError& error) {
      fail(error.what());
    }
  }

  ImportedLines finish() {
    if (line_ == 0) fail_at(1, "the input is empty");
    if (blank_ != 0) line_ = blank_ - 1;
    if (lines_.clients.size() != clients_ || lines_.bans.size() != bans_)
      fail_at(line_ + 1, "the input ends, and is not whole: its header says " + std::to_string(clients_) +
                             " clients and " + std::to_string(bans_) + " bans, there are " +
                             std::to_string(lines_.clients.size()) + " and " +
                             std::to_string(lines_.bans.size()));
    return std::move(lines_);
  }

 private:
  [[noreturn]] static void fail_at(std::size_t line, const std::string& why) {
    throw CodedError(ErrorCode::import_wrong,
                     "line " + std::to_string(line) + ": " + why + "; nothing was imported");
  }
  [[noreturn]] void fail(const std::string& why) const { fail_at(line_, why); }

  void take_line(const std::string& text) {
    if (text.size() > line_bytes_max) throw LineError("it is too long");
    const Json line = Json::parse(text, nullptr, false);
    if (!line.is_object()) throw LineError("it is not a JSON object");
    const std::string type = text_of(line, "type");
    if (line_ == 1) return take_header(line, type);
    if (type == "client") return take_client(client_of(line));
    if (type == "ban") return take_ban(ban_of(line));
    throw LineError("the type \"" + escape(type) + "\" is not known; client or ban would be right");
  }

  void note_blank() {
    if (blank_ == 0) blank_ = line_;
  }

  void take_header(const Json& line, const std::string& type) {
    if (type != header_type)
      throw LineError("an export begins with a line of type lekt-export; see `lektctl export`");
    if (number_of(line, "format", 1, INT32_MAX) != format)
      throw LineError("the export has another format than " + std::to_string(format) +
                      "; use the lektctl that wrote it or a later one");
    clients_ = static_cast<std::size_t>(number_of(line, "clients", 0, INT64_MAX));
    bans_ = static_cast<std::size_t>(number_of(line, "bans", 0, INT64_MAX));
  }

  void take_client(storage::PortableClient client) {
    const auto [before, is_new] = addresses_.emplace(client.address, line_);
    if (!is_new)
      throw LineError(to_string(client.address) + " is in line " + std::to_string(before->second) +
                      " already");
    lines_.clients.push_back(std::move(client));
  }

  void take_ban(storage::Ban ban) {
    const auto [before, is_new] = blocks_.emplace(to_string(ban.block), line_);
    if (!is_new)
      throw LineError(before->first + " is in line " + std::to_string(before->second) + " already");
    lines_.bans.push_back(std::move(ban));
  }

  std::size_t line_ = 0;
  std::size_t blank_ = 0;    ///< the first of the blank lines at the end; 0 when there is none
  std::size_t clients_ = 0;  ///< as the header states
  std::size_t bans_ = 0;
  std::map<Address, std::size_t> addresses_;
  std::map<std::string, std::size_t> blocks_;
  ImportedLines lines_;
};

}  // namespace

void export_lines(storage::Reader& reader, std::int64_t now,
                  const std::function<void(const std::string&)>& print) {
  // All clients are collected first, since the header states how many there are.
  std::vector<std::string> clients;
  reader.portable_clients(
      [&](storage::PortableClient&& client) { clients.push_back(to_line(to_export(client))); });
  const std::vector<storage::Ban> bans = reader.bans();
  print(to_line({{"type", header_type},
                 {"format", format},
                 {"time", to_iso(now)},
                 {"version", reader.server().version},
                 {"clients", clients.size()},
                 {"bans", bans.size()}}) +
        "\n");
  for (const std::string& client : clients) print(client + "\n");
  for (const storage::Ban& ban : bans) print(to_line(to_export(ban)) + "\n");
}

ImportedLines read_import(std::istream& input) {
  Import import;
  for (std::string line; std::getline(input, line);) import.take(line);
  return import.finish();
}

}  // namespace lekt::lektctl
