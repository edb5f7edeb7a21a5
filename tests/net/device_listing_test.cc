// Devices as clients of the registry, with virtual time.
#include "server/net/device_listing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/device_string.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;

class DeviceListingTest : public testing::Test {
 protected:
  static DeviceString device(const std::string& version) {
    DeviceString string;
    string.uid = "A1";
    string.version = version;
    return string;
  }

  void move_to(std::uint32_t address) {
    session_.attach(5000, {Address::v4(address), 3771});
    listing_.show(session_);
  }
  void decide(std::optional<ErrorCode> refused = {}) {
    Writer::Completion completion{asked_.front(), 0, std::nullopt};
    if (refused) completion.rejection = Rejection{*refused, "no"};
    asked_.erase(asked_.begin());
    listing_.decided(completion, now_);
  }

  void retry(AwakeTime now) {
    listing_.retry(now, [this](DeviceSession::Number) { return &session_; });
  }

  /// What was posted since the last call: "+0.0.0.1" and "-0.0.0.1", and "!" behind a leave of one that had not joined.
  std::string take_posted() { return std::exchange(posted_, {}); }

  DeviceSession session_{1, {}, device("1"), "", DeviceGroups().match({}, ""), 0ms};
  AwakeTime now_{0};
  std::string posted_;
  std::vector<SessionId> asked_;
  DeviceListing listing_{2, 3, [this](Command command) {
                           if (const auto* join = std::get_if<JoinCommand>(&command)) {
                             asked_.push_back(join->session);
                             EXPECT_EQ(join->session % 3, 2u) << "the number says whose it is";
                             posted_ += "+" + to_string(join->address);
                           }
                           if (const auto* leave = std::get_if<LeaveCommand>(&command)) {
                             std::erase(asked_, leave->session);
                             posted_ += "-" + to_string(leave->address) + (leave->was_told ? "" : "!");
                           }
                         }};
};

}  // namespace

TEST_F(DeviceListingTest, a_session_that_moves_is_listed_anew_before_it_leaves) {
  move_to(1);
  decide();
  EXPECT_EQ(take_posted(), "+0.0.0.1");
  move_to(2);
  EXPECT_EQ(take_posted(), "+0.0.0.2") << "until that is stored it stays where it was";
  decide();
  EXPECT_EQ(take_posted(), "-0.0.0.1");
}

TEST_F(DeviceListingTest, a_session_that_comes_back_to_its_address_is_no_change) {
  move_to(1);
  decide();
  take_posted();
  move_to(1);
  EXPECT_EQ(take_posted(), "");
}

TEST_F(DeviceListingTest, what_a_device_says_anew_of_itself_is_told) {
  move_to(1);
  decide();
  take_posted();
  session_.describe(device("2"), "");
  listing_.show(session_);
  decide();
  EXPECT_EQ(take_posted(), "+0.0.0.1-0.0.0.1");
}

TEST_F(DeviceListingTest, a_refused_join_is_tried_again_after_30_seconds) {
  move_to(1);
  decide(ErrorCode::server_full);
  EXPECT_EQ(take_posted(), "+0.0.0.1");
  ASSERT_EQ(listing_.due(), std::optional<AwakeTime>(30s));
  retry(30s - 1ms);
  EXPECT_EQ(take_posted(), "");
  retry(30s);
  EXPECT_EQ(take_posted(), "+0.0.0.1");
  decide();
  EXPECT_EQ(listing_.due(), std::nullopt);
}

TEST_F(DeviceListingTest, a_session_that_moves_and_is_refused_is_no_longer_listed_where_it_was) {
  move_to(1);
  decide();
  move_to(2);
  take_posted();
  decide(ErrorCode::server_full);
  EXPECT_EQ(take_posted(), "-0.0.0.1");
}

TEST_F(DeviceListingTest, what_a_device_said_before_stays_when_the_new_is_refused) {
  move_to(1);
  decide();
  session_.describe(device("2"), "");
  listing_.show(session_);
  take_posted();
  decide(ErrorCode::server_full);
  EXPECT_EQ(take_posted(), "");
  retry(30s);
  decide();
  EXPECT_EQ(take_posted(), "+0.0.0.1-0.0.0.1");
}

TEST_F(DeviceListingTest, a_session_that_ends_leaves_with_all_that_is_under_way) {
  move_to(1);
  decide();
  move_to(2);
  take_posted();
  listing_.end(1, LeaveReason::closed);
  EXPECT_EQ(take_posted(), "-0.0.0.1-0.0.0.2!");
  EXPECT_EQ(listing_.size(), 0u);
}

TEST_F(DeviceListingTest, a_session_that_ends_while_it_is_refused_is_not_tried_again) {
  move_to(1);
  decide(ErrorCode::server_full);
  listing_.end(1, LeaveReason::closed);
  take_posted();
  retry(60s);
  EXPECT_EQ(take_posted(), "");
}

TEST_F(DeviceListingTest, a_session_that_moves_twice_at_once_is_listed_where_it_is) {
  move_to(1);
  move_to(2);
  move_to(3);
  EXPECT_EQ(take_posted(), "+0.0.0.1+0.0.0.2+0.0.0.3");
  decide();
  decide();
  EXPECT_EQ(take_posted(), "");
  decide();
  EXPECT_EQ(take_posted(), "-0.0.0.1-0.0.0.2");
}

}  // namespace lekt
