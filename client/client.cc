#include "client/client.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <set>
#include <system_error>
#include <utility>

#include "client/address_watch.h"
#include "client/back_off.h"
#include "client/conversation.h"
#include "client/route.h"
#include "client/server_link.h"
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

/// Throws E705 unless the options make sense. Sorts the methods.
ClientOptions checked(ClientOptions options) {
  normalise(options.methods);
  for (std::size_t i = 0; i < options.methods.size(); ++i) {
    const std::uint32_t index = options.methods[i].index;
    require(index >= 1 && index <= limits::methods_max_ceiling,
            "method " + std::to_string(index) + " is impossible; 1 to " +
                std::to_string(limits::methods_max_ceiling) + " would be right");
    require(i == 0 || options.methods[i - 1].index != index,
            "method " + std::to_string(index) + " is given twice; a program has one of each index");
    const auto reason = options.catalogue.why_not_offered(index);
    require(!reason, reason.value_or(""));
  }
  require((options.features & Features::all()) == options.features,
          "the features " + to_string(options.features) + " are not all known to this program; it has " +
              to_string(Features::all()));
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

class Client::Implementation final : public LinkOwner {
 public:
  Implementation(ClientOptions options, ClientHandler& handler)
      : options_(checked(std::move(options))),
        settings_{options_.source, options_.tls, options_.connect_timeout, options_.answer_timeout},
        handler_(handler),
        stop_event_(context_, open_event()),
        retry_timer_(context_),
        heartbeat_timer_(context_),
        back_off_(options_.retry_first, options_.retry_last,
                  options_.random_seed.value_or(std::random_device()())),
        route_(context_, parse_server_name(options_.server)),
        address_watch_(context_, [this](bool appeared) { addresses_changed(appeared); }) {
    if (const auto state = std::exchange(options_.state, {})) view_.resume(*state);
    stop_event_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const Error&) { leave(); });
    asio::post(context_, [this] { connect(); });
  }

  void run() { context_.run(); }

  bool run_for(std::chrono::milliseconds duration) {
    context_.run_for(duration);
    return !context_.stopped();
  }

  /// Wakes the client with one write to a descriptor, which is all that a signal handler may do.
  void stop() noexcept {
    const int error_of_interrupted = errno;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_event_.native_handle(), &one, sizeof one);
    errno = error_of_interrupted;
  }

  const Peers& peers() const { return view_.peers(); }

  ClientState state() const { return view_.state(); }

  std::optional<Endpoints> endpoints() const { return link_ ? link_->endpoints() : std::nullopt; }

 private:
  using Error = asio::error_code;
  using Clock = asio::steady_timer::clock_type;

  void connect() {
    if (leaving_) return;
    link_ = std::make_shared<ServerLink>(
        context_, settings_, route_,
        Conversation(options_.catalogue, options_.methods, view_, options_.features), *this);
    link_->start();
  }

  void on_accepted(const Accepted& accepted) override {
    view_.connected_to({to_string(route_.server()), link_->endpoints()->server, accepted.identity});
  }

  void on_joined() override {
    ask();
    handler_.on_joined();
  }

  void on_updated(const std::vector<PeerChange>& changes) override {
    // Only an answer proves that the server can be used again; a server that accepts and then fails gets no
    // quick retries.
    back_off_.reset();
    route_.end_round();
    heartbeat_timer_.expires_at(heartbeat_due_);
    heartbeat_timer_.async_wait([this](const Error& error) {
      if (!error && link_ != nullptr && !leaving_) ask();
    });
    for (const PeerChange& change : changes) handler_.on_change(change);
    warn_of_loopback(changes);
    handler_.on_synchronised();
  }

  void on_ended(const LinkEnd& end) override {
    link_.reset();
    heartbeat_timer_.cancel();
    if (leaving_) return context_.stop();
    const bool others_left = route_.left() > 0;
    const bool at_once = others_left || own_address_gone_;
    own_address_gone_ = false;
    const std::chrono::milliseconds delay = at_once ? std::chrono::milliseconds(0) : back_off_.next();
    connect_at(Clock::now() + delay);
    handler_.on_disconnected(
        {end.reason, end.rejected, end.rejected && is_permanent(end.reason), delay, others_left});
  }

  void on_warning(const std::string& warning) override {
    if (warned_of_.insert(warning).second) handler_.on_warning(warning);
  }

  /// Warns if peers on other machines cannot reach this program by the address that they are told.
  void warn_of_loopback(const std::vector<PeerChange>& changes) {
    const Address own = link_->endpoints()->own;
    if (!is_loopback(own) || options_.methods.empty()) return;
    const auto elsewhere = std::ranges::find_if(changes, [](const PeerChange& change) {
      return change.kind == PeerChange::Kind::added && !is_loopback(change.address);
    });
    if (elsewhere == changes.end() || warned_of_loopback_) return;
    warned_of_loopback_ = true;
    on_warning(Rejection{ErrorCode::known_as_loopback,
                         "others are told " + to_string(own) + " for this program, and " +
                             to_string(elsewhere->address) +
                             " for one cannot reach it by that; name the coordinator by its address in the "
                             "network instead of " +
                             to_string(route_.server())}
                   .text());
  }

  void connect_at(Clock::time_point when) {
    retry_timer_.expires_at(when);
    retry_timer_.async_wait([this](const Error& error) {
      if (!error) connect();
    });
  }

  /// Reacts to a change of this machine's addresses. A connection from an address that has gone is dead, which would go
  /// unnoticed for long; and a new address may belong to the network that was missing.
  void addresses_changed(bool appeared) {
    if (leaving_) return;
    if (link_ != nullptr) {
      const auto& endpoints = link_->endpoints();
      if (!endpoints || is_own_address(endpoints->own)) return;
      own_address_gone_ = true;
      link_->abandon(Rejection{ErrorCode::own_address_gone, "this machine no longer has the address " +
                                                                to_string(endpoints->own) +
                                                                ", from which it was connected"}
                         .text());
    } else if (appeared) {
      back_off_.reset();
      const auto soon = Clock::now() + back_off_.next();
      if (soon < retry_timer_.expiry()) connect_at(soon);
    }
  }

  void ask() {
    heartbeat_due_ = Clock::now() + options_.interval;
    link_->heartbeat();
  }

  void leave() {
    leaving_ = true;
    if (link_ == nullptr) return context_.stop();
    link_->leave();
  }

  asio::io_context context_;  // first: its end destroys handlers that refer to what follows
  ClientOptions options_;
  const LinkSettings settings_;
  ClientHandler& handler_;
  PeerView view_;
  asio::posix::stream_descriptor stop_event_;
  asio::steady_timer retry_timer_;
  asio::steady_timer heartbeat_timer_;
  Clock::time_point heartbeat_due_;
  BackOff back_off_;
  Route route_;
  AddressWatch address_watch_;
  bool own_address_gone_ = false;
  std::set<std::string> warned_of_;
  bool warned_of_loopback_ = false;
  std::shared_ptr<ServerLink> link_;  ///< null while waiting for the next attempt
  bool leaving_ = false;
};

Client::Client(ClientOptions options, ClientHandler& handler)
    : implementation_(std::make_unique<Implementation>(std::move(options), handler)) {}

Client::~Client() = default;

void Client::run() { implementation_->run(); }

bool Client::run_for(std::chrono::milliseconds duration) { return implementation_->run_for(duration); }

void Client::stop() noexcept { implementation_->stop(); }

const Peers& Client::peers() const { return implementation_->peers(); }

ClientState Client::state() const { return implementation_->state(); }

std::optional<Endpoints> Client::endpoints() const { return implementation_->endpoints(); }

}  // namespace lekt
