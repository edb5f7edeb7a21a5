// Formats what `lekt` prints: peers and their changes, as text for people, as JSON for programs, as lines of a
// hosts file, as targets for Prometheus.
//
// Everything that a peer chose is printed as digits, hexadecimal, or text in words of its own (common/method_words.h), so
// it cannot control a terminal or forge a line.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/endpoints.h"
#include "client/peer_view.h"
#include "common/catalogue.h"

namespace lekt::command {

/// The change as text: "+ 10.0.0.7 tcp:7890", "~ 10.0.0.7 tcp:7891", "- 10.0.0.9".
std::string text_of(const PeerChange& change, const MethodCatalogue& catalogue);

/// The change as JSON:
/// {"event":"added","address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7890}]}
/// Method tcp has a "port"; the methods device and name, and others of the form text, have their content as "text"; the rest
/// have it as "hex". A method that is not in the catalogue has no "name", and its "hex" is everything that follows its index. A
/// changed peer also has "methods_before"; a removed one has no methods.
std::string json_of(const PeerChange& change, const MethodCatalogue& catalogue);

/// A peer as JSON, like a change but without "event".
std::string json_of(Address address, const Offer& offer, const MethodCatalogue& catalogue);

/// Peers in an order of their own.
using PeerList = std::vector<std::pair<Address, Offer>>;

/// Sorts by the first name of each, whatever its case, and then by address; peers without a name come last.
void sort_by_name(PeerList& peers);

/// A table with the columns ADDRESS and METHODS, one line for each peer, '-' for no methods.
std::string table_of(const PeerList& peers, const MethodCatalogue& catalogue);

/// A hosts file: "10.0.0.7 lekt-10-0-0-7 kitchen.lekt  # tcp:7890 name:Kitchen" for each peer, after a comment that names
/// the server; see HostNames.
std::string hosts_of(const Peers& peers, const MethodCatalogue& catalogue, const std::string& server);

/// A file for Prometheus' file_sd_configs, with one group of targets for each peer:
/// [{"targets":["10.0.0.7:7890"],"labels":{"__meta_lekt_server":"10.0.0.1","__meta_lekt_address":"10.0.0.7",
/// "__meta_lekt_method_tcp":"7890","__meta_lekt_method_chat":"0a0b"}}]
/// A target is a tcp port, and a peer without one is no target. Several values of one method are separated by
/// commas.
std::string prometheus_of(const Peers& peers, const MethodCatalogue& catalogue, const std::string& server);

/// The server with its port, and with its address if it was given by name: "10.0.0.1:7890",
/// "coordinator:7890 (10.0.0.1)".
std::string server_text(const std::string& server, const Endpoints& endpoints);

/// The client's own end of the connection: "10.0.0.7:40123".
std::string own_text(const Endpoints& endpoints);

/// The kind in words: "added", "changed" or "removed".
std::string_view name_of(PeerChange::Kind kind);

/// Writes a text to standard output and flushes. Throws CodedError E706.
void print(const std::string& text);

/// Writes "lekt: " and a line to standard error, in one piece. Any thread may call it.
void print_status(const std::string& line);

/// While it lives, print_status() never waits for the reader of standard error. What does not fit into a bounded
/// queue is left out, and a later line says so. The main thread makes and destroys it; its end waits a moment for
/// what is still to be written.
class PatientStatus {
 public:
  PatientStatus();
  ~PatientStatus();
  PatientStatus(const PatientStatus&) = delete;
  PatientStatus& operator=(const PatientStatus&) = delete;
};

/// How many bytes of a peer's text a line about it shows.
inline constexpr std::size_t title_bytes_max = 120;

}  // namespace lekt::command
