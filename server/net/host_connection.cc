#include "server/net/host_connection.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "common/duration.h"
#include "server/net/socket.h"

namespace lekt {

namespace {

/// Of the addresses of a name. More would leave too little time for each.
constexpr std::size_t addresses_max = 4;
/// What the kernel may keep of a host that sends faster than it is read, and for one that does not read; it takes twice this.
constexpr int host_buffer_bytes = 64 * 1024;

// A host that says nothing is asked after a minute, and then four times.
constexpr int probe_after_seconds = 60;
constexpr int probe_interval_seconds = 15;
constexpr int probes_max = 4;
// One that does not acknowledge what is sent is given up after the same time.
constexpr int unacknowledged_max_ms = (probe_after_seconds + probes_max * probe_interval_seconds) * 1000;

template <int option>
using TcpOption = asio::detail::socket_option::integer<IPPROTO_TCP, option>;

/// The system's words, as a part of a sentence: "connection refused".
std::string words_of(const asio::error_code& error) {
  std::string words = error.message();
  if (!words.empty()) words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  return words;
}

void open_for(Socket& socket, const asio::ip::tcp::endpoint& endpoint) {
  socket.open(endpoint.protocol());
  socket.non_blocking(true);
  socket.set_option(asio::socket_base::receive_buffer_size(host_buffer_bytes));
  socket.set_option(asio::socket_base::send_buffer_size(host_buffer_bytes));
  socket.set_option(asio::ip::tcp::no_delay(true));
  socket.set_option(asio::socket_base::keep_alive(true));
  socket.set_option(TcpOption<TCP_KEEPIDLE>(probe_after_seconds));
  socket.set_option(TcpOption<TCP_KEEPINTVL>(probe_interval_seconds));
  socket.set_option(TcpOption<TCP_KEEPCNT>(probes_max));
  socket.set_option(TcpOption<TCP_USER_TIMEOUT>(unacknowledged_max_ms));
}

}  // namespace

/// The connection itself. What is under way refers to it, so it may outlive its owner; then it has no outside.
class HostConnection::Link final : public HostPace::Reader, public std::enable_shared_from_this<Link> {
 public:
  Link(asio::io_context& io, HostPace& pace, Outside& outside, const HostLimits& limits)
      : io_(io), pace_(pace), outside_(&outside), limits_(limits), socket_(io.get_executor()), timer_(io) {}

  void begin(const std::string& host, std::uint16_t port, const HostLookup::Ask& ask) {
    deadline_ = Clock::now() + limits_.connect;
    wait_until(deadline_, &Link::give_up);
    lookup_.emplace(io_, host, port, ask, [this](const HostAddresses& found) { try_addresses(found); });
  }

  /// The owner has gone.
  void leave() {
    outside_ = nullptr;
    state_ = State::over;
    lookup_.reset();
    timer_.cancel();
    asio::error_code ignored;
    socket_.close(ignored);
    Bytes().swap(waiting_);
  }

  void send(ByteView bytes) {
    if (state_ == State::over || broken_) return;
    if (waiting_.size() + bytes.size() > limits_.waiting_max) {
      // The owner is in the middle of something, and hears of it afterwards.
      broken_ = "the host does not read: more than " + std::to_string(limits_.waiting_max / 1024) +
                " KB wait for it";
      asio::post(io_, [self = shared_from_this()] { self->end(*self->broken_); });
      return;
    }
    waiting_ += bytes;
    flush();
  }

  void pause() { is_paused_ = true; }
  void resume() {
    is_paused_ = false;
    wait_readable();
  }

  std::size_t waiting_bytes() const { return waiting_.size(); }

  void take_turn(std::span<char> buffer) override {
    has_turn_ = false;
    if (!may_read()) return;
    asio::error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(buffer.data(), buffer.size()), error);
    if (would_block(error)) return wait_readable();
    if (error) return end(error == asio::error::eof ? broken_.value_or("") : words_of(error));
    outside_->received({buffer.data(), size});
    if (size == buffer.size())
      ask_for_turn();
    else
      wait_readable();
  }

 private:
  using Clock = std::chrono::steady_clock;
  enum class State : std::uint8_t { connecting, connected, over };

  // ---- Connecting ----

  void wait_until(Clock::time_point time, void (Link::*then)()) {
    timer_.expires_at(time);
    timer_.async_wait([self = shared_from_this(), then, attempt = tried_](const asio::error_code& error) {
      if (error || self->state_ != State::connecting || attempt != self->tried_) return;
      (self.get()->*then)();
    });
  }

  void try_addresses(const HostAddresses& found) {
    if (state_ != State::connecting) return;
    endpoints_ = found.endpoints;
    if (endpoints_.size() > addresses_max) endpoints_.resize(addresses_max);
    if (endpoints_.empty()) return fail(found.trouble);
    try_next();
  }

  /// Each address gets an equal part of the time that is left, so a silent one leaves some to the others.
  void try_next() {
    const asio::ip::tcp::endpoint endpoint = endpoints_[tried_++];
    const auto now = Clock::now();
    const auto addresses_left = static_cast<int>(endpoints_.size() - tried_ + 1);
    wait_until(now + (deadline_ - now) / addresses_left, &Link::give_up_address);
    asio::error_code ignored;
    socket_.close(ignored);
    try {
      open_for(socket_, endpoint);
    } catch (const asio::system_error& error) {
      return failed_at_address(words_of(error.code()));
    }
    socket_.async_connect(endpoint,
                          [self = shared_from_this(), attempt = tried_](const asio::error_code& error) {
                            if (self->state_ != State::connecting || attempt != self->tried_) return;
                            if (error)
                              self->failed_at_address(words_of(error));
                            else
                              self->be_connected();
                          });
  }

  void give_up_address() {
    failed_at_address(endpoints_.size() == 1 ? "no answer within " + format_duration(limits_.connect)
                                             : "no answer");
  }

  /// Of several addresses the machine prefers the first, so its trouble is told.
  void failed_at_address(const std::string& reason) {
    if (trouble_.empty()) trouble_ = reason;
    if (tried_ == endpoints_.size()) return fail(trouble_);
    try_next();
  }

  void give_up() {
    fail("no answer of the machine's name servers within " + format_duration(limits_.connect));
  }

  void fail(const std::string& reason) {
    const auto self = shared_from_this();  // the owner may destroy the connection
    Outside* const outside = outside_;
    leave();
    outside->failed(reason);
  }

  void be_connected() {
    const auto self = shared_from_this();
    state_ = State::connected;
    timer_.cancel();
    outside_->connected();
    flush();
    wait_readable();
  }

  // ---- Connected ----

  bool may_read() const {
    return state_ == State::connected && !is_paused_ && waiting_.size() < limits_.reading_stops_at;
  }

  void wait_readable() {
    if (!may_read() || waits_readable_ || has_turn_) return;
    waits_readable_ = true;
    socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const asio::error_code&) {
      self->waits_readable_ = false;
      self->ask_for_turn();
    });
  }

  void ask_for_turn() {
    if (!may_read() || has_turn_) return;
    has_turn_ = true;
    pace_.ask_for_turn(shared_from_this());
  }

  void flush() {
    if (state_ != State::connected || waits_writable_ || broken_) return;
    asio::error_code error;
    std::size_t sent = 0;
    while (sent < waiting_.size() && !error)
      sent += socket_.write_some(asio::buffer(waiting_.data() + sent, waiting_.size() - sent), error);
    waiting_.erase(0, sent);
    if (would_block(error)) {
      waits_writable_ = true;
      socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const asio::error_code&) {
        self->waits_writable_ = false;
        self->flush();
      });
    } else {
      if (error) break_off(error);
      Bytes().swap(waiting_);
    }
    wait_readable();
  }

  /// Nothing more can be sent. What the host has sent before is read first, and then that it is over.
  void break_off(const asio::error_code& why) {
    broken_ = words_of(why);
    asio::error_code ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
  }

  void end(const std::string& reason) {
    if (state_ == State::over) return;
    const auto self = shared_from_this();
    Outside* const outside = outside_;
    const bool was_connected = state_ == State::connected;
    const std::string words = reason;
    leave();
    if (was_connected)
      outside->closed(words);
    else
      outside->failed(words);
  }

  asio::io_context& io_;
  HostPace& pace_;
  Outside* outside_;  ///< null when it is over
  const HostLimits limits_;
  Socket socket_;
  asio::steady_timer timer_;  ///< of connecting
  std::optional<HostLookup> lookup_;
  std::vector<asio::ip::tcp::endpoint> endpoints_;
  std::size_t tried_ = 0;  ///< of these
  std::string trouble_;    ///< with the first of them
  Clock::time_point deadline_;
  Bytes waiting_;                      ///< for the host
  std::optional<std::string> broken_;  ///< why nothing more is sent
  State state_ = State::connecting;
  bool is_paused_ = false;
  bool waits_readable_ = false;
  bool waits_writable_ = false;
  bool has_turn_ = false;  ///< or waits for it
};

HostConnection::HostConnection(asio::io_context& io, HostPace& pace, const std::string& host,
                               std::uint16_t port, Outside& outside, const HostLimits& limits,
                               const HostLookup::Ask& ask)
    : link_(std::make_shared<Link>(io, pace, outside, limits)) {
  link_->begin(host, port, ask);
}

HostConnection::~HostConnection() { link_->leave(); }

void HostConnection::send(ByteView bytes) { link_->send(bytes); }

void HostConnection::pause() { link_->pause(); }

void HostConnection::resume() { link_->resume(); }

std::size_t HostConnection::waiting_bytes() const { return link_->waiting_bytes(); }

}  // namespace lekt
