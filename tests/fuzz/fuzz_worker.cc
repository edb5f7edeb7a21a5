#include <array>
#include <vector>

#include "tests/core/support.h"
#include "tests/fuzz/fuzzers.h"
#include "tests/net/driven_worker.h"

namespace lekt::fuzz {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t clients_max = 4;
constexpr std::uint32_t heartbeats_per_second = 10;
constexpr std::uint32_t heartbeats_at_once = 20;
/// What a program may make in one run, so that none takes long.
constexpr std::size_t connections_max = 24;
constexpr std::size_t operations_max = 400;

WorkerSettings short_settings() {
  WorkerSettings settings;
  settings.members.heartbeat_timeout = 200ms;
  settings.members.handshake_timeout = 100ms;
  settings.members.drain_timeout = 50ms;
  settings.members.heartbeats = Rate(heartbeats_per_second, heartbeats_at_once);
  return settings;
}

/// Lists that no socket of the test takes at once, and that change from one to the next.
std::vector<PublishedView::Pointer> make_views() {
  test::History history(limits::packet_bytes_floor);
  for (std::uint32_t number = 1; number <= 40; ++number)
    history.add(test::numbered(number), test::filler(2000));
  std::vector<PublishedView::Pointer> views = {history.view()};
  for (std::uint32_t round = 0; round < 3; ++round) {
    history.at(history.second() + 10);
    for (std::uint32_t number = 1; number <= 25; ++number)
      history.add(test::numbered(number + round), test::filler(2000 + 4 * (round + 1)));
    history.remove(test::numbered(40 - round));
    views.push_back(history.view());
  }
  return views;
}

/// What the bytes of a program mean. The lowest two bits say which client, the others what happens.
enum class Operation : std::uint8_t {
  connect,
  connect_through_proxy,
  join,         ///< sends the handshake
  send_raw,     ///< the next byte says how many of the bytes that follow
  ask_for_all,  ///< the next byte says how often, as for the next ones
  ask_for_news,
  ask_for_much,  ///< news, lists and news, all in one piece
  read_some,     ///< as many KiB as the next byte says
  read_all,
  close,
  half_close,
  pass_time,  ///< as many milliseconds as the next byte says
  accept_join,
  refuse_join,
  end_sessions,
  publish,
  stop,
  connect_with_tls,
  send_hello,  ///< the first record of TLS, which its client never goes on from
};
constexpr std::uint8_t operations = static_cast<std::uint8_t>(Operation::send_hello) + 1;

class Program {
 public:
  explicit Program(ByteView input) : input_(input), worker_(short_settings(), views().front()) {}

  void run() {
    for (std::size_t count = 0; count < operations_max && !input_.empty(); ++count) {
      const std::uint8_t byte = take();
      perform(static_cast<Operation>((byte >> 2) % operations), clients_[byte % clients_max]);
      worker_.turn();
      check_rate();
    }
    end();
  }

 private:
  using Client = std::optional<test::ClientEnd>;

  static const std::vector<PublishedView::Pointer>& views() {
    static const std::vector<PublishedView::Pointer> made = make_views();
    return made;
  }

  static std::shared_ptr<TlsContext> tls() {
    static const std::shared_ptr<TlsContext> made = test::test_tls();
    return made;
  }

  std::uint8_t take() {
    if (input_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(input_.front());
    input_.remove_prefix(1);
    return byte;
  }

  void connect(Client& client, bool proxied, bool with_tls) {
    if (connections_ == connections_max) return;
    ++connections_;
    const auto number = static_cast<std::uint32_t>(&client - clients_.data());
    client.emplace(worker_.connect(test::numbered(1 + number / 2), proxied,  // two of each address
                                   with_tls ? tls() : nullptr));
  }

  void perform(Operation operation, Client& client) {
    if (operation == Operation::connect || operation == Operation::connect_through_proxy ||
        operation == Operation::connect_with_tls)
      return connect(client, operation == Operation::connect_through_proxy,
                     operation == Operation::connect_with_tls);
    if (operation >= Operation::pass_time && operation != Operation::send_hello) return perform(operation);
    if (client) perform(operation, *client);
  }

  void perform(Operation operation, test::ClientEnd& client) {
    if (!client.is_open()) return;
    std::uint8_t much = 0;
    switch (operation) {
      case Operation::join:
        client.send(test::handshake_bytes());
        return;
      case Operation::send_raw: {
        const ByteView bytes = input_.substr(0, take());
        client.send(bytes);
        input_.remove_prefix(std::min(bytes.size(), input_.size()));
        return;
      }
      case Operation::ask_for_all:
        client.send(test::heartbeats(0, take()));
        return;
      case Operation::ask_for_news:
        client.send(test::heartbeats(test::nothing_new, take()));
        return;
      case Operation::ask_for_much:
        much = take();
        client.send(test::heartbeats(test::nothing_new) + test::heartbeats(0, much) +
                    test::heartbeats(test::nothing_new, much));
        return;
      case Operation::read_some:
        read(client, std::size_t{1024} * take());
        return;
      case Operation::read_all:
        read(client, SIZE_MAX);
        return;
      case Operation::close:
        client.close();
        return;
      case Operation::send_hello: {
        static const Bytes hello = test::client_hello();
        client.send(hello);
        return;
      }
      default:
        client.half_close();
    }
  }

  /// While the worker goes on, as far as something comes.
  void read(test::ClientEnd& client, std::size_t bytes) {
    for (int round = 0; round < 100 && bytes > 0; ++round) {
      const std::size_t received = client.receive(bytes).size();
      if (received == 0) return;
      bytes -= received;
      worker_.turn();
    }
  }

  void perform(Operation operation) {
    switch (operation) {
      case Operation::pass_time:
        worker_.pass(std::chrono::milliseconds(take()));
        return;
      case Operation::accept_join:
        worker_.decide_join();
        return;
      case Operation::refuse_join:
        worker_.decide_join(Rejection{ErrorCode::storage_unavailable, "refused"});
        return;
      case Operation::end_sessions:
        worker_.worker().post([this] {
          worker_.worker().end_sessions(Block(test::numbered(1)), {ErrorCode::ended_by_operator, "ended"});
        });
        return;
      case Operation::publish:
        view_ = std::min(view_ + 1, views().size() - 1);
        worker_.publish(views()[view_]);
        return;
      default:
        worker_.worker().stop();
        stopped_ = true;
    }
  }

  /// Each connection has what may come at once, what the time gave back, and one answer that went beyond.
  void check_rate() {
    const auto given_back =
        static_cast<std::uint64_t>(worker_.passed().count()) * heartbeats_per_second / 1000;
    const WorkerMeters& meters = worker_.worker().meters();
    // A list of these views has the price of two.
    require(meters.heartbeats.value() + meters.full_lists.value() <=
                connections_ * (heartbeats_at_once + given_back + 2),
            "heartbeats are answered within their rate");
  }

  void end() {
    const std::size_t kept = worker_.sessions_kept();
    require(kept <= connections_, "a session is one of a connection");
    worker_.end();
    require(worker_.admission().connections() == 0 && worker_.admission().handshakes() == 0,
            "every connection is counted until its end, and not longer");
    require(stopped_ || worker_.sessions_kept() == 0, "every session that has joined has left");
  }

  ByteView input_;
  test::DrivenWorker worker_;
  std::array<Client, clients_max> clients_;
  std::size_t connections_ = 0;
  std::size_t view_ = 0;
  bool stopped_ = false;
};

}  // namespace

void fuzz_worker(ByteView input) { Program(input).run(); }

}  // namespace lekt::fuzz
