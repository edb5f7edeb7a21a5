// The law for devices, in DTLS as without it: whatever the network loses, repeats, overtakes and forges, whoever moves,
// reboots or dies, what a user types arrives once and in order, every device is served again at the end, and then the
// network is silent.
//
// Each world has a seed of its own; a failure prints the command that makes it the first one.
// LEKT_TEST_WORLDS sets the number of worlds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "devices/group_syntax.h"
#include "tests/simulation/device_world.h"

namespace lekt::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t worlds_default = sanitized ? 60 : 2000;
constexpr std::uint16_t first_port = 5000;

std::size_t device_worlds_wanted() {
  const char* given = std::getenv("LEKT_TEST_WORLDS");
  return given == nullptr ? worlds_default : std::strtoull(given, nullptr, 10);
}

Address device_address(std::uint64_t number) {
  return Address::v4(0x0a0a0000u + static_cast<std::uint32_t>(number) + 1);
}

/// Devices, a network that is drawn from the seed, and what happens to them.
class DrawnWorld {
 public:
  explicit DrawnWorld(Random& random)
      : random_(random),
        ports_(static_cast<std::uint16_t>(random.between(1, 12))),
        world_(random, first_port, static_cast<std::uint16_t>(first_port + ports_ - 1)) {
    draw_network();
    draw_settings();
    const std::uint64_t devices = 1 + random.below(std::min<std::uint64_t>(ports_ + 2u, 8));
    for (std::uint64_t number = 0; number < devices; ++number)
      world_.add_device("UID" + std::to_string(100 + number),
                        device_address(random.chance(30) ? 0 : number) /* some share an address */, {},
                        no_ticket, wants_encryption());
    spread_out();
  }

  void live() {
    const std::uint64_t steps = 20 + random_.below(100);
    for (std::uint64_t step = 0; step < steps; ++step) {
      happen();
      world_.run(AwakeTime(random_.between(1, random_.chance(5) ? 200'000 : 3'000)));
    }
  }

  /// Everything works again: those for whom there are ports get their session, and then nobody says anything.
  void settle() {
    world_.hosts_are_moody = false;
    world_.run(10s);  // whoever is being told of the end of a session knows it then
    world_.network.loss = world_.network.loss_of_large = world_.network.duplication = 0;
    // Packets 1 to 4 take two round trips, for which there are 10 s.
    world_.network.delay_max = std::min<AwakeTime>(world_.network.delay_max, 2s);
    world_.network.delay_min = std::min(world_.network.delay_min, world_.network.delay_max);
    world_.foreign_ports.clear();
    for (std::size_t device = 0; device < world_.devices(); ++device) {
      world_.cut_off(device, false);
      if (world_.link(device).phase() == DeviceLink::Phase::leaving) world_.reboot(device, true);
    }
    start_again();
    type_all();
    // Whose screen was lost for half a minute is away now, and hears nothing until it types.
    world_.run(Registration::silence_max + world_.network.delay_max);
    type_all();
    const std::size_t served_at_least = to_be_served();
    const auto served = [&] {
      std::size_t count = 0;
      for (std::size_t device = 0; device < world_.devices(); ++device)
        count += world_.is_settled(device) && world_.is_at_work(device) ? 1 : 0;
      return count >= served_at_least;
    };
    for (const AwakeTime end = world_.now() + 40min; !world_.run_until(served, 20s);) {
      if (world_.now() >= end) throw std::logic_error("broken guarantee: everybody is served at the end");
      for (std::size_t device = 0; device < world_.devices(); ++device) world_.go_to_host(device);
      start_again();  // one may hear only now that its host hung up while it was away
    }
    if (served_at_least < world_.devices()) return;  // the others go on trying
    world_.run(1min);
    const std::uint64_t before = world_.datagrams();
    world_.run(10min);
    if (world_.datagrams() != before)
      throw std::logic_error("broken guarantee: who has nothing to say is silent");
  }

  DeviceWorld::Statistics statistics() { return world_.statistics(); }
  std::string describe() { return world_.describe(); }

 private:
  /// Users start the devices whose sessions have ended.
  void start_again() {
    for (std::size_t device = 0; device < world_.devices(); ++device)
      if (world_.link(device).phase() == DeviceLink::Phase::ended) world_.reboot(device, true);
  }

  void draw_network() {
    world_.network.delay_min = AwakeTime(1);
    world_.network.delay_max = AwakeTime(random_.between(1, 400));
    if (random_.chance(25)) {  // round trips of 2 to 8 s
      world_.network.delay_min = AwakeTime(random_.between(1000, 2000));
      world_.network.delay_max = AwakeTime(random_.between(2000, 4000));
    }
    world_.network.loss = static_cast<unsigned>(random_.below(31));
    world_.network.duplication = static_cast<unsigned>(random_.below(20));
    if (!random_.chance(25)) return;
    world_.network.large = random_.between(60, 200);
    world_.network.loss_of_large = static_cast<unsigned>(random_.between(20, 100));
  }

  void draw_settings() {
    static const std::vector<std::vector<std::string>> groups = {
        {"default"},
        {"default;resume=uid"},
        {"default;sessions=2", "yard;from=10.10.0.0/28;resume=uid"},
        {"trucks;type=PDT*", "yard;from=10.10.0.0/29;sessions=3", "default;resume=uid"},
    };
    std::vector<std::string> hosts = {"wms", "mail", "stock"};
    hosts.resize(random_.below(hosts.size() + 1));
    std::vector<DeviceHost> all_hosts;
    for (const std::string& host : hosts)
      all_hosts.push_back(std::get<DeviceHost>(parse_device_host(host + "=10.1.0.5:23")));
    std::vector<DeviceGroup> chosen;
    for (const std::string& text : random_.pick(groups)) {
      chosen.push_back(std::get<DeviceGroup>(parse_device_group(text)));
      if (hosts.empty() || random_.chance(60)) continue;
      // Some of them, and in another order.
      std::shuffle(hosts.begin(), hosts.end(), random_.engine());
      chosen.back().hosts.assign(hosts.begin(), hosts.begin() + random_.between(1, std::ssize(hosts)));
    }
    DeviceDesk::Settings settings;
    settings.groups =
        std::make_shared<const DeviceGroups>(std::get<DeviceGroups>(DeviceGroups::make(chosen, all_hosts)));
    if (random_.chance(25))
      settings.limits = {static_cast<std::size_t>(random_.between(1, 8)),
                         static_cast<std::size_t>(random_.between(1, 4))};
    if (random_.chance(20))  // not in more: a handshake takes longer than all else
      settings.encryption = random_.chance(50) ? DeviceEncryption::offered : DeviceEncryption::required;
    encryption_ = settings.encryption;
    limits_ = settings.limits;
    world_.use(settings);
  }

  bool wants_encryption() {
    return encryption_ == DeviceEncryption::required ||
           (encryption_ == DeviceEncryption::offered && random_.chance(60));
  }

  /// How many devices get a session although ports and sessions have limits. Sessions of which nobody knows yet that
  /// their devices are gone may fill a small limit for hours, so not even one is sure there.
  std::size_t to_be_served() {
    const std::size_t wanted = std::min<std::size_t>(world_.devices(), ports_);
    const bool is_small = limits_.sessions_max <= 8;
    return is_small ? std::min<std::size_t>(wanted, 1) : wanted;
  }

  /// No two devices have one endpoint.
  void spread_out() {
    for (std::size_t device = 0; device < world_.devices(); ++device)
      world_.move(device, {world_.endpoint(device).address, next_port_++});
  }

  void type_all() {
    for (std::size_t device = 0; device < world_.devices(); ++device) world_.type(device);
  }

  void happen() {
    const std::size_t device = random_.below(world_.devices());
    switch (random_.below(16)) {
      case 0:
        return world_.move(device, {device_address(random_.below(40)), next_port_++});
      case 1:  // a NAT has forgotten it
        return world_.move(device, {world_.endpoint(device).address, next_port_++});
      case 2:
        return world_.reboot(device, random_.chance(60));
      case 3:
        return world_.cut_off(device, random_.chance(50));
      case 4:
        if (random_.chance(30)) world_.restart();
        return;
      case 5:
        world_.impersonate(device);
        return forge();
      case 6:
        return take_ports();
      case 7:
        if (random_.chance(20)) world_.link(device).leave(world_.now());
        return;
      default:
        if (random_.chance(60)) world_.go_to_host(device);
        if (random_.chance(25)) world_.leave_host(device);
        for (std::uint64_t words = random_.below(6); words > 0; --words) world_.type(device);
    }
  }

  /// A stranger sends what it can make, or what it has seen on the radio with something changed.
  void forge() {
    static constexpr std::string_view types = "CPGYQDSEMNBFX";
    for (std::uint64_t left = random_.below(20); left > 0; --left) {
      Bytes bytes;
      ByteWriter writer(bytes);
      writer.bytes("LEKT");
      writer.u8(static_cast<std::uint8_t>(random_.pick(types)));
      writer.zeros(3);
      writer.u64(random_.next());
      writer.u32(static_cast<std::uint32_t>(random_.below(4)));
      writer.u32(static_cast<std::uint32_t>(random_.below(4)));
      writer.bytes(random_.bytes(random_.chance(50) ? 40 : random_.below(100)));
      const bool to_contact = random_.chance(50);
      world_.forge(
          {Address::v4(0xc6336400u + static_cast<std::uint32_t>(random_.below(256))),
           static_cast<std::uint16_t>(1024 + random_.below(60'000))},
          to_contact ? std::uint16_t{0} : static_cast<std::uint16_t>(first_port + random_.below(ports_)),
          std::move(bytes));
    }
  }

  void take_ports() {
    const auto port = static_cast<std::uint16_t>(first_port + random_.below(ports_));
    if (world_.foreign_ports.erase(port) > 0) return;
    world_.foreign_ports.insert(port);
    ++world_.statistics().ports_taken;
  }

  Random& random_;
  std::uint16_t ports_;
  std::uint16_t next_port_ = 20'000;
  SessionBook::Limits limits_;
  DeviceEncryption encryption_ = DeviceEncryption::off;
  DeviceWorld world_;
};

void print_device_worlds(std::size_t worlds, const DeviceWorld::Statistics& total) {
  std::cout << worlds << " worlds: " << total.datagrams << " datagrams, " << total.lost << " lost, "
            << total.lost_for_size << " lost for their size, " << total.duplicated << " duplicated, "
            << total.forged << " forged, " << total.inputs << " inputs, " << total.sessions << " sessions, "
            << total.resumed << " resumed, " << total.ended << " ended, " << total.moves << " moves, "
            << total.reboots << " reboots, " << total.restarts << " restarts, " << total.ports_taken
            << " ports taken, " << total.connections << " connections to hosts, " << total.refusals
            << " refused, " << total.given_up << " given up, " << total.chosen << " to one of several, "
            << total.hang_ups << " hang-ups, " << total.came_back << " back to the selection, "
            << total.echoes << " echoes, " << total.floods << " floods, " << total.handshakes
            << " handshakes, " << total.handshakes_failed << " failed, " << total.impersonated
            << " impersonated; alerts:";
  for (const auto& [code, count] : total.alerts) std::cout << ' ' << code_text(code) << '=' << count;
  std::cout << "; devices were told:";
  for (const auto& [code, count] : total.failures) std::cout << ' ' << code_text(code) << '=' << count;
  std::cout << std::endl;
}

TEST(Devices, get_their_session_back_whatever_happens) {
  Random seeds;
  DeviceWorld::Statistics total;
  const std::size_t worlds = device_worlds_wanted();
  for (std::size_t world = 0; world < worlds; ++world) {
    // The first world has the seed that is printed, so that a failure is replayed alone.
    const std::uint64_t seed = world == 0 ? seeds.seed() : seeds.next();
    Random random(seed);
    DrawnWorld drawn(random);
    try {
      drawn.live();
      drawn.settle();
      total += drawn.statistics();
    } catch (const std::exception& broken) {
      FAIL() << broken.what() << "\nworld " << world << " of this run; alone: LEKT_TEST_WORLDS=1 "
             << replay_command(seed) << "\n"
             << drawn.describe();
    }
  }
  print_device_worlds(worlds, total);
  if (worlds < worlds_default) return;
  // Worlds in which something never happens prove nothing about it.
  EXPECT_GT(total.lost, 0u);
  EXPECT_GT(total.lost_for_size, 0u);
  EXPECT_GT(total.duplicated, 0u);
  EXPECT_GT(total.forged, 0u);
  EXPECT_GT(total.inputs, 0u);
  EXPECT_GT(total.resumed, 0u);
  EXPECT_GT(total.moves, 0u);
  EXPECT_GT(total.reboots, 0u);
  EXPECT_GT(total.restarts, 0u);
  EXPECT_GT(total.ports_taken, 0u);
  EXPECT_GT(total.connections, 0u);
  EXPECT_GT(total.refusals, 0u);
  EXPECT_GT(total.hang_ups, 0u);
  EXPECT_GT(total.chosen, 0u);
  EXPECT_GT(total.given_up, 0u);
  EXPECT_GT(total.came_back, 0u);
  EXPECT_GT(total.echoes, 0u);
  EXPECT_GT(total.floods, 0u);
  EXPECT_GT(total.handshakes, 0u);
  EXPECT_GT(total.handshakes_failed, 0u);
  EXPECT_GT(total.impersonated, 0u);
  for (const ErrorCode code :
       {ErrorCode::registration_incomplete, ErrorCode::ports_exhausted, ErrorCode::token_refused,
        ErrorCode::registration_unknown, ErrorCode::device_config_missing, ErrorCode::sessions_too_many,
        ErrorCode::registration_replaced, ErrorCode::session_ended, ErrorCode::uid_in_use,
        ErrorCode::host_unreachable, ErrorCode::host_hung_up})
    EXPECT_GT(total.alerts[code] + total.failures[code], 0u) << code_text(code);
}

}  // namespace
}  // namespace lekt::test
