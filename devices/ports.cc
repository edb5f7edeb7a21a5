#include "devices/ports.h"

#include <cassert>

namespace lekt {

DevicePorts::DevicePorts(std::uint16_t first, std::uint16_t last) : first_(first), last_(last) {
  assert(first <= last);
  nodes_.resize(size() + 2);
  for (const Index ring : {free_ring(), taken_ring()}) nodes_[ring].before = nodes_[ring].after = ring;
  for (Index index = 0; index < size(); ++index) append(free_ring(), index);
  counts_.free = size();
}

std::optional<std::uint16_t> DevicePorts::offer(Time now) {
  take_back(now);
  const Index index = nodes_[free_ring()].after;
  if (index == free_ring()) return std::nullopt;
  unlink(index);
  append(free_ring(), index);
  return port_of(index);
}

void DevicePorts::set_aside(std::uint16_t port, Time now) {
  assert(is_free(port));
  const Index index = index_of(port);
  unlink(index);
  append(taken_ring(), index);
  enter(index, State::taken);
  nodes_[index].until = now + set_aside_for;
}

bool DevicePorts::use(std::uint16_t port) {
  if (!is_free(port)) return false;
  unlink(index_of(port));
  enter(index_of(port), State::used);
  return true;
}

void DevicePorts::release(std::uint16_t port) {
  assert(contains(port) && nodes_[index_of(port)].state == State::used);
  append(free_ring(), index_of(port));
  enter(index_of(port), State::free);
}

/// All are set aside for the same time, so those that come back first stand first.
void DevicePorts::take_back(Time now) {
  for (Index index = nodes_[taken_ring()].after; index != taken_ring() && nodes_[index].until <= now;
       index = nodes_[taken_ring()].after) {
    unlink(index);
    append(free_ring(), index);
    enter(index, State::free);
  }
}

std::size_t& DevicePorts::count_of(State state) {
  switch (state) {
    case State::free:
      return counts_.free;
    case State::used:
      return counts_.used;
    case State::taken:
      break;
  }
  return counts_.taken;
}

void DevicePorts::enter(Index index, State state) {
  --count_of(nodes_[index].state);
  ++count_of(state);
  nodes_[index].state = state;
}

void DevicePorts::unlink(Index index) {
  const Node& node = nodes_[index];
  nodes_[node.before].after = node.after;
  nodes_[node.after].before = node.before;
}

void DevicePorts::append(Index ring, Index index) {
  const Index last = nodes_[ring].before;
  nodes_[index].before = last;
  nodes_[index].after = ring;
  nodes_[last].after = index;
  nodes_[ring].before = index;
}

}  // namespace lekt
