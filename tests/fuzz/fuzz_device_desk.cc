#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "devices/device_desk.h"
#include "tests/fuzz/byte_program.h"
#include "tests/fuzz/fuzzers.h"

namespace lekt::fuzz {

namespace {

constexpr std::uint16_t first_port = 5000;
constexpr std::uint16_t last_port = 5002;
constexpr DeviceEndpoint stranger{Address::v4(0xc6336401), 4000};

/// The device's half of what the bytes say: enough to get beyond the handshake.
struct FuzzedDevice {
  DeviceEndpoint endpoint;
  std::uint64_t registration = 0;
  std::uint16_t port = 0;
  Token token{};
  Ticket ticket{};
  std::uint32_t sent = 0;      ///< numbers
  std::uint32_t received = 0;  ///< the highest number that the server has sent
};

/// What a byte means.
enum class DeskOperation : std::uint8_t {
  wait,          ///< quarters of a second
  stray,         ///< a stranger sends the bytes to the contact port or a dedicated one
  request,       ///< packet 1
  registration,  ///< packet 3
  config,        ///< packet 6
  input,
  acknowledgment,
  any,  ///< the device sends the bytes, behind a head that is its own
  kick,
  change,  ///< what users see changes, and bells ring
};
constexpr std::uint8_t desk_operations = 10;

class DeskProgram : private DeviceDesk::Outside {
 public:
  explicit DeskProgram(ByteView input) : program_(input) {
    for (std::uint32_t index = 0; index < devices_.size(); ++index)
      devices_[index].endpoint = {Address::v4(0x0a000001 + index / 2),
                                  static_cast<std::uint16_t>(3771 + index)};
    DeviceDesk::Settings settings;
    settings.limits = {4, 3};
    desk_.use(settings);
  }

  void run() {
    while (!program_.is_over()) {
      perform(static_cast<DeskOperation>(program_.byte() % desk_operations));
      desk_.check();
      require(desk_.book().size() <= 4, "there are no more sessions than there may be");
    }
    // What is under way is over some day.
    for (int looks = 0; desk_.due(); ++looks) {
      require(looks < 100'000, "a desk that hears nothing has nothing to do some day");
      now_ = std::max(now_, *desk_.due());
      desk_.advance(now_);
    }
    desk_.check();
    require(desk_.ports().used == 0 && desk_.book().size() == 0 && sessions_ == 0,
            "everything is over some day");
  }

 private:
  FuzzedDevice& device() { return devices_[program_.byte() % devices_.size()]; }

  void perform(DeskOperation operation) {
    switch (operation) {
      case DeskOperation::wait:
        return wait(AwakeTime(250 * program_.byte()));
      case DeskOperation::stray:
        return stray();
      case DeskOperation::request:
        return request(device());
      case DeskOperation::registration: {
        FuzzedDevice& its = device();
        its.sent = its.received = 0;
        return send(its, RegistrationRequest{its.token}, 0);
      }
      case DeskOperation::config: {
        FuzzedDevice& its = device();
        const Ticket ticket = program_.byte() % 2 == 0 ? its.ticket : devices_[0].ticket;
        return send(its, DeviceConfig{ticket, program_.bytes().substr(0, limits::device_string_bytes_max)},
                    ++its.sent);
      }
      case DeskOperation::input: {
        FuzzedDevice& its = device();
        const std::uint32_t number = program_.byte();
        return send(its, InputMessage{number, program_.bytes()}, ++its.sent);
      }
      case DeskOperation::acknowledgment:
        return send(device(), Acknowledgment{}, 0);
      case DeskOperation::any:
        return any(device());
      case DeskOperation::kick:
        desk_.end_sessions([](const DeviceSession&) { return true; },
                           {ErrorCode::ended_by_operator, "ended by the operator"});
        return;
      case DeskOperation::change:
        return change();
    }
  }

  void wait(AwakeTime time) {
    const AwakeTime until = now_ + time;
    while (desk_.due() && *desk_.due() <= until) {
      now_ = std::max(now_, *desk_.due());
      desk_.advance(now_);
      require(!desk_.due() || *desk_.due() > now_, "what was due has been done");
    }
    now_ = until;
  }

  /// Whoever belongs to no registration gets no more bytes than were sent.
  void stray() {
    const std::uint8_t where = program_.byte();
    const ByteView datagram = program_.bytes();
    answered_ = 0;
    if (where % 4 == 0)
      desk_.receive_at_contact(stranger, {}, datagram, now_);
    else
      desk_.receive(static_cast<std::uint16_t>(first_port + where % 4 - 1), stranger, datagram, now_);
    require(answered_ <= datagram.size(), "nobody is amplified");
  }

  void request(FuzzedDevice& device) {
    device.registration = ++registrations_;
    const Bytes datagram = encode_datagram(
        {DatagramType::connection_request, version_spoken, device.registration, 0, 0}, ConnectionRequest{});
    desk_.receive_at_contact(device.endpoint, {}, datagram, now_);
  }

  void change() {
    seen_ = program_.byte();
    desk_.book().for_each([this](const DeviceSession& session) {
      if (seen_ % 4 == 0) desk_.ring(session, now_);
      desk_.screen_changed(session, now_);
    });
  }

  template <class Body>
  void send(const FuzzedDevice& device, const Body& body, std::uint32_t number) {
    if (device.registration == 0) return;
    const Bytes datagram =
        encode_datagram({Body::type, version_spoken, device.registration, number, device.received}, body);
    desk_.receive(device.port, device.endpoint, datagram, now_);
  }

  void any(FuzzedDevice& device) {
    Bytes datagram = encode_datagram(
        {DatagramType::acknowledgment, version_spoken, device.registration, 0, 0}, Acknowledgment{});
    datagram[4] = static_cast<char>(program_.byte());
    datagram[19] = static_cast<char>(program_.byte());
    datagram[23] = static_cast<char>(program_.byte());
    datagram.append(program_.bytes());
    desk_.receive(device.port, device.endpoint, datagram, now_);
  }

  // ---- DeviceDesk::Outside ----

  bool open(std::uint16_t port) override { return port != last_port || program_.byte() % 2 == 0; }

  void send(std::uint16_t, const DeviceEndpoint& to, ByteView datagram) override {
    require(datagram.size() <= limits::datagram_bytes_max, "no datagram is too large");
    if (to == stranger) answered_ += datagram.size();
    const auto head = read_head_to_device(datagram);
    require(head.has_value(), "what is sent is a datagram");
    const auto body = read_body_to_device(*head, datagram);
    require(std::holds_alternative<BodyToDevice>(body), "what is sent breaks no rule");
    const auto found = std::ranges::find(devices_, to, &FuzzedDevice::endpoint);
    if (found == devices_.end() || found->registration != head->registration) return;
    if (head->type != DatagramType::failure) found->received = std::max(found->received, head->number);
    if (const auto* accept = std::get_if<ConnectionAccept>(&std::get<BodyToDevice>(body))) {
      found->port = accept->port;
      found->token = accept->token;
    } else if (const auto* config = std::get_if<SetDeviceConfig>(&std::get<BodyToDevice>(body))) {
      found->ticket = config->ticket;
    }
  }

  DeviceDesk::Judgement judge(Address) override { return {}; }
  Ticket random_ticket() override {
    Ticket ticket{};
    ticket[0] = static_cast<char>(++tickets_ >> 8);
    ticket[1] = static_cast<char>(tickets_);
    return ticket;
  }
  LoggedTime time() override { return {}; }
  void log(Address, LoggedTime time, const HandlerEvent& event) override {
    const std::string line = handler_line(HandlerLevel::socket, time, event);
    require(std::ranges::count(line, '\n') <= 1, "an event is one line");
  }
  void send_encrypted(std::uint16_t port, ByteView datagram) override {
    require(encrypted_.contains(port), "only what has DTLS is encrypted");
    send(port, encrypted_[port], datagram);
  }
  void registered(std::uint16_t port, const DeviceEndpoint& device, bool encrypted) override {
    if (encrypted) encrypted_[port] = device;
  }
  void registration_ended(std::uint16_t port, const std::optional<Rejection>&) override {
    encrypted_.erase(port);
  }
  void alert(const DeviceDesk::Alert&) override {}
  void session_began(const DeviceSession&) override { ++sessions_; }
  void session_resumed(const DeviceSession&, const DeviceEndpoint&) override {}
  void session_described(const DeviceSession&) override {}
  void session_ended(const DeviceSession&, const Rejection&) override {
    require(sessions_-- > 0, "what ends has begun");
  }
  void input(const DeviceSession& session, ByteView items) override {
    require(session.port().has_value(), "an input comes from a registration");
    require(!for_each_input_item(items, [](const auto&) {}), "an input breaks no rule");
  }
  Liveliness draw(const DeviceSession& session, Screen& screen) override {
    require(session.port().has_value(), "only what somebody can see is drawn");
    screen.resize(session.device().rows, session.device().columns);
    for (std::size_t row = 0; row < screen.rows(); row += 1 + seen_ % 5)
      for (std::size_t column = row % 3; column < screen.columns(); column += 1 + seen_ % 3)
        screen.put(row, column, U'!' + seen_ % 90, StyleItem{});
    return seen_ % 2 == 0 ? Liveliness::still : Liveliness::lively;
  }

  ByteProgram program_;
  AwakeTime now_{0};
  std::array<FuzzedDevice, 4> devices_;
  std::uint64_t registrations_ = 0;
  unsigned tickets_ = 0;
  int sessions_ = 0;
  std::map<std::uint16_t, DeviceEndpoint> encrypted_;  ///< the devices with DTLS, by their ports
  std::size_t answered_ = 0;
  std::uint8_t seen_ = 0;  ///< what users see
  DeviceDesk desk_{first_port, last_port, {}, *this};
};

}  // namespace

void fuzz_device_desk(ByteView input) { DeskProgram(input).run(); }

}  // namespace lekt::fuzz
