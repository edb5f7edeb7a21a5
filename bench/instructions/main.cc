// What bench/instructions/count runs under callgrind: heartbeats of one session, answered inside one function,
// `measured_heartbeat`. Only that function is to be counted, not what builds the change log.
//
//     lekt-instructions nothing-changed|100-changes|resumed REGISTERED REMOVED HEARTBEATS
//
// resumed: 100 changes as well, and each heartbeat is the first of a new connection. Prints the bytes of all
// answers, to show that the same was done. Exit codes: 0, and 2 for wrong usage.
#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>

#include "bench/micro/population.h"
#include "bench/micro/served_session.h"

namespace {

using namespace lekt;
using namespace lekt::bench;

constexpr std::size_t changes = 100;
constexpr std::size_t changes_per_commit = 10;

[[gnu::noinline]] std::size_t measured_heartbeat(ServedSession& session, ByteView packet) {
  return session.receive(packet);
}

/// Everything that happens once is over after this: symbols are bound, buffers have their size.
void warm_up(ServedSession& session) {
  session.receive(heartbeat(0));
  session.receive(heartbeat(session.view().closing()));
}

std::size_t nothing_changed(Population& population, int heartbeats) {
  const PublishedView published(population.publish());
  ServedSession session(published);
  warm_up(session);
  const Bytes packet = heartbeat(session.view().closing());
  std::size_t bytes = 0;
  for (int count = 0; count < heartbeats; ++count) bytes += measured_heartbeat(session, packet);
  return bytes;
}

/// Each heartbeat finds a new view, and itself 100 changes behind: the forms that the log takes in between
/// are all measured.
std::size_t changed(Population& population, bool resumed, int heartbeats) {
  PublishedView published(population.publish());
  ServedSession session(published);
  warm_up(session);
  std::size_t bytes = 0;
  for (int count = 0; count < heartbeats; ++count) {
    population.pass_second();
    const std::int64_t second = population.state().second;
    for (std::size_t done = 0; done < changes; done += changes_per_commit) {
      population.change(changes_per_commit);
      published.publish(population.publish());
    }
    population.pass_second();
    population.pass_second();
    published.publish(population.publish());
    if (resumed) {
      session.cursor() = {};
      session.cursor().second = population.state().second;
    } else {
      session.cursor().has_answered(population.state().sequence - changes);
    }
    bytes += measured_heartbeat(session, heartbeat(second));
  }
  return bytes;
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app("Answers heartbeats of one session for bench/instructions/count, which counts instructions.");
  std::string work;
  Population::Size size{};
  int heartbeats = 0;
  const auto changes_fit = CLI::Range(static_cast<std::size_t>(changes), std::size_t{10'000'000});
  app.add_option("work", work, "what happened since the last heartbeat")
      ->required()
      ->check(CLI::IsMember({"nothing-changed", "100-changes", "resumed"}));
  app.add_option("registered", size.registered, "clients that are present")
      ->required()
      ->check(CLI::Range(std::size_t{10}, std::size_t{10'000'000}));
  app.add_option("removed", size.removed, "removals that are remembered")->required()->check(changes_fit);
  app.add_option("heartbeats", heartbeats, "how many")->required()->check(CLI::PositiveNumber);
  try {
    app.parse(count, arguments);
    if (work != "nothing-changed" && size.registered < changes)
      throw CLI::ValidationError("registered", "at least 100 clients are needed for 100 changes");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  Population population(size);
  const std::size_t bytes = work == "nothing-changed" ? nothing_changed(population, heartbeats)
                                                      : changed(population, work == "resumed", heartbeats);
  std::cout << bytes << '\n';
}
