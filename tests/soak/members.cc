#include "tests/soak/members.h"

#include <chrono>
#include <optional>

#include "client/client.h"
#include "tests/integration/raw_client.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

/// Others come and go about as often.
constexpr auto between_changes = 20ms;

std::string line_of(Address address, const Offer& offer) {
  return to_string(address) + " " + describe(offer, catalogue());
}

}  // namespace

class Member : public ClientHandler {
 public:
  Member(std::uint16_t server_port, std::size_t number, std::size_t steady)
      : server_port_(server_port), address_(ip(address_number(number))), steady_(steady) {}

  bool is_there() const { return client_.has_value(); }

  void come(const Methods& methods) {
    methods_ = methods;
    ++figures_.starts;
    client_.emplace(ClientOptions{.server = "127.0.0.1:" + std::to_string(server_port_),
                                  .methods = methods,
                                  .interval = 100ms,
                                  .source = address_,
                                  .retry_first = 20ms,
                                  .retry_last = 200ms},
                    *this);
  }

  /// Says nothing and is gone, as a program that crashes.
  void vanish() { client_.reset(); }

  void run() {
    if (client_) client_->run_for(1ms);
  }

  std::string line() const { return to_string(address_) + " " + catalogue().describe(methods_); }

  bool holds(const std::vector<std::string>& list) const {
    std::vector<std::string> lines;
    for (const auto& [address, offer] : client_->peers()) lines.push_back(line_of(address, offer));
    return lines == list;
  }

  const MemberFigures& figures() const { return figures_; }

 private:
  void on_joined() override { ++figures_.joins; }
  void on_synchronised() override { ++figures_.answers; }
  void on_disconnected(const Disconnection&) override { ++figures_.disconnections; }

  void on_change(const PeerChange& change) override {
    if (change.kind != PeerChange::Kind::removed) return;
    for (std::size_t number = 0; number < steady_; ++number)
      if (change.address == ip(address_number(number))) ++figures_.false_removals;
  }

  const std::uint16_t server_port_;
  const Address address_;
  const std::size_t steady_;
  Methods methods_;
  MemberFigures figures_;
  std::optional<Client> client_;
};

Members::Members(std::uint16_t server_port, std::size_t steady, std::size_t others, std::uint64_t seed)
    : steady_(steady), random_(seed) {
  for (std::size_t number = 0; number < steady + others; ++number)
    members_.push_back(std::make_unique<Member>(server_port, number, steady));
  // A long list: whoever asks for it and does not read fills the sockets.
  for (std::size_t number = 0; number < steady; ++number) members_[number]->come(chat(Bytes(4000, 's')));
  thread_ = std::thread([this] { work(); });
}

Members::~Members() {
  stopping_ = true;
  thread_.join();
}

void Members::work() {
  auto next_change = std::chrono::steady_clock::now();
  while (!stopping_) {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& member : members_) member->run();
      if (restless_ && std::chrono::steady_clock::now() >= next_change) {
        change_one();
        next_change = std::chrono::steady_clock::now() + between_changes;
      }
    }
    std::this_thread::sleep_for(2ms);
  }
}

void Members::change_one() {
  Member& member = *members_[steady_ + random_.below(members_.size() - steady_)];
  if (member.is_there()) return member.vanish();
  const auto port = static_cast<std::uint16_t>(random_.between(1, 65535));
  member.come(random_.chance(50) ? tcp(port) : Methods{});
}

std::vector<std::string> Members::present() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& member : members_)
    if (member->is_there()) lines.push_back(member->line());
  return lines;
}

bool Members::all_hold(const std::vector<std::string>& list) const {
  const std::lock_guard lock(mutex_);
  for (const auto& member : members_)
    if (member->is_there() && !member->holds(list)) return false;
  return true;
}

MemberFigures Members::figures() const {
  const std::lock_guard lock(mutex_);
  MemberFigures sum;
  for (const auto& member : members_) {
    sum.starts += member->figures().starts;
    sum.joins += member->figures().joins;
    sum.answers += member->figures().answers;
    sum.disconnections += member->figures().disconnections;
    sum.false_removals += member->figures().false_removals;
  }
  return sum;
}

}  // namespace lekt::test
