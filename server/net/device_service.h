// The front that devices come to over UDP: one thread with the sockets of the contact port and of the dedicated ports.
//
// What a datagram is answered with, the desk decides (devices/device_desk.h). This gives it datagrams and the time, sends
// what it says, and tells the rest of the server: the registry, of which each session is a client (device_listing.h), the
// log, the counters, operators.
//
// With DTLS (tls/dtls_session.h) the records of a registration are opened and sealed here, and the desk sees what was in
// them.
//
// A dedicated port is opened when it is first offered, and kept: no foreign program can take it then, and whoever comes to
// it is told that it is free. All ports are in one set (socket_set.h), and what is due next is one timer.
//
// Without --device-listen there is none of it.
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/address_rates.h"
#include "common/rate.h"
#include "common/time.h"
#include "devices/device_desk.h"
#include "server/net/device_front.h"
#include "server/net/device_listing.h"
#include "server/net/doors.h"
#include "server/net/listen_address.h"
#include "server/net/socket_set.h"
#include "server/net/udp_socket.h"
#include "server/operators/handler_log_files.h"
#include "server/operators/log.h"
#include "server/operators/seen.h"
#include "storage/device_rows.h"
#include "tls/dtls_context.h"
#include "tls/dtls_session.h"

namespace lekt {

class DeviceService final : public DeviceFront, private DeviceDesk::Outside {
 public:
  /// What stays as it is until the server ends.
  struct Place {
    std::vector<ListenAddress> listen;  ///< contact ports, over IPv4; at least one
    std::uint16_t first_port = 5000;    ///< of the dedicated ones
    std::uint16_t last_port = 6000;
    std::filesystem::path handler_logs;  ///< the folder of their files
  };
  /// What can be changed while it runs.
  struct Settings {
    DeviceDesk::Settings desk;
    // Datagrams that belong to no registration.
    Rate strangers{10'000, 20'000};
    Rate strangers_per_address{100, 200};
    bool alerts_of_resumes = false;  ///< when a session goes on at another address
    HandlerLogFiles::Settings handler_log;
    std::shared_ptr<const DtlsContext> dtls;  ///< null: nobody is offered DTLS
  };
  /// What all fronts of a server share; outlives them.
  struct Shared {
    const SessionRules& rules;
    Doors& doors;
    Seen& seen;
  };

  /// `index` of `count` fronts. Listens on the contact ports from now on, and answers once it runs. Throws CodedError E502
  /// when it cannot.
  DeviceService(std::uint32_t index, std::uint32_t count, const Place& place, const Settings& settings,
                const Shared& shared);
  ~DeviceService() override;

  // ---- From any thread ----

  void post(std::function<void()> task) override;
  void deliver(std::vector<Writer::Completion> completions) override;
  void stop() override;
  const WorkerMeters& meters() const override { return meters_; }
  const DeviceMeters& device_meters() const override { return device_meters_; }
  const TurnCount& turns() const override { return turns_; }
  /// Where the contact ports are, with those that were picked when 0 was asked for.
  const std::vector<ListenAddress>& listening() const { return listening_; }

  // ---- On its thread ----

  void run() override;
  void use(const Settings& settings, const SessionRules& rules);
  /// Those who are connecting are devices, and stand in devices().
  std::vector<HandshakeStatus> handshakes(std::size_t) const override { return {}; }
  std::vector<SessionStatus> sessions(Address address) const override;
  const SessionRules& rules() const override { return *rules_; }
  std::size_t end_sessions(const Block& block, const Rejection& rejection) override;
  /// A trace is looked for with each datagram, so there is nothing to look at anew.
  void watch(const Block&) override {}
  std::vector<DeviceStatus> devices() const override;
  std::vector<DeviceDetails> device(const std::string& uid_or_address) const override;
  std::vector<DeviceScreen> screens(const std::string& uid_or_address) override;
  std::vector<DeviceAlertStatus> alerts(std::size_t count_max) const override;
  std::size_t end_sessions_of(const std::string& uid, const Rejection& rejection) override;

 private:
  /// DTLS of a registration.
  struct Encryption {
    Encryption(const DtlsContext& context, AwakeTime now, const DeviceEndpoint& its_device)
        : session(context, now), device(its_device) {}

    DtlsSession session;
    DeviceEndpoint device;
    std::optional<AwakeTime> due;  ///< while the handshake lasts
  };
  /// A dedicated port. There may be thousands, so what only some need is elsewhere.
  struct Port {
    std::optional<UdpSocket> socket;
    bool is_heard = false;  ///< since the database was told last
    Address local;          ///< where its registration came, and answers leave from
    std::unique_ptr<Encryption> encryption;
    std::uint32_t sent = 0;  ///< the highest number of a message that was sent in its registration
    /// When the first input since the last screen was taken.
    std::optional<std::chrono::steady_clock::time_point> input_taken;
  };
  /// A session that is away or has no registration: its number, and whether it has none.
  using Silent = std::pair<DeviceSession::Number, bool>;
  /// The datagram that is being looked at.
  struct Current {
    std::uint32_t key = 0;
    DeviceEndpoint from;
    Address local;
  };

  // DeviceDesk::Outside
  bool open(std::uint16_t port) override;
  void send(std::uint16_t from, const DeviceEndpoint& to, ByteView datagram) override;
  DeviceDesk::Judgement judge(Address address) override;
  Ticket random_ticket() override;
  LoggedTime time() override;
  void log(Address device, LoggedTime time, const HandlerEvent& event) override;
  void send_encrypted(std::uint16_t port, ByteView datagram) override;
  void registered(std::uint16_t port, const DeviceEndpoint& device, bool encrypted) override;
  void registration_ended(std::uint16_t port, const std::optional<Rejection>& reason) override;
  void alert(const DeviceDesk::Alert& alert) override;
  void session_began(const DeviceSession& session) override;
  void session_resumed(const DeviceSession& session, const DeviceEndpoint& before) override;
  void session_described(const DeviceSession& session) override;
  void session_ended(const DeviceSession& session, const Rejection& reason) override;
  void input(const DeviceSession& session, ByteView items) override;
  Liveliness draw(const DeviceSession& session, Screen& screen) override;

  void listen(const Place& place);
  std::uint32_t key_of(std::uint16_t port) const {
    return static_cast<std::uint32_t>(contacts_.size()) + port - first_port_;
  }
  Port& port_at(std::uint16_t port) { return ports_[static_cast<std::size_t>(port - first_port_)]; }
  bool is_served(Address local) const;
  void look_at_clock();
  void tick();
  void wait_for_datagrams();
  void take_datagrams();
  void take_from(std::uint32_t key);
  void take(std::uint32_t key, const UdpSocket::Arrival& arrival);
  void take_at_port(std::uint16_t port, const UdpSocket::Arrival& arrival);
  void take_record(std::uint16_t port, const UdpSocket::Arrival& arrival);
  void send_records(std::uint16_t port, const std::vector<Bytes>& datagrams);
  void schedule_handshake(std::uint16_t port, std::optional<AwakeTime> due);
  void advance_handshakes();
  void report_failure(const Encryption& encryption);
  void note_received(const DeviceEndpoint& device, ByteView datagram);
  bool has_registration(std::uint16_t port, const DeviceEndpoint& device) const;
  void was_heard(std::uint16_t port, Address local);
  void log_received(std::uint16_t port, const DeviceEndpoint& from, ByteView datagram);
  void note_sent(std::uint16_t from, const DeviceEndpoint& to, ByteView datagram);
  void count_screen(Port& port);
  void advance();
  void arm_timer();
  LogLevel level_of_line(Address address);
  void report_hidden_lines();
  void count();
  void tell_database();
  AwakeTime heard(const DeviceSession& session) const;
  std::string state_of(const DeviceSession& session) const;
  std::string host_of(const DeviceSession& session) const;
  std::string describe_host(const DeviceSession& session) const;
  DeviceStatus describe(const DeviceSession& session) const;
  DeviceStatus describe(std::uint16_t port, const Registration& registration) const;
  DeviceDetails details_of(const DeviceSession& session) const;
  DeviceScreen screen_of(const DeviceSession& session);
  std::vector<const DeviceSession*> sessions_of(const std::string& uid_or_address) const;

  const std::uint16_t first_port_;
  Shared shared_;
  const SessionRules* rules_;
  Settings settings_;
  asio::io_context io_;
  SocketSet sockets_;
  std::vector<UdpSocket> contacts_;
  std::vector<ListenAddress> listening_;
  std::vector<Address> served_;  ///< addresses of the machine; none: all of them
  Address port_address_;         ///< that dedicated ports are opened at
  std::vector<Port> ports_;
  std::array<char, 2048> buffer_{};
  std::optional<Current> current_;
  AwakeClock clock_;
  AwakeTime now_{0};
  DeviceDesk desk_;
  DeviceListing listing_;
  asio::steady_timer tick_timer_;
  asio::steady_timer due_timer_;
  std::optional<AwakeTime> armed_;  ///< what due_timer_ waits for
  WorkerMeters meters_;
  DeviceMeters device_meters_;
  DeviceDesk::Counts counted_;  ///< of the desk, that are in the meters
  TurnCount turns_;
  AddressRates stranger_rates_;
  Rate::Time strangers_paid_until_{0};
  AddressRates line_rates_;
  Rate::Time alert_lines_paid_until_{0};
  Rate::Time hidden_reported_until_{0};
  std::size_t lines_hidden_ = 0;
  HandlerLogFiles handler_log_;
  std::deque<DeviceAlertStatus> alerts_;  ///< the newest last
  std::set<std::pair<AwakeTime, std::uint16_t>>
      handshakes_;                           ///< DTLS handshakes by when they have something to do
  storage::DeviceRows rows_;                 ///< what the database is to be told
  std::vector<Silent> silent_;               ///< at the last count(), ascending
  std::set<DeviceSession::Number> changed_;  ///< sessions that it is to be told of
  std::set<DeviceSession::Number> begun_;    ///< of these, those that are new
  std::vector<std::uint16_t> heard_ports_;
  AwakeTime rows_due_{0};
  AwakeTime count_due_{0};
  bool stopping_ = false;
};

}  // namespace lekt
