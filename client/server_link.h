// One connection to the server, carrying one conversation: it resolves, connects, begins TLS if asked to, sends,
// receives, and gives up when the server is silent for too long.
//
// It takes the addresses of the route one after the other until one of them can be talked to, each for its share
// of the time. It decides nothing: it tells its owner whatever happens, once; on_ended comes last, and at most
// once. Private to the library: this is where Asio is. It lives on the thread that runs the io_context, and its own
// pending operations keep it alive; the owner and the route outlive the io_context's last handler.
#pragma once

#include <array>
#include <asio.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/conversation.h"
#include "client/endpoints.h"
#include "client/route.h"
#include "client/stream.h"
#include "client/tls.h"
#include "common/address.h"

namespace lekt {

struct LinkSettings {
  std::optional<Address> source;  ///< local address to connect from
  std::optional<TlsOptions> tls;
  /// Time until bytes of the conversation can be sent, over all addresses that are tried.
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds answer_timeout{10000};
  /// Whether the answer timeout, too, is for all addresses of a name together.
  bool answers_share_time = false;
};

/// Why a link ended.
struct LinkEnd {
  std::string reason;     ///< one line that begins with a code and cannot control a terminal
  bool rejected = false;  ///< whether the reason is the server's own
};

class LinkOwner {
 public:
  virtual void on_connected() {}
  virtual void on_accepted(const Accepted&) {}
  virtual void on_joined() {}
  virtual void on_updated(const std::vector<PeerChange>&) {}
  /// Something works now but will stop working: one printable line that begins with a code.
  virtual void on_warning(const std::string&) {}
  virtual void on_ended(const LinkEnd& end) = 0;

 protected:
  ~LinkOwner() = default;
};

class ServerLink : public std::enable_shared_from_this<ServerLink> {
 public:
  ServerLink(asio::io_context& context, const LinkSettings& settings, Route& route, Conversation conversation,
             LinkOwner& owner);

  void start();

  /// Sends a heartbeat; see Conversation::heartbeat().
  void heartbeat();

  /// Ends cleanly: says that nothing more will be sent, and waits a moment for the server to close as well, so
  /// that the server sees an end and not an error. on_ended follows, and no other event does.
  void leave();

  /// Ends at once, for a reason of the owner's.
  void abandon(const std::string& reason) { end({reason}); }

  /// Both ends of the connection; nothing before on_connected.
  const std::optional<Endpoints>& endpoints() const { return endpoints_; }

 private:
  using Error = asio::error_code;
  using tcp = asio::ip::tcp;
  using Clock = asio::steady_timer::clock_type;

  /// What happened to an address that cannot be talked to.
  struct Trouble {
    Address address;
    bool of_tls = false;
    std::string reason;
  };

  void connect_next();
  std::chrono::milliseconds share_of_next() const;
  Error open_socket();
  void begin_tls(std::chrono::milliseconds share);
  void connected();
  void receive();
  void failed(const Error& error);
  void received(std::size_t size);
  void take(const ConversationEvent& event);
  void flush();
  void set_deadline(std::chrono::milliseconds timeout, std::function<void()> passed);
  void fail_at_address(bool of_tls, const std::string& reason);
  void fail_to_connect();
  void fail_to_connect(const std::string& reason);
  std::string closed_reason(const Error& error) const;
  std::string text_of_troubles() const;
  std::string with_address(const std::string& reason) const;
  void end(LinkEnd end);

  LinkSettings settings_;
  Route& route_;
  Conversation conversation_;
  LinkOwner* owner_;  ///< null after the end
  asio::io_context& context_;
  /// The stream to the address that is tried or talked to. Handlers of an address that was given up keep its
  /// stream alive, and do nothing.
  std::shared_ptr<Stream> stream_;
  Address address_;
  std::vector<Trouble> troubles_;
  Clock::time_point connecting_until_;
  std::optional<Endpoints> endpoints_;  ///< both ends, once connected
  asio::steady_timer deadline_;
  std::function<void()> deadline_passed_;
  std::array<char, 16 * 1024> buffer_;
  Bytes sending_;  ///< the bytes of an unfinished write; empty if there is none
  bool something_came_ = false;
  bool leaving_ = false;
};

}  // namespace lekt
