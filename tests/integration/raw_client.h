// A client made of a plain socket: it sends whatever the test says and reads exactly what comes.
//
// It shares the codec and the peer view with the program, and nothing else: no reconnects, no timers, no
// thread. Whatever does not come within patience(), or is not what was expected, is thrown as
// UnexpectedInput, which fails the test with its words. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "client/peer_view.h"
#include "common/bytes.h"
#include "common/packets.h"
#include "tests/integration/patience.h"

namespace lekt::test {

class UnexpectedInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A complete answer to a heartbeat.
struct Answer {
  struct Packet {
    UpdatePacket header;
    std::size_t bytes = 0;  ///< with its entries
  };
  std::vector<Packet> packets;      ///< the closing one is the last
  std::vector<Address> added;       ///< addresses of the entries, in order
  std::vector<Address> removed;     ///< with 0.0.0.0 for a reset
  std::vector<PeerChange> changes;  ///< what they changed in the client's list

  std::int64_t closing() const { return packets.back().header.timestamp; }
  bool is_reset() const { return !removed.empty() && removed.front() == forget_everyone; }
};

class RawClient {
 public:
  struct Settings {
    const char* to = "127.0.0.1";
    int receive_buffer = 0;  ///< 0 leaves it to the kernel
  };

  /// Connects from the source address `from`, IPv4 or IPv6.
  RawClient(std::uint16_t port, const std::string& from, const Settings& settings);
  RawClient(std::uint16_t port, const std::string& from) : RawClient(port, from, Settings()) {}
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&&) = delete;

  // ---- Bytes ----

  void send(ByteView bytes);
  /// Returns false instead of throwing when the server has gone.
  bool try_send(ByteView bytes);
  void half_close();
  void close();
  void reset();  ///< closes so that the server sees a reset of the connection

  /// Reads one packet; a reject in its place is thrown with its text.
  template <class Packet>
  Packet expect();
  /// Reads a reject and then the end of the stream, without a reset of the connection in between.
  std::string expect_reject();
  void expect_end();
  /// Reads so many bytes, whatever they are.
  Bytes take(std::size_t bytes);
  /// Reads a few bytes, if there are any, and forgets them.
  void read_a_drop(std::size_t bytes = 16);
  /// Whether anything comes within the time.
  bool receives_within(std::chrono::milliseconds time);

  // ---- Conversation ----

  /// Handshake for the methods and all responses, up to the zero-index request.
  void join(const Methods& methods);
  /// The same up to the request for the first method, or up to the zero-index one when there is none.
  std::uint32_t begin_setup(const Methods& methods);

  /// A heartbeat by the rule: with the last closing timestamp.
  Answer beat() { return beat(view_.next_timestamp()); }
  Answer beat(std::int64_t timestamp);
  /// Beats until an answer has entries: a thread of the server may hear of a join a moment after the joining
  /// client.
  Answer beat_until_news();
  /// What beat() does, in two steps.
  void ask(std::int64_t timestamp);
  Answer read_answer();

  const PeerView& view() const { return view_; }
  /// The list in words: "127.0.0.2 tcp:7890", by address.
  std::vector<std::string> peers() const;
  /// Takes over what another connection has learned, as a client that comes back.
  void continue_from(const RawClient& before) { view_ = before.view_; }

 private:
  void fill(const Deadline& deadline);
  template <class Part>
  Part read_part(const Deadline& deadline);

  int socket_ = -1;
  Bytes received_;
  std::size_t used_ = 0;  ///< of received_
  bool ended_ = false;
  PeerView view_;
};

/// tcp, 2:chat:sized and 3:key:fixed:6, the methods that the tests speak.
const MethodCatalogue& catalogue();
/// Flags that give a daemon the same.
std::vector<std::string> catalogue_flags();

Methods tcp(std::uint16_t port);
Methods chat(std::string_view content);

HandshakePacket handshake_for(const Methods& methods);
/// Handshake and responses in one piece.
Bytes setup_bytes(const Methods& methods);
Bytes heartbeat_bytes(std::int64_t timestamp);

/// A client that has joined with one TCP port.
RawClient joined(std::uint16_t port, const std::string& from, const Methods& methods = tcp(7890));

/// "127.0.x.y" for numbers from 0: distinct for up to 60,000 of them, none below 127.0.1.0.
std::string address_number(std::size_t number);

Address ip(const std::string& text);

/// Whether this machine has the IPv6 address ::1.
bool has_ipv6();

template <class Packet>
Packet RawClient::expect() {
  return read_part<Packet>(Deadline(patience()));
}

}  // namespace lekt::test
