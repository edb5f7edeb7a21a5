// A device as far from the server as a satellite, behind a network that loses: registering, typing and the screen take their
// time, and nothing else is different.
#include <chrono>
#include <iostream>

#include "tests/fault/slow_network.h"
#include "tests/integration/devices.h"
#include "tests/integration/tcp_host.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

class DeviceSlowNetworkTest : public DevicesTest {
 protected:
  /// An address that is this process's as well.
  std::string own_address() const {
    const std::string second_and_more = contact().substr(4);
    return "127." + std::to_string(std::stoi(second_and_more) + 64) +
           second_and_more.substr(second_and_more.find('.'));
  }

  /// Echoes, and keeps what is typed.
  TcpHost::Serve echo() {
    return [this](const TcpStream& user) {
      for (Bytes bytes; !(bytes = user.receive()).empty();) {
        typed_.add(bytes);
        for (char& byte : bytes)
          if (byte == '\0') byte = '\n';
        user.send(bytes);
      }
    };
  }

  SharedText typed_;
};

TEST_F(DeviceSlowNetworkTest,
       with_a_round_trip_of_2_s_and_three_of_ten_datagrams_lost_each_way_all_that_is_typed_arrives_once) {
  const TcpHost host(contact(), echo());
  start(device_flags({"--device-host", "wms=" + host.place()}, "5000-5007"));
  Random random;
  const SlowNetwork network(own_address(), contact(), {3006, 5000, 5001, 5002, 5003, 5004, 5005, 5006, 5007},
                            {1s, 30}, random.seed());
  Flags arguments = {"device",    "--server",   own_address(),
                     "--port",    contact_port, "--uid",
                     "A1",        "--ticket",   directory_.path() / "ticket",
                     "--timeout", "10m"};
  constexpr int inputs = 3;
  constexpr int numbers_of_input = 12;
  constexpr int last = inputs * numbers_of_input;
  Bytes typed;
  for (int first = 1; first < last; first += numbers_of_input) {
    std::string numbers;
    for (int number = first; number < first + numbers_of_input; ++number) {
      numbers += std::to_string(number) + "\\r";
      typed += std::to_string(number) + Bytes("\r\0", 2);
    }
    arguments.insert(arguments.end(), {"--send", numbers});
  }
  arguments.insert(arguments.end(), {"--expect", std::to_string(last), "--print"});
  const auto began = std::chrono::steady_clock::now();
  Process user(program_file("lekt"), arguments, directory_.path());
  EXPECT_EQ(user.wait(slowed(5min)), 0) << user.errors();
  std::cout
      << std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began).count()
      << " s, lost: " << network.lost_of_device() << " of the device's, " << network.lost_of_server()
      << " of the server's\n"
      << user.errors();
  EXPECT_EQ(typed_.text(), typed);
  EXPECT_EQ(host.connections(), 1u);
  Lines shown;
  for (int row = 1; row < 24; ++row) shown.push_back(std::to_string(last - 23 + row));
  shown.push_back("");
  EXPECT_EQ(lines_of(user.output()), shown);
  const Json details = objects({"device", "A1"}).at(0);
  EXPECT_EQ(details.at("status").at("session"), 1u);
  EXPECT_EQ(details.at("inputs"), inputs);
  EXPECT_EQ(count(daemon().log(), "event=device_join"), 1u) << daemon().log();
  EXPECT_GT(network.lost_of_device() + network.lost_of_server(), 0u);
}

}  // namespace

}  // namespace lekt::test
