// A world in one thread and virtual time: the real Session, Writer, ChangeLog and Database between programs
// that follow the client's rule, over connections that deliver bytes in any pieces, break, or stay half open.
//
// Two workers receive views late and apart from each other, as threads do. What the server should have said
// is kept beside it (the oracle): the list after every committed change. Every complete answer is compared
// with it, so a lost or repeated change is seen at once and not only at the end.
//
// Pure: the same seed makes the same world.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/conversation.h"
#include "client/peer_view.h"
#include "server/inbox.h"
#include "server/session.h"
#include "server/writer.h"
#include "storage/database.h"
#include "tests/support/support.h"

namespace lekt::test {

class World {
 public:
  struct Statistics {
    std::size_t answers = 0;
    std::size_t changes = 0;
    std::size_t restarts = 0;
    std::array<std::size_t, 5> by_basis{};
  };

  /// Settings are drawn from `random`, too.
  World(Random& random, const std::filesystem::path& directory);
  ~World();

  /// Something happens: a program connects, breaks off, asks; bytes arrive; the writer turns; time passes or
  /// jumps; the server restarts. Throws std::logic_error when an answer is not what it has to be.
  void step();

  /// Faults end, everybody comes back and asks. Throws std::logic_error unless every program, the registry's
  /// list and the database then agree.
  void settle();

  const Statistics& statistics() const { return statistics_; }

 private:
  struct Link;

  /// A program that follows the rule: sends the last closing timestamp, applies in order, keeps its list over
  /// reconnects.
  struct Program {
    Ipv4Address address;
    Methods offered;
    PeerView view;
    std::unique_ptr<Conversation> conversation;
    Link* link = nullptr;
    bool joined = false;
  };

  struct Expected {
    Peers list;
    std::string answer;  ///< how it was made, for the message of a failure
  };

  /// One connection, with what is under way in it.
  struct Link {
    Program* program;  ///< null once the client's side is gone
    Session session;
    std::size_t worker;
    Bytes to_server;
    Bytes to_client;
    AwakeTime heard;
    bool registered = false;   ///< the writer was told of a join
    bool client_gone = false;  ///< the server will read the end of the stream after to_server
    bool dead = false;
    std::deque<Expected> expected;  ///< the list that each answer under way has to lead to
  };

  /// What the writer has handed to a worker that has not looked yet.
  struct Delivery {
    std::shared_ptr<const ChangeView> view;
    std::vector<Writer::Completion> completions;
  };

  struct Worker {
    std::shared_ptr<const ChangeView> view;
    std::deque<Delivery> deliveries;
  };

  void start_server();
  void restart_server();
  void check_database();

  void connect(Program& program);
  void ask(Program& program);
  void break_off(Program& program);
  void change_methods(Program& program);

  void deliver_to_server(Link& link, std::size_t size);
  void process(Link& link, ByteView input);
  void deliver_to_client(Link& link, std::size_t size);
  void take(Link& link, const ConversationEvent& event);
  void end_session(Link& link);
  void deliver_somewhere();
  void remove_dead_links();

  void turn_writer();
  void deliver_to_worker(Worker& worker);
  void pass_time(std::int64_t milliseconds);
  void expire_sessions();
  void step_wall_clock();

  void exchange_everything();
  Methods random_methods();
  void check(bool holds, const std::string& what) const;

  Random& random_;
  std::filesystem::path path_;
  MethodCatalogue catalogue_;
  SessionRules rules_{catalogue_};
  WriterSettings settings_;
  AwakeTime heartbeat_timeout_;
  std::int64_t awake_ = 0;                 ///< milliseconds
  std::int64_t wall_ = 1'000'000'000'000;  ///< milliseconds, steps about

  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Writer> writer_;
  std::array<Worker, 2> workers_;
  std::vector<Command> inbox_;
  std::list<Program> programs_;
  std::list<Link> links_;
  SessionId sessions_made_ = 0;

  Peers truth_;                           ///< after the newest committed change
  std::map<std::uint64_t, Peers> lists_;  ///< after each commit, by its newest sequence
  std::int64_t newest_closing_ = 0;
  Statistics statistics_;
};

}  // namespace lekt::test
