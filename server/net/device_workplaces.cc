#include "server/net/device_workplaces.h"

#include <optional>
#include <string>

#include "server/net/host_connection.h"

namespace lekt {

/// A workplace and its connection. Each tells it what it wants of the other.
class DeviceWorkplaces::Place final : private Workplace::Outside, private HostConnection::Outside {
 public:
  Place(DeviceWorkplaces& all, const DeviceSession& session)
      : all_(all), session_(session), workplace_(session, *this) {}

  Workplace& workplace() { return workplace_; }

  void follow() {
    unseen_ = 0;
    if (connection_) connection_->resume();
  }

 private:
  // Workplace::Outside
  void connect(const DeviceHost& host) override {
    unseen_ = 0;
    connection_.emplace(all_.io_, all_.pace_, host.host, host.port,
                        static_cast<HostConnection::Outside&>(*this));
  }
  void disconnect() override { connection_.reset(); }
  void send_to_host(ByteView bytes) override {
    if (connection_) connection_->send(bytes);
  }
  void screen_changed() override {
    has_changed_ = true;
    all_.news_.changed.insert(session_.number());
  }
  void alert(const Rejection& rejection) override {
    all_.outside_.alert(session_, rejection);
    log(handler_event::host_trouble(session_.device().uid, rejection.text()));
  }
  void over(const Rejection& reason) override { all_.news_.over.emplace_back(session_.number(), reason); }

  // HostConnection::Outside. The news that wake() tells of may end the session, and this with it.
  void connected() override {
    log(handler_event::host_connected(session_.device().uid, full_name(*workplace_.host())));
    workplace_.connected();
    all_.outside_.wake();
  }
  void failed(const std::string& reason) override {
    connection_.reset();
    workplace_.failed(reason);
    all_.outside_.wake();
  }
  /// What leaves the screen as it is makes nobody wait: the screen would not be drawn, and the host would never go on.
  void received(ByteView bytes) override {
    has_changed_ = false;
    workplace_.received(bytes);
    if (has_changed_) unseen_ += bytes.size();
    if (connection_ && unseen_ >= unseen_max) connection_->pause();
    all_.outside_.wake();
  }
  void closed(const std::string& reason) override {
    connection_.reset();
    log(handler_event::host_lost(session_.device().uid, full_name(*workplace_.host()),
                                 reason.empty() ? "it has closed the connection" : reason));
    workplace_.hung_up(reason);
    all_.outside_.wake();
  }

  void log(const HandlerEvent& event) { all_.outside_.log(session_, event); }

  DeviceWorkplaces& all_;
  const DeviceSession& session_;
  Workplace workplace_;
  std::optional<HostConnection> connection_;
  std::size_t unseen_ = 0;    ///< bytes of the host that have changed the screen since it was drawn
  bool has_changed_ = false;  ///< the screen, with the bytes that are being received
};

DeviceWorkplaces::DeviceWorkplaces(asio::io_context& io, Outside outside)
    : io_(io), pace_(io), outside_(std::move(outside)) {}

DeviceWorkplaces::~DeviceWorkplaces() = default;

void DeviceWorkplaces::begin(const DeviceSession& session) {
  if (session.offer().hosts.empty()) return;
  auto place = std::make_unique<Place>(*this, session);
  Workplace& workplace = place->workplace();
  places_.emplace(session.number(), std::move(place));
  workplace.begin();
}

void DeviceWorkplaces::end(DeviceSession::Number session) { places_.erase(session); }

void DeviceWorkplaces::end_all() { places_.clear(); }

const Workplace* DeviceWorkplaces::find(DeviceSession::Number session) const {
  const auto found = places_.find(session);
  return found == places_.end() ? nullptr : &found->second->workplace();
}

void DeviceWorkplaces::input(DeviceSession::Number session, ByteView items) {
  if (const auto found = places_.find(session); found != places_.end())
    found->second->workplace().input(items);
}

void DeviceWorkplaces::resized(DeviceSession::Number session) {
  if (const auto found = places_.find(session); found != places_.end()) found->second->workplace().resized();
}

void DeviceWorkplaces::follow(DeviceSession::Number session) {
  if (const auto found = places_.find(session); found != places_.end()) found->second->follow();
}

bool DeviceWorkplaces::take_bell(DeviceSession::Number session) {
  const auto found = places_.find(session);
  return found != places_.end() && found->second->workplace().take_bell();
}

DeviceWorkplaces::News DeviceWorkplaces::take_news() { return std::exchange(news_, {}); }

}  // namespace lekt
