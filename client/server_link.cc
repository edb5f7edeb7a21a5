#include "client/server_link.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "common/duration.h"
#include "common/errors.h"
#include "common/text.h"

namespace lekt {

namespace {

using asio::ip::tcp;
using std::chrono::milliseconds;

/// How long a link that leaves waits for the server to close.
constexpr milliseconds leave_timeout{1000};

/// An address gets at least the time to connect divided by this, however many addresses the name has. Addresses that
/// had no turn get one in the next attempt.
constexpr int shares_max = 8;

using Centiseconds = std::chrono::duration<std::chrono::milliseconds::rep, std::centi>;

/// How many of the tried addresses an error lists.
constexpr std::size_t troubles_listed_max = 4;

std::string coded(ErrorCode code, const std::string& message) { return Rejection{code, message}.text(); }

asio::ip::address_v4 to_asio(Address address) { return asio::ip::address_v4(address.as_v4()); }

/// Whether a server's first bytes are a TLS record: a handshake or an alert.
bool is_tls(ByteView bytes) {
  return bytes.size() >= 2 && (bytes[0] == 0x15 || bytes[0] == 0x16) && bytes[1] == 0x03;
}

}  // namespace

ServerLink::ServerLink(asio::io_context& context, const LinkSettings& settings, Route& route,
                       Conversation conversation, LinkOwner& owner)
    : settings_(settings),
      route_(route),
      conversation_(std::move(conversation)),
      owner_(&owner),
      context_(context),
      deadline_(context) {}

void ServerLink::start() {
  connecting_until_ = Clock::now() + settings_.connect_timeout;
  // If the name servers are silent, half of the time is left for the addresses that are already known.
  const bool can_do_without = route_.knows_addresses();
  set_deadline(can_do_without ? settings_.connect_timeout / 2 : settings_.connect_timeout,
               [this, can_do_without] {
                 if (!can_do_without)
                   return fail_to_connect("the machine's name servers did not answer within " +
                                          format_duration(settings_.connect_timeout));
                 route_.begin_with_known();
                 connect_next();
               });
  route_.begin_round([this, self = shared_from_this()](const std::string& trouble) {
    if (owner_ == nullptr) return;
    if (!trouble.empty()) return fail_to_connect(trouble);
    connect_next();
  });
}

/// Tries the next address of the round, if there is one and time is left.
void ServerLink::connect_next() {
  const milliseconds share = share_of_next();
  if (share.count() <= 0) return fail_to_connect();
  address_ = route_.take();
  stream_ = std::make_shared<Stream>(context_);
  if (const Error error = open_socket()) {
    route_.end_round();  // the other addresses would have the same trouble
    return fail_to_connect(error.message());
  }
  set_deadline(share,
               [this, share] { fail_at_address(false, "no answer within " + format_duration(share)); });
  stream_->socket().async_connect(
      {to_asio(address_), route_.server().port},
      [this, self = shared_from_this(), stream = stream_, share](const Error& error) {
        if (owner_ == nullptr || stream != stream_) return;
        if (error) return fail_at_address(false, error.message());
        settings_.tls ? begin_tls(share) : connected();
      });
}

/// How long the next address may take, TLS included; 0 if there is none or no time is left.
milliseconds ServerLink::share_of_next() const {
  // The time is rounded up to hundredths of a second, so that messages have no odd milliseconds.
  const milliseconds time_left = std::chrono::ceil<Centiseconds>(connecting_until_ - Clock::now());
  if (route_.left() == 0 || time_left.count() <= 0) return milliseconds(0);
  const auto equal = time_left / static_cast<milliseconds::rep>(route_.left());
  return std::min(time_left, std::max({equal, settings_.connect_timeout / shares_max, milliseconds(1)}));
}

ServerLink::Error ServerLink::open_socket() {
  Error error;
  tcp::socket& socket = stream_->socket();
  socket.open(tcp::v4(), error);
  if (error) return error;
  // A program that this one starts must not hold the connection open: the server would believe that we are
  // still here.
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  socket.set_option(tcp::no_delay(true), error);
  if (settings_.source) socket.bind({to_asio(*settings_.source), 0}, error);
  return error;
}

/// Begins TLS, within the time that is left to the address.
void ServerLink::begin_tls(milliseconds share) try {
  deadline_passed_ = [this, share] {
    fail_at_address(true, "the handshake did not end within " + format_duration(share));
  };
  stream_->async_handshake(*settings_.tls, route_.server().host,
                           [this, self = shared_from_this(), stream = stream_](const Error& error) {
                             if (owner_ == nullptr || stream != stream_) return;
                             if (error) return fail_at_address(true, stream_->explain(error));
                             connected();
                           });
} catch (const CodedError& unusable_file) {
  route_.end_round();
  end({unusable_file.what()});
}

void ServerLink::connected() {
  Error error;
  const tcp::endpoint own = stream_->socket().local_endpoint(error);
  if (error) return fail_at_address(false, error.message());
  endpoints_ = {address_, route_.server().port, Address::v4(own.address().to_v4().to_uint()), own.port()};
  if (settings_.answers_share_time)
    settings_.answer_timeout =
        std::max(settings_.answer_timeout / static_cast<int>(route_.size()), milliseconds(1));
  owner_->on_connected();
  for (const std::string& warning : stream_->warnings())
    if (owner_ != nullptr) owner_->on_warning(warning);
  if (owner_ == nullptr) return;
  flush();
  receive();
}

void ServerLink::heartbeat() {
  // The reject that ends the conversation may have arrived together with what calls for a heartbeat.
  if (!conversation_.can_ask()) return;
  conversation_.heartbeat();
  flush();
}

void ServerLink::leave() {
  if (!endpoints_) return end({});
  leaving_ = true;
  stream_->end_sending(shared_from_this());
  set_deadline(leave_timeout, [this] { end({}); });
}

void ServerLink::receive() {
  stream_->async_read_some(asio::buffer(buffer_),
                           [this, self = shared_from_this()](const Error& error, std::size_t size) {
                             if (owner_ == nullptr) return;
                             if (error) return failed(error);
                             if (!leaving_) received(size);
                             if (owner_ != nullptr) receive();
                           });
}

/// A server may refuse a client's certificate only after the handshake (TLS 1.3); the reader hears of it
/// first.
void ServerLink::failed(const Error& error) {
  if (!Stream::is_of_tls(error)) return end({closed_reason(error)});
  troubles_.push_back({address_, true, stream_->explain(error)});
  end({text_of_troubles()});
}

void ServerLink::received(std::size_t size) {
  const ByteView bytes(buffer_.data(), size);
  if (!std::exchange(something_came_, true) && !settings_.tls && is_tls(bytes))
    return end({with_address(coded(ErrorCode::tls_failed, to_string(route_.server()) +
                                                              " speaks TLS on this port; use TLS (--tls), or "
                                                              "the server's port without it"))});
  for (const ConversationEvent& event : conversation_.receive(bytes)) {
    take(event);
    if (owner_ == nullptr || leaving_) return;
  }
  flush();
}

void ServerLink::take(const ConversationEvent& event) {
  if (const auto* rejected = std::get_if<Rejected>(&event))
    return end({with_address(escape(rejected->text)), true});
  if (const auto* malformed = std::get_if<Malformed>(&event))
    return end({with_address(malformed->rejection.text())});
  if (const auto* updated = std::get_if<Updated>(&event)) return owner_->on_updated(updated->changes);
  if (const auto* differs = std::get_if<ListDiffers>(&event))
    return owner_->on_warning(code_text(ErrorCode::list_differs) + " " + differs->message);
  if (std::holds_alternative<Joined>(event)) return owner_->on_joined();
  owner_->on_accepted();
}

/// Sends what the conversation has to say, and expects an answer if it is the server's turn.
void ServerLink::flush() {
  if (conversation_.expects_bytes())
    set_deadline(settings_.answer_timeout, [this] {
      end({with_address(coded(ErrorCode::answer_timeout, "the server did not answer within " +
                                                             format_duration(settings_.answer_timeout)))});
    });
  else
    deadline_.cancel();
  if (!sending_.empty()) return;
  sending_ = conversation_.take_output();
  if (sending_.empty()) return;
  stream_->async_write(asio::buffer(sending_),
                       [this, self = shared_from_this()](const Error& error, std::size_t) {
                         sending_.clear();
                         // A failed write is left to the reader: it may still find the reject that explains
                         // it.
                         if (owner_ != nullptr && !leaving_ && !error) flush();
                       });
}

void ServerLink::set_deadline(milliseconds timeout, std::function<void()> passed) {
  deadline_.expires_after(timeout);
  deadline_passed_ = std::move(passed);
  deadline_.async_wait([this, self = shared_from_this()](const Error& error) {
    // The deadline may have been moved while this handler was on its way.
    const bool moved = deadline_.expiry() > Clock::now();
    if (error || moved || owner_ == nullptr) return;
    const auto passed_now = deadline_passed_;  // a copy, since calling it may set the next deadline
    passed_now();
  });
}

/// Notes that an address cannot be talked to, and gives the next one its turn.
void ServerLink::fail_at_address(bool of_tls, const std::string& reason) {
  troubles_.push_back({address_, of_tls, reason});
  Error ignored;
  stream_->socket().close(ignored);
  endpoints_.reset();
  connect_next();
}

void ServerLink::fail_to_connect() { end({text_of_troubles()}); }

void ServerLink::fail_to_connect(const std::string& reason) {
  const std::string from = settings_.source ? " from " + to_string(*settings_.source) : "";
  end({coded(ErrorCode::connect_failed,
             "cannot connect to " + to_string(route_.server()) + from + ": " + reason)});
}

/// The reason if the server gave none: "E702 the server closed the connection without a reason". If no byte came from
/// it, a likely cause is added.
std::string ServerLink::closed_reason(const Error& error) const {
  std::string reason = coded(ErrorCode::server_closed, "the server closed the connection without a reason");
  if (error != asio::error::eof) reason += " (" + error.message() + ")";
  if (!something_came_ && !settings_.tls) reason += "; if this is its port for TLS, use TLS (--tls)";
  return with_address(reason);
}

/// What happened at the addresses that were tried, in order. If TLS failed at any, the whole text has its code.
std::string ServerLink::text_of_troubles() const {
  const bool of_tls = std::ranges::any_of(troubles_, &Trouble::of_tls);
  const ErrorCode code = of_tls ? ErrorCode::tls_failed : ErrorCode::connect_failed;
  const std::string server = to_string(route_.server());
  if (troubles_.empty())
    return coded(code, "cannot connect to " + server + ": looking its name up took all of the time");
  if (route_.size() == 1 && of_tls)
    return coded(code, "TLS with " + server + ": " + troubles_.front().reason);
  const std::string from = settings_.source ? " from " + to_string(*settings_.source) : "";
  std::string text = "cannot connect to " + server + from;
  if (route_.size() == 1) return coded(code, text + ": " + troubles_.front().reason);
  const std::size_t listed = std::min(troubles_.size(), troubles_listed_max);
  for (std::size_t i = 0; i < listed; ++i)
    text += (i == 0 ? ": " : "; ") + to_string(troubles_[i].address) +
            (troubles_[i].of_tls ? ": TLS: " : ": ") + troubles_[i].reason;
  if (troubles_.size() > listed)
    text += "; and " + std::to_string(troubles_.size() - listed) + " more addresses";
  return coded(code, text);
}

/// The reason of an end, with the address that it is about if the server's name has several.
std::string ServerLink::with_address(const std::string& reason) const {
  return route_.size() > 1 ? reason + " (at " + to_string(address_) + ")" : reason;
}

void ServerLink::end(LinkEnd end) {
  LinkOwner* owner = std::exchange(owner_, nullptr);
  Error ignored;
  route_.cancel();
  deadline_.cancel();
  if (stream_) stream_->socket().close(ignored);
  owner->on_ended(end);
}

}  // namespace lekt
