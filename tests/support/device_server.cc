#include "tests/support/device_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

#include "common/descriptor.h"
#include "devices/device_desk.h"
#include "tests/support/screens.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t loopback = 0x7f000001;

sockaddr_in loopback_name(std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(loopback);
  name.sin_port = htons(port);
  return name;
}

/// Not open if the port is in use.
Descriptor bound_socket(std::uint16_t port) {
  Descriptor made(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in name = loopback_name(port);
  if (::bind(made.value(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) return Descriptor(-1);
  return made;
}

std::uint16_t port_of(const Descriptor& socket) {
  sockaddr_in name{};
  socklen_t size = sizeof name;
  ::getsockname(socket.value(), reinterpret_cast<sockaddr*>(&name), &size);
  return ntohs(name.sin_port);
}

/// Sockets of so many ports in a row, wherever they are free.
std::vector<Descriptor> sockets_in_a_row(std::size_t count) {
  for (int attempt = 0; attempt < 200; ++attempt) {
    std::vector<Descriptor> sockets;
    sockets.push_back(bound_socket(0));
    const std::size_t first = port_of(sockets.front());
    while (sockets.size() < count && sockets.back().is_open() && first + sockets.size() <= UINT16_MAX)
      sockets.push_back(bound_socket(static_cast<std::uint16_t>(first + sockets.size())));
    if (sockets.size() == count && sockets.back().is_open()) return sockets;
  }
  throw std::runtime_error("no " + std::to_string(count) + " UDP ports in a row are free");
}

AwakeTime steady_now() {
  return std::chrono::duration_cast<AwakeTime>(std::chrono::steady_clock::now().time_since_epoch());
}

struct InWords {
  std::string& words;

  void operator()(const TypedItem& item) const { words += item.text; }
  void operator()(const KeyItem& item) const {
    words += "<" + std::string(item.modifiers == 0 ? "" : std::to_string(item.modifiers) + " ") +
             key_name(item.key) + ">";
  }
  void operator()(const ChordItem& item) const {
    words +=
        "<" +
        std::string(item.modifiers == modifiers::control ? "ctrl " : std::to_string(item.modifiers) + " ") +
        static_cast<char>(item.character) + ">";
  }
};

}  // namespace

struct DeviceServer::Desk final : public DeviceDesk::Outside {
  explicit Desk(std::size_t ports)
      : contact(bound_socket(0)),
        sockets(sockets_in_a_row(ports)),
        first(port_of(sockets.front())),
        desk(first, static_cast<std::uint16_t>(first + ports - 1), secrets(), *this) {
    DeviceDesk::Settings settings;
    settings.limits.per_address_max = ports;
    desk.use(settings);
    thread = std::thread([this] { serve(); });
  }
  ~Desk() override {
    stops = true;
    thread.join();
  }

  static DeviceDesk::Secrets secrets() {
    std::random_device device;
    DeviceDesk::Secrets made;
    for (char& byte : made.token) byte = static_cast<char>(device());
    return made;
  }

  void serve() {
    std::vector<pollfd> waiting = {{contact.value(), POLLIN, 0}};
    for (const Descriptor& socket : sockets) waiting.push_back({socket.value(), POLLIN, 0});
    while (!stops) {
      ::poll(waiting.data(), waiting.size(), 5);
      const std::scoped_lock lock(mutex);
      for (std::size_t index = 0; index < waiting.size(); ++index)
        if (waiting[index].revents != 0) receive(index);
      desk.advance(steady_now());
      draw_more();
      tell_news();
    }
  }

  void draw_more() {
    if (last_row == 0 || desk.book().size() == 0 || (rests && row == last_row)) return;
    row = std::min(row + 1, last_row);
    ++turn;
    desk.book().for_each([&](const DeviceSession& session) { news.push_back(session.number()); });
  }

  /// `index`: 0 is the contact port.
  void receive(std::size_t index) {
    std::array<char, 2048> buffer{};
    const int socket = index == 0 ? contact.value() : sockets[index - 1].value();
    while (true) {
      sockaddr_in name{};
      socklen_t size = sizeof name;
      const ssize_t received =
          ::recvfrom(socket, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&name), &size);
      if (received < 0) return;
      if (!reachable) continue;
      const DeviceEndpoint from{Address::v4(ntohl(name.sin_addr.s_addr)), ntohs(name.sin_port)};
      const ByteView datagram(buffer.data(), static_cast<std::size_t>(received));
      if (index == 0)
        desk.receive_at_contact(from, Address::v4(loopback), datagram, steady_now());
      else
        desk.receive(static_cast<std::uint16_t>(first + index - 1), from, datagram, steady_now());
      tell_news();
    }
  }

  /// Outside of the desk's calls, since nothing in them may call it.
  void tell_news() {
    for (const DeviceSession::Number number : std::exchange(news, {}))
      if (words[number].ends_with("<ctrl d>"))
        desk.end_session(number, {ErrorCode::host_hung_up, "logged out"});
      else if (const DeviceSession* session = desk.book().find(number))
        desk.screen_changed(*session, steady_now());
  }

  Liveliness draw(const DeviceSession& session, Screen& screen) override {
    constexpr StyleItem red_on_white{style::bold | style::foreground_holds | style::background_holds, 1, 7};
    screen = screen_of(session.device().rows, session.device().columns,
                       TextItem{0, 0, "uid " + session.device().uid},
                       TextItem{1, 0, "typed " + words[session.number()]}, red_on_white,
                       TextItem{2, 0, "red"}, StyleItem{}, TextItem{3, 0, "日本 ü"}, CursorItem{1, 6, true});
    for (std::size_t drawn = 4; drawn <= row; ++drawn)
      screen.draw(TextItem{static_cast<std::uint8_t>(drawn), 0, "row " + std::to_string(drawn)}, StyleItem{});
    if (!rests) screen.draw(TextItem{0, 20, "turn " + std::to_string(turn)}, StyleItem{});
    return Liveliness::lively;
  }

  bool open(std::uint16_t) override { return true; }
  void send(std::uint16_t from, const DeviceEndpoint& to, ByteView datagram) override {
    if (!reachable) return;
    sockaddr_in name = loopback_name(to.port);
    name.sin_addr.s_addr = htonl(to.address.as_v4());
    const int socket = from == 0 ? contact.value() : sockets[static_cast<std::size_t>(from - first)].value();
    ::sendto(socket, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&name),
             sizeof name);
  }
  DeviceDesk::Judgement judge(Address) override { return {}; }
  Ticket random_ticket() override {
    Ticket ticket;
    for (char& byte : ticket) byte = static_cast<char>(random());
    return ticket;
  }
  LoggedTime time() override { return {1'264'408'183'248ms, 0s}; }
  void log(Address, LoggedTime, const HandlerEvent&) override {}
  void send_encrypted(std::uint16_t, ByteView) override {}
  void registered(std::uint16_t, const DeviceEndpoint&, bool) override {}
  void registration_ended(std::uint16_t, const std::optional<Rejection>&) override {}
  void alert(const DeviceDesk::Alert&) override {}
  void session_began(const DeviceSession&) override { ++began; }
  void session_resumed(const DeviceSession&, const DeviceEndpoint&) override { ++resumed; }
  void session_described(const DeviceSession&) override {}
  void session_ended(const DeviceSession&, const Rejection& reason) override { ended.push_back(reason.code); }
  void input(const DeviceSession& session, ByteView items) override {
    for_each_input_item(items, InWords{words[session.number()]});
    news.push_back(session.number());
  }

  const DeviceSession* only_session() {
    const DeviceSession* only = nullptr;
    desk.book().for_each([&](const DeviceSession& session) { only = &session; });
    return desk.book().size() == 1 ? only : nullptr;
  }

  std::random_device random;
  Descriptor contact;
  std::vector<Descriptor> sockets;
  const std::uint16_t first;
  std::atomic<bool> stops = false;

  std::mutex mutex;  ///< of what follows
  DeviceDesk desk;
  bool reachable = true;
  std::map<DeviceSession::Number, std::string> words;
  std::vector<DeviceSession::Number> news;  ///< sessions whose screen has changed
  std::size_t row = 0;                      ///< down to which is drawn slowly
  std::size_t last_row = 0;                 ///< 0: nothing is
  bool rests = true;
  std::size_t turn = 0;
  std::size_t began = 0;
  std::size_t resumed = 0;
  std::vector<ErrorCode> ended;

  std::thread thread;
};

DeviceServer::DeviceServer(std::size_t ports) : desk_(std::make_unique<Desk>(ports)) {}
DeviceServer::~DeviceServer() = default;

std::uint16_t DeviceServer::port() const { return port_of(desk_->contact); }

void DeviceServer::be_reachable(bool reachable) {
  const std::scoped_lock lock(desk_->mutex);
  desk_->reachable = reachable;
}

std::string DeviceServer::typed() const {
  const std::scoped_lock lock(desk_->mutex);
  const DeviceSession* session = desk_->only_session();
  return session == nullptr ? "" : desk_->words[session->number()];
}

std::string DeviceServer::size() const {
  const std::scoped_lock lock(desk_->mutex);
  const DeviceSession* session = desk_->only_session();
  if (session == nullptr) return "";
  return std::to_string(session->device().rows) + "x" + std::to_string(session->device().columns);
}

std::size_t DeviceServer::sessions() const {
  const std::scoped_lock lock(desk_->mutex);
  return desk_->desk.book().size();
}

std::size_t DeviceServer::began() const {
  const std::scoped_lock lock(desk_->mutex);
  return desk_->began;
}

std::size_t DeviceServer::resumed() const {
  const std::scoped_lock lock(desk_->mutex);
  return desk_->resumed;
}

std::vector<ErrorCode> DeviceServer::ended() const {
  const std::scoped_lock lock(desk_->mutex);
  return desk_->ended;
}

void DeviceServer::draw_slowly(std::size_t last_row, bool rests) {
  const std::scoped_lock lock(desk_->mutex);
  desk_->last_row = last_row;
  desk_->rests = rests;
}

void DeviceServer::end_sessions(const Rejection& reason) {
  const std::scoped_lock lock(desk_->mutex);
  desk_->desk.end_sessions([](const DeviceSession&) { return true; }, reason);
}

}  // namespace lekt::test
