// Views that break what server/core/change_view.h promises: check() says so.
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>

#include "server/core/change_view.h"
#include "tests/core/support.h"

namespace lekt::test {
namespace {

/// Two pieces, with changes 1 to 3 and 4, and an empty full list.
struct Broken {
  std::shared_ptr<Piece> first = std::make_shared<Piece>();
  std::shared_ptr<Piece> second = std::make_shared<Piece>();
  ChangeView::Parts parts;

  Broken() {
    add(*first, "10.0.0.1", 1, 0);
    add(*first, "10.0.0.2", 2, 5);
    remove(*first, "10.0.0.3", 3, 5);
    second->base_second = 1005;
    add(*second, "10.0.0.1", 4, 0);
    parts.newest_sequence = 4;
    parts.full = std::make_shared<const FullList>();
  }

  static void add(Piece& piece, std::string_view who, std::uint64_t sequence, std::uint32_t second) {
    write(piece.added.bytes, AddedEntry{address(who), tcp(7890), {}});
    mark(piece, piece.added, sequence, second);
  }
  static void remove(Piece& piece, std::string_view who, std::uint64_t sequence, std::uint32_t second) {
    write(piece.removed.bytes, RemovedEntry{address(who)});
    mark(piece, piece.removed, sequence, second);
  }
  static void mark(Piece& piece, Piece::Side& side, std::uint64_t sequence, std::uint32_t second) {
    if (piece.base_second == 0) piece.base_second = 1000;
    side.marks.push_back({sequence, second, static_cast<std::uint32_t>(side.bytes.size())});
    piece.last_sequence = sequence;
    piece.last_second = piece.base_second + second;
  }
};

/// What check() says of a view that was broken so; empty when it finds nothing.
std::string found_in(const std::function<void(Broken&)>& how) {
  Broken broken;
  how(broken);
  broken.parts.pieces = {broken.first, broken.second};
  try {
    ChangeView(broken.parts).check();
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return {};
}

TEST(Invariants, of_a_view_hold_unless_it_is_broken) {
  EXPECT_EQ(found_in([](Broken&) {}), "");
}

TEST(Invariants, pieces_that_do_not_ascend_are_found) {
  EXPECT_EQ(found_in([](Broken& broken) { broken.first->last_sequence = 4; }),
            "broken invariant: pieces ascend");
  EXPECT_EQ(found_in([](Broken& broken) { broken.first->last_second = 1006; }),
            "broken invariant: seconds never descend from piece to piece");
}

TEST(Invariants, marks_that_do_not_ascend_are_found) {
  EXPECT_EQ(found_in([](Broken& broken) { broken.first->added.marks[1].sequence = 1; }),
            "broken invariant: sequences of marks ascend");
  EXPECT_EQ(found_in([](Broken& broken) { broken.first->added.marks[0].second = 6; }),
            "broken invariant: a piece names its newest second");
  EXPECT_EQ(found_in([](Broken& broken) { broken.first->added.bytes += "behind"; }),
            "broken invariant: marks cover all bytes of a side");
}

TEST(Invariants, an_address_that_occurs_twice_within_a_piece_is_found) {
  EXPECT_EQ(found_in([](Broken& broken) {
              Broken::remove(*broken.second, "10.0.0.1", 5, 0);
              broken.parts.newest_sequence = 5;
            }),
            "broken invariant: an address occurs once within a piece");
}

TEST(Invariants, a_view_that_is_older_than_its_pieces_is_found) {
  EXPECT_EQ(found_in([](Broken& broken) { broken.parts.newest_sequence = 3; }),
            "broken invariant: a view names its newest sequence");
}

}  // namespace
}  // namespace lekt::test
