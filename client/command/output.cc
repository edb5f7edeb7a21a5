#include "client/command/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "client/command/host_names.h"
#include "client/command/patient_writer.h"
#include "client/server_name.h"
#include "common/device_string.h"
#include "common/errors.h"
#include "common/method_words.h"
#include "common/mutex.h"
#include "common/printable.h"
#include "common/text.h"

namespace lekt::command {

namespace {

using Json = nlohmann::ordered_json;

Json json_method(const MethodInformation& method, const MethodCatalogue& catalogue) {
  Json json{{"index", method.index}};
  const Method* known = catalogue.find(method.index);
  if (known == nullptr) {
    json["hex"] = to_hex(method.information);
    return json;
  }
  json["name"] = known->name;
  if (method.index == tcp_index) {
    json["port"] = ByteReader(method.information).u32();
    return json;
  }
  const ByteView content = MethodCatalogue::content_of(known->form, method.information);
  if (method.index == device_index) {
    json["text"] = device_method_text(content);
  } else if (known->form.kind == MethodForm::Kind::text) {
    json["text"] = plain_text(content);
  } else {
    json["hex"] = to_hex(content);
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

/// The label of a method, such as "__meta_lekt_method_tcp", and its value: "7890", a text, or hexadecimal digits. A
/// method that is not in the catalogue is named by its index, such as 9.
std::pair<std::string, std::string> label_of(const Json& method) {
  std::string name = method.contains("name") ? method["name"].get<std::string>()
                                             : std::to_string(method["index"].get<std::uint32_t>());
  std::ranges::replace(name, '-', '_');  // the only character that names may have and labels may not
  std::string value = method.contains("port")
                          ? std::to_string(method["port"].get<std::uint32_t>())
                          : method[method.contains("text") ? "text" : "hex"].get<std::string>();
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

std::string json_of(Address address, const Offer& offer, const MethodCatalogue& catalogue) {
  return Json{{"address", to_string(address)}, {"methods", json_methods(offer, catalogue)}}.dump() + '\n';
}

void sort_by_name(PeerList& peers) {
  const auto key = [](const std::pair<Address, Offer>& peer) {
    const std::vector<std::string> names = names_in(peer.second.methods);
    return std::tuple(names.empty(), names.empty() ? "" : lower_case(names.front()), peer.first);
  };
  std::ranges::sort(peers, {}, key);
}

std::string table_of(const PeerList& peers, const MethodCatalogue& catalogue) {
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
  const HostNames names(peers);
  for (const auto& [address, offer] : peers) {
    const std::string number = to_string(address);
    std::string name = "lekt-" + number;
    std::ranges::replace(name, '.', '-');
    const std::string offered = describe(offer, catalogue);
    text += number + ' ' + name + names.of(address) + (offered.empty() ? "" : "  # " + offered) + '\n';
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

std::string server_text(const std::string& server, const Endpoints& endpoints) {
  const ServerName name = parse_server_name(server);
  const std::string address = to_string(endpoints.server);
  return to_string(name) + (name.host == address ? "" : " (" + address + ")");
}

std::string own_text(const Endpoints& endpoints) {
  return to_string(endpoints.own) + ":" + std::to_string(endpoints.own_port);
}

namespace {

constexpr std::size_t status_bytes_max = 64 << 10;
constexpr std::chrono::milliseconds status_moment{500};

/// Where lines for standard error go while a PatientStatus lives.
struct StatusQueue {
  Mutex mutex;
  std::unique_ptr<PatientWriter> writer LEKT_GUARDED_BY(mutex);
  std::uint64_t left_out LEKT_GUARDED_BY(mutex) = 0;

  void add(std::string text) LEKT_REQUIRES(mutex) {
    if (left_out > 0) text = "lekt: " + std::to_string(left_out) + " lines were left out here\n" + text;
    if (writer->offer(std::move(text), 0))
      left_out = 0;
    else
      ++left_out;
  }
};

StatusQueue& status_queue() {
  static auto* queue = new StatusQueue;  // threads may still report while the program ends
  return *queue;
}

}  // namespace

void print_status(const std::string& line) {
  const std::string text = "lekt: " + line + '\n';
  StatusQueue& queue = status_queue();
  const MutexLock lock(queue.mutex);
  if (queue.writer != nullptr) return queue.add(text);
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

PatientStatus::PatientStatus() {
  StatusQueue& queue = status_queue();
  const MutexLock lock(queue.mutex);
  queue.writer =
      std::make_unique<PatientWriter>(STDERR_FILENO, PatientWriter::Options{.bytes_max = status_bytes_max});
}

PatientStatus::~PatientStatus() {
  StatusQueue& queue = status_queue();
  const MutexLock lock(queue.mutex);
  queue.writer->finish(status_moment);
  queue.writer.reset();
}

}  // namespace lekt::command
