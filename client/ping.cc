#include "client/ping.h"

#include <asio.hpp>
#include <memory>

#include "client/conversation.h"
#include "client/peer_view.h"
#include "client/route.h"
#include "client/server_link.h"
#include "client/tls_context.h"
#include "common/catalogue.h"

namespace lekt {

namespace {

class Ping final : public LinkOwner {
 public:
  explicit Ping(const PingOptions& options)
      : options_(options), connecting_left_(options.timeout), route_(context_, options.server) {}

  PingResult run() {
    started_ = Clock::now();
    connect();
    context_.run();
    return result_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void connect() {
    link_started_ = Clock::now();
    const LinkSettings settings{options_.source, options_.tls, connecting_left_, options_.timeout, true};
    link_ = std::make_shared<ServerLink>(context_, settings, route_,
                                         Conversation(catalogue_, offered_, view_), *this);
    link_->start();
  }

  void on_connected() override {
    connected_ = Clock::now();
    result_.connect_time = std::chrono::duration_cast<std::chrono::microseconds>(connected_ - started_);
    result_.endpoints = *link_->endpoints();
    connecting_left_ -= std::chrono::duration_cast<std::chrono::milliseconds>(connected_ - link_started_);
  }

  void on_accepted(const Accepted&) override {
    result_.accepted = true;
    result_.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - connected_);
    link_->leave();
  }

  void on_warning(const std::string& warning) override { result_.warnings.push_back(warning); }

  void on_ended(const LinkEnd& end) override {
    if (result_.accepted) return context_.stop();
    result_.reason += (result_.reason.empty() ? "" : "; ") + end.reason;
    // An address that failed after it was connected to leaves the other addresses their turn.
    const bool was_connected = link_->endpoints().has_value();
    if (!was_connected || route_.left() == 0 || connecting_left_.count() <= 0) return context_.stop();
    asio::post(context_, [this] { connect(); });
  }

  asio::io_context context_;  // first: its end destroys handlers that refer to what follows
  const PingOptions options_;
  std::chrono::milliseconds connecting_left_;
  Route route_;
  const MethodCatalogue catalogue_;
  // Method tcp is in every catalogue, so the server asks for its port before it registers anyone.
  const Methods offered_{{tcp_index, {}}};
  PeerView view_;
  PingResult result_;
  Clock::time_point started_;
  Clock::time_point link_started_;
  Clock::time_point connected_;
  std::shared_ptr<ServerLink> link_;
};

}  // namespace

PingResult ping(const PingOptions& options) {
  if (options.tls) make_tls_context(*options.tls);
  return Ping(options).run();
}

}  // namespace lekt
