#include "tests/simulation/world.h"

#include <algorithm>

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using Death = SimulatedServer::Death;

constexpr std::size_t programs_in_world = 8;
constexpr std::uint32_t addresses_in_world = 5;  // fewer than programs: some share one
constexpr std::uint32_t chat_index = 2;
constexpr std::int64_t heartbeat_interval = 2000;  // milliseconds, at the end, when all is well

}  // namespace

World::Statistics& World::Statistics::operator+=(const Statistics& other) {
  steps += other.steps;
  answers += other.answers;
  changes += other.changes;
  starts += other.starts;
  power_losses += other.power_losses;
  disk_failures += other.disk_failures;
  troubles += other.troubles;
  refusals += other.refusals;
  cuts += other.cuts;
  slowed += other.slowed;
  timeouts += other.timeouts;
  pushes += other.pushes;
  for (std::size_t basis = 0; basis < by_basis.size(); ++basis) by_basis[basis] += other.by_basis[basis];
  return *this;
}

World::World(Random& random, const std::filesystem::path& directory)
    : random_(random), oracle_(random.seed(), catalogue_) {
  (void)catalogue_.add("2:chat:sized");
  settings_.retention = std::chrono::seconds(std::array{2, 20, 3600}[random_.below(3)]);
  settings_.restart_grace = std::chrono::milliseconds(random_.between(0, 20'000));
  member_settings_.heartbeat_timeout = std::chrono::milliseconds(random_.between(3000, 30'000));
  member_settings_.handshake_timeout = std::chrono::milliseconds(random_.between(2000, 30'000));
  member_settings_.heartbeats = Rate(static_cast<std::uint32_t>(random_.between(1, 3)),
                                     static_cast<std::uint32_t>(random_.between(1, 4)));
  for (std::size_t index = 0; index < programs_in_world; ++index) {
    Program& program = programs_.emplace_back();
    program.address = Address::v4(0x7f000001 + static_cast<std::uint32_t>(random_.below(addresses_in_world)));
    program.offered = random_methods();
    for (const NamedFeature& named : all_features)
      if (random_.chance(50)) program.asks_for.add(named.feature);
  }
  server_.emplace(random_, oracle_, catalogue_, settings_, directory / "world.db");
  start_server();
}

World::~World() = default;

World::Statistics World::statistics() const {
  Statistics statistics = statistics_;
  statistics.changes = oracle_.changes();
  statistics.disk_failures = server_->failures();
  statistics.troubles = server_->troubles();
  return statistics;
}

Methods World::random_methods() {
  Methods methods;
  if (random_.chance(80))
    methods.push_back({tcp_index, tcp_information(static_cast<std::uint16_t>(random_.between(1, 4)))});
  if (random_.chance(40))
    methods.push_back(
        {chat_index, MethodCatalogue::wrap({MethodForm::Kind::sized, 0}, random_.bytes(random_.below(300)))});
  return methods;
}

// ---- What happens ----

void World::step() {
  ++statistics_.steps;
  Program& program = random_.pick(programs_);
  const auto dice = random_.below(1000);
  if (dice < 120) return connect(program);
  if (dice < 320) return ask(program);
  if (dice < 350) return break_off(program);
  if (dice < 360) return change_methods(program);
  if (dice < 380) return cut_while_joining();
  if (dice < 600) return deliver_somewhere();
  if (dice < 640) return push_to_all();
  if (dice < 780) return turn_writer();
  if (dice < 890) return deliver_to_worker(random_.pick(server_->workers()));
  if (dice < 950) return pass_time(random_.between(0, random_.chance(90) ? 900 : 9000));
  if (dice < 955) return pause_server(random_.between(0, 200'000));
  if (dice < 962) return step_wall_clock();
  if (dice < 992) return trouble_disk();
  end_server(static_cast<unsigned>(random_.below(4)));
}

void World::trouble_disk() {
  Disk& disk = server_->disk();
  const auto dice = random_.below(12);
  if (dice < 3) return disk.heal();
  if (dice < 4) return disk.hold_write_lock(true);
  if (dice < 6) return disk.hold_write_lock(false);
  if (dice < 8) return server_->hold_snapshot(random_.chance(60));
  const auto fault = static_cast<DiskFault>(random_.below(5));
  disk.fail(fault, random_.below(fault == DiskFault::failed_sync ? 4 : 60), random_.chance(30));
}

// ---- The server ----

void World::start_server() {
  ++statistics_.starts;
  if (server_->start(now())) return;
  if (server_->disk().has_stopped()) die(random_.chance(50) ? Death::killed : Death::power_lost);
}

void World::turn_writer() {
  if (!server_->is_up()) return start_server();
  if (!server_->turn(now())) die(random_.chance(50) ? Death::killed : Death::power_lost);
}

void World::end_server(unsigned dice) {
  if (!server_->is_up()) return;
  if (dice > 0) return die(dice == 1 ? Death::killed : Death::power_lost);
  server_->stop(now());
  // It may have died on its way.
  server_->disk().has_stopped() ? die(Death::power_lost) : server_is_gone();
}

/// The disk is fine again: what failed is replaced, or was cured by the restart.
void World::die(Death death) {
  statistics_.power_losses += death == Death::power_lost;
  server_->die(death);
  server_is_gone();
}

/// Everything in memory is gone, and so are the connections; bytes that were on their way to clients may
/// still arrive.
void World::server_is_gone() {
  for (Link& link : links_) {
    if (link.program != nullptr && random_.chance(50))
      deliver_to_client(link, random_.below(link.to_client.size() + 1));
    if (link.program != nullptr) break_off(*link.program);
  }
  links_.clear();
}

// ---- Programs ----

void World::connect(Program& program) {
  // Some come back before the server has seen that they were gone.
  if (program.link != nullptr && random_.chance(10)) break_off(program);
  if (program.link != nullptr || !server_->is_up()) return;
  program.conversation =
      std::make_unique<Conversation>(catalogue_, program.offered, program.view, program.asks_for);
  program.joined = false;
  program.link =
      &links_.emplace_back(Link{&program, Member(++sessions_made_, program.address, rules_, now().awake)});
  program.link->member.begin();
  program.link->to_server = program.conversation->take_output();
}

void World::ask(Program& program) {
  if (program.link == nullptr || !program.conversation->can_ask()) return;
  program.conversation->heartbeat();
  program.link->to_server += program.conversation->take_output();
}

/// The client's side goes: the server reads the end soon, or never (a half-open connection), or bytes are
/// lost as well.
void World::break_off(Program& program) {
  if (program.link == nullptr) return;
  Link& link = *program.link;
  link.program = nullptr;
  link.client_gone = random_.chance(60);
  if (random_.chance(50)) link.to_server.resize(random_.below(link.to_server.size() + 1));
  program.link = nullptr;
  program.conversation.reset();
  program.joined = false;
}

/// The server sees the end of a connection whose join it has not answered.
void World::cut_while_joining() {
  for (Link& link : links_) {
    if (link.dead || link.member.state() != Member::State::joining) continue;
    ++statistics_.cuts;
    if (link.program != nullptr) break_off(*link.program);
    end_member(link, LeaveReason::lost);
    return remove_dead_links();
  }
}

void World::change_methods(Program& program) {
  break_off(program);
  program.offered = random_methods();
}

// ---- Time ----

void World::pass_time(std::int64_t milliseconds) {
  awake_ += milliseconds;
  wall_ += milliseconds;
  look_at_members();
}

/// The process or the machine is stopped: time passes for everybody else, and what they send arrives.
void World::pause_server(std::int64_t milliseconds) {
  wall_ += milliseconds;
  for (Link& link : links_) link.in_socket += std::exchange(link.to_server, {});
}

void World::step_wall_clock() {
  // A battery that is empty, and what comes then: some steps are of centuries.
  constexpr std::int64_t centuries = 5'000'000'000'000;
  wall_ += random_.between(-4000, 4000) * (random_.chance(10) ? 1000 : 1);
  if (random_.chance(2)) wall_ += random_.chance(50) ? centuries : -centuries;
}

// ---- The end ----

void World::end_faults() {
  server_->disk().heal();
  server_->disk().hold_write_lock(false);
  server_->hold_snapshot(false);
  while (!server_->is_up()) start_server();
}

/// Nothing is lost and nobody is slow: bytes, turns and views go through until all is quiet.
void World::exchange_everything() {
  for (int round = 0; round < 200; ++round) {
    turn_writer();
    for (SimulatedServer::Worker& worker : server_->workers())
      while (!worker.deliveries.empty()) deliver_to_worker(worker);
    push_to_all();
    bool quiet = !server_->has_commands();
    for (Link& link : links_) {
      quiet = quiet && link.to_server.empty() && link.in_socket.empty() && link.to_client.empty();
      deliver_to_server(link, link.to_server.size());
      deliver_to_client(link, link.to_client.size());
    }
    remove_dead_links();
    if (quiet && !server_->has_commands()) return;
  }
  check(false, "the world does not become quiet");
}

void World::settle() {
  server_->make_roomy();
  if (server_->is_up()) die(Death::killed);
  end_faults();
  const std::int64_t patience =
      std::max(settings_.restart_grace, member_settings_.heartbeat_timeout).count() + 5000;
  for (std::int64_t passed = 0; passed < patience; passed += heartbeat_interval) {
    for (Program& program : programs_)
      if (program.link == nullptr) connect(program);
    exchange_everything();
    for (Program& program : programs_) ask(program);
    exchange_everything();
    pass_time(heartbeat_interval);
  }
  for (Program& program : programs_) ask(program);
  exchange_everything();
  check_agreement();
  die(Death::power_lost);
  end_faults();
}

void World::check_agreement() {
  check(!server_->is_in_trouble(), "the storage does not recover");
  std::map<Address, Methods> wanted;
  for (const Program& program : programs_) {
    check(program.joined, "a program has not joined");
    Methods& methods = wanted[program.address];
    methods.insert(methods.end(), program.offered.begin(), program.offered.end());
  }
  Peers expected;
  for (auto& [address, methods] : wanted) {
    normalise(methods);
    expected[address] = {methods, {}};
  }
  check(oracle_.list() == expected, "the server's list is not the union of its sessions");
  for (const Program& program : programs_)
    check(program.view.peers() == expected, "a program does not hold the server's list at the end");
}

}  // namespace lekt::test
