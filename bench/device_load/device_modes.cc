#include "bench/device_load/device_modes.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "bench/device_load/device_crew.h"
#include "bench/device_load/spent.h"
#include "bench/load/histogram.h"
#include "bench/load/report.h"
#include "bench/load/usage.h"

namespace lekt::bench {

namespace {

using namespace std::chrono_literals;

/// An acknowledgment that takes longer will not come. On loopback nothing is lost but what has no room.
constexpr auto acknowledgment_patience = 2s;

/// Devices that are to be idle register so many together.
constexpr std::size_t registering_together = 50;

/// Messages of all devices in turn at a fixed rate. A device has at most one under way, so each message has an
/// acknowledgment of its own.
class Talk {
 public:
  Talk(DeviceCrew& crew, const DeviceOptions& options) : crew_(crew), options_(options) {
    for (std::size_t number = 0; number < crew.size(); ++number) {
      Talker talker;
      if (options.echo)
        talker.at = {number + 1, static_cast<std::uint16_t>(options.server.port + number), 0, 0};
      else
        talker.at = crew.registered(number);
      talkers_.push_back(talker);
    }
  }

  void run(std::chrono::nanoseconds time) {
    acknowledged_ = 0;
    skipped_ = 0;
    trips_ = Histogram();
    const Time begin = now();
    const Time end = begin + time;
    const auto due_at = [&](std::uint64_t number) {
      return begin + std::chrono::nanoseconds(
                         static_cast<std::int64_t>(static_cast<double>(number) * 1e9 / options_.rate));
    };
    std::uint64_t scheduled = 0;
    for (Time at = begin; at < end; at = now()) {
      for (; due_at(scheduled) <= at; ++scheduled) say(next_++ % talkers_.size(), at);
      crew_.receive(0ns, [&](std::size_t number, ByteView datagram) { hear(number, datagram, at); });
    }
  }

  std::uint64_t acknowledged() const { return acknowledged_; }
  /// Messages that were due while the one before was under way.
  std::uint64_t skipped() const { return skipped_; }
  const Histogram& trips() const { return trips_; }

 private:
  struct Talker {
    DeviceCrew::Registered at;
    std::optional<Time> sent;  ///< the message under way
  };

  void say(std::size_t number, Time at) {
    Talker& talker = talkers_[number];
    if (talker.sent) {
      if (at > *talker.sent + acknowledgment_patience)
        throw BenchError("message " + std::to_string(talker.at.sent) + " of device " +
                         std::to_string(number) + " was not acknowledged");
      ++skipped_;
      return;
    }
    talker.sent = at;
    crew_.send_now(number, talker.at.port,
                   encode_datagram({DatagramType::message, version_spoken, talker.at.registration,
                                    ++talker.at.sent, talker.at.received},
                                   InputMessage{}));
  }

  void hear(std::size_t number, ByteView datagram, Time at) {
    Talker& talker = talkers_[number];
    const auto head = read_head_to_device(datagram);
    if (!head || head->type == DatagramType::failure)
      throw BenchError("device " + std::to_string(number) + " got a failure or what it cannot read");
    const std::uint32_t acknowledged = options_.echo ? head->number : head->acknowledged;
    if (acknowledged != talker.at.sent || !talker.sent) return;
    trips_.record(at - *talker.sent);
    talker.sent.reset();
    ++acknowledged_;
  }

  DeviceCrew& crew_;
  const DeviceOptions& options_;
  std::vector<Talker> talkers_;
  std::uint64_t next_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t skipped_ = 0;
  Histogram trips_;
};

}  // namespace

nlohmann::ordered_json run_device_messages(const DeviceOptions& options) {
  DeviceCrew crew(options.server, options.devices, options.manner);
  if (!options.echo) {
    crew.begin(0, crew.size());
    crew.turn_until_served(crew.size());
  }
  Talk talk(crew, options);
  talk.run(options.warm_up);
  const Spent spent(options.pid);
  const std::uint64_t datagrams = crew.datagrams();
  talk.run(options.time);
  nlohmann::ordered_json result{
      {"count", talk.acknowledged()},
      {"seconds", seconds(options.time)},
      {"per_second", static_cast<double>(talk.acknowledged()) / seconds(options.time)},
      {"skipped", talk.skipped()},
      {"datagrams_received", crew.datagrams() - datagrams}};
  spent.report(result, talk.acknowledged());
  result["acknowledged_after_us"] = percentiles(talk.trips());
  return result;
}

nlohmann::ordered_json run_device_registrations(const DeviceOptions& options) {
  DeviceCrew crew(options.server, options.devices, options.manner);
  std::vector<double> all_accepted;
  std::vector<double> all_served;
  const Spent spent(options.pid);
  for (std::size_t round = 0; round < options.rounds; ++round) {
    const Time began = now();
    crew.begin(0, crew.size());
    crew.turn_until_served(crew.size());
    all_accepted.push_back(seconds(crew.last_accepted() - began));
    all_served.push_back(seconds(crew.last_served() - began));
    crew.leave();
    crew.turn_until_left();
  }
  const double slowest = *std::ranges::max_element(all_accepted);
  nlohmann::ordered_json result{{"count", crew.size() * options.rounds},
                                {"seconds", *std::ranges::max_element(all_served)},
                                {"accepted_seconds", slowest},
                                {"per_second", static_cast<double>(crew.size()) / slowest}};
  spent.report(result, crew.size() * options.rounds);
  return result;
}

nlohmann::ordered_json run_device_idle(const DeviceOptions& options) {
  // What the server makes for its first device, it does not make for each.
  DeviceCrew crew(options.server, options.devices + 1, options.manner);
  crew.begin(0, 1);
  crew.turn_until_served(1);
  std::optional<ServerUsage> usage;
  if (options.pid != 0) usage.emplace(options.pid);
  const std::size_t resident = usage ? usage->resident_bytes() : 0;
  // A few at a time: what a server needs while they register is not what they take when they are idle.
  for (std::size_t first = 1; first < crew.size(); first += registering_together) {
    const std::size_t last = std::min(first + registering_together, crew.size());
    crew.begin(first, last);
    crew.turn_until_served(last);
  }
  for (const Time end = now() + options.warm_up; now() < end;) crew.turn(10ms);
  nlohmann::ordered_json result{{"count", options.devices}};
  if (usage)
    result["resident_bytes_each"] =
        (static_cast<double>(usage->resident_bytes()) - static_cast<double>(resident)) /
        static_cast<double>(options.devices);
  const Spent spent(options.pid);
  const std::uint64_t datagrams = crew.datagrams();
  const Time began = now();
  Progress progress("idle");
  while (now() < began + options.time) {
    crew.turn(100ms);
    progress.show(seconds(now() - began) / seconds(options.time), crew.datagrams() - datagrams);
  }
  result["seconds"] = seconds(now() - began);
  result["datagrams_received"] = crew.datagrams() - datagrams;
  spent.report(result, 0);
  if (usage)
    result["core_share"] = result["server_cpu_seconds"].get<double>() / result["seconds"].get<double>();
  return result;
}

}  // namespace lekt::bench
