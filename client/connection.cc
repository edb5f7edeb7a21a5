#include "client/connection.h"

#include <fcntl.h>

#include <utility>

#include "common/duration.h"
#include "common/errors.h"
#include "common/text.h"

namespace lekt {

namespace {

using asio::ip::tcp;

/// How long a connection that leaves waits for the server to close.
constexpr std::chrono::milliseconds leave_timeout{1000};

std::string coded(ErrorCode code, const std::string& message) { return Rejection{code, message}.text(); }

std::string tls_reason(const ServerName& server, const std::string& reason) {
  return coded(ErrorCode::tls_failed, "TLS with " + to_string(server) + ": " + reason);
}

std::string closed_reason(const asio::error_code& error) {
  std::string reason = coded(ErrorCode::server_closed, "the server closed the connection without a reason");
  if (error != asio::error::eof) reason += " (" + error.message() + ")";
  return reason;
}

asio::ip::address_v4 to_asio(Ipv4Address address) { return asio::ip::address_v4(address.value); }

}  // namespace

Connection::Connection(asio::io_context& context, const ConnectionSettings& settings,
                       Conversation conversation, ConnectionOwner& owner)
    : settings_(settings),
      conversation_(std::move(conversation)),
      owner_(&owner),
      resolver_(context),
      stream_(context),
      deadline_(context) {}

void Connection::start() {
  set_deadline(settings_.connect_timeout,
               coded(ErrorCode::connect_failed, "cannot connect to " + to_string(settings_.server) +
                                                    " within " + format_duration(settings_.connect_timeout)));
  if (const auto address = parse_ipv4(settings_.server.host))
    connect({{to_asio(*address), settings_.server.port}});
  else
    resolve();
}

void Connection::resolve() {
  resolver_.async_resolve(
      tcp::v4(), settings_.server.host, std::to_string(settings_.server.port), tcp::resolver::numeric_service,
      [this, self = shared_from_this()](const Error& error, const tcp::resolver::results_type& results) {
        if (owner_ == nullptr) return;
        if (error) return fail_to_connect("the name has no IPv4 address (" + error.message() + ")");
        std::vector<tcp::endpoint> endpoints;
        for (const auto& result : results) endpoints.push_back(result.endpoint());
        connect(std::move(endpoints));
      });
}

/// Tries the endpoints in order until one answers.
void Connection::connect(std::vector<tcp::endpoint> endpoints) {
  if (const Error error = open_socket()) return fail_to_connect(error.message());
  const tcp::endpoint next = endpoints.front();
  endpoints.erase(endpoints.begin());
  stream_.socket().async_connect(
      next, [this, self = shared_from_this(), rest = std::move(endpoints)](const Error& error) mutable {
        if (owner_ == nullptr) return;
        if (!error) return settings_.tls ? begin_tls() : connected();
        if (rest.empty()) return fail_to_connect(error.message());
        connect(std::move(rest));
      });
}

Connection::Error Connection::open_socket() {
  Error error;
  tcp::socket& socket = stream_.socket();
  socket.close(error);
  socket.open(tcp::v4(), error);
  if (error) return error;
  // A program that this one starts must not hold the connection open: the server would believe that we are
  // still here.
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  socket.set_option(tcp::no_delay(true), error);
  if (settings_.source) socket.bind({to_asio(*settings_.source), 0}, error);
  return error;
}

void Connection::begin_tls() try {
  deadline_reason_ = tls_reason(
      settings_.server, "the handshake did not end within " + format_duration(settings_.connect_timeout));
  stream_.async_handshake(*settings_.tls, settings_.server.host,
                          [this, self = shared_from_this()](const Error& error) {
                            if (owner_ == nullptr) return;
                            if (error) return fail_in_tls(error);
                            connected();
                          });
} catch (const CodedError& unusable_file) {
  end({unusable_file.what()});
}

void Connection::connected() {
  connected_ = true;
  owner_->on_connected();
  if (owner_ == nullptr) return;
  flush();
  receive();
}

void Connection::heartbeat() {
  // The reject that ends the conversation may have come in one piece with what calls for a heartbeat.
  if (!conversation_.can_ask()) return;
  conversation_.heartbeat();
  flush();
}

void Connection::leave() {
  if (!connected_) return end({});
  leaving_ = true;
  stream_.end_sending(shared_from_this());
  set_deadline(leave_timeout, {});
}

void Connection::receive() {
  stream_.async_read_some(asio::buffer(buffer_),
                          [this, self = shared_from_this()](const Error& error, std::size_t size) {
                            if (owner_ == nullptr) return;
                            if (error) return failed(error);
                            if (!leaving_) received(size);
                            if (owner_ != nullptr) receive();
                          });
}

/// A server may refuse a client's certificate only after the handshake (TLS 1.3); the reader hears of it
/// first.
void Connection::failed(const Error& error) {
  if (Stream::is_of_tls(error)) return fail_in_tls(error);
  end({closed_reason(error)});
}

void Connection::received(std::size_t size) {
  for (const ConversationEvent& event : conversation_.receive({buffer_.data(), size})) {
    take(event);
    if (owner_ == nullptr || leaving_) return;
  }
  flush();
}

void Connection::take(const ConversationEvent& event) {
  if (const auto* rejected = std::get_if<Rejected>(&event)) return end({escape(rejected->text), true});
  if (const auto* malformed = std::get_if<Malformed>(&event)) return end({malformed->rejection.text()});
  if (const auto* updated = std::get_if<Updated>(&event)) return owner_->on_updated(updated->changes);
  if (std::holds_alternative<Joined>(event)) return owner_->on_joined();
  owner_->on_accepted();
}

/// Sends what the conversation has to say, and expects an answer if it is the server's turn.
void Connection::flush() {
  if (conversation_.expects_bytes())
    set_deadline(settings_.answer_timeout,
                 coded(ErrorCode::answer_timeout,
                       "the server did not answer within " + format_duration(settings_.answer_timeout)));
  else
    deadline_.cancel();
  if (!sending_.empty()) return;
  sending_ = conversation_.take_output();
  if (sending_.empty()) return;
  stream_.async_write(asio::buffer(sending_),
                      [this, self = shared_from_this()](const Error& error, std::size_t) {
                        sending_.clear();
                        // A failed write is left to the reader: it may still find the reject that explains
                        // it.
                        if (owner_ != nullptr && !leaving_ && !error) flush();
                      });
}

void Connection::set_deadline(std::chrono::milliseconds timeout, std::string reason) {
  deadline_.expires_after(timeout);
  deadline_reason_ = std::move(reason);
  deadline_.async_wait([this, self = shared_from_this()](const Error& error) {
    // The deadline may have been moved while this handler was on its way.
    const bool moved = deadline_.expiry() > asio::steady_timer::clock_type::now();
    if (!error && !moved && owner_ != nullptr) end({deadline_reason_});
  });
}

void Connection::fail_to_connect(const std::string& reason) {
  const std::string from = settings_.source ? " from " + to_string(*settings_.source) : "";
  end({coded(ErrorCode::connect_failed,
             "cannot connect to " + to_string(settings_.server) + from + ": " + reason)});
}

void Connection::fail_in_tls(const Error& error) {
  end({tls_reason(settings_.server, stream_.explain(error))});
}

void Connection::end(ConnectionEnd end) {
  ConnectionOwner* owner = std::exchange(owner_, nullptr);
  Error ignored;
  resolver_.cancel();
  deadline_.cancel();
  stream_.socket().close(ignored);
  owner->on_ended(end);
}

}  // namespace lekt
