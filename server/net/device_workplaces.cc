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
    connection_.emplace(all_.io_, all_.pace_, host.host, host.port, static_cast<HostConnection::Outside&>(*this));
  }
  void disconnect() override { connection_.reset(); }
  void send_to_host(ByteView bytes) override {
    if (connection_) connection_->send(bytes);
  }
  void screen_changed() override { all_.news_.changed.insert(session_.number()); }
  void alert(const Rejection& rejection) override { all_.alert_(session_, rejection); }
  void over(const Rejection& reason) override { all_.news_.over.emplace_back(session_.number(), reason); }

  // HostConnection::Outside. The news that wake_() tells of may end the session, and this with it.
  void connected() override {
    workplace_.connected();
    all_.wake_();
  }
  void failed(const std::string& reason) override {
    connection_.reset();
    workplace_.failed(reason);
    all_.wake_();
  }
  void received(ByteView bytes) override {
    unseen_ += bytes.size();
    if (unseen_ >= unseen_max) connection_->pause();
    workplace_.received(bytes);
    all_.wake_();
  }
  void closed(const std::string& reason) override {
    const std::string words = reason;
    connection_.reset();
    workplace_.hung_up(words);
    all_.wake_();
  }

  DeviceWorkplaces& all_;
  const DeviceSession& session_;
  Workplace workplace_;
  std::optional<HostConnection> connection_;
  std::size_t unseen_ = 0;  ///< bytes of the host since the screen was drawn
};

DeviceWorkplaces::DeviceWorkplaces(asio::io_context& io, Alert alert, std::function<void()> wake)
    : io_(io), pace_(io), alert_(std::move(alert)), wake_(std::move(wake)) {}

DeviceWorkplaces::~DeviceWorkplaces() = default;

void DeviceWorkplaces::begin(const DeviceSession& session) {
  if (session.offer().hosts.empty()) return;
  auto place = std::make_unique<Place>(*this, session);
  Workplace& workplace = place->workplace();
  places_.emplace(session.number(), std::move(place));
  workplace.begin();
}

void DeviceWorkplaces::end(DeviceSession::Number session) { places_.erase(session); }

const Workplace* DeviceWorkplaces::find(DeviceSession::Number session) const {
  const auto found = places_.find(session);
  return found == places_.end() ? nullptr : &found->second->workplace();
}

void DeviceWorkplaces::input(DeviceSession::Number session, ByteView items) {
  if (const auto found = places_.find(session); found != places_.end()) found->second->workplace().input(items);
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
