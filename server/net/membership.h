// Membership in a list that does not own its members.
//
// A member owns its membership: as long as that object lives, the member is in the list, exactly once. So a member
// that keeps it in a std::unique_ptr or a std::optional has one truth about being in the list, and one that is
// destroyed has left. Joining and leaving touch two neighbours.
//
// The list has to outlive its memberships. One thread.
#pragma once

#include <cassert>

namespace lekt {

template <class Member>
class Membership;

template <class Member>
class MemberList {
 public:
  MemberList() = default;
  ~MemberList() { assert(is_empty()); }
  MemberList(const MemberList&) = delete;
  MemberList& operator=(const MemberList&) = delete;

  bool is_empty() const { return root_.next == &root_; }
  /// The member that joined first. The list must not be empty.
  Member& front() const { return static_cast<Membership<Member>*>(root_.next)->member_; }

  /// Takes over all members of another list, and puts them after its own.
  void take_all(MemberList& other) {
    if (other.is_empty()) return;
    Link& first = *other.root_.next;
    Link& last = *other.root_.previous;
    other.root_.next = other.root_.previous = &other.root_;
    first.previous = root_.previous;
    root_.previous->next = &first;
    last.next = &root_;
    root_.previous = &last;
  }

  /// Calls look(member) for each, in the order in which they joined, until it returns false; it may end the
  /// membership of the one that it is called for, and no other.
  template <class Look>
  void each(Look&& look) const {
    for (Link* link = root_.next; link != &root_;) {
      Link* const next = link->next;
      if (!look(static_cast<Membership<Member>*>(link)->member_)) return;
      link = next;
    }
  }

 private:
  friend class Membership<Member>;

  struct Link {
    Link* previous = this;
    Link* next = this;
  };

  Link root_;
};

template <class Member>
class Membership : private MemberList<Member>::Link {
 public:
  /// Joins the list at its end.
  Membership(MemberList<Member>& list, Member& member) : member_(member) { enter(list); }
  ~Membership() { leave(); }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  /// Leaves its list and joins another one, or the same, at the end.
  void move_to(MemberList<Member>& list) {
    leave();
    enter(list);
  }

 private:
  friend class MemberList<Member>;

  void enter(MemberList<Member>& list) {
    this->next = &list.root_;
    this->previous = list.root_.previous;
    list.root_.previous->next = this;
    list.root_.previous = this;
  }
  void leave() {
    this->previous->next = this->next;
    this->next->previous = this->previous;
  }

  Member& member_;
};

}  // namespace lekt
