// The members that are told of changes without asking, and which of them a round has yet to visit.
//
// They stand in one stretch of memory, and each knows its place there. Those that the round visits next stand in front of
// those that it has visited, and whoever leaves is replaced so that this stays true: nobody is passed over and nobody is
// visited twice, whoever comes and goes meanwhile. One that comes is not visited by a round that goes on.
//
// It owns no member and knows no clock. One thread.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lekt {

/// `place`: the member in which a Member keeps its place.
template <class Member, std::uint32_t Member::*place>
class PushRound {
 public:
  void add(Member& member) {
    members_.push_back(&member);
    member.*place = static_cast<std::uint32_t>(members_.size() - 1);
  }
  void remove(Member& member) {
    std::size_t gap = member.*place;
    assert(members_[gap] == &member);
    if (gap < unvisited_) {
      fill(gap, --unvisited_);
      gap = unvisited_;
    }
    fill(gap, members_.size() - 1);
    members_.pop_back();
  }
  bool is_empty() const { return members_.empty(); }

  /// A new round: all members are to be visited.
  void begin() { unvisited_ = members_.size(); }
  bool is_over() const { return unvisited_ == 0; }
  /// The next one to visit, which counts as visited from now on; it may leave.
  Member& next() { return *members_[--unvisited_]; }

 private:
  /// Moves the member that stands at `from`, unless it is the gap itself.
  void fill(std::size_t gap, std::size_t from) {
    if (gap == from) return;
    members_[gap] = members_[from];
    members_[gap]->*place = static_cast<std::uint32_t>(gap);
  }

  std::vector<Member*> members_;
  std::size_t unvisited_ = 0;
};

}  // namespace lekt
