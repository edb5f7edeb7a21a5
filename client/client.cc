#include "client/client.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>
#include <system_error>
#include <utility>

#include "client/back_off.h"
#include "client/connection.h"
#include "client/conversation.h"
#include "client/server_name.h"
#include "client/tls_context.h"
#include "common/errors.h"
#include "common/limits.h"

namespace lekt {

namespace {

constexpr std::chrono::milliseconds duration_max = std::chrono::hours(24 * 365);

void require(bool holds, const std::string& message) {
  if (!holds) throw CodedError(ErrorCode::usage_wrong, message);
}

void check_duration(std::chrono::milliseconds duration, const std::string& name) {
  require(duration.count() > 0 && duration <= duration_max,
          name + " must be longer than 0 and at most a year");
}

/// Throws E705 unless the options make sense. Brings the methods into order.
ClientOptions checked(ClientOptions options) {
  normalise(options.methods);
  for (std::size_t i = 0; i < options.methods.size(); ++i) {
    const std::uint32_t index = options.methods[i].index;
    require(index >= 1 && index <= limits::methods_max_ceiling,
            "method " + std::to_string(index) + " is impossible; 1 to " +
                std::to_string(limits::methods_max_ceiling) + " would be right");
    require(i == 0 || options.methods[i - 1].index != index,
            "method " + std::to_string(index) + " is given twice; a program has one of each index");
  }
  check_duration(options.interval, "the interval");
  check_duration(options.connect_timeout, "the timeout of connecting");
  check_duration(options.answer_timeout, "the timeout of answers");
  check_duration(options.retry_first, "the shortest wait before the next attempt");
  check_duration(options.retry_last, "the longest wait before the next attempt");
  require(options.retry_first <= options.retry_last,
          "the longest wait before the next attempt must not be shorter "
          "than the shortest");
  if (options.tls) make_tls_context(*options.tls);
  return options;
}

int open_event() {
  const int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return descriptor;
}

/// Whether the server's text says that it would refuse the same client again (see common/errors.cc).
bool is_permanent(std::string_view reason) {
  using enum ErrorCode;
  constexpr std::array codes = {version_unsupported,  not_lekt,          packet_unexpected,
                                methods_too_many,     method_bit_beyond, address_not_ipv4,
                                response_index_wrong, port_invalid,      information_too_long,
                                padding_not_zero};
  return std::ranges::any_of(codes,
                             [&](ErrorCode code) { return reason.starts_with(code_text(code) + " "); });
}

}  // namespace

class Client::Implementation : public ConnectionOwner {
 public:
  Implementation(ClientOptions options, ClientHandler& handler)
      : options_(checked(std::move(options))),
        settings_{parse_server_name(options_.server), options_.source, options_.tls, options_.connect_timeout,
                  options_.answer_timeout},
        handler_(handler),
        stop_event_(context_, open_event()),
        retry_timer_(context_),
        heartbeat_timer_(context_),
        back_off_(options_.retry_first, options_.retry_last,
                  options_.random_seed.value_or(std::random_device()())) {
    stop_event_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const Error&) { leave(); });
    asio::post(context_, [this] { connect(); });
  }

  void run() { context_.run(); }

  bool run_for(std::chrono::milliseconds duration) {
    context_.run_for(duration);
    return !context_.stopped();
  }

  /// One write to a descriptor: all that a signal handler may do.
  void stop() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_event_.native_handle(), &one, sizeof one);
  }

  const Peers& peers() const { return view_.peers(); }

 private:
  using Error = asio::error_code;
  using Clock = asio::steady_timer::clock_type;

  void connect() {
    if (leaving_) return;
    connection_ = std::make_shared<Connection>(
        context_, settings_, Conversation(options_.catalogue, options_.methods, view_), *this);
    connection_->start();
  }

  void on_joined() override {
    ask();
    handler_.on_joined();
  }

  void on_updated(const std::vector<PeerChange>& changes) override {
    // Only an answer proves that the server can be used again; one that accepts and then fails is not
    // hurried.
    back_off_.reset();
    heartbeat_timer_.expires_at(heartbeat_due_);
    heartbeat_timer_.async_wait([this](const Error& error) {
      if (!error && connection_ != nullptr && !leaving_) ask();
    });
    for (const PeerChange& change : changes) handler_.on_change(change);
    handler_.on_synchronised();
  }

  void on_ended(const ConnectionEnd& end) override {
    connection_.reset();
    heartbeat_timer_.cancel();
    if (leaving_) return context_.stop();
    const std::chrono::milliseconds delay = back_off_.next();
    retry_timer_.expires_after(delay);
    retry_timer_.async_wait([this](const Error& error) {
      if (!error) connect();
    });
    handler_.on_disconnected({end.reason, end.rejected, end.rejected && is_permanent(end.reason), delay});
  }

  void ask() {
    heartbeat_due_ = Clock::now() + options_.interval;
    connection_->heartbeat();
  }

  void leave() {
    leaving_ = true;
    if (connection_ == nullptr) return context_.stop();
    connection_->leave();
  }

  asio::io_context context_;  // first: its end destroys handlers that refer to what follows
  const ClientOptions options_;
  const ConnectionSettings settings_;
  ClientHandler& handler_;
  PeerView view_;
  asio::posix::stream_descriptor stop_event_;
  asio::steady_timer retry_timer_;
  asio::steady_timer heartbeat_timer_;
  Clock::time_point heartbeat_due_;
  BackOff back_off_;
  std::shared_ptr<Connection> connection_;  ///< none while waiting for the next attempt
  bool leaving_ = false;
};

Client::Client(ClientOptions options, ClientHandler& handler)
    : implementation_(std::make_unique<Implementation>(std::move(options), handler)) {}

Client::~Client() = default;

void Client::run() { implementation_->run(); }

bool Client::run_for(std::chrono::milliseconds duration) { return implementation_->run_for(duration); }

void Client::stop() noexcept { implementation_->stop(); }

const Peers& Client::peers() const { return implementation_->peers(); }

}  // namespace lekt
