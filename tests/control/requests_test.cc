// Each request asks the server for the right thing, and whatever a line holds has an answer.
#include "control/requests.h"

#include <gtest/gtest.h>

#include "server/operators/json.h"
#include "tests/control/fake_operations.h"
#include "tests/support/support.h"

namespace lekt::control {

namespace {

using testing::IsSubstring;
using Lines = std::vector<std::string>;

class RequestsTest : public testing::Test {
 protected:
  std::string answer(const std::string& line) { return run(line).line; }
  Answer run(std::string_view line) { return ReadRequest(line, operations_).run(); }

  void expect_refused(const std::string& line, const std::string& part, const char* code = "E802") {
    const Json json = Json::parse(answer(line));
    EXPECT_EQ(json.at("ok"), false) << line;
    EXPECT_EQ(json.at("code"), code) << line;
    EXPECT_PRED_FORMAT2(IsSubstring, part, json.at("message").get<std::string>());
  }

  FakeOperations operations_;
};

TEST_F(RequestsTest, for_health_tell_threads_that_hang_and_on_demand_what_keeps_clients_out) {
  operations_.health_answer.threads = 4;
  EXPECT_EQ(answer(R"({"command":"health"})"), R"({"ok":true,"result":{"threads":4,"ready":true}})");
  operations_.health_answer.not_ready = Rejection{ErrorCode::commit_failed, "joins cannot be stored"};
  EXPECT_EQ(answer(R"({"command":"health","ready":false})"),
            R"({"ok":true,"result":{"threads":4,"ready":false}})");
  expect_refused(R"({"command":"health","ready":true})", "not ready: joins cannot be stored", "E601");
  operations_.health_answer.hangs = Rejection{ErrorCode::thread_hangs, "the thread \"writer\" hangs"};
  expect_refused(R"({"command":"health","ready":true})", "the thread \"writer\" hangs", "E620");
  expect_refused(R"({"command":"health"})", "the thread \"writer\" hangs", "E620");
  expect_refused(R"({"command":"health","ready":1})", "\"ready\" must be true or false");
}

TEST_F(RequestsTest, reach_the_server) {
  EXPECT_EQ(answer(R"({"command":"kick","address":"10.0.0.7"})"),
            R"({"ok":true,"result":{"sessions":1,"was_waiting":false}})");
  EXPECT_EQ(answer(R"({"command":"ban","block":"10.0.0.0/8","reason":"floods"})"),
            R"({"ok":true,"result":{"is_new":true,"sessions":2,"until":null}})");
  EXPECT_EQ(answer(R"({"command":"ban","block":"10.0.0.7","seconds":60})"),
            R"({"ok":true,"result":{"is_new":true,"sessions":2,"until":null}})");
  EXPECT_EQ(answer(R"({"command":"unban","block":"10.0.0.0/8"})"), R"({"ok":true,"result":{}})");
  EXPECT_EQ(answer(R"({"command":"reload"})"),
            R"({"ok":true,"result":{"changed":["max-clients"],"needs_restart":["threads"]}})");
  EXPECT_EQ(answer(R"({"command":"compact"})"),
            R"({"ok":true,"result":{"before_bytes":2000,"after_bytes":1000}})");
  EXPECT_EQ(
      answer(R"({"command":"trace","block":"10.0.0.7","seconds":60})"),
      R"({"ok":true,"result":{"block":"10.0.0.7","file":"/tmp/trace","left_seconds":5.0,"file_bytes":7,"lost":0}})");
  EXPECT_EQ(answer(R"({"command":"untrace","block":"10.0.0.7"})"), R"({"ok":true,"result":{}})");
  EXPECT_EQ(answer(R"({"command":"sessions","address":"10.0.0.7"})"), R"({"ok":true,"result":[]})");
  EXPECT_EQ(answer(R"({"command":"rejects"})"), R"({"ok":true,"result":[]})");
  EXPECT_EQ(answer(R"({"command":"rejects","block":"10.0.0.0/8","count":5})"), R"({"ok":true,"result":[]})");
  EXPECT_EQ(answer(R"({"command":"devices"})"), R"({"ok":true,"result":[]})");
  EXPECT_EQ(Json::parse(answer(R"({"command":"device","device":"0015708E863F"})")).at("result").size(), 1u);
  EXPECT_EQ(answer(R"({"command":"device_screen","device":"0015708E863F"})"),
            R"({"ok":true,"result":[{"uid":"","address":"0.0.0.0","session":0,"state":"","host":"",)"
            R"("size":{"rows":0,"columns":0},"cursor":{"row":0,"column":0,"shown":false},"rows":[]}]})");
  EXPECT_EQ(answer(R"({"command":"device_alerts"})"), R"({"ok":true,"result":[]})");
  EXPECT_EQ(answer(R"({"command":"device_alerts","count":5})"), R"({"ok":true,"result":[]})");
  EXPECT_EQ(answer(R"({"command":"kick_device","uid":"0015708E863F"})"),
            R"({"ok":true,"result":{"sessions":1,"was_waiting":false}})");
  EXPECT_EQ(Json::parse(answer(R"({"command":"status"})")).at("result").at("threads"), 0);
  EXPECT_EQ(operations_.asked(),
            (Lines{"kick 10.0.0.7", "ban 10.0.0.0/8 floods", "ban 10.0.0.7/32  for 60", "unban 10.0.0.0/8",
                   "reload", "compact", "trace 10.0.0.7/32 60", "untrace 10.0.0.7/32", "sessions 10.0.0.7",
                   "rejects all 20", "rejects 10.0.0.0/8 5", "devices", "device 0015708E863F",
                   "device_screens 0015708E863F", "device_alerts 20", "device_alerts 5",
                   "kick_device 0015708E863F", "status"}));
}

TEST_F(RequestsTest, that_are_wrong_ask_the_server_for_nothing) {
  expect_refused("", "one JSON object");
  expect_refused("status", "one JSON object");
  expect_refused("[]", "one JSON object");
  expect_refused("{}", "\"command\" is missing");
  expect_refused(R"({"command":7})", "must be a string");
  expect_refused(R"({"command":"dance"})", "there is no command \"dance\"; known are status");
  expect_refused(R"({"command":"kick"})", "\"address\" is missing");
  expect_refused(R"({"command":"kick","address":"10.0.0"})", "must be an IPv4 address");
  expect_refused(R"({"command":"kick","address":"10.0.0.7","adress":1})", "\"adress\" is not known");
  expect_refused(R"({"command":"ban","block":"10.0.0.1/8"})", "without bits behind its prefix");
  expect_refused(R"({"command":"ban","block":"10.0.0.1","reason":"two\nlines"})", "control character");
  expect_refused(R"({"command":"ban","block":"10.0.0.1","reason":")" + std::string(201, 'x') + R"("})",
                 "at most 200");
  for (const char* seconds : {"0", "-1", "3162240001", "\"5\""})
    expect_refused(std::string(R"({"command":"ban","block":"10.0.0.1","seconds":)") + seconds + "}",
                   "must be a whole number from 1 to 3162240000");
  expect_refused(R"({"command":"device"})", "\"device\" is missing");
  expect_refused(R"({"command":"device_screen"})", "\"device\" is missing");
  expect_refused(R"({"command":"kick_device","address":"10.0.0.7"})", "\"uid\" is missing");
  expect_refused(R"({"command":"device_alerts","count":1001})", "must be a whole number from 1 to 1000");
  expect_refused(R"({"command":"trace","block":"10.0.0.1"})", "\"seconds\" is missing");
  for (const char* seconds : {"0", "-1", "1.5", "\"5\"", "86401", "18446744073709551615", "1e300", "true"})
    expect_refused(std::string(R"({"command":"trace","block":"10.0.0.1","seconds":)") + seconds + "}",
                   "must be a whole number from 1 to 86400");
  EXPECT_EQ(operations_.asked(), Lines{});
}

TEST_F(RequestsTest, for_what_is_not_there_say_so) {
  operations_.found = false;
  operations_.kicked_answer = {};
  expect_refused(R"({"command":"kick","address":"10.0.0.7"})", "no client 10.0.0.7 is here", "E803");
  operations_.device_answer.clear();
  expect_refused(R"({"command":"device","device":"10.0.0.7"})",
                 "no device has the uid or the address 10.0.0.7", "E803");
  expect_refused(R"({"command":"device","device":"a\u001bb"})", "the address \"a\\x1bb\"", "E803");
  operations_.device_screens_answer.clear();
  expect_refused(R"({"command":"device_screen","device":"10.0.0.7"})",
                 "no device has the uid or the address 10.0.0.7", "E803");
  expect_refused(R"({"command":"kick_device","uid":"1"})", "no device with the uid 1 has a session", "E803");
  expect_refused(R"({"command":"unban","block":"10.0.0.0/8"})", "no ban of exactly 10.0.0.0/8", "E803");
  expect_refused(R"({"command":"untrace","block":"10.0.0.7"})", "no trace of 10.0.0.7", "E803");
}

TEST_F(RequestsTest, that_the_server_cannot_carry_out_say_why) {
  operations_.trouble = "a worker did not answer";
  expect_refused(R"({"command":"kick","address":"10.0.0.7"})", "a worker did not answer");
}

TEST_F(RequestsTest, tell_the_log_what_they_are) {
  const Answer banned = run(R"({"command":"ban","block":"10.0.0.7"})");
  EXPECT_EQ(banned.request.command, "ban");
  EXPECT_EQ(banned.request.subject, "10.0.0.7");
  EXPECT_TRUE(banned.request.steers);
  EXPECT_FALSE(run(R"({"command":"status"})").request.steers);
  const Answer kicked = run(R"({"command":"kick_device","uid":"0015708E863F"})");
  EXPECT_EQ(kicked.request.subject, "0015708E863F");
  EXPECT_TRUE(kicked.request.steers);
  EXPECT_FALSE(kicked.request.reveals);
  const Answer looked = run(R"({"command":"device_screen","device":"0015708E863F"})");
  EXPECT_EQ(looked.request.subject, "0015708E863F");
  EXPECT_TRUE(looked.request.reveals);
  EXPECT_FALSE(looked.request.steers);
  EXPECT_EQ(run("rubbish").request.command, "");
}

// Valid requests with bytes changed, cut, doubled; and bytes that were never a request.
TEST_F(RequestsTest, of_any_bytes_have_an_answer_in_one_line_of_JSON) {
  test::Random random;
  const Lines seeds = {R"({"command":"status"})", R"({"command":"kick","address":"10.0.0.7"})",
                       R"({"command":"ban","block":"10.0.0.0/8","reason":"floods \u00e4"})",
                       R"({"command":"trace","block":"10.0.0.7","seconds":60})",
                       R"({"command":"rejects","count":9223372036854775807})"};
  const Lines deep = {std::string(60'000, '['),
                      std::string(30'000, '{') + "\"a\":", "{\"command\":" + std::string(20'000, '[') + "}"};
  for (int round = 0; round < (test::sanitized ? 300 : 3000); ++round) {
    std::string line = random.chance(10)  ? random.bytes(random.below(200))
                       : random.chance(2) ? random.pick(deep)
                                          : random.pick(seeds);
    for (std::uint64_t edits = random.below(5); edits > 0 && !line.empty(); --edits) {
      const std::size_t at = random.below(line.size());
      if (random.chance(50))
        line[at] = static_cast<char>(random.next());
      else if (random.chance(50))
        line.erase(at, 1 + random.below(5));
      else
        line.insert(at, line.substr(random.below(line.size()), random.below(20)));
    }
    const std::string given = answer(line);
    ASSERT_EQ(given.find('\n'), given.npos);
    const Json json = Json::parse(given, nullptr, false);
    ASSERT_TRUE(json.is_object() && json.at("ok").is_boolean()) << given;
  }
}

}  // namespace

}  // namespace lekt::control
