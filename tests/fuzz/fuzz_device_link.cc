#include <algorithm>
#include <optional>

#include "client/device_link.h"
#include "tests/fuzz/byte_program.h"
#include "tests/fuzz/fuzzers.h"
#include "tests/support/screens.h"

namespace lekt::fuzz {

namespace {

/// What a byte means. The server of the first ones does what it should; the others do anything.
enum class LinkOperation : std::uint8_t {
  wait,  ///< quarters of a second
  accept,
  registration_accept,
  get_config,
  set_config,
  screen,
  acknowledgment,
  failure,
  any,  ///< the bytes, behind a head that fits
  type,
  describe,
  leave,
};
constexpr std::uint8_t link_operations = 12;

/// A device, and a server that answers as the bytes say.
class LinkProgram {
 public:
  explicit LinkProgram(ByteView input) : program_(input) {}

  void run() {
    pump();
    while (!program_.is_over()) {
      perform(static_cast<LinkOperation>(program_.byte() % link_operations));
      pump();
      require(test::flaw_of(link_.screen()).empty(), "a screen keeps its promises whatever comes");
      require(link_.phase() == DeviceLink::Phase::ended || link_.due() ||
                  link_.phase() == DeviceLink::Phase::serving,
              "a device without a session has something to do");
    }
  }

 private:
  void perform(LinkOperation operation) {
    switch (operation) {
      case LinkOperation::wait:
        now_ += AwakeTime(250 * program_.byte());
        return;
      case LinkOperation::accept:
        port_ = 5000;
        return receive(0, ConnectionAccept{port_, Token{}}, 0);
      case LinkOperation::registration_accept:
        sent_ = 0;
        return receive(port_, RegistrationAccept{}, 0);
      case LinkOperation::get_config:
        return receive(port_, GetDeviceConfig{}, ++sent_);
      case LinkOperation::set_config: {
        Ticket ticket{};
        ticket[0] = static_cast<char>(1 + program_.byte() % 2);
        const std::uint32_t input = program_.byte();
        const ByteView rules = program_.bytes();
        return receive(port_, SetDeviceConfig{ticket, input, rules.substr(0, rules.size() / 8 * 8)}, ++sent_);
      }
      case LinkOperation::screen:
        return receive(port_, ScreenMessage{program_.bytes()}, ++sent_);
      case LinkOperation::acknowledgment:
        return receive(port_, Acknowledgment{}, 0);
      case LinkOperation::failure:
        return link_.receive(
            program_.byte() % 2 == 0 ? port_ : std::uint16_t{0},
            encode_failure(registration_, {static_cast<ErrorCode>(900 + program_.byte()), "why"}), now_);
      case LinkOperation::any:
        return any();
      case LinkOperation::type: {
        const ByteView items = program_.bytes();
        if (!for_each_input_item(items, [](const auto&) {})) (void)link_.type(items);
        return;
      }
      case LinkOperation::describe:
        return link_.describe("another string~");
      case LinkOperation::leave:
        link_.leave(now_);
    }
  }

  template <class Body>
  void receive(std::uint16_t port, const Body& body, std::uint32_t number) {
    link_.receive(port, encode_datagram({Body::type, version_spoken, registration_, number, received_}, body),
                  now_);
  }

  void any() {
    const std::uint16_t port = program_.byte() % 2 == 0 ? port_ : std::uint16_t{0};
    Bytes datagram = encode_datagram({DatagramType::acknowledgment, version_spoken, registration_, 0, 0},
                                     Acknowledgment{});
    datagram[4] = static_cast<char>(program_.byte());
    datagram[19] = static_cast<char>(program_.byte());
    datagram[23] = static_cast<char>(program_.byte());
    datagram.append(program_.bytes());
    link_.receive(port, datagram, now_);
  }

  /// What the device sends is right, whatever came, and is not without end.
  void pump() {
    for (int count = 0; const auto datagram = link_.next(now_); ++count) {
      require(count < 16, "a device sends no more than a window at once");
      require(datagram->bytes.size() <= limits::datagram_bytes_max, "no datagram is too large");
      const auto head = read_head_to_server(datagram->bytes);
      require(head.has_value(), "what is sent is a datagram");
      require(std::holds_alternative<BodyToServer>(read_body_to_server(*head, datagram->bytes)),
              "what is sent breaks no rule");
      if (head->registration != registration_) received_ = 0;
      registration_ = head->registration;
      received_ = std::max(received_, head->number);
    }
    require(!link_.due() || *link_.due() > now_, "what was due has been done");
  }

  ByteProgram program_;
  AwakeTime now_{0};
  std::uint64_t numbers_ = 0;
  std::uint64_t registration_ = 0;
  std::uint16_t port_ = 5000;
  std::uint32_t sent_ = 0;
  std::uint32_t received_ = 0;
  DeviceLink link_{
      {"AB~001~19~000~TYPE~16~26~09~01~0107~0000~000~UID~", no_ticket}, [this] { return ++numbers_; }, now_};
};

}  // namespace

void fuzz_device_link(ByteView input) { LinkProgram(input).run(); }

}  // namespace lekt::fuzz
