#include "lektd/signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace lekt {
namespace {

/// In a process of its own each: dispositions and masks are those of the process.
TEST(SignalsDeathTest, end_the_process_at_once_before_anything_is_open) {
  for (const int signal : {SIGTERM, SIGINT})
    EXPECT_EXIT(
        {
          signals::end_at_once();
          raise(signal);
        },
        testing::ExitedWithCode(128 + signal), "");
}

TEST(SignalsDeathTest, that_reload_wait_from_the_first_moment) {
  EXPECT_EXIT(
      {
        std::signal(SIGHUP, SIG_DFL);
        signals::release();
        signals::end_at_once();
        raise(SIGHUP);
        sigset_t waiting;
        sigpending(&waiting);
        _exit(sigismember(&waiting, SIGHUP) == 1 ? 7 : 8);
      },
      testing::ExitedWithCode(7), "");
}

TEST(SignalsDeathTest, are_held_while_the_server_is_made_which_looks_for_them) {
  for (const int signal : {SIGTERM, SIGINT})
    EXPECT_EXIT(
        {
          signals::end_at_once();
          signals::hold();
          signals::expect_no_end();
          raise(SIGHUP);
          signals::expect_no_end();
          raise(signal);
          try {
            signals::expect_no_end();
          } catch (const signals::StartEnded&) {
            _exit(7);
          }
        },
        testing::ExitedWithCode(7), "");
}

TEST(SignalsDeathTest, of_a_write_that_fails_end_nothing) {
  EXPECT_EXIT(
      {
        signals::end_at_once();
        raise(SIGPIPE);
        raise(SIGXFSZ);
        _exit(7);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace lekt
