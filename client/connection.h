// One connection to the server, carrying one conversation: resolves, connects, begins TLS if it is asked to,
// sends, receives, and gives up when the server is silent for too long.
//
// It decides nothing: what happens goes to its owner, once each; on_ended comes last, and at most once.
// Private to the library: this is where Asio is. Lives on the thread that runs the io_context, kept alive by
// its own pending operations; the owner outlives the io_context's last handler.
#pragma once

#include <array>
#include <asio.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/conversation.h"
#include "client/server_name.h"
#include "client/stream.h"
#include "client/tls.h"
#include "common/address.h"

namespace lekt {

struct ConnectionSettings {
  ServerName server;
  std::optional<Ipv4Address> source;  ///< local address to connect from
  std::optional<TlsOptions> tls;
  std::chrono::milliseconds connect_timeout{5000};  ///< until bytes of the conversation can be sent
  std::chrono::milliseconds answer_timeout{10000};
};

/// Why a connection is over.
struct ConnectionEnd {
  std::string reason;     ///< begins with a code; one line that cannot control a terminal
  bool rejected = false;  ///< the reason is the server's own
};

class ConnectionOwner {
 public:
  virtual void on_connected() {}
  virtual void on_accepted() {}
  virtual void on_joined() {}
  virtual void on_updated(const std::vector<PeerChange>&) {}
  virtual void on_ended(const ConnectionEnd& end) = 0;

 protected:
  ~ConnectionOwner() = default;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& context, const ConnectionSettings& settings, Conversation conversation,
             ConnectionOwner& owner);

  void start();

  /// See Conversation::heartbeat().
  void heartbeat();

  /// Ends cleanly: says that nothing more will be sent, and waits a moment for the server to close as well,
  /// so that it sees an end and not an error. on_ended follows; no other event does.
  void leave();

 private:
  using Error = asio::error_code;
  using tcp = asio::ip::tcp;

  void resolve();
  void connect(std::vector<tcp::endpoint> endpoints);
  Error open_socket();
  void begin_tls();
  void connected();
  void receive();
  void failed(const Error& error);
  void received(std::size_t size);
  void take(const ConversationEvent& event);
  void flush();
  void set_deadline(std::chrono::milliseconds timeout, std::string reason);
  void fail_to_connect(const std::string& reason);
  void fail_in_tls(const Error& error);
  void end(ConnectionEnd end);

  ConnectionSettings settings_;
  Conversation conversation_;
  ConnectionOwner* owner_;  ///< none after the end
  tcp::resolver resolver_;
  Stream stream_;
  asio::steady_timer deadline_;
  std::string deadline_reason_;
  std::array<char, 16 * 1024> buffer_;
  Bytes sending_;  ///< what an unfinished write refers to; empty if there is none
  bool connected_ = false;
  bool leaving_ = false;
};

}  // namespace lekt
