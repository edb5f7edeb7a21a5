#include "client/peer_view.h"

#include <gtest/gtest.h>

#include "client/client_state.h"
#include "client/command/output.h"
#include "tests/client/fake_server.h"
#include "tests/support/support.h"

namespace lekt::test {
namespace {

/// A view together with what it reported, as text: "+ 10.0.0.1 tcp:1".
class PeerViewTest : public testing::Test {
 protected:
  void request() { view_.request(view_.next_timestamp()); }

  void packet(std::int64_t timestamp, const std::vector<AddedEntry>& entries) {
    for (const AddedEntry& entry : entries) view_.apply(entry);
    note(view_.finish({.timestamp = timestamp, .count = static_cast<std::uint32_t>(entries.size())}));
  }

  void removal(std::int64_t timestamp, const std::vector<std::string_view>& addresses) {
    for (const std::string_view address : addresses)
      view_.apply(RemovedEntry{parse_address(address).value()});
    note(view_.finish({.timestamp = timestamp,
                       .kind = UpdateKind::removed,
                       .count = static_cast<std::uint32_t>(addresses.size())}));
  }

  void close(std::int64_t timestamp) { packet(timestamp, {}); }

  /// What was reported since the last call.
  std::string changes() { return std::exchange(changes_, {}); }

  /// A view that holds 10.0.0.1 tcp:1 and 10.0.0.2 tcp:2 and asks for 100 next.
  void hold_two() {
    request();
    packet(0, {added("10.0.0.1", tcp(1)), added("10.0.0.2", tcp(2))});
    close(100);
    EXPECT_EQ(changes(), "+ 10.0.0.1 tcp:1\n+ 10.0.0.2 tcp:2\n");
  }

  PeerView view_;

 private:
  void note(const std::vector<PeerChange>& changes) {
    for (const PeerChange& change : changes) changes_ += command::text_of(change, catalogue_);
  }

  const MethodCatalogue catalogue_;
  std::string changes_;
};

TEST_F(PeerViewTest, asks_for_everyone_first) { EXPECT_EQ(view_.next_timestamp(), 0); }

TEST_F(PeerViewTest, sends_the_last_closing_timestamp_next) {
  hold_two();
  EXPECT_EQ(view_.next_timestamp(), 100);
}

TEST_F(PeerViewTest, reports_who_came_changed_and_went) {
  hold_two();
  request();
  packet(100, {added("10.0.0.3", tcp(3)), added("10.0.0.1", tcp(11))});
  removal(100, {"10.0.0.2"});
  close(101);
  EXPECT_EQ(changes(), "~ 10.0.0.1 tcp:11\n- 10.0.0.2\n+ 10.0.0.3 tcp:3\n");
}

TEST_F(PeerViewTest, a_change_has_the_methods_before_and_now) {
  hold_two();
  request();
  view_.apply(added("10.0.0.1", tcp(11)));
  view_.apply(RemovedEntry{parse_address("10.0.0.2").value()});
  const std::vector<PeerChange> expected = {
      {PeerChange::Kind::changed, parse_address("10.0.0.1").value(), {tcp(1), {}}, {tcp(11), {}}},
      {PeerChange::Kind::removed, parse_address("10.0.0.2").value(), {tcp(2), {}}, {}}};
  EXPECT_EQ(view_.finish({.timestamp = 101}), expected);
}

TEST_F(PeerViewTest, what_is_known_is_no_change) {
  hold_two();
  request();
  packet(100, {added("10.0.0.1", tcp(1))});
  removal(100, {"10.0.0.9"});
  close(101);
  EXPECT_EQ(changes(), "");
}

TEST_F(PeerViewTest, the_order_of_methods_is_no_change) {
  const MethodInformation one{tcp_index, tcp_information(1)};
  const MethodInformation two{tcp_index, tcp_information(2)};
  request();
  packet(0, {added("10.0.0.1", {one, two})});
  close(100);
  EXPECT_EQ(changes(), "+ 10.0.0.1 tcp:1 tcp:2\n");
  request();
  packet(100, {added("10.0.0.1", {two, one})});
  close(101);
  EXPECT_EQ(changes(), "");
}

TEST_F(PeerViewTest, unknown_methods_are_part_of_an_offer) {
  const auto with_unknown = [](std::string_view digits) {
    AddedEntry entry = added("10.0.0.1", tcp(1));
    entry.unknown = hex(digits);
    return entry;
  };
  request();
  packet(0, {with_unknown("00000009 0000000a")});
  close(100);
  EXPECT_EQ(changes(), "+ 10.0.0.1 tcp:1 ?9:0000000a\n");
  request();
  packet(100, {with_unknown("00000009 0000000b")});
  close(101);
  EXPECT_EQ(changes(), "~ 10.0.0.1 tcp:1 ?9:0000000b\n");
}

TEST_F(PeerViewTest, an_answer_counts_when_it_is_complete) {
  hold_two();
  request();
  packet(100, {added("10.0.0.3", tcp(3))});
  EXPECT_EQ(changes(), "");
  EXPECT_EQ(view_.peers().size(), 2u);
  removal(100, {"10.0.0.3"});
  close(101);
  EXPECT_EQ(changes(), "");
}

TEST_F(PeerViewTest, a_full_answer_reports_only_the_difference) {
  hold_two();
  view_.request(0);
  packet(0, {added("10.0.0.2", tcp(2)), added("10.0.0.3", tcp(3))});
  EXPECT_EQ(view_.peers().size(), 2u);
  close(200);
  EXPECT_EQ(changes(), "- 10.0.0.1\n+ 10.0.0.3 tcp:3\n");
}

TEST_F(PeerViewTest, a_negative_timestamp_means_to_hold_nothing) {
  hold_two();
  view_.request(-1);
  close(200);
  EXPECT_EQ(changes(), "- 10.0.0.1\n- 10.0.0.2\n");
}

TEST_F(PeerViewTest, a_reset_reports_only_the_difference) {
  hold_two();
  request();
  removal(100, {"0.0.0.0"});
  packet(100, {added("10.0.0.1", tcp(1)), added("10.0.0.3", tcp(3))});
  close(7);
  EXPECT_EQ(changes(), "- 10.0.0.2\n+ 10.0.0.3 tcp:3\n");
  EXPECT_EQ(view_.next_timestamp(), 7);
}

TEST_F(PeerViewTest, entries_before_a_reset_are_forgotten) {
  hold_two();
  request();
  packet(100, {added("10.0.0.3", tcp(3))});
  removal(100, {"0.0.0.0"});
  close(200);
  EXPECT_EQ(changes(), "- 10.0.0.1\n- 10.0.0.2\n");
}

TEST_F(PeerViewTest, a_cut_full_answer_is_asked_for_again) {
  request();
  packet(0, {added("10.0.0.1", tcp(1))});
  EXPECT_EQ(view_.next_timestamp(), 0);
  request();
  packet(0, {added("10.0.0.2", tcp(2))});
  close(100);
  EXPECT_EQ(changes(), "+ 10.0.0.2 tcp:2\n");
}

TEST_F(PeerViewTest, a_cut_full_answer_continues_from_the_second_it_reached) {
  hold_two();
  view_.request(0);
  packet(90, {added("10.0.0.1", tcp(1))});
  EXPECT_EQ(view_.next_timestamp(), 90);
  request();
  packet(90, {added("10.0.0.3", tcp(3))});
  close(120);
  EXPECT_EQ(changes(), "- 10.0.0.2\n+ 10.0.0.3 tcp:3\n");
}

TEST_F(PeerViewTest, a_cut_answer_continues_and_keeps_what_came) {
  hold_two();
  request();
  removal(100, {"10.0.0.1"});
  packet(105, {added("10.0.0.3", tcp(3))});
  EXPECT_EQ(view_.next_timestamp(), 105);
  request();
  packet(105, {added("10.0.0.4", tcp(4))});
  close(110);
  EXPECT_EQ(changes(), "- 10.0.0.1\n+ 10.0.0.3 tcp:3\n+ 10.0.0.4 tcp:4\n");
}

TEST_F(PeerViewTest, a_packet_that_is_cut_does_not_move_the_timestamp) {
  hold_two();
  request();
  view_.apply(added("10.0.0.3", tcp(3)));
  EXPECT_EQ(view_.next_timestamp(), 100);
}

TEST_F(PeerViewTest, a_cut_reset_does_not_trust_the_timestamp_that_was_refused) {
  hold_two();
  request();
  view_.apply(RemovedEntry{forget_everyone});
  EXPECT_EQ(view_.next_timestamp(), 0);
  view_.finish({.timestamp = 100, .kind = UpdateKind::removed, .count = 1});
  EXPECT_EQ(view_.next_timestamp(), 0);
  request();
  packet(0, {added("10.0.0.1", tcp(1))});
  close(50);
  EXPECT_EQ(changes(), "- 10.0.0.2\n");
}

// ---- Which log a timestamp belongs to ----

LogOrigin origin(const char* address, std::optional<LogIdentity> identity = {}) {
  return {"coordinator:7890", parse_address(address).value(), identity};
}

TEST_F(PeerViewTest, a_timestamp_goes_to_the_log_that_gave_it_wherever_that_is) {
  view_.connected_to(origin("10.0.0.1", LogIdentity{1}));
  hold_two();
  view_.connected_to(origin("10.0.0.2", LogIdentity{1}));
  EXPECT_EQ(view_.next_timestamp(), 100);
  view_.connected_to(origin("10.0.0.2", LogIdentity{2}));
  EXPECT_EQ(view_.next_timestamp(), 0);
  view_.connected_to(origin("10.0.0.1", LogIdentity{1}));
  EXPECT_EQ(view_.next_timestamp(), 0) << "what another log has said meanwhile is not known";
}

TEST_F(PeerViewTest, without_an_identity_a_timestamp_goes_to_the_same_server_only) {
  view_.connected_to(origin("10.0.0.1"));
  hold_two();
  view_.connected_to(origin("10.0.0.1"));
  EXPECT_EQ(view_.next_timestamp(), 100);
  view_.connected_to(origin("10.0.0.2"));
  EXPECT_EQ(view_.next_timestamp(), 0);
}

TEST_F(PeerViewTest, without_an_identity_another_name_is_another_server) {
  view_.connected_to(origin("10.0.0.1"));
  hold_two();
  view_.connected_to({"coordinator:7891", parse_address("10.0.0.1").value()});
  EXPECT_EQ(view_.next_timestamp(), 0);
}

TEST_F(PeerViewTest, a_server_that_names_its_log_no_longer_is_the_same_and_one_that_begins_to_is_not) {
  view_.connected_to(origin("10.0.0.1", LogIdentity{1}));
  hold_two();
  view_.connected_to(origin("10.0.0.1"));
  EXPECT_EQ(view_.next_timestamp(), 100);
  view_.connected_to(origin("10.0.0.1", LogIdentity{1}));
  EXPECT_EQ(view_.next_timestamp(), 0);
}

TEST_F(PeerViewTest, another_logs_list_replaces_this_one_by_difference) {
  view_.connected_to(origin("10.0.0.1", LogIdentity{1}));
  hold_two();
  request();
  packet(100, {added("10.0.0.3", tcp(3))});
  view_.connected_to(origin("10.0.0.1", LogIdentity{2}));
  request();
  packet(0, {added("10.0.0.2", tcp(2)), added("10.0.0.4", tcp(4))});
  close(50);
  EXPECT_EQ(changes(), "- 10.0.0.1\n+ 10.0.0.4 tcp:4\n")
      << "what the first one had begun to say is forgotten";
}

// ---- Going on with the list of an earlier program ----

TEST_F(PeerViewTest, goes_on_with_the_state_of_another_and_tells_everyone) {
  view_.connected_to(origin("10.0.0.1", LogIdentity{1}));
  hold_two();
  const ClientState state = view_.state();
  EXPECT_EQ(state.timestamp, 100);
  EXPECT_EQ(state.log, origin("10.0.0.1", LogIdentity{1}));
  view_ = PeerView();
  view_.resume(state);
  EXPECT_TRUE(view_.peers().empty()) << "it is the server's list only after an answer";
  view_.connected_to(origin("10.0.0.5", LogIdentity{1}));
  EXPECT_EQ(view_.next_timestamp(), 100);
  request();
  packet(100, {added("10.0.0.3", tcp(3))});
  removal(100, {"10.0.0.1"});
  close(101);
  EXPECT_EQ(changes(), "+ 10.0.0.2 tcp:2\n+ 10.0.0.3 tcp:3\n");
  EXPECT_EQ(view_.peers().size(), 2u);
}

TEST_F(PeerViewTest, a_state_of_another_log_leaves_nothing) {
  view_.connected_to(origin("10.0.0.1", LogIdentity{1}));
  hold_two();
  const ClientState state = view_.state();
  view_ = PeerView();
  view_.resume(state);
  view_.connected_to(origin("10.0.0.1", LogIdentity{2}));
  EXPECT_EQ(view_.next_timestamp(), 0);
  request();
  packet(0, {added("10.0.0.9", tcp(9))});
  close(50);
  EXPECT_EQ(changes(), "+ 10.0.0.9 tcp:9\n");
}

TEST_F(PeerViewTest, a_state_goes_the_way_of_everything_at_a_reset) {
  view_.resume({origin("10.0.0.1"), 100, {{parse_address("10.0.0.1").value(), {}}}});
  view_.connected_to(origin("10.0.0.1"));
  request();
  removal(100, {"0.0.0.0"});
  packet(0, {added("10.0.0.9", tcp(9))});
  close(200);
  EXPECT_EQ(changes(), "+ 10.0.0.9 tcp:9\n");
}

TEST_F(PeerViewTest, a_state_without_a_timestamp_is_none) {
  view_.resume({origin("10.0.0.1"), 0, {{parse_address("10.0.0.1").value(), {}}}});
  request();
  close(100);
  EXPECT_EQ(changes(), "");
}

TEST_F(PeerViewTest, its_state_is_that_of_the_last_complete_answer) {
  EXPECT_EQ(view_.state(), ClientState());
  view_.connected_to(origin("10.0.0.1", LogIdentity{1}));
  hold_two();
  const ClientState complete = view_.state();
  request();
  packet(150, {added("10.0.0.3", tcp(3))});
  EXPECT_EQ(view_.state(), complete) << "half an answer is none";
  view_.connected_to(origin("10.0.0.1", LogIdentity{2}));
  EXPECT_EQ(view_.state(), complete) << "the list is still the first log's";
}

}  // namespace
}  // namespace lekt::test
