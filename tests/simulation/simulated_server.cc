#include "tests/simulation/simulated_server.h"

#include <utility>

namespace lekt::test {

using namespace std::chrono_literals;

SimulatedServer::SimulatedServer(Random& random, Oracle& oracle, const MethodCatalogue& catalogue,
                                 const WriterSettings& settings, std::filesystem::path path)
    : random_(random), oracle_(oracle), settings_(settings), disk_(random.next()) {
  database_settings_.path = std::move(path);
  database_settings_.catalogue = &catalogue;
  database_settings_.program_version = "simulation";
  database_settings_.make_identity = [] { return LogIdentity{}; };  // a seed makes the same bytes again
  database_settings_.busy_wait = 1ms;  // the disk does not let anybody really wait
  database_settings_.checkpoint_bytes = 1024 * static_cast<std::size_t>(random.between(8, 200));
}

SimulatedServer::~SimulatedServer() { forget_everything(); }

void SimulatedServer::forget_everything() {
  writer_.reset();
  database_.reset();
  inbox_.clear();
  workers_ = {};
}

/// Narrow ones are narrow in all respects: the packet holds few of the records, and few clients, sessions,
/// removals and changes are allowed.
void SimulatedServer::draw_settings() {
  const bool narrow = !is_roomy_ && random_.chance(30);
  const WriterSettings usual;
  settings_.limits =
      narrow ? Registry::Limits{2 + random_.below(4), 100 + random_.below(400), 1 + random_.below(3)}
             : Registry::Limits{usual.limits.clients_max, limits::packet_bytes_floor};
  settings_.removals_max = random_.chance(50) ? usual.removals_max : 1 + random_.below(4);
  settings_.changes =
      random_.chance(50) ? usual.changes : Rate(1, 1 + static_cast<std::uint32_t>(random_.below(4)));
}

bool SimulatedServer::start(Moment now) {
  draw_settings();
  database_settings_.started = now.wall;
  try {
    database_ = std::make_unique<storage::Database>(database_settings_);
    oracle_.check(database_->lost_log().empty(), "taken for lost: " + database_->lost_log());
    writer_ = std::make_unique<Writer>(*database_, settings_, now);
  } catch (const CodedError& error) {
    oracle_.check(error.code() == ErrorCode::database_unusable, error.what());
    forget_everything();
    return false;
  }
  trouble_ = StorageState::usable;
  oracle_.started(*writer_, now.awake + settings_.restart_grace, settings_.limits.packet_bytes_max);
  for (Worker& worker : workers_) worker = {writer_->view(), {}};
  return true;
}

void SimulatedServer::stop(Moment now) {
  for (const Command& command : std::exchange(inbox_, {})) apply(command, now);
  oracle_.died_in_turn(now);  // what its last turn commits is told to nobody
  writer_->stop(now);
  forget_everything();
}

void SimulatedServer::die(Death death) {
  if (death == Death::killed) {
    disk_.kill();
  } else {
    hold_snapshot(false);
    disk_.lose_power(random_);
  }
  forget_everything();
}

void SimulatedServer::hold_snapshot(bool held) {
  reader_.reset();
  if (held) reader_.emplace(database_settings_.path);
}

void SimulatedServer::apply(const Command& command, Moment now) {
  oracle_.takes(command);
  if (const auto* join = std::get_if<JoinCommand>(&command)) {
    const std::size_t sessions = writer_->registry().sessions();
    writer_->join(join->session, join->address, join->methods, now);
    if (writer_->registry().sessions() == sessions) oracle_.refused(*join);
  }
  if (const auto* leave = std::get_if<LeaveCommand>(&command))
    writer_->leave(leave->session, leave->address, leave->reason, leave->was_told);
  if (const auto* heard = std::get_if<HeardCommand>(&command))
    for (const auto& [address, second] : heard->heard) writer_->heard(address, second);
}

void SimulatedServer::post(Command command) { inbox_.push_back(std::move(command)); }

bool SimulatedServer::turn(Moment now) {
  for (const Command& command : std::exchange(inbox_, {})) apply(command, now);
  const Writer::Turn turn = writer_->turn(now);
  if (disk_.has_stopped()) {
    oracle_.died_in_turn(now);
    return false;
  }
  trouble_ = turn.trouble;
  troubles_ += is_in_trouble();
  oracle_.turned(*writer_, turn, now);
  deliver(turn);
  return true;
}

void SimulatedServer::deliver(const Writer::Turn& turn) {
  std::array<std::vector<Writer::Completion>, 2> completions;
  for (const Writer::Completion& completion : turn.completions)
    completions[completion.session % 2].push_back(completion);
  for (std::size_t index = 0; index < workers_.size(); ++index)
    if (turn.published || !completions[index].empty())
      workers_[index].deliveries.push_back({turn.published ? writer_->view() : nullptr, completions[index]});
}

}  // namespace lekt::test
