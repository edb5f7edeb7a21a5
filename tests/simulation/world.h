// A world in one thread and virtual time: programs that follow the client's rule, a network between, and the
// server with its disk (simulated_server.h), with everything that goes wrong drawn from one seed.
//
// Bytes arrive late and in any pieces; connections break, stay half open, or are made a second time; the
// server dies with its process or its machine and starts again, is paused, or stopped; the wall clock steps;
// the disk fails, fills up, and the database is held by other programs. After every step the oracle checks
// what has to hold (oracle.h), and every complete answer is compared with the list that the server had.
//
// Pure: the same seed makes the same world.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <list>
#include <string>
#include <vector>

#include "client/conversation.h"
#include "client/peer_view.h"
#include "server/core/member.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/simulated_server.h"
#include "tests/support/support.h"

namespace lekt::test {

class World {
 public:
  struct Statistics {
    std::uint64_t steps = 0;
    std::uint64_t answers = 0;
    std::uint64_t changes = 0;
    std::uint64_t starts = 0;
    std::uint64_t power_losses = 0;
    std::uint64_t disk_failures = 0;
    std::uint64_t troubles = 0;
    std::uint64_t refusals = 0;
    std::uint64_t cuts = 0;      ///< while the writer was asked to let the client join
    std::uint64_t slowed = 0;    ///< heartbeats that came too fast
    std::uint64_t timeouts = 0;  ///< members that were overdue
    std::uint64_t pushes = 0;
    std::array<std::uint64_t, 5> by_basis{};

    Statistics& operator+=(const Statistics& other);
  };

  /// Settings are drawn from `random`, too. The directory is empty.
  World(Random& random, const std::filesystem::path& directory);
  ~World();

  /// Something happens. Throws std::logic_error when a guarantee is broken.
  void step();

  /// Faults end, everybody comes back and asks, and then the power goes once more. Throws std::logic_error
  /// unless every program and the database then hold the union of what the programs offer.
  void settle();

  Statistics statistics() const;

 private:
  struct Link;

  /// A program that follows the rule: sends the last closing timestamp, applies in order, keeps its list over
  /// reconnects.
  struct Program {
    Address address;
    Methods offered;
    Features asks_for;
    PeerView view;
    std::unique_ptr<Conversation> conversation;
    Link* link = nullptr;
    bool joined = false;
  };

  struct Expected {
    Peers list;
    std::string answer;   ///< how it was made, for the message of a failure
    std::size_t end = 0;  ///< of the answer, in bytes since the connection began
  };

  /// One connection, with what is under way in it.
  struct Link {
    Program* program;  ///< null once the client's side is gone
    Member member;
    Bytes to_server = {};
    Bytes in_socket = {};  ///< has arrived, and the server has not read it
    Bytes to_client = {};
    std::size_t delivered = 0;  ///< bytes that were taken from there
    AwakeTime active = {};      ///< when it last was answered, or was let in
    bool slowed = false;        ///< the server reads on once the member no longer asks too fast
    bool client_gone = false;   ///< the server will read the end of the stream after to_server
    bool dead = false;
    std::deque<Expected> expected = {};  ///< the list that each answer under way has to lead to
  };

  // Programs.
  void connect(Program& program);
  void ask(Program& program);
  void break_off(Program& program);
  void cut_while_joining();
  void change_methods(Program& program);
  Methods random_methods();

  // The network and the server's members (world_links.cc).
  void deliver_somewhere();
  void deliver_to_server(Link& link, std::size_t size);
  void deliver_to_client(Link& link, std::size_t size);
  void read_socket(Link& link);
  void process(Link& link, ByteView input);
  void answer(Link& link, std::int64_t timestamp);
  void push_to_all();
  void push(Link& link);
  void expect_list(Link& link, const ChangeView& view, Basis basis, std::int64_t timestamp, Output& output);
  void refuse(Link& link, const Rejection& rejection);
  void deliver_to_worker(SimulatedServer::Worker& worker);
  void complete(Link& link, const Writer::Completion& completion);
  void take(Link& link, const ConversationEvent& event);
  void end_member(Link& link, LeaveReason reason);
  void look_at_members();
  void expire(Link& link);
  void remove_dead_links();

  // The server.
  void turn_writer();
  void start_server();
  void end_server(unsigned dice);
  void server_is_gone();
  void die(SimulatedServer::Death death);
  void trouble_disk();

  // Time.
  Moment now() const { return {AwakeTime(awake_), wall_ / 1000}; }
  void pass_time(std::int64_t milliseconds);
  void pause_server(std::int64_t milliseconds);
  void step_wall_clock();

  void end_faults();
  void exchange_everything();
  void check_agreement();
  void check(bool holds, const std::string& what) const { oracle_.check(holds, what); }

  Random& random_;
  MethodCatalogue catalogue_;
  SessionRules rules_{.catalogue = catalogue_, .features = Features::all()};
  WriterSettings settings_;
  MemberSettings member_settings_;
  std::int64_t awake_ = 0;                 ///< milliseconds
  std::int64_t wall_ = 1'000'000'000'000;  ///< milliseconds, steps about
  Oracle oracle_;
  std::optional<SimulatedServer> server_;
  std::list<Program> programs_;
  std::list<Link> links_;
  SessionId sessions_made_ = 0;
  Statistics statistics_;
};

}  // namespace lekt::test
