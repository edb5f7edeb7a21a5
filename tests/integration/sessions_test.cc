// Several sessions of one address are one client.
#include <string>
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using Lines = std::vector<std::string>;

class SessionsTest : public DaemonTest {
 protected:
  RawClient join(const std::string& from, const Methods& methods = tcp(7890)) {
    return joined(port_, from, methods);
  }

  /// The line of 127.0.0.2 as the observer sees it by and by, or nothing.
  bool becomes(const Lines& expected) {
    const auto seen = [&] {
      observer_.beat();
      Lines lines = observer_.peers();
      std::erase(lines, "127.0.0.9 tcp:7890");
      return lines == expected;
    };
    return eventually(seen, patience());
  }

  const std::uint16_t port_ = start(catalogue_flags()).port();
  RawClient observer_ = join("127.0.0.9");
};

}  // namespace

TEST_F(SessionsTest, offer_the_union_of_their_methods) {
  RawClient first = join("127.0.0.2", tcp(2002));
  RawClient second = join("127.0.0.2", tcp(2001));
  RawClient third = join("127.0.0.2", chat("x"));
  EXPECT_TRUE(becomes({"127.0.0.2 tcp:2001 tcp:2002 chat:78"}));
  second.close();
  EXPECT_TRUE(becomes({"127.0.0.2 tcp:2002 chat:78"}));
  first.close();
  EXPECT_TRUE(becomes({"127.0.0.2 chat:78"}));
  third.close();
  EXPECT_TRUE(becomes({}));
}

TEST_F(SessionsTest, announce_nothing_that_another_one_has_announced) {
  RawClient first = join("127.0.0.2");
  observer_.beat();
  RawClient second = join("127.0.0.2");
  const Answer answer = observer_.beat();
  EXPECT_EQ(answer.packets.size(), 1u) << "the closing packet alone";
}

TEST_F(SessionsTest, change_nothing_for_others_when_a_client_comes_back_before_its_old_connection_ends) {
  RawClient old = join("127.0.0.2");
  observer_.beat();
  RawClient come_back = join("127.0.0.2");
  old.close();
  ASSERT_TRUE(daemon().logs("event=leave address=127.0.0.2"));
  const RawClient later = join("127.0.0.3");
  const Answer answer = observer_.beat_until_news();
  EXPECT_EQ(answer.added, std::vector{ip("127.0.0.3")});
  EXPECT_TRUE(answer.removed.empty());
  EXPECT_EQ(come_back.beat().added.size(), 3u);
}

TEST_F(SessionsTest, are_counted_for_the_operator) {
  RawClient first = join("127.0.0.2");
  RawClient second = join("127.0.0.2", tcp(1));
  Operator reader(database());
  const auto row = [&] {
    return reader.ask_one("SELECT methods, sessions, status FROM clients WHERE address = '127.0.0.2'");
  };
  EXPECT_EQ(row(), "tcp:1 tcp:7890|2|connected");
}

TEST_F(SessionsTest, of_one_address_may_come_and_go_all_the_time) {
  RawClient lasting = join("127.0.0.2");
  // More than may be there at the same time. Few enough of them change the list for what one address may change at
  // once.
  for (int turn = 0; turn < 100; ++turn)
    join("127.0.0.2", tcp(static_cast<std::uint16_t>(turn % 7 == 0 ? 1 + turn % 5 : 7890))).beat();
  EXPECT_TRUE(becomes({"127.0.0.2 tcp:7890"}));
}

}  // namespace lekt::test
