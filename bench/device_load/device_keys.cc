// The modes in which users work on a host.
#include <array>
#include <optional>
#include <vector>

#include "bench/device_load/device_crew.h"
#include "bench/device_load/device_modes.h"
#include "bench/device_load/spent.h"
#include "bench/load/histogram.h"
#include "bench/load/report.h"

namespace lekt::bench {

namespace {

using namespace std::chrono_literals;

/// A key that is not on the screen by then will not be.
constexpr auto screen_patience = 20s;
/// What follows a key comes by then, and so does what follows that.
constexpr auto picture_patience = 1s;

/// Letters, and enter before the line is full. Each changes the screen, and moves the cursor to a place of its own.
class Typist {
 public:
  explicit Typist(std::size_t columns) : columns_(columns) {}

  Bytes next_items() {
    Bytes items;
    if (column_ + 6 == columns_) {
      column_ = 0;
      append_item(items, KeyItem{});
    } else {
      ++column_;
      const char letter = static_cast<char>('a' + letters_++ % 26);
      append_item(items, TypedItem{{&letter, 1}});
    }
    return items;
  }

  /// Whether the screen shows everything that was typed.
  bool sees_all_of_it(const Screen& screen) const { return screen.cursor().column == column_; }

 private:
  std::size_t columns_;
  std::size_t column_ = 1;  ///< where the cursor is going to be; behind the greeting of the host
  std::size_t letters_ = 0;
};

/// Keys of all users in turn at a fixed rate. A user types no key before the one before is on the screen.
class Work {
 public:
  Work(DeviceCrew& crew, const DeviceOptions& options)
      : crew_(crew),
        options_(options),
        users_(crew.size(), User{Typist(options.manner.columns), std::nullopt, {}}) {
    crew.tell([this](std::size_t number, const DatagramHead&, ByteView) {
      if (users_[number].typist.sees_all_of_it(crew_.screen(number))) see(number);
    });
  }

  void run(std::chrono::nanoseconds time) {
    seen_ = 0;
    skipped_ = 0;
    times_ = Histogram();
    const Time begin = now();
    const auto due_at = [&](std::uint64_t number) {
      return begin + std::chrono::nanoseconds(
                         static_cast<std::int64_t>(static_cast<double>(number) * 1e9 / options_.rate));
    };
    std::uint64_t scheduled = 0;
    for (Time at = begin; at < begin + time; at = now()) {
      for (; due_at(scheduled) <= at; ++scheduled) type(next_++ % users_.size());
      turn(due_at(scheduled));
    }
    for (const Time end = now() + screen_patience; under_way_ > 0; turn(end))
      if (now() > end) throw BenchError(std::to_string(under_way_) + " keys are not on the screens");
  }

  std::uint64_t seen() const { return seen_; }
  /// Keys that were due while the one before was not seen.
  std::uint64_t skipped() const { return skipped_; }
  const Histogram& times() const { return times_; }

 private:
  struct User {
    Typist typist;
    std::optional<Time> typed;  ///< the key that is not seen
    Bytes items;
  };

  /// `latest`: when the next key is due.
  void turn(Time latest) {
    if (options_.echo)
      crew_.receive(latest - now(), [&](std::size_t number, ByteView) { see(number); });
    else
      crew_.turn_by(latest);
  }

  void type(std::size_t number) {
    User& user = users_[number];
    if (user.typed) return void(++skipped_);
    user.typed = now();
    ++under_way_;
    user.items = user.typist.next_items();
    if (!options_.echo) return crew_.type(number, user.items);
    // The relay passes on what a device would send.
    crew_.send_now(number, static_cast<std::uint16_t>(options_.server.port + number),
                   encode_datagram({DatagramType::message, version_spoken, number + 1, 1, 0},
                                   InputMessage{1, user.items}));
  }

  void see(std::size_t number) {
    User& user = users_[number];
    if (!user.typed) return;
    times_.record(now() - *user.typed);
    user.typed.reset();
    --under_way_;
    ++seen_;
  }

  DeviceCrew& crew_;
  const DeviceOptions& options_;
  std::vector<User> users_;
  std::uint64_t next_ = 0;
  std::size_t under_way_ = 0;
  std::uint64_t seen_ = 0;
  std::uint64_t skipped_ = 0;
  Histogram times_;
};

DeviceCrew::Manner hosted(DeviceCrew::Manner manner) {
  manner.hosted = true;
  return manner;
}

}  // namespace

nlohmann::ordered_json run_device_keys(const DeviceOptions& options) {
  DeviceCrew crew(options.server, options.devices, hosted(options.manner));
  if (!options.echo) {
    crew.begin(0, crew.size());
    crew.turn_until_served(crew.size());
  }
  Work work(crew, options);
  work.run(options.warm_up);
  const Spent spent(options.pid);
  const std::uint64_t datagrams = crew.datagrams();
  work.run(options.time);
  nlohmann::ordered_json result{{"count", work.seen()},
                                {"seconds", seconds(options.time)},
                                {"per_second", static_cast<double>(work.seen()) / seconds(options.time)},
                                {"skipped", work.skipped()},
                                {"datagrams_received", crew.datagrams() - datagrams}};
  spent.report(result, work.seen());
  result["seen_after_us"] = percentiles(work.times());
  return result;
}

nlohmann::ordered_json run_device_picture(const DeviceOptions& options) {
  DeviceCrew crew(options.server, 1, hosted(options.manner));
  crew.begin(0, 1);
  crew.turn_until_served(1);
  std::size_t bytes = 0;
  std::size_t datagrams = 0;
  crew.tell([&](std::size_t, const DatagramHead& head, ByteView datagram) {
    if (head.type != DatagramType::message) return;
    bytes += datagram.size();
    ++datagrams;
  });
  Typist typist(options.manner.columns);
  const auto bytes_after_key = [&] {
    bytes = datagrams = 0;
    crew.type(0, typist.next_items());
    for (const Time end = now() + picture_patience; now() < end;) crew.turn(10ms);
    return bytes;
  };
  nlohmann::ordered_json result;
  result["picture_bytes"] = bytes_after_key();
  result["picture_datagrams"] = datagrams;
  result["key_bytes"] = bytes_after_key();
  if (datagrams == 0) throw BenchError("the host does not echo");
  return result;
}

nlohmann::ordered_json run_device_flood(const DeviceOptions& options) {
  DeviceCrew crew(options.server, options.devices, options.manner);
  crew.begin(0, crew.size());
  std::uint64_t screens = 0;
  crew.tell([&](std::size_t, const DatagramHead& head, ByteView) {
    if (head.type == DatagramType::message) ++screens;
  });
  std::optional<ServerUsage> usage;
  if (options.pid != 0) usage.emplace(options.pid);
  const Spent spent(options.pid);
  const auto turn_until = [&](Time end) {
    while (now() < end) crew.turn(1ms);
    return usage ? static_cast<double>(usage->resident_bytes()) : 0;
  };
  const Time began = now();
  const double early = turn_until(began + options.time / 4);
  const double late = turn_until(began + options.time);
  if (crew.served() < crew.size()) throw BenchError("not all devices have a screen");
  nlohmann::ordered_json result{{"count", screens},
                                {"seconds", seconds(now() - began)},
                                {"per_second", static_cast<double>(screens) / seconds(now() - began)}};
  spent.report(result, screens);
  if (usage) {
    result["resident_bytes"] = late;
    result["resident_growth"] = late / early;
  }
  return result;
}

}  // namespace lekt::bench
