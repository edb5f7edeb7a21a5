// What the desk says of devices: it asks the front that has them on its thread, and nobody when there is none.
#include <algorithm>
#include <future>

#include "lektd/operator_desk.h"
#include "tests/core/writer_support.h"
#include "tests/lektd/fake_device_front.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

class OperatorDevicesTest : public WriterTest {
 protected:
  OperatorDevicesTest() { start(); }

  OperatorDesk desk_with(DeviceFront* devices) {
    return OperatorDesk({doors_, seen_, watchdog_, fronts_, devices}, path(), {}, {});
  }
  /// The answer of a question that the front answers meanwhile.
  template <class Question>
  auto answer_of(Question question) {
    auto asked = std::async(std::launch::async, question);
    while (asked.wait_for(1ms) != std::future_status::ready) front_.turn();
    return asked.get();
  }
  template <class Question>
  static std::string failure_of(Question question) {
    try {
      question();
      return "an answer";
    } catch (const CodedError& error) {
      return error.what();
    }
  }

  MethodCatalogue desk_catalogue_;
  SessionRules rules_{desk_catalogue_};
  Seen seen_{".", 0};
  Doors doors_{ChangeLog(limits::packet_bytes_default).publish({}, 0),
               {},
               {.connections_max = 9, .connections = Rate(9, 9), .connections_per_address = Rate(9, 9)},
               {},
               seen_.codes};
  Watchdog watchdog_{std::chrono::steady_clock::now()};
  FakeDeviceFront front_{rules_};
  Fronts fronts_{&front_};
};

DeviceStatus device_at(std::string_view dotted, std::uint16_t client_port) {
  DeviceStatus device;
  device.address = address(dotted);
  device.client_port = client_port;
  return device;
}

TEST_F(OperatorDevicesTest, come_from_their_front_by_address) {
  front_.devices_answer = {device_at("10.0.0.9", 1), device_at("10.0.0.7", 5), device_at("10.0.0.7", 4)};
  OperatorDesk desk = desk_with(&front_);
  std::vector<std::string> listed;
  for (const DeviceStatus& device : answer_of([&] { return desk.devices(); }))
    listed.push_back(to_string(device.address) + ":" + std::to_string(device.client_port));
  EXPECT_EQ(listed, (std::vector<std::string>{"10.0.0.7:4", "10.0.0.7:5", "10.0.0.9:1"}));
}

TEST_F(OperatorDevicesTest, are_told_in_detail_with_their_alerts) {
  front_.device_answer.resize(2);
  front_.alerts_answer.resize(3);
  OperatorDesk desk = desk_with(&front_);
  EXPECT_EQ(answer_of([&] { return desk.device("known"); }).size(), 2u);
  EXPECT_EQ(answer_of([&] { return desk.device("unknown"); }).size(), 0u);
  EXPECT_EQ(answer_of([&] { return desk.device_alerts(2); }).size(), 2u);
}

TEST_F(OperatorDevicesTest, have_screens_that_are_drawn_on_their_thread) {
  front_.screens_answer.resize(2);
  OperatorDesk desk = desk_with(&front_);
  EXPECT_EQ(answer_of([&] { return desk.device_screens("0015708E863F"); }).size(), 2u);
  EXPECT_EQ(front_.asked, std::vector<std::string>{"screens 0015708E863F"});
}

TEST_F(OperatorDevicesTest, are_kicked_by_uid_and_told_why) {
  front_.sessions_ended = 3;
  OperatorDesk desk = desk_with(&front_);
  EXPECT_EQ(answer_of([&] { return desk.kick_device("0015708E863F"); }).sessions, 3u);
  EXPECT_EQ(front_.asked, std::vector<std::string>{"end 0015708E863F E409"});
}

TEST_F(OperatorDevicesTest, are_kicked_and_traced_by_address_as_all_clients) {
  front_.sessions_ended = 1;
  OperatorDesk desk = desk_with(&front_);
  const LongStep no_writer(doors_.writer_turns);
  EXPECT_EQ(answer_of([&] { return desk.kick(address("10.0.0.7")); }).sessions, 1u);
  desk.end_trace(Block(address("10.0.0.7")));
  front_.turn();
  EXPECT_EQ(front_.asked, (std::vector<std::string>{"end 10.0.0.7/32 E409", "watch 10.0.0.7/32"}));
}

TEST_F(OperatorDevicesTest, that_the_server_does_not_take_are_said_to_be_off) {
  OperatorDesk desk = desk_with(nullptr);
  const std::string off = "E802 this server has no devices: --device-listen is off";
  EXPECT_EQ(failure_of([&] { desk.devices(); }), off);
  EXPECT_EQ(failure_of([&] { desk.device("known"); }), off);
  EXPECT_EQ(failure_of([&] { desk.device_screens("known"); }), off);
  EXPECT_EQ(failure_of([&] { desk.device_alerts(1); }), off);
  EXPECT_EQ(failure_of([&] { desk.kick_device("known"); }), off);
  EXPECT_FALSE(desk.totals().devices);
}

TEST_F(OperatorDevicesTest, are_counted_in_the_totals) {
  front_.counted.registrations.add(7);
  front_.counted.sessions_away = 2;
  front_.counted.alerts.count(ErrorCode::uid_in_use);
  OperatorDesk desk = desk_with(&front_);
  const auto devices = desk.totals().devices;
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->registrations, 7u);
  EXPECT_EQ(devices->sessions_away, 2u);
  ASSERT_EQ(devices->alerts.size(), 1u);
  EXPECT_EQ(devices->alerts.front(), std::pair(ErrorCode::uid_in_use, std::uint64_t{1}));
}

TEST_F(OperatorDevicesTest, have_a_thread_that_is_named_when_it_does_not_answer) {
  OperatorDesk desk = desk_with(&front_);
  const Health health = desk.health();
  EXPECT_EQ(health.threads, 1u);
  ASSERT_TRUE(health.hangs);
  EXPECT_EQ(health.hangs->text(), "E620 the thread \"devices\" has made no progress for 1 s");
  EXPECT_EQ(failure_of([&] { desk.devices(); }),
            "E802 the thread of devices did not answer within 5 s; the server is overloaded or stops");
  EXPECT_EQ(answer_of([&] { return desk.status(); }).threads_silent, 0u);
}

}  // namespace
}  // namespace lekt
