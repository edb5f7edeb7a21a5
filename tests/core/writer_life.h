// What a server's storage goes through in its life: start, joins, leaves, forgetting, checkpoints, a clean
// stop, another start; on a disk that can lose power (tests/disk/disk.h), while something fails that the test
// chooses.
//
// Whatever fails, a client that was told that it has joined is in every list until it leaves; joins are refused
// with E403 and nothing else; and once nothing fails any more, the writer recovers by itself. Then the database has the
// sessions of devices that have not ended, and no others.
#pragma once

#include <cstdint>
#include <set>

#include "tests/core/writer_support.h"
#include "tests/disk/disk.h"

namespace lekt::test {

class WriterLife : public WriterTest {
 protected:
  WriterLife();
  ~WriterLife() override;

  /// How often something has failed, ever.
  virtual std::uint64_t failures() const = 0;
  /// From now on nothing fails.
  virtual void mend() = 0;

  /// Removes the database: the next life begins with a new one.
  void begin_anew();
  /// A whole life, or as much of it as there is until something fails. Returns whether something has.
  bool live();

  /// Mends; then the list is what the sessions say, the database holds it, and a power loss takes nothing of
  /// it.
  void expect_recovered();

  Random random_;
  Disk disk_{random_.next()};

 private:
  void start_until_it_works();
  void happen(int step);
  void take(const Writer::Turn& turn);
  void expect_all_listed() const;
  List expected_list() const;
  void happen_to_devices(int step);
  std::set<std::uint64_t> stored_device_sessions() const;

  SessionId session_ = 0;
  std::set<SessionId> joined_;  ///< and told so, and still there
  std::uint64_t device_session_ = 0;
  std::set<std::uint64_t> device_sessions_;  ///< that have not ended
};

}  // namespace lekt::test
