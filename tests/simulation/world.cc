#include "tests/simulation/world.h"

#include <algorithm>
#include <stdexcept>

#include "common/packets.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t programs_in_world = 8;
constexpr std::uint32_t addresses_in_world = 5;  // fewer than programs: some share one
constexpr std::uint32_t chat_index = 2;

std::string describe(const Peers& peers) {
  std::string text = "[";
  for (const auto& [address, offer] : peers)
    text += " " + to_string(address) + "/" + std::to_string(encoded_size(offer.methods));
  return text + " ]";
}

std::string describe(const ChangeView& view, Basis basis, std::int64_t timestamp) {
  return std::string(to_string(basis)) + " from " + std::to_string(timestamp) + ", closing " +
         std::to_string(view.closing()) + ", history begins " + std::to_string(view.history_begins()) +
         ", newest sequence " + std::to_string(view.newest_sequence());
}

Bytes take_front(Bytes& bytes, std::size_t size) {
  Bytes front = bytes.substr(0, size);
  bytes.erase(0, front.size());
  return front;
}

}  // namespace

World::World(Random& random, const std::filesystem::path& directory)
    : random_(random), path_(directory / "world.db") {
  (void)catalogue_.add("2:chat:sized");
  settings_.retention = std::chrono::seconds(std::array{2, 20, 3600}[random_.below(3)]);
  settings_.restart_grace = std::chrono::milliseconds(random_.between(0, 20'000));
  settings_.limits.packet_bytes_max = limits::packet_bytes_floor;
  heartbeat_timeout_ = std::chrono::milliseconds(random_.between(3000, 30'000));
  for (std::size_t index = 0; index < programs_in_world; ++index) {
    Program& program = programs_.emplace_back();
    program.address = {0x7f000001 + static_cast<std::uint32_t>(random_.below(addresses_in_world))};
    program.offered = random_methods();
  }
  start_server();
  lists_[0] = {};
}

World::~World() = default;

void World::check(bool holds, const std::string& what) const {
  if (!holds)
    throw std::logic_error(what + " (replay with LEKT_TEST_SEED=" + std::to_string(random_.seed()) + ")");
}

Methods World::random_methods() {
  Methods methods;
  if (random_.chance(80))
    methods.push_back({tcp_index, tcp_information(static_cast<std::uint16_t>(random_.between(1, 4)))});
  if (random_.chance(40))
    methods.push_back(
        {chat_index, MethodCatalogue::wrap({MethodForm::Kind::sized, 0}, random_.bytes(random_.below(700)))});
  return methods;
}

// ---- The server ----

void World::start_server() {
  storage::DatabaseSettings settings;
  settings.path = path_;
  settings.catalogue = &catalogue_;
  settings.program_version = "simulation";
  settings.started = wall_ / 1000;
  settings.durable = false;
  database_ = std::make_unique<storage::Database>(settings);
  writer_ = std::make_unique<Writer>(*database_, settings_, Moment{AwakeTime(awake_), wall_ / 1000});
  for (Worker& worker : workers_) worker = {writer_->view(), {}};
}

/// Everything in memory is gone, and so are the connections; bytes that were on their way to clients may
/// still arrive.
void World::restart_server() {
  ++statistics_.restarts;
  for (Link& link : links_) {
    if (link.program != nullptr && random_.chance(50))
      deliver_to_client(link, random_.below(link.to_client.size() + 1));
    if (link.program != nullptr) break_off(*link.program);
  }
  links_.clear();
  inbox_.clear();
  writer_.reset();
  database_.reset();
  start_server();
  check_database();
}

/// What was committed is what a new start finds.
void World::check_database() {
  Peers stored;
  database_->load([&](storage::Change&& change) {
    if (change.kind == UpdateKind::added) stored[change.address] = {change.methods, {}};
  });
  check(stored == truth_, "the database does not hold what was committed");
  check(writer_->view()->closing() >= newest_closing_ || newest_closing_ == 0,
        "a closing timestamp went back");
}

void World::turn_writer() {
  const Moment now{AwakeTime(awake_), wall_ / 1000};
  for (const Command& command : inbox_) {
    if (const auto* join = std::get_if<JoinCommand>(&command))
      writer_->join(join->session, join->address, join->methods, now);
    if (const auto* leave = std::get_if<LeaveCommand>(&command))
      writer_->leave(leave->session, leave->address, now);
    if (const auto* heard = std::get_if<HeardCommand>(&command))
      for (const auto& [address, second] : heard->heard) writer_->heard(address, second);
  }
  inbox_.clear();
  Writer::Turn turn = writer_->turn(now);
  check(turn.trouble == Writer::Trouble::none, "the storage is in trouble: " + turn.message);
  for (const storage::Change& change : turn.changes) {
    ++statistics_.changes;
    check(change.second > newest_closing_,
          "a change is stamped earlier than a closing timestamp that was given out");
    if (change.kind == UpdateKind::added)
      truth_[change.address] = {change.methods, {}};
    else
      check(truth_.erase(change.address) == 1, "an absent client was removed");
  }
  lists_[writer_->view()->newest_sequence()] = truth_;
  std::array<std::vector<Writer::Completion>, 2> completions;
  for (Writer::Completion& completion : turn.completions)
    completions[completion.session % 2].push_back(completion);
  for (std::size_t index = 0; index < workers_.size(); ++index)
    if (turn.published || !completions[index].empty())
      workers_[index].deliveries.push_back({turn.published ? writer_->view() : nullptr, completions[index]});
}

void World::deliver_to_worker(Worker& worker) {
  if (worker.deliveries.empty()) return;
  const Delivery delivery = std::move(worker.deliveries.front());
  worker.deliveries.pop_front();
  if (delivery.view != nullptr) worker.view = delivery.view;
  for (const Writer::Completion& completion : delivery.completions) {
    const auto link = std::ranges::find_if(links_, [&](const Link& candidate) {
      return candidate.session.id() == completion.session && !candidate.dead;
    });
    if (link == links_.end()) continue;
    check(!completion.rejection, "a join was refused");
    link->session.joined(completion.joined, link->to_client);
    link->heard = AwakeTime(awake_);
    process(*link, {});
  }
}

// ---- Connections ----

void World::connect(Program& program) {
  if (program.link != nullptr) return;
  const SessionId id = ++sessions_made_;
  program.conversation = std::make_unique<Conversation>(catalogue_, program.offered, program.view);
  program.joined = false;
  program.link = &links_.emplace_back(Link{&program,
                                           Session(id, program.address, rules_),
                                           id % 2,
                                           {},
                                           {},
                                           AwakeTime(awake_),
                                           false,
                                           false,
                                           false,
                                           {}});
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

void World::change_methods(Program& program) {
  break_off(program);
  program.offered = random_methods();
}

void World::deliver_to_server(Link& link, std::size_t size) {
  if (link.dead) return;
  const Bytes bytes = take_front(link.to_server, size);
  process(link, bytes);
  if (link.to_server.empty() && link.client_gone) end_session(link);
}

void World::process(Link& link, ByteView input) {
  while (!link.dead) {
    const Session::Action action = link.session.next(input, link.to_client);
    if (action.kind == Session::Action::Kind::wait) return;
    check(action.kind != Session::Action::Kind::end,
          "a session was rejected: " +
              (link.session.rejection() == nullptr ? std::string() : link.session.rejection()->text()));
    if (action.kind == Session::Action::Kind::join) {
      link.registered = true;
      inbox_.push_back(JoinCommand{link.session.id(), link.session.address(), link.session.methods()});
      continue;
    }
    const ChangeView& view = *workers_[link.worker].view;
    Output output;
    const Basis basis = view.answer(link.session.cursor(), action.timestamp, output);
    ++statistics_.by_basis[static_cast<std::size_t>(basis)];
    link.to_client += flatten(output);
    link.expected.push_back({lists_.at(view.newest_sequence()), describe(view, basis, action.timestamp)});
    link.heard = AwakeTime(awake_);
    newest_closing_ = std::max(newest_closing_, view.closing());
  }
}

void World::deliver_to_client(Link& link, std::size_t size) {
  const Bytes bytes = take_front(link.to_client, size);
  if (link.program == nullptr) return;
  for (const ConversationEvent& event : link.program->conversation->receive(bytes)) take(link, event);
  link.to_server += link.program->conversation->take_output();
}

void World::take(Link& link, const ConversationEvent& event) {
  Program& program = *link.program;
  if (std::holds_alternative<Joined>(event)) program.joined = true;
  if (const auto* malformed = std::get_if<Malformed>(&event)) check(false, malformed->rejection.text());
  if (const auto* rejected = std::get_if<Rejected>(&event)) check(false, rejected->text);
  if (!std::holds_alternative<Updated>(event)) return;
  ++statistics_.answers;
  check(!link.expected.empty(), "more answers than requests");
  const Expected& expected = link.expected.front();
  check(program.view.peers() == expected.list, "after an answer (" + expected.answer +
                                                   ") the program holds " + describe(program.view.peers()) +
                                                   " but the server's list is " + describe(expected.list));
  link.expected.pop_front();
}

void World::end_session(Link& link) {
  if (link.dead) return;
  link.dead = true;
  if (link.registered) inbox_.push_back(LeaveCommand{link.session.id(), link.session.address()});
  if (link.program != nullptr) break_off(*link.program);
}

void World::remove_dead_links() {
  links_.remove_if([](const Link& link) { return link.dead; });
}

// ---- Time ----

void World::pass_time(std::int64_t milliseconds) {
  awake_ += milliseconds;
  wall_ += milliseconds;
  expire_sessions();
}

void World::expire_sessions() {
  for (Link& link : links_)
    if (AwakeTime(awake_) - link.heard >= heartbeat_timeout_) end_session(link);
  remove_dead_links();
}

// ---- What happens ----

void World::step() {
  Program& program = random_.pick(programs_);
  const auto dice = random_.below(1000);
  if (dice < 120) return connect(program);
  if (dice < 330) return ask(program);
  if (dice < 360) return break_off(program);
  if (dice < 370) return change_methods(program);
  if (dice < 650) return deliver_somewhere();
  if (dice < 790) return turn_writer();
  if (dice < 910) return deliver_to_worker(random_.pick(workers_));
  if (dice < 990) return pass_time(random_.between(0, random_.chance(90) ? 900 : 9000));
  if (dice < 998) return step_wall_clock();
  restart_server();
}

void World::deliver_somewhere() {
  if (links_.empty()) return;
  Link& link = random_.pick(links_);
  const std::size_t most = random_.chance(70) ? 4096 : 24;
  deliver_to_server(link, 1 + random_.below(most));
  if (!link.dead && random_.chance(80)) deliver_to_client(link, 1 + random_.below(most));
  remove_dead_links();
}

void World::step_wall_clock() { wall_ += random_.between(-4000, 4000) * (random_.chance(10) ? 1000 : 1); }

/// Nothing is lost and nobody is slow: bytes, turns and views go through until all is quiet.
void World::exchange_everything() {
  for (int round = 0; round < 200; ++round) {
    turn_writer();
    for (Worker& worker : workers_)
      while (!worker.deliveries.empty()) deliver_to_worker(worker);
    bool quiet = inbox_.empty();
    for (Link& link : links_) {
      quiet = quiet && link.to_server.empty() && link.to_client.empty();
      deliver_to_server(link, link.to_server.size());
      deliver_to_client(link, link.to_client.size());
    }
    remove_dead_links();
    if (quiet && inbox_.empty()) return;
  }
  check(false, "the world does not become quiet");
}

void World::settle() {
  const std::int64_t patience = std::max(settings_.restart_grace, heartbeat_timeout_).count() + 5000;
  for (std::int64_t passed = 0; passed < patience; passed += 1000) {
    for (Program& program : programs_) connect(program);
    exchange_everything();
    for (Program& program : programs_) ask(program);
    exchange_everything();
    pass_time(1000);
  }
  for (Program& program : programs_) ask(program);
  exchange_everything();

  std::map<Ipv4Address, Methods> wanted;
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
  check(truth_ == expected, "the server's list is not the union of its sessions");
  for (const Program& program : programs_)
    check(program.view.peers() == expected, "a program does not hold the server's list at the end");
  check_database();
}

}  // namespace lekt::test
