#include "client/command/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/errors.h"
#include "common/text.h"

namespace lekt::command {

namespace {

using Json = nlohmann::ordered_json;

Json json_method(const MethodInformation& method, const MethodCatalogue& catalogue) {
  Json json{{"index", method.index}};
  const Method* known = catalogue.find(method.index);
  ByteReader reader(method.information);
  if (known == nullptr) {
    json["hex"] = to_hex(method.information);
    return json;
  }
  json["name"] = known->name;
  if (method.index == tcp_index) {
    json["port"] = reader.u32();
  } else {
    const std::size_t size = known->form.kind == MethodForm::Kind::sized ? reader.u32() : known->form.bytes;
    json["hex"] = to_hex(reader.take(size));
  }
  return json;
}

Json json_methods(const Offer& offer, const MethodCatalogue& catalogue) {
  Json list = Json::array();
  for (const MethodInformation& method : offer.methods) list.push_back(json_method(method, catalogue));
  if (offer.unknown.empty()) return list;
  ByteReader reader(offer.unknown);
  MethodInformation unknown{reader.u32(), {}};
  unknown.information = reader.take(reader.left());
  list.push_back(json_method(unknown, catalogue));
  return list;
}

/// "tcp" and "7890", "chat" and "0a0b"; "9" and "0000000a" for a method that is not in the catalogue.
std::pair<std::string, std::string> label_of(const Json& method) {
  std::string name = method.contains("name") ? method["name"].get<std::string>()
                                             : std::to_string(method["index"].get<std::uint32_t>());
  std::ranges::replace(name, '-', '_');  // which is all that a name may have and a label may not
  std::string value = method.contains("port") ? std::to_string(method["port"].get<std::uint32_t>())
                                              : method["hex"].get<std::string>();
  return {"__meta_lekt_method_" + name, std::move(value)};
}

char sign_of(PeerChange::Kind kind) {
  switch (kind) {
    case PeerChange::Kind::added:
      return '+';
    case PeerChange::Kind::changed:
      return '~';
    default:
      return '-';
  }
}

}  // namespace

std::string_view name_of(PeerChange::Kind kind) {
  switch (kind) {
    case PeerChange::Kind::added:
      return "added";
    case PeerChange::Kind::changed:
      return "changed";
    default:
      return "removed";
  }
}

std::string text_of(const PeerChange& change, const MethodCatalogue& catalogue) {
  const std::string offered = describe(change.now, catalogue);
  std::string text{sign_of(change.kind), ' '};
  text += to_string(change.address);
  if (!offered.empty()) text += ' ' + offered;
  return text + '\n';
}

std::string json_of(const PeerChange& change, const MethodCatalogue& catalogue) {
  Json json{{"event", name_of(change.kind)}, {"address", to_string(change.address)}};
  if (change.kind != PeerChange::Kind::removed) json["methods"] = json_methods(change.now, catalogue);
  if (change.kind == PeerChange::Kind::changed)
    json["methods_before"] = json_methods(change.before, catalogue);
  return json.dump() + '\n';
}

std::string json_of(Ipv4Address address, const Offer& offer, const MethodCatalogue& catalogue) {
  return Json{{"address", to_string(address)}, {"methods", json_methods(offer, catalogue)}}.dump() + '\n';
}

std::string table_of(const Peers& peers, const MethodCatalogue& catalogue) {
  const std::string title = "ADDRESS";
  std::size_t width = title.size();
  for (const auto& [address, offer] : peers) width = std::max(width, to_string(address).size());
  const auto row = [width](std::string address, const std::string& methods) {
    address.resize(width, ' ');
    return address + "  " + (methods.empty() ? "-" : methods) + '\n';
  };
  std::string text = row(title, "METHODS");
  for (const auto& [address, offer] : peers) text += row(to_string(address), describe(offer, catalogue));
  return text;
}

std::string hosts_of(const Peers& peers, const MethodCatalogue& catalogue, const std::string& server) {
  std::string text =
      "# Peers that the coordinator " + server + " lists. Rewritten by `lekt join`; edits are lost.\n";
  for (const auto& [address, offer] : peers) {
    const std::string number = to_string(address);
    std::string name = "lekt-" + number;
    std::ranges::replace(name, '.', '-');
    const std::string offered = describe(offer, catalogue);
    text += number + ' ' + name + (offered.empty() ? "" : "  # " + offered) + '\n';
  }
  return text;
}

std::string prometheus_of(const Peers& peers, const MethodCatalogue& catalogue, const std::string& server) {
  Json groups = Json::array();
  for (const auto& [address, offer] : peers) {
    Json targets = Json::array();
    Json labels{{"__meta_lekt_server", server}, {"__meta_lekt_address", to_string(address)}};
    for (const Json& method : json_methods(offer, catalogue)) {
      if (method.contains("port")) targets.push_back(to_string(address) + ":" + method["port"].dump());
      const auto [name, value] = label_of(method);
      labels[name] = labels.contains(name) ? labels[name].get<std::string>() + "," + value : value;
    }
    if (!targets.empty()) groups.push_back({{"targets", targets}, {"labels", labels}});
  }
  return groups.dump(2) + '\n';
}

void print(const std::string& text) {
  std::cout << text << std::flush;
  if (!std::cout)
    throw CodedError(ErrorCode::output_failed,
                     std::string("cannot write to standard output: ") + std::strerror(errno));
}

void print_status(const std::string& line) {
  const std::string text = "lekt: " + line + '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace lekt::command
