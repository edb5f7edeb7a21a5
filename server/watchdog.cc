#include "server/watchdog.h"

#include <utility>

namespace lekt {

void Watchdog::watch(std::string name, const TurnCount& turns) {
  threads_.push_back({std::move(name), &turns, turns.read()});
}

std::vector<std::string> Watchdog::look() {
  std::vector<std::string> hanging;
  for (Thread& thread : threads_) {
    const std::uint64_t before = std::exchange(thread.seen, thread.turns->read());
    const bool turned = thread.seen != before;
    thread.looks_without_turn = turned ? 0 : thread.looks_without_turn + 1;
    if (thread.looks_without_turn >= looks_max) hanging.push_back(thread.name);
  }
  return hanging;
}

}  // namespace lekt
