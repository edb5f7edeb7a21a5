#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "common/device_packets.h"
#include "devices/group_syntax.h"
#include "devices/workplace.h"
#include "tests/fuzz/byte_program.h"
#include "tests/fuzz/fuzzers.h"
#include "tests/support/screens.h"

namespace lekt::fuzz {

namespace {

using State = Workplace::State;

/// What a byte means, modulo the number of these.
enum class WorkplaceOperation : std::uint8_t {
  host_sends,  ///< bytes behind their length
  user_types,  ///< letters, as many as the next byte says
  chooses,     ///< a digit, and letters behind it in the same input
  presses,     ///< a key, with modifiers
  resize,      ///< rows and columns
  connected,
  failed,
  hung_up,
};
constexpr std::uint8_t workplace_operations = 8;

/// Letters are two bytes of UTF-8, which no key has. They are numbered, so that a lost one is noticed.
bool is_letter_byte(char byte) { return (static_cast<unsigned char>(byte) & 0x80) != 0; }

/// The workplace's owner, which sees to it that only that is wanted of it which the workplace may want.
class WorkplaceOwner final : public Workplace::Outside {
 public:
  enum class Link : std::uint8_t { none, attempt, connection };

  explicit WorkplaceOwner(std::shared_ptr<const DeviceGroups::Offer> offer)
      : session(1, Ticket{}, DeviceString{"type", 16, 26, true, "1", "UID", ""}, "", std::move(offer),
                AwakeTime(0)) {}

  void connect(const DeviceHost& host) override {
    called();
    require(link == Link::none, "there is one connection at most");
    require(&host == workplace.host(), "the host that is connected is told");
    link = Link::attempt;
    has_begun = true;
  }
  void disconnect() override {
    called();
    require(std::exchange(link, Link::none) != Link::none, "only what there is is given up");
  }
  void send_to_host(ByteView bytes) override {
    called();
    require(link == Link::connection, "only a host that is there is sent something");
    sent += bytes;
  }
  void screen_changed() override {
    has_changed = true;
    look();
  }
  void alert(const Rejection& rejection) override {
    called();
    require(rejection.code == ErrorCode::host_unreachable || rejection.code == ErrorCode::host_stream_broken,
            "operators are alerted to hosts");
  }
  void over(const Rejection& reason) override {
    called();
    require(reason.code == ErrorCode::host_hung_up, "a session is over when its host hangs up");
    is_over = true;
    has_changed = true;  // to what nobody will see
  }

  /// Draws it, as may be done at any time.
  const Screen& look() {
    workplace.draw(screen);
    require(test::flaw_of(screen).empty(), "a screen keeps its promises");
    require(screen.rows() == session.device().rows && screen.columns() == session.device().columns,
            "the screen has the size of the device");
    return screen;
  }

  DeviceSession session;
  Workplace workplace{session, *this};
  Link link = Link::none;
  Bytes sent;
  bool has_begun = false;    ///< an attempt, with what is being done
  bool has_changed = false;  ///< the screen, as it was told
  bool is_over = false;

 private:
  void called() {
    require(!is_over, "a session that is over wants nothing");
    look();
  }

  Screen screen{1, 1};
};

class WorkplaceProgram {
 public:
  explicit WorkplaceProgram(ByteView input) : program_(input), owner_(offer_of(program_.byte() % 12)) {}

  void run() {
    workplace().begin();
    shown_ = owner_.look();
    while (!program_.is_over()) step();
    if (workplace().state() != State::no_host && workplace().state() != State::over) work_again();
  }

 private:
  using Link = WorkplaceOwner::Link;

  static std::shared_ptr<const DeviceGroups::Offer> offer_of(std::size_t hosts) {
    auto offer = std::make_shared<DeviceGroups::Offer>();
    offer->group.name = "trucks";
    for (std::size_t number = 1; number <= hosts; ++number)
      offer->hosts.push_back(
          {"host" + std::to_string(number), "10.1.0.5", 23, number % 2 == 0 ? "screen-256color" : "vt220"});
    return offer;
  }

  static Key key_of(std::uint8_t byte) {
    constexpr int first = static_cast<int>(Key::page_down),
                  second = static_cast<int>(Key::f24) - static_cast<int>(Key::f1) + 1;
    const int number = byte % (first + second);
    return static_cast<Key>(number < first ? 1 + number : static_cast<int>(Key::f1) + number - first);
  }

  Workplace& workplace() { return owner_.workplace; }

  void step() {
    switch (static_cast<WorkplaceOperation>(program_.byte() % workplace_operations)) {
      case WorkplaceOperation::host_sends:
        workplace().received(program_.bytes());
        break;
      case WorkplaceOperation::user_types:
        type({});
        break;
      case WorkplaceOperation::chooses: {
        const std::string digit(1, static_cast<char>('0' + program_.byte() % 10));
        type(test::items_of(TypedItem{digit}));
        break;
      }
      case WorkplaceOperation::presses: {
        press(key_of(program_.byte()),
              static_cast<std::uint8_t>(program_.byte() & (modifiers::shift | modifiers::control)));
        break;
      }
      case WorkplaceOperation::resize: {
        DeviceString device = owner_.session.device();
        device.rows = static_cast<std::uint8_t>(1 + program_.byte() % limits::screen_rows_max);
        device.columns = static_cast<std::uint8_t>(1 + program_.byte() % limits::screen_columns_max);
        owner_.session.describe(device, "");
        workplace().resized();
        break;
      }
      case WorkplaceOperation::connected:
        be_connected();
        break;
      case WorkplaceOperation::failed:
        if (owner_.link == Link::connection) break;
        owner_.link = Link::none;
        workplace().failed("connection refused");
        break;
      case WorkplaceOperation::hung_up:
        if (owner_.link == Link::attempt) break;
        owner_.link = Link::none;
        workplace().hung_up(program_.byte() % 2 == 0 ? "" : "broke");
    }
    check();
  }

  /// Letters, behind what is typed in the same input.
  void type(Bytes items) {
    Bytes letters;
    for (std::uint8_t count = program_.byte(); count > 0; --count) {
      letters += '\xc3';
      letters += static_cast<char>(0xa0 + typed_letters_++ % 32);
    }
    constexpr std::size_t item_bytes = 250;  // an item has 255 at most
    for (ByteView rest = letters; !rest.empty(); rest.remove_prefix(std::min(item_bytes, rest.size())))
      items += test::items_of(TypedItem{rest.substr(0, item_bytes)});
    input(items, letters);
  }

  void press(Key key, std::uint8_t held) { input(test::items_of(KeyItem{key, held}), {}); }

  /// What is typed for a host that is there arrives at once; for one that is being connected, when it is there.
  void input(ByteView items, ByteView letters) {
    const State before = workplace().state();
    const Bytes sent = std::exchange(owner_.sent, {});
    owner_.has_begun = false;
    workplace().input(items);
    if (before == State::working) {
      require(letters_of(owner_.sent) == letters, "what is typed goes to the host at once");
      return;
    }
    require(owner_.sent.empty(), "nothing is sent while there is no host");
    if (owner_.has_begun) {
      ahead_.clear();
      ahead_bytes_ = 0;
    }
    if (workplace().state() != State::connecting) return;
    ahead_ += letters;
    ahead_bytes_ += items.size();
  }

  void be_connected() {
    if (owner_.link == Link::attempt) owner_.link = Link::connection;
    const bool is_awaited = workplace().state() == State::connecting;
    owner_.sent.clear();
    workplace().connected();
    if (!is_awaited) return require(owner_.sent.empty(), "nothing comes of a connection that nobody wants");
    require(workplace().state() == State::working, "a host that is there is worked on");
    const Bytes letters = letters_of(owner_.sent);
    require(ByteView(ahead_).starts_with(letters), "what is typed ahead arrives in order");
    require(letters == ahead_ || ahead_bytes_ > Workplace::typed_ahead_max, "and all of it, up to the limit");
  }

  static Bytes letters_of(ByteView sent) {
    Bytes letters;
    for (const char byte : sent)
      if (is_letter_byte(byte)) letters += byte;
    return letters;
  }

  void check() {
    require((owner_.link == Link::connection) == (workplace().state() == State::working),
            "there is a connection while the user works");
    require((owner_.link == Link::attempt) == (workplace().state() == State::connecting),
            "and an attempt while it is made");
    require(owner_.is_over == (workplace().state() == State::over), "the end is told");
    const bool has_changed = std::exchange(owner_.has_changed, false);
    if (workplace().take_bell()) require(has_changed, "whoever draws is told of the bell");
    const Screen& screen = owner_.look();
    require(has_changed || screen == shown_, "whoever draws is told of each change");
    shown_ = screen;
  }

  /// Whatever has happened, the user finds the way to a host.
  void work_again() {
    if (workplace().state() == State::trouble) press(Key::enter, 0);
    if (workplace().state() == State::selecting) {
      press(Key::home, 0);
      press(Key::enter, 0);
    }
    if (workplace().state() == State::connecting) be_connected();
    require(workplace().state() == State::working, "a user finds the way to a host");
    const Bytes letter = "\xc3\xa4";
    input(test::items_of(TypedItem{letter}), letter);
    check();
  }

  ByteProgram program_;
  WorkplaceOwner owner_;
  Screen shown_{1, 1};  ///< as it was drawn last
  Bytes ahead_;         ///< letters for the host that is being connected
  std::size_t ahead_bytes_ = 0;
  unsigned typed_letters_ = 0;
};

}  // namespace

void fuzz_workplace(ByteView input) { WorkplaceProgram(input).run(); }

}  // namespace lekt::fuzz
