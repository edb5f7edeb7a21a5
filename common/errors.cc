#include "common/errors.h"

#include <array>

namespace lekt {

namespace {

using enum ErrorCode;

constexpr std::array catalogue = {
    ErrorInfo{version_unsupported, "the packet's protocol version is not the server's",
              "use a client of the version that the message names"},
    ErrorInfo{not_lekt, "the bytes do not begin with \"LEKT\"",
              "something else connected to this port, or the client lost its place in the stream"},
    ErrorInfo{packet_unexpected, "a packet of this type does not belong in this phase",
              "send handshake, responses and heartbeats in that order"},
    ErrorInfo{methods_too_many, "the handshake announces more known methods than the server allows",
              "announce fewer, or raise --max-methods"},
    ErrorInfo{method_bit_beyond, "a bit at or beyond the number of known methods is set",
              "method m is bit (m-1) mod 32 of word (m-1) div 32"},
    ErrorInfo{address_not_ipv4, "the client came over IPv6, which the protocol cannot name",
              "connect to an IPv4 address of the server"},
    ErrorInfo{handshake_timeout, "handshake and setup took longer than --handshake-timeout",
              "answer the server's requests at once, or raise the timeout"},
    ErrorInfo{proxy_header_wrong,
              "a connection from a trusted proxy does not begin with a PROXY protocol v2 header for IPv4",
              "let the proxy send version 2 (HAProxy: send-proxy-v2), or take it out of --proxy-protocol"},
    ErrorInfo{tls_handshake_failed, "the TLS handshake failed",
              "the message says why: plain text on a TLS port, a version or certificate that does not suit"},
    ErrorInfo{response_index_wrong, "the response is for another method than the one requested",
              "answer each request with the index that it names"},
    ErrorInfo{port_invalid, "the port of method 1 (tcp) is not a port", "send 1 to 65535"},
    ErrorInfo{information_too_long, "the information of a method is longer than the server allows",
              "send at most as many bytes as the message names"},
    ErrorInfo{padding_not_zero, "the padding after an item is not zero",
              "pad to a multiple of 4 bytes with zeros; usually the padding was forgotten"},
    ErrorInfo{record_too_large, "the methods of all sessions of this address do not fit one packet",
              "announce less, run fewer programs on the address, or raise --max-packet-bytes"},
    ErrorInfo{heartbeat_timeout, "no heartbeat came within --heartbeat-timeout",
              "send heartbeats more often than the timeout"},
    ErrorInfo{reads_too_slowly, "the client does not read what it asked for, or reads it too slowly",
              "read each answer at once; look at the client's network"},
    ErrorInfo{heartbeats_too_fast,
              "heartbeats come faster than --max-heartbeat-rate, or ask for the full list again and again",
              "none is lost, they are answered later; send one every few seconds"},
    ErrorInfo{server_full, "the server has as many clients or connections as it may have",
              "try again later, or raise --max-clients or the limit of open files"},
    ErrorInfo{server_stopping, "the server is shutting down", "connect again later; the client stays listed"},
    ErrorInfo{storage_unavailable, "the client could not be stored, so it has not joined",
              "try again; look for E601 and E602 in the server's log"},
    ErrorInfo{address_denied, "the server does not serve this address",
              "if it should, look at --allow and --deny of the server"},
    ErrorInfo{address_busy, "the address has as many connections as it may have",
              "close some, or raise --max-connections-per-address"},
    ErrorInfo{handshakes_too_many, "too many clients are joining at the same time",
              "try again in a moment, or raise --max-handshakes"},
    ErrorInfo{connections_too_fast,
              "connections come faster than --max-connection-rate or --max-connection-rate-per-address",
              "wait longer after each failure before connecting again, or raise the limit"},
    ErrorInfo{setting_invalid, "a flag, environment variable or configuration value is wrong",
              "the message names the setting, the value and what is allowed"},
    ErrorInfo{listen_failed, "the server cannot listen on an address",
              "choose a free port and an address of this machine"},
    ErrorInfo{database_unusable, "the database cannot be opened, read or written",
              "check path, permissions and free space"},
    ErrorInfo{database_in_use, "another server holds the lock of this database", "one server per database"},
    ErrorInfo{database_foreign, "the file is not a database of this program", "choose another --database"},
    ErrorInfo{database_corrupt, "the database is damaged", "restore a backup; the file was left as it was"},
    ErrorInfo{database_newer, "the database was written by a newer version of this program",
              "run that version or a later one; the file was left as it was"},
    ErrorInfo{database_network, "the database lies on a network file system, where SQLite's WAL is not safe",
              "put it on a local disk"},
    ErrorInfo{start_failed, "the server could not start for another reason", "the message names it"},
    ErrorInfo{tls_unusable, "a certificate, a key or a list of authorities for TLS cannot be used",
              "the message names the file; keys and certificates are PEM files"},
    ErrorInfo{commit_failed, "a commit failed; the state is read again from the database",
              "check disk and free space; joins are refused with E403 until it works"},
    ErrorInfo{database_busy, "another program holds the database's write lock",
              "end its transaction; open the database with mode=ro"},
    ErrorInfo{wal_growing, "the write-ahead log grows because a reader holds an old state",
              "end the long read transaction"},
    ErrorInfo{descriptors_exhausted, "no file descriptor is left, so accepting pauses",
              "raise the limit of open files (ulimit -n)"},
    ErrorInfo{
        mass_silence,
        "so many clients fell silent at once that the server's network is suspected; they are removed later",
        "look at the network between server and clients; see --silence-share and --silence-patience"},
    ErrorInfo{tls_reload_failed, "the certificates could not be read again; the old ones stay in use",
              "mend the file that the message names, and send SIGHUP once more"},
    ErrorInfo{connect_failed, "the client cannot connect to the server",
              "check host, port, network, and that the server runs"},
    ErrorInfo{server_closed, "the server closed the connection without a reason",
              "look into the server's log"},
    ErrorInfo{answer_malformed, "the server's bytes are not LEKT",
              "check that the port is a LEKT coordinator's"},
    ErrorInfo{answer_timeout, "the server did not answer in time", "check network and server"},
    ErrorInfo{usage_wrong, "a flag or an input of the client program is wrong",
              "the message names the value and what is allowed"},
    ErrorInfo{output_failed, "the output cannot be written or the command cannot be run",
              "check path, permissions and free space"},
    ErrorInfo{tls_failed, "the TLS connection to the server could not be made",
              "the message names the certificate or the server's objection; look at --ca, --cert, --key, and "
              "at the server's certificate"},
};

}  // namespace

std::span<const ErrorInfo> error_catalogue() { return catalogue; }

std::string code_text(ErrorCode code) { return "E" + std::to_string(static_cast<int>(code)); }

}  // namespace lekt
