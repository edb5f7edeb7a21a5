#include "server/core/registry.h"

#include <gtest/gtest.h>

#include "common/packets.h"
#include "tests/core/support.h"

namespace lekt {
namespace {

using namespace test;

const Address seven = address("10.0.0.7");
const Address eight = address("10.0.0.8");

/// Of an entry with one method of filler: size, address and index.
constexpr std::size_t entry_overhead = 4 + 4 + 4;
constexpr std::size_t room = limits::packet_bytes_floor - limits::update_header_bytes;

class RegistryTest : public testing::Test {
 protected:
  /// What is to be written, in words; writes it.
  std::vector<std::string> commit() {
    const auto differences = registry_.differences();
    registry_.committed(differences);
    return words(differences);
  }

  /// The same, without writing it.
  std::vector<std::string> pending() { return words(registry_.differences()); }

  void join(SessionId session, Address address, const Methods& methods) {
    const auto rejection = registry_.join(session, address, methods);
    EXPECT_EQ(rejection, std::nullopt) << rejection->text();
  }

  std::string refused(SessionId session, Address address, const Methods& methods) {
    const auto rejection = registry_.join(session, address, methods);
    return rejection ? rejection->text() : "not refused";
  }

  static std::vector<std::string> words(const std::vector<Registry::Difference>& differences) {
    std::vector<std::string> lines;
    for (const auto& difference : differences) {
      const std::string methods = MethodCatalogue().describe(difference.methods);
      lines.push_back((difference.kind == UpdateKind::added ? "+ " : "- ") + to_string(difference.address) +
                      (methods.empty() ? "" : " ") + methods);
    }
    return lines;
  }

  Registry registry_{{3, limits::packet_bytes_floor}};
};

using Lines = std::vector<std::string>;

TEST_F(RegistryTest, the_first_session_adds_its_client) {
  join(1, seven, tcp(7890));
  EXPECT_EQ(registry_.clients(), 1u);
  EXPECT_FALSE(registry_.is_stored(seven));
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7 tcp:7890"});
  EXPECT_TRUE(registry_.is_stored(seven));
  EXPECT_EQ(commit(), Lines{});
}

TEST_F(RegistryTest, a_client_that_nobody_can_connect_to_is_a_client) {
  join(1, seven, {});
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7"});
}

TEST_F(RegistryTest, differences_stay_until_they_are_committed) {
  join(1, seven, tcp(7890));
  EXPECT_EQ(pending(), Lines{"+ 10.0.0.7 tcp:7890"});
  EXPECT_EQ(pending(), Lines{"+ 10.0.0.7 tcp:7890"});
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7 tcp:7890"});
}

TEST_F(RegistryTest, a_second_session_is_announced_only_when_the_union_differs) {
  join(1, seven, tcp(7890));
  commit();
  join(2, seven, tcp(7890));
  EXPECT_EQ(commit(), Lines{});
  EXPECT_TRUE(registry_.is_stored(seven));
  join(3, seven, tcp(80));
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7 tcp:80 tcp:7890"});
  join(4, seven, {});
  EXPECT_EQ(commit(), Lines{});
  EXPECT_EQ(registry_.sessions_of(seven), 4u);
  EXPECT_EQ(registry_.clients(), 1u);
  EXPECT_EQ(registry_.sessions(), 4u);
}

TEST_F(RegistryTest, the_last_session_removes_its_client) {
  join(1, seven, tcp(7890));
  join(2, seven, tcp(80));
  commit();
  registry_.leave(1, seven, LeaveReason::closed);
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7 tcp:80"});
  registry_.leave(2, seven, LeaveReason::closed);
  EXPECT_EQ(registry_.clients(), 0u);
  EXPECT_EQ(commit(), Lines{"- 10.0.0.7"});
  EXPECT_EQ(registry_.sessions(), 0u);
  EXPECT_FALSE(registry_.is_stored(seven));
}

TEST_F(RegistryTest, a_reconnect_within_one_commit_is_no_difference) {
  join(1, seven, tcp(7890));
  commit();
  registry_.leave(1, seven, LeaveReason::closed);
  join(2, seven, tcp(7890));
  EXPECT_EQ(commit(), Lines{});
  EXPECT_TRUE(registry_.is_stored(seven));
}

TEST_F(RegistryTest, who_comes_and_goes_within_one_commit_was_never_there) {
  join(1, seven, tcp(7890));
  registry_.leave(1, seven, LeaveReason::closed);
  EXPECT_EQ(commit(), Lines{});
  EXPECT_EQ(registry_.clients(), 0u);
}

TEST_F(RegistryTest, a_late_end_of_an_old_session_does_not_take_out_the_new_one) {
  join(1, seven, tcp(7890));
  commit();
  join(2, seven, tcp(7890));
  registry_.leave(1, seven, LeaveReason::closed);
  registry_.leave(1, seven, LeaveReason::closed);
  EXPECT_EQ(commit(), Lines{});
  EXPECT_EQ(registry_.sessions_of(seven), 1u);
}

TEST_F(RegistryTest, ignores_the_end_of_a_session_that_is_not_there) {
  registry_.leave(1, seven, LeaveReason::closed);
  join(1, seven, tcp(7890));
  registry_.leave(2, seven, LeaveReason::closed);
  registry_.leave(1, eight, LeaveReason::closed);
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7 tcp:7890"});
}

TEST_F(RegistryTest, has_no_more_clients_than_allowed_but_any_number_of_sessions) {
  for (std::uint32_t number = 1; number <= 3; ++number) join(number, numbered(number), {});
  EXPECT_EQ(refused(4, numbered(4), {}),
            "E401 the server has 3 clients, as many as it may have; try again later");
  join(5, numbered(3), tcp(80));
  EXPECT_EQ(registry_.clients(), 3u);
  EXPECT_EQ(registry_.sessions(), 4u);
  registry_.leave(1, numbered(1), LeaveReason::closed);
  join(6, numbered(4), {});
  EXPECT_EQ(commit(), (Lines{"+ 10.0.0.2", "+ 10.0.0.3 tcp:80", "+ 10.0.0.4"}));
}

TEST_F(RegistryTest, admits_a_record_that_just_fits_a_packet) {
  join(1, seven, filler(room - entry_overhead));
  EXPECT_EQ(registry_.differences().size(), 1u);
}

TEST_F(RegistryTest, refuses_a_record_that_does_not_fit_a_packet) {
  EXPECT_EQ(refused(1, seven, filler(room - entry_overhead + 4)),
            "E205 the methods of all sessions of 10.0.0.7 take 8176 bytes; at most 8172 fit one packet");
  EXPECT_EQ(registry_.clients(), 0u);
  EXPECT_EQ(registry_.sessions(), 0u);
  EXPECT_EQ(commit(), Lines{});
}

TEST_F(RegistryTest, a_refused_record_leaves_the_other_sessions_as_they_were) {
  join(1, seven, tcp(7890));
  commit();
  EXPECT_EQ(refused(2, seven, filler(room - entry_overhead)).substr(0, 4), "E205");
  EXPECT_EQ(registry_.sessions_of(seven), 1u);
  EXPECT_EQ(commit(), Lines{});
}

TEST_F(RegistryTest, a_refused_record_after_a_session_that_came_and_went_does_no_harm) {
  join(1, seven, tcp(7890));
  registry_.leave(1, seven, LeaveReason::closed);
  EXPECT_EQ(refused(2, seven, filler(room)).substr(0, 4), "E205");
  EXPECT_EQ(commit(), Lines{});
  join(3, seven, tcp(7890));
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7 tcp:7890"});
}

TEST_F(RegistryTest, a_refused_record_of_a_client_that_is_leaving_lets_it_leave) {
  join(1, seven, tcp(7890));
  commit();
  registry_.leave(1, seven, LeaveReason::closed);
  EXPECT_EQ(refused(2, seven, filler(room)).substr(0, 4), "E205");
  EXPECT_EQ(commit(), Lines{"- 10.0.0.7"});
}

// ---- After a restart ----

TEST_F(RegistryTest, restored_clients_are_present_and_stored) {
  registry_.restore(seven, tcp(7890), true);
  EXPECT_EQ(registry_.clients(), 1u);
  EXPECT_EQ(registry_.waiting(), 1u);
  EXPECT_EQ(registry_.sessions(), 0u);
  EXPECT_TRUE(registry_.is_stored(seven));
  EXPECT_EQ(commit(), Lines{});
}

TEST_F(RegistryTest, those_that_have_not_come_back_are_removed_after_the_grace) {
  registry_.restore(seven, tcp(7890), true);
  registry_.restore(eight, tcp(80), true);
  join(1, eight, tcp(80));
  registry_.end_grace();
  EXPECT_EQ(commit(), Lines{"- 10.0.0.7"});
  EXPECT_EQ(registry_.clients(), 1u);
  EXPECT_EQ(registry_.waiting(), 0u);
}

TEST_F(RegistryTest, coming_back_during_the_grace_changes_nothing) {
  registry_.restore(seven, tcp(7890), true);
  join(1, seven, tcp(7890));
  EXPECT_EQ(commit(), Lines{});
  EXPECT_TRUE(registry_.is_stored(seven));
}

TEST_F(RegistryTest, methods_of_programs_that_are_not_back_yet_stay_until_the_grace_ends) {
  registry_.restore(seven, {{1, tcp_information(80)}, {1, tcp_information(443)}}, true);
  join(1, seven, tcp(80));
  EXPECT_EQ(commit(), Lines{});
  join(2, seven, tcp(25));
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7 tcp:25 tcp:80 tcp:443"});
  registry_.end_grace();
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7 tcp:25 tcp:80"});
}

TEST_F(RegistryTest, who_comes_back_and_leaves_during_the_grace_is_gone) {
  registry_.restore(seven, tcp(7890), true);
  join(1, seven, tcp(7890));
  registry_.leave(1, seven, LeaveReason::closed);
  EXPECT_EQ(commit(), Lines{"- 10.0.0.7"});
  EXPECT_EQ(registry_.waiting(), 0u);
  registry_.end_grace();
  EXPECT_EQ(commit(), Lines{});
}

TEST_F(RegistryTest, who_leaves_during_the_grace_does_not_take_out_a_program_that_is_not_back_yet) {
  registry_.restore(seven, {{1, tcp_information(80)}, {1, tcp_information(443)}}, true);
  join(1, seven, tcp(80));
  registry_.leave(1, seven, LeaveReason::closed);
  EXPECT_EQ(commit(), Lines{});
  join(2, seven, tcp(443));
  registry_.end_grace();
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7 tcp:443"});
}

TEST_F(RegistryTest, a_late_end_of_an_old_session_does_not_end_the_waiting) {
  registry_.restore(seven, {{1, tcp_information(80)}, {1, tcp_information(443)}}, true);
  join(2, seven, tcp(80));
  registry_.leave(1, seven, LeaveReason::closed);
  EXPECT_EQ(registry_.waiting(), 1u);
  EXPECT_EQ(commit(), Lines{}) << "the program behind port 443 may still come back";
}

TEST_F(RegistryTest, a_join_that_is_taken_back_leaves_its_client_waited_for) {
  registry_.restore(seven, tcp(7890), true);
  join(1, seven, tcp(80));
  registry_.take_back(1, seven, LeaveReason::lost);
  EXPECT_EQ(commit(), Lines{});
  EXPECT_EQ(registry_.waiting(), 1u);
  EXPECT_EQ(registry_.clients(), 1u);
  EXPECT_EQ(registry_.sessions(), 0u);
}

TEST_F(RegistryTest, a_join_that_is_taken_back_was_never_there) {
  join(1, seven, tcp(7890));
  registry_.take_back(1, seven, LeaveReason::lost);
  EXPECT_EQ(registry_.clients(), 0u);
  EXPECT_EQ(commit(), Lines{});
}

TEST_F(RegistryTest, those_that_are_waited_for_keep_their_places) {
  for (std::uint32_t number = 1; number <= 3; ++number) registry_.restore(numbered(number), {}, true);
  EXPECT_EQ(refused(1, numbered(4), {}).substr(0, 4), "E401");
  join(2, numbered(3), {});
  registry_.end_grace();
  join(3, numbered(4), {});
  EXPECT_EQ(registry_.clients(), 2u);
}

TEST_F(RegistryTest, a_grace_that_ends_twice_removes_once) {
  registry_.restore(seven, {}, true);
  registry_.end_grace();
  registry_.end_grace();
  EXPECT_EQ(registry_.clients(), 0u);
  EXPECT_EQ(commit(), Lines{"- 10.0.0.7"});
}

// ---- After a failed commit ----

TEST_F(RegistryTest, what_a_reload_finds_written_is_no_difference) {
  join(1, seven, tcp(7890));
  pending();
  registry_.begin_reload();
  registry_.restore(seven, tcp(7890), false);
  registry_.end_reload();
  EXPECT_EQ(commit(), Lines{});
  EXPECT_TRUE(registry_.is_stored(seven));
  EXPECT_EQ(registry_.clients(), 1u);
}

TEST_F(RegistryTest, what_a_reload_does_not_find_is_still_to_be_written) {
  join(1, seven, tcp(7890));
  commit();
  registry_.begin_reload();
  registry_.end_reload();
  EXPECT_FALSE(registry_.is_stored(seven));
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7 tcp:7890"});
}

TEST_F(RegistryTest, what_a_reload_finds_too_much_is_removed) {
  join(1, seven, tcp(7890));
  pending();
  registry_.leave(1, seven, LeaveReason::closed);
  registry_.begin_reload();
  registry_.restore(seven, tcp(7890), false);
  registry_.end_reload();
  EXPECT_EQ(registry_.clients(), 0u);
  EXPECT_EQ(commit(), Lines{"- 10.0.0.7"});
}

TEST_F(RegistryTest, a_reload_goes_on_waiting_for_those_it_waited_for) {
  registry_.restore(seven, tcp(7890), true);
  registry_.begin_reload();
  registry_.restore(seven, tcp(7890), false);
  registry_.end_reload();
  EXPECT_EQ(registry_.waiting(), 1u);
  EXPECT_EQ(registry_.clients(), 1u);
  EXPECT_EQ(commit(), Lines{});
  registry_.end_grace();
  EXPECT_EQ(commit(), Lines{"- 10.0.0.7"});
}

TEST_F(RegistryTest, a_reload_finds_other_methods) {
  join(1, seven, tcp(7890));
  registry_.begin_reload();
  registry_.restore(seven, tcp(80), false);
  registry_.end_reload();
  EXPECT_EQ(commit(), Lines{"+ 10.0.0.7 tcp:7890"});
}

TEST_F(RegistryTest, a_client_has_at_most_so_many_sessions) {
  Registry limited{{3, limits::packet_bytes_floor, 2}};
  EXPECT_EQ(limited.join(1, seven, tcp(1)), std::nullopt);
  EXPECT_EQ(limited.join(2, seven, tcp(1)), std::nullopt);
  EXPECT_EQ(limited.join(3, seven, tcp(1))->code, ErrorCode::address_busy);
  EXPECT_EQ(limited.sessions_of(seven), 2u);
  EXPECT_EQ(limited.join(4, eight, tcp(1)), std::nullopt);
  limited.leave(1, seven, LeaveReason::closed);
  EXPECT_EQ(limited.join(5, seven, tcp(1)), std::nullopt);
}

TEST_F(RegistryTest, counts_as_absent_who_is_waited_for_and_has_no_session) {
  registry_.restore(seven, tcp(80), true);
  registry_.restore(eight, tcp(80), true);
  EXPECT_EQ(registry_.absent(), 2u);
  join(1, seven, tcp(80));
  join(2, seven, tcp(80));
  EXPECT_EQ(registry_.absent(), 1u);
  EXPECT_EQ(registry_.waiting(), 2u) << "until the grace is over, it may have more programs";
  registry_.leave(1, seven, LeaveReason::closed);
  EXPECT_EQ(registry_.absent(), 1u);
  registry_.end_grace();
  EXPECT_EQ(registry_.absent(), 0u);
  registry_.leave(2, seven, LeaveReason::closed);
  EXPECT_EQ(registry_.absent(), 0u);
  EXPECT_EQ(registry_.clients(), 0u);
}

TEST_F(RegistryTest, counts_who_is_stored_under_a_loopback_address) {
  const Address local = address("127.0.0.1");
  registry_.restore(seven, tcp(80), true);
  join(1, local, tcp(80));
  EXPECT_EQ(registry_.present(), 1u);
  EXPECT_EQ(registry_.present_on_loopback(), 0u) << "it is not stored yet";
  commit();
  EXPECT_EQ(registry_.present(), 2u);
  EXPECT_EQ(registry_.present_on_loopback(), 1u);
  registry_.begin_reload();
  EXPECT_EQ(registry_.present(), 0u);
  registry_.restore(local, tcp(80), false);
  registry_.end_reload();
  EXPECT_EQ(registry_.present_on_loopback(), 1u);
  registry_.leave(1, local, LeaveReason::closed);
  commit();
  EXPECT_EQ(registry_.present_on_loopback(), 0u);
}

}  // namespace
}  // namespace lekt
