// Good clients: they join, leave, come back with other methods, and keep their lists by the rule. They are
// the real client library, on a thread of their own.
//
// The first of them are steady: they never leave, so nobody may ever be told that they did, whatever happens
// to the server. Everything here may be called from the test's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/support.h"

namespace lekt::test {

class Member;

struct MemberFigures {
  std::uint64_t starts = 0;
  std::uint64_t joins = 0;
  std::uint64_t answers = 0;
  std::uint64_t disconnections = 0;
  std::uint64_t false_removals = 0;  ///< of steady members, as any member was told
};

class Members {
 public:
  Members(std::uint16_t server_port, std::size_t steady, std::size_t others, std::uint64_t seed);
  ~Members();
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  /// Whether members come and go. They start so.
  void set_restless(bool restless) { restless_ = restless; }

  /// Who is there now, "127.0.1.1 tcp:1000" each, by address.
  std::vector<std::string> present() const;
  /// Whether every member that is there holds exactly this list.
  bool all_hold(const std::vector<std::string>& list) const;
  MemberFigures figures() const;

 private:
  void work();
  void change_one();

  const std::size_t steady_;
  Random random_;
  mutable std::mutex mutex_;  ///< of what follows
  std::vector<std::unique_ptr<Member>> members_;
  std::atomic<bool> restless_ = true;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace lekt::test
