// A desk that is driven datagram by datagram, and what it has sent and told.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "devices/device_desk.h"
#include "tests/devices/support.h"

namespace lekt::test {

using namespace std::chrono_literals;

inline constexpr std::uint64_t first_number = 0x0123456789abcdef;
inline const std::string its_string =
    "AB~001~19~000~PDT9090_E5~16~26~09~01~0107~0000~000~0015708E863F~640~6006~1~20100118100852~S~WindowsCE   "
    "   ~2~01~0~";

/// The items of an input: enter.
inline const Bytes one_key("\x02\x01\x00", 3);

/// The same device with another uid.
inline std::string string_of_uid(const std::string& uid) {
  std::string string = its_string;
  return string.replace(string.find("0015708E863F"), 12, uid);
}

class Recorder : public DeviceDesk::Outside {
 public:
  struct Sent {
    std::uint16_t from;
    DeviceEndpoint to;
    Bytes bytes;
    DatagramHead head;
    bool is_encrypted = false;
  };

  bool open(std::uint16_t port) override { return port != foreign; }
  void send(std::uint16_t from, const DeviceEndpoint& to, ByteView datagram) override {
    sent.push_back({from, to, Bytes(datagram), read_head_to_device(datagram).value()});
  }
  DeviceDesk::Judgement judge(Address) override { return judgement; }
  Ticket random_ticket() override {
    Ticket ticket;
    ticket.fill('t');
    ticket[0] = static_cast<char>(++tickets >> 8);
    ticket[1] = static_cast<char>(tickets);
    return ticket;
  }
  LoggedTime time() override { return now; }
  void log(Address, LoggedTime time, const HandlerEvent& event) override {
    log_lines += handler_line(HandlerLevel::protocol, time, event);
  }
  void send_encrypted(std::uint16_t port, ByteView datagram) override {
    send(port, encrypted.at(port), datagram);
    sent.back().is_encrypted = true;
  }
  void registered(std::uint16_t port, const DeviceEndpoint& device, bool is_encrypted) override {
    EXPECT_TRUE(registrations.insert(port).second) << "a port has one registration";
    if (is_encrypted) encrypted[port] = device;
  }
  void registration_ended(std::uint16_t port, const std::optional<Rejection>&) override {
    EXPECT_EQ(registrations.erase(port), 1u) << "what ends has begun";
    encrypted.erase(port);
  }
  void alert(const DeviceDesk::Alert& alert) override { alerts.push_back(alert); }
  void session_began(const DeviceSession&) override { ++began; }
  void session_resumed(const DeviceSession&, const DeviceEndpoint&) override { ++resumed; }
  void session_described(const DeviceSession&) override { ++described; }
  void session_ended(const DeviceSession&, const Rejection& reason) override { ended.push_back(reason.code); }
  void input(const DeviceSession&, ByteView items) override { inputs.emplace_back(items); }
  Liveliness draw(const DeviceSession& session, Screen& screen) override {
    ++drawn;
    screen = contents ? *contents : draw_session(session);
    return liveliness;
  }

  std::optional<std::uint16_t> foreign;
  DeviceDesk::Judgement judgement;
  int tickets = 0;
  LoggedTime now{1'264'408'182'549ms, 0s};
  std::string log_lines;
  std::set<std::uint16_t> registrations;              ///< the ports that have one
  std::map<std::uint16_t, DeviceEndpoint> encrypted;  ///< those with DTLS
  std::vector<Sent> sent;
  std::vector<DeviceDesk::Alert> alerts;
  int began = 0;
  int resumed = 0;
  int described = 0;
  std::vector<ErrorCode> ended;
  std::vector<Bytes> inputs;
  std::optional<Screen> contents;  ///< what sessions show; nothing: the server's own screen
  Liveliness liveliness = Liveliness::still;
  int drawn = 0;
};

class DeskTest : public testing::Test {
 protected:
  void limit_address_to(std::size_t sessions) {
    DeviceDesk::Settings settings;
    settings.limits.per_address_max = sessions;
    desk_.use(settings);
  }
  void contact(const DeviceEndpoint& from, Bytes bytes) {
    outside_.sent.clear();
    desk_.receive_at_contact(from, Address::v4(0xc0a8640c), bytes, now_);
  }
  void dedicated(std::uint16_t port, const DeviceEndpoint& from, Bytes bytes) {
    outside_.sent.clear();
    desk_.receive(port, from, bytes, now_);
  }
  void wait(AwakeTime time) {
    const AwakeTime until = now_ + time;
    outside_.sent.clear();
    while (desk_.due() && *desk_.due() <= until) {
      now_ = std::max(now_, *desk_.due());
      desk_.advance(now_);
    }
    now_ = until;
    desk_.check();
  }

  template <class Body>
  static Bytes datagram(std::uint64_t registration, const Body& body, std::uint32_t number = 0,
                        std::uint32_t acknowledged = 0) {
    return encode_datagram({Body::type, version_spoken, registration, number, acknowledged}, body);
  }

  /// The only datagram that was sent.
  const Recorder::Sent& answer() {
    EXPECT_EQ(outside_.sent.size(), 1u);
    return outside_.sent.at(0);
  }
  ErrorCode refused_with() {
    EXPECT_EQ(answer().head.type, DatagramType::failure);
    return static_cast<ErrorCode>(answer().head.number);
  }

  /// What the only datagram, a failure, says.
  std::string failure_text() {
    return std::string(
        std::get<DeviceFailure>(std::get<BodyToDevice>(read_body_to_device(answer().head, answer().bytes)))
            .text);
  }

  ConnectionAccept accept(const DeviceEndpoint& from, std::uint64_t number) {
    contact(from, datagram(number, ConnectionRequest{}));
    return std::get<ConnectionAccept>(
        std::get<BodyToDevice>(read_body_to_device(answer().head, answer().bytes)));
  }

  /// Packets 1 to 4; yields the port.
  std::uint16_t register_device(const DeviceEndpoint& from = example_endpoint,
                                std::uint64_t number = first_number) {
    const ConnectionAccept accepted = accept(from, number);
    dedicated(accepted.port, from, datagram(number, RegistrationRequest{accepted.token}));
    EXPECT_EQ(answer().head.type, DatagramType::registration_accept);
    return accepted.port;
  }

  /// Packets 1 to 8; the server's first three messages are acknowledged, and the screen as well.
  std::uint16_t serve(const DeviceEndpoint& from = example_endpoint, std::uint64_t number = first_number,
                      const Ticket& ticket = no_ticket, const std::string& string = its_string) {
    const std::uint16_t port = register_device(from, number);
    wait(100ms);
    dedicated(port, from, datagram(number, DeviceConfig{ticket, string}, 1, 1));
    for (const std::uint32_t acknowledged : {3u, 4u}) {
      dedicated(port, from, datagram(number, Acknowledgment{}, 0, acknowledged));
      wait(20ms);
    }
    return port;
  }

  /// The registration of this number ends, its session waits.
  void lose(std::uint64_t number) {
    for (std::uint16_t port = 5000; port <= 5002; ++port) {
      const Registration* const registration = desk_.registration(port);
      if (registration == nullptr || registration->number() != number) continue;
      dedicated(port, registration->device(), datagram(number, InputMessage{1, "\x09"}, 2, 4));
    }
  }

  DeviceSession& session() { return *desk_.book().find(DeviceSession::Number{1}); }

  Recorder outside_;
  DeviceDesk desk_{5000, 5002, {}, outside_};
  AwakeTime now_{1000};
};

}  // namespace lekt::test
