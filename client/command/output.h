// What `lekt` prints: peers and their changes, as text for people, as JSON for programs, as lines of a hosts
// file, as targets for Prometheus.
//
// Everything that a peer chose is printed as digits or hexadecimal, so it cannot control a terminal or forge
// a line.
#pragma once

#include <string>

#include "client/peer_view.h"
#include "common/catalogue.h"

namespace lekt::command {

/// "+ 10.0.0.7 tcp:7890", "~ 10.0.0.7 tcp:7891", "- 10.0.0.9"
std::string text_of(const PeerChange& change, const MethodCatalogue& catalogue);

/// {"event":"added","address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7890}]}
/// A method that is not tcp has "hex", its content; one that is not in the catalogue has no "name", and its
/// "hex" is all that follows its index. A changed peer has "methods_before" too; a removed one has no
/// methods.
std::string json_of(const PeerChange& change, const MethodCatalogue& catalogue);

/// The same without "event".
std::string json_of(Ipv4Address address, const Offer& offer, const MethodCatalogue& catalogue);

/// ADDRESS and METHODS in columns, one line a peer, '-' for no methods.
std::string table_of(const Peers& peers, const MethodCatalogue& catalogue);

/// "10.0.0.7 lekt-10-0-0-7  # tcp:7890" for each peer, after a comment that names the server.
std::string hosts_of(const Peers& peers, const MethodCatalogue& catalogue, const std::string& server);

/// A file for Prometheus' file_sd_configs, one group of targets a peer:
/// [{"targets":["10.0.0.7:7890"],"labels":{"__meta_lekt_server":"10.0.0.1","__meta_lekt_address":"10.0.0.7",
/// "__meta_lekt_method_tcp":"7890","__meta_lekt_method_chat":"0a0b"}}]
/// A target is a tcp port, and who has none is no target. Several values of one method are separated by
/// commas.
std::string prometheus_of(const Peers& peers, const MethodCatalogue& catalogue, const std::string& server);

/// "added", "changed" or "removed"
std::string_view name_of(PeerChange::Kind kind);

/// Writes to standard output and flushes. Throws CodedError E706.
void print(const std::string& text);

/// Writes "lekt: " and a line to standard error, in one piece. Any thread may call it.
void print_status(const std::string& line);

}  // namespace lekt::command
