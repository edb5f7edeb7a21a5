// Every code that a user, a client or an operator can meet, in one list; a test compares docs/errors.md with
// it.
//
// A fault that a peer can cause is a value (Rejection). One that the machine can cause is an exception, up to
// a boundary (CodedError). One that only this program can cause is an assert.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lekt {

/// The number is the code: E101 is 101. A code is never reused for something else.
enum class ErrorCode : std::uint16_t {
  // Handshake
  version_unsupported = 101,
  not_lekt = 102,
  packet_unexpected = 103,
  methods_too_many = 104,
  method_bit_beyond = 105,
  address_not_ipv4 = 106,
  handshake_timeout = 107,
  proxy_header_wrong = 108,
  tls_handshake_failed = 109,
  // Setup
  response_index_wrong = 201,
  port_invalid = 202,
  information_too_long = 203,
  padding_not_zero = 204,
  record_too_large = 205,
  // Heartbeat
  heartbeat_timeout = 301,
  reads_too_slowly = 302,
  heartbeats_too_fast = 303,
  // The server's own state
  server_full = 401,
  server_stopping = 402,
  storage_unavailable = 403,
  address_denied = 404,
  address_busy = 405,
  handshakes_too_many = 406,
  connections_too_fast = 407,
  address_banned = 408,
  ended_by_operator = 409,
  // Configuration and start (exit 2 and 1)
  setting_invalid = 501,
  listen_failed = 502,
  database_unusable = 503,
  database_in_use = 504,
  database_foreign = 505,
  database_corrupt = 506,
  database_newer = 507,
  database_network = 508,
  start_failed = 509,
  tls_unusable = 510,
  control_socket_failed = 511,
  passed_socket_wrong = 512,
  database_other_names = 513,
  // While running, in the log
  commit_failed = 601,
  database_busy = 602,
  wal_growing = 603,
  descriptors_exhausted = 604,
  mass_silence = 605,
  tls_reload_failed = 606,
  reload_failed = 607,
  trace_failed = 608,
  answers_unread = 609,
  records_oversize = 612,
  clock_behind = 613,
  change_refused = 614,
  log_blocked = 615,
  server_certificate_expires = 616,
  log_lost = 619,
  thread_hangs = 620,
  row_refused = 621,
  device_ports_shared = 622,
  device_log_failed = 623,
  // The client
  connect_failed = 701,
  server_closed = 702,
  answer_malformed = 703,
  answer_timeout = 704,
  usage_wrong = 705,
  output_failed = 706,
  tls_failed = 707,
  own_address_gone = 708,
  certificate_expires = 709,
  known_as_loopback = 710,
  command_slow = 712,
  reader_slow = 713,
  output_contested = 714,
  list_differs = 716,
  // The operator's command
  control_unreachable = 801,
  control_refused = 802,
  not_found = 803,
  target_exists = 804,
  server_running = 805,
  check_failed = 806,
  import_wrong = 807,
  operator_usage_wrong = 808,
  not_confirmed = 809,
  // Device sessions
  device_lost = 901,
  registration_incomplete = 902,
  ports_exhausted = 903,
  token_refused = 904,
  registration_unknown = 905,
  host_timeout = 906,
  device_string_unusable = 907,
  device_config_missing = 908,
  host_unreachable = 909,
  host_hung_up = 910,
  session_idle = 911,
  sessions_too_many = 912,
  encryption_required = 913,
  registration_replaced = 914,
  session_ended = 915,
  datagram_malformed = 916,
  host_stream_broken = 917,
  uid_in_use = 918,
};

struct ErrorInfo {
  ErrorCode code;
  std::string_view meaning;  ///< what happened, in half a sentence
  std::string_view remedy;   ///< what to do about it
};

/// All codes with their meanings, in ascending order.
std::span<const ErrorInfo> error_catalogue();

/// The code as users see it: "E101".
std::string code_text(ErrorCode code);

/// What the server answers to a peer that it refuses. text() is the text of the reject packet.
struct Rejection {
  ErrorCode code;
  std::string message;  ///< what was wrong, which value, and what would be right; one line without a code

  std::string text() const { return code_text(code) + " " + message; }
};

/// Trouble with the machine or the configuration; what() begins with the code.
class CodedError : public std::runtime_error {
 public:
  CodedError(ErrorCode code, const std::string& message)
      : std::runtime_error(code_text(code) + " " + message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace lekt
