#include "bench/load/crew.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace lekt::bench {

namespace {

constexpr std::size_t read_bytes = 256 * 1024;
constexpr std::size_t events_max = 512;

/// How long a server may say nothing at all while clients wait for it.
constexpr std::chrono::seconds patience{60};

std::string words_of(int error) { return std::strerror(error); }

sockaddr_in endpoint(Address address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(address.as_v4());
  result.sin_port = htons(port);
  return result;
}

}  // namespace

Crew::Crew(const Target& target, const Dialogue& dialogue, std::size_t clients)
    : target_(target), dialogue_(dialogue), clients_(clients), buffer_(read_bytes), epoll_(epoll_create1(0)) {
  if (epoll_ < 0) throw BenchError("no epoll instance: " + words_of(errno));
  for (std::size_t number = 0; number < clients; ++number) {
    clients_[number].number = static_cast<std::uint32_t>(number);
    clients_[number].address = Address::v4(target.first_source.as_v4() + static_cast<std::uint32_t>(number));
  }
}

Crew::~Crew() {
  for (Client& client : clients_) leave(client);
  close(epoll_);
}

void Crew::give_up(const Client& client, const std::string& what) const {
  throw BenchError("client " + std::to_string(client.number) + " (" + to_string(client.address) +
                   "): " + what);
}

void Crew::watch(const Client& client, std::uint32_t interest, int operation) const {
  epoll_event event{};
  event.events = interest;
  event.data.u32 = client.number;
  if (epoll_ctl(epoll_, operation, client.socket, &event) != 0) give_up(client, words_of(errno));
}

void Crew::join(Client& client, Time due) {
  client.began = due;
  client.step = 0;
  client.state = Client::State::connecting;
  client.socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (client.socket < 0) give_up(client, "no socket: " + words_of(errno) + "; raise the limit of open files");
  const int yes = 1;
  // Ports are chosen when connecting, so that each source address has them all.
  setsockopt(client.socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  setsockopt(client.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const sockaddr_in source = endpoint(client.address, 0);
  if (bind(client.socket, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0)
    give_up(client, "cannot use this source address: " + words_of(errno));
  const auto server = parse_address(target_.address);
  if (!server) throw BenchError("\"" + target_.address + "\" is not an IPv4 address");
  const sockaddr_in to = endpoint(*server, target_.port);
  const int status = connect(client.socket, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  if (status != 0 && errno != EINPROGRESS) give_up(client, "cannot connect: " + words_of(errno));
  watch(client, EPOLLOUT, EPOLL_CTL_ADD);
}

void Crew::ask(Client& client, Time due) {
  client.began = due;
  client.state = Client::State::asking;
  send(client, dialogue_.beat(client.timestamp));
}

void Crew::leave(Client& client) {
  if (client.socket >= 0) close(client.socket);
  client.socket = -1;
  client.state = Client::State::closed;
}

void Crew::send(Client& client, const Exchange& exchange) {
  client.reply.expect(exchange.reply);
  client.sent = now();
  const ssize_t sent = ::send(client.socket, exchange.request.data(), exchange.request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(exchange.request.size()))
    give_up(client, "cannot send: " + words_of(errno));
  bytes_sent_ += exchange.request.size();
}

void Crew::poll(Events& events, Time deadline) {
  std::array<epoll_event, events_max> ready;
  const auto left = std::chrono::nanoseconds(std::max(deadline - now(), Time::duration::zero()));
  const timespec timeout{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
  const int count = epoll_pwait2(epoll_, ready.data(), events_max, &timeout, nullptr);
  if (count < 0 && errno != EINTR) throw BenchError("cannot wait: " + words_of(errno));
  for (int index = 0; index < count; ++index)
    on_ready(events, clients_[ready[static_cast<std::size_t>(index)].data.u32]);
}

void Crew::on_ready(Events& events, Client& client) {
  if (client.socket < 0) return;  // left in answer to an earlier event of this round
  if (client.state == Client::State::connecting) {
    on_connected(client);
    if (client.greeting.empty()) go_on_joining(events, client, now());
    return;
  }
  const ssize_t size = recv(client.socket, buffer_.data(), buffer_.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size < 0) give_up(client, "lost: " + words_of(errno));
  if (size == 0) give_up(client, "the server has closed the connection");
  bytes_received_ += static_cast<std::uint64_t>(size);
  ByteView input(buffer_.data(), static_cast<std::size_t>(size));
  if (client.state == Client::State::idle)
    give_up(client, "the server said something unasked: " + std::string(input.substr(0, 200)));
  const Time at = now();
  if (client.reply.take(input)) on_complete(events, client, at);
  if (!input.empty()) give_up(client, std::to_string(input.size()) + " bytes came behind a complete reply");
}

void Crew::on_connected(Client& client) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(client.socket, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) give_up(client, "cannot connect: " + words_of(error));
  watch(client, EPOLLIN, EPOLL_CTL_MOD);
  client.state = Client::State::joining;
  client.greeting = dialogue_.joining(client.address);
  if (!client.greeting.empty()) send(client, client.greeting.front());
}

void Crew::on_complete(Events& events, Client& client, Time at) {
  if (client.state == Client::State::joining) {
    ++client.step;
    return go_on_joining(events, client, at);
  }
  client.state = Client::State::idle;
  if (!client.keeps_timestamp) client.timestamp = client.reply.timestamp();
  events.answered(client, at);
}

void Crew::go_on_joining(Events& events, Client& client, Time at) {
  if (client.step < client.greeting.size()) return send(client, client.greeting[client.step]);
  client.state = Client::State::idle;
  std::vector<Exchange>().swap(client.greeting);
  events.joined(client, at);
}

// ---- Everybody ----

namespace {

class Joiner final : public Events {
 public:
  Joiner(Crew& crew, std::size_t first, std::size_t last) : crew_(crew), next_(first), last_(last) {}

  void begin(std::size_t at_once) {
    left_ = last_ - next_;
    for (std::size_t index = 0; index < at_once; ++index) join_next();
  }
  void joined(Client&, Time) override {
    --left_;
    join_next();
  }
  void answered(Client&, Time) override { --left_; }
  bool done() const { return left_ == 0; }
  void expect(std::size_t answers) { left_ = answers; }
  std::size_t left() const { return left_; }

 private:
  void join_next() {
    if (next_ < last_) crew_.join(crew_.clients()[next_++], now());
  }

  Crew& crew_;
  std::size_t next_;
  std::size_t last_;
  std::size_t left_ = 0;
};

void wait(Crew& crew, Joiner& joiner) {
  Time heard = now();
  std::size_t left = joiner.left();
  while (!joiner.done()) {
    crew.poll(joiner, now() + std::chrono::milliseconds(100));
    if (joiner.left() != left) heard = now();
    left = joiner.left();
    if (now() - heard > patience)
      throw BenchError("nothing came from the server for a minute; " + std::to_string(left) +
                       " clients wait");
  }
}

}  // namespace

void join_all(Crew& crew, std::size_t first, std::size_t last, std::size_t at_once) {
  Joiner joiner(crew, first, last);
  joiner.begin(at_once);
  wait(crew, joiner);
}

void ask_all(Crew& crew, std::size_t first, std::size_t last) {
  Joiner asker(crew, first, first);
  asker.expect(last - first);
  for (std::size_t number = first; number < last; ++number) crew.ask(crew.clients()[number], now());
  wait(crew, asker);
}

}  // namespace lekt::bench
