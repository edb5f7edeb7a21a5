// The server of a simulated world: the real Writer and Database on a faulty disk, and two workers that look
// at what the writer has published late and apart from each other, as threads do.
//
// It can be down: it dies with its process or with the machine, and a start on a broken disk fails. Each start
// draws its limits anew, as an operator changes them; roomy ones refuse nobody.
//
// Pure: the same calls make the same server.
#pragma once

#include <array>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "server/core/writer.h"
#include "server/net/inbox.h"
#include "storage/database.h"
#include "tests/disk/disk.h"
#include "tests/disk/snapshot_reader.h"
#include "tests/simulation/oracle.h"

namespace lekt::test {

class SimulatedServer {
 public:
  /// What the writer has handed to a worker that has not looked yet.
  struct Delivery {
    std::shared_ptr<const ChangeView> view;
    std::vector<Writer::Completion> completions;
  };
  struct Worker {
    std::shared_ptr<const ChangeView> view;
    std::deque<Delivery> deliveries;
  };
  enum class Death : std::uint8_t { killed, power_lost };

  /// All outlive the server.
  SimulatedServer(Random& random, Oracle& oracle, const MethodCatalogue& catalogue,
                  const WriterSettings& settings, std::filesystem::path path);
  ~SimulatedServer();
  SimulatedServer(const SimulatedServer&) = delete;
  SimulatedServer& operator=(const SimulatedServer&) = delete;

  /// Limits of the starts from now on refuse nobody.
  void make_roomy() { is_roomy_ = true; }
  /// Whether a limit of this start can be the reason of a refusal.
  bool is_narrow() const { return settings_.limits.clients_max != WriterSettings().limits.clients_max; }

  bool is_up() const { return writer_ != nullptr; }
  /// False when the disk does not let it.
  bool start(Moment now);
  /// As after SIGTERM.
  void stop(Moment now);
  void die(Death death);

  /// Posts what a worker tells the writer: one of the kinds of Command, which is made where it stays. (If a Command
  /// were moved there, g++ 12 would warn of members of the other kinds.)
  template <class Kind>
  void post(Kind command) {
    inbox_.emplace_back(std::move(command));
  }
  bool has_commands() const { return !inbox_.empty(); }
  /// False when it has died within the turn.
  bool turn(Moment now);

  Worker& worker(std::size_t index) { return workers_[index]; }
  std::array<Worker, 2>& workers() { return workers_; }
  const Writer& writer() const { return *writer_; }
  Disk& disk() { return disk_; }
  /// As if an operator's program read the database in a long transaction, whatever becomes of the server.
  void hold_snapshot(bool held);
  /// Whether the storage was in trouble after the last turn.
  bool is_in_trouble() const { return trouble_ != StorageState::usable; }
  /// Turns after which the storage was in trouble, and operations of the disk that failed.
  std::uint64_t troubles() const { return troubles_; }
  std::uint64_t failures() const { return disk_.failures(); }

 private:
  void apply(const Command& command, Moment now);
  void deliver(const Writer::Turn& turn);
  void forget_everything();
  void draw_settings();

  Random& random_;
  Oracle& oracle_;
  WriterSettings settings_;
  bool is_roomy_ = false;
  storage::DatabaseSettings database_settings_;
  Disk disk_;
  std::optional<SnapshotReader> reader_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Writer> writer_;
  std::array<Worker, 2> workers_;
  std::vector<Command> inbox_;
  StorageState trouble_ = StorageState::usable;
  std::uint64_t troubles_ = 0;
};

}  // namespace lekt::test
