#include "client/ping.h"

#include <asio.hpp>
#include <memory>

#include "client/connection.h"
#include "client/conversation.h"
#include "client/peer_view.h"
#include "client/tls_context.h"
#include "common/catalogue.h"

namespace lekt {

namespace {

class Ping : public ConnectionOwner {
 public:
  explicit Ping(const PingOptions& options)
      : connection_(std::make_shared<Connection>(
            context_,
            ConnectionSettings{options.server, options.source, options.tls, options.timeout, options.timeout},
            Conversation(catalogue_, offered_, view_), *this)) {}

  PingResult run() {
    started_ = Clock::now();
    connection_->start();
    context_.run();
    return result_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void on_connected() override {
    connected_ = Clock::now();
    result_.connect_time = std::chrono::duration_cast<std::chrono::microseconds>(connected_ - started_);
  }

  void on_accepted() override {
    result_.accepted = true;
    result_.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - connected_);
    connection_->leave();
  }

  void on_ended(const ConnectionEnd& end) override {
    if (!result_.accepted) result_.reason = end.reason;
    context_.stop();
  }

  asio::io_context context_;
  const MethodCatalogue catalogue_;
  // Method tcp is in every catalogue, so the server asks for its port before it registers anyone.
  const Methods offered_{{tcp_index, {}}};
  PeerView view_;
  PingResult result_;
  Clock::time_point started_;
  Clock::time_point connected_;
  std::shared_ptr<Connection> connection_;
};

}  // namespace

PingResult ping(const PingOptions& options) {
  if (options.tls) make_tls_context(*options.tls);
  return Ping(options).run();
}

}  // namespace lekt
