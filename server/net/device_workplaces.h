// What the users of devices work on: the workplace (devices/workplace.h) of each session whose group has hosts, and its
// connection to one (host_connection.h).
//
// A host is read while its user can follow: once it has written `unseen_max` bytes to the screen since that was last drawn
// for the device, it waits until it is drawn again. So a host that floods goes as fast as its device shows it, and one whose
// device is away waits, as it would for a terminal that was stopped; that it has closed is noticed afterwards.
//
// What workplaces want of sessions is taken as news, since it comes up while the desk calls, and the desk must not be called
// then. `wake` is called for what a host does, at the end of what is done about it; the news may be taken at once.
//
// Used by the devices' thread, which runs the io_context.
#pragma once

#include <asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "common/errors.h"
#include "devices/handler_log.h"
#include "devices/workplace.h"
#include "server/net/host_pace.h"

namespace lekt {

class DeviceWorkplaces {
 public:
  static constexpr std::size_t unseen_max = 64 * 1024;

  /// Whom it tells. alert() and log() may be called at any time, and must not call this.
  struct Outside {
    std::function<void(const DeviceSession&, const Rejection&)> alert;
    std::function<void(const DeviceSession&, const HandlerEvent&)> log;
    std::function<void()> wake;
  };

  struct News {
    std::set<DeviceSession::Number> changed;                        ///< they look different
    std::vector<std::pair<DeviceSession::Number, Rejection>> over;  ///< they are to be ended
  };

  DeviceWorkplaces(asio::io_context& io, Outside outside);
  ~DeviceWorkplaces();
  DeviceWorkplaces(const DeviceWorkplaces&) = delete;
  DeviceWorkplaces& operator=(const DeviceWorkplaces&) = delete;

  /// A session has begun. It outlives its workplace.
  void begin(const DeviceSession& session);
  /// The session is over, and so is its connection to a host.
  void end(DeviceSession::Number session);
  /// All connections are over; the sessions have no workplaces any more.
  void end_all();

  /// Null: its group has no host.
  const Workplace* find(DeviceSession::Number session) const;

  void input(DeviceSession::Number session, ByteView items);
  void resized(DeviceSession::Number session);
  /// The device is shown the screen as it is now, so its host may go on.
  void follow(DeviceSession::Number session);
  /// Whether its bell has rung since the last call.
  bool take_bell(DeviceSession::Number session);

  /// What has come up since the last call.
  News take_news();

 private:
  class Place;

  asio::io_context& io_;
  HostPace pace_;
  Outside outside_;
  std::map<DeviceSession::Number, std::unique_ptr<Place>> places_;
  News news_;
};

}  // namespace lekt
