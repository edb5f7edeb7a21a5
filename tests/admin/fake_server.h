// A server of a test's own behind the admin page: a real database, and operations that answer what the test
// has put in.
//
// Any thread may ask the operations; the test's thread changes them.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/operators/operations.h"
#include "storage/database.h"
#include "tests/support/support.h"

namespace lekt::test {

/// A status in which nothing is empty and nothing is 0, as of 2026-01-02.
Status example_status();
DeviceStatus example_device();

class FakeOperations final : public Operations {
 public:
  FakeOperations() : status_(example_status()) {}

  void change(const std::function<void(Status&)>& change);
  void reject(RejectStatus reject);
  /// From now on, what waits for the workers fails as if they did not answer.
  void fall_silent();

  Totals totals() const override;
  Status status() override;
  Health health() override;
  std::vector<SessionStatus> sessions(Address address) override;
  std::vector<RejectStatus> rejects(const std::optional<Block>& block, std::size_t count_max) override;
  ChangeFeed& changes() override { return feed_; }
  std::vector<DeviceStatus> devices() override;
  std::vector<DeviceDetails> device(const std::string& uid_or_address) override;
  std::vector<DeviceScreen> device_screens(const std::string&) override { return {}; }
  std::vector<DeviceAlertStatus> device_alerts(std::size_t count_max) override;
  void set_devices(std::vector<DeviceStatus> devices);

  Kicked kick(Address) override { return {}; }
  Kicked kick_device(const std::string&) override { return {}; }
  Banned ban(const Block&, const std::string&, std::optional<std::chrono::seconds>) override { return {}; }
  bool unban(const Block&) override { return false; }
  Compacted compact() override { return {}; }
  TraceStatus trace(const Block&, std::chrono::seconds) override { return {}; }
  bool end_trace(const Block&) override { return false; }
  Whereabouts whereabouts() const override;
  Reloaded reload() override { return {}; }

 private:
  void check_awake() const;

  mutable std::mutex mutex_;
  Status status_;
  std::vector<RejectStatus> rejects_;
  std::vector<DeviceStatus> devices_;
  bool silent_ = false;
  ChangeFeed feed_{0};
};

/// The database and the feed of the fake: what is done here is committed, then published.
class FakeServer {
 public:
  explicit FakeServer(std::int64_t started);

  void add(Address address, std::uint16_t port);
  void add(Address address, const Methods& methods);
  void add_all(const std::vector<Address>& addresses, std::uint16_t port);
  void remove(Address address);
  /// The next changes happen at this second, or later.
  void set_second(std::int64_t second) { second_ = second; }
  /// Other numbers of the database: codes that were given.
  void count_code(ErrorCode code, std::uint64_t count);
  /// Runs SQL on the database as a program would that is not ours.
  void execute(const std::string& sql);

  std::filesystem::path path() const { return directory_.path() / "lekt.db"; }

  FakeOperations operations;

 private:
  void commit(const std::vector<storage::Change>& changes);

  TempDirectory directory_;
  MethodCatalogue catalogue_;
  std::int64_t second_;
  storage::Database database_;
};

}  // namespace lekt::test
