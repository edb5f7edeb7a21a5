// Every message of the control socket, visited: what is written can be read, what is wrong is refused, and the manual
// has the same keys.
#include "control/messages.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "control/control_client.h"
#include "control/requests.h"
#include "tests/control/fake_operations.h"
#include "tests/support/paths.h"
#include "tests/support/support.h"

namespace lekt::control {

namespace {

using testing::IsSubstring;
using Names = std::set<std::string>;

/// Gives every field of a list a value of its own.
class Filler {
 public:
  template <class Value, class... Bounds>
  void field(const char*, Value& value, const Bounds&...) {
    fill(value);
  }
  template <class Value, class... Bounds>
  void optional(const char*, Value& value, const Bounds&...) {
    fill(value);
  }
  template <class Second>
  void time(const char*, Second& second) {
    fill(second);
  }
  void time(const char*, const char*, const char*, std::int64_t& second) { fill(second); }
  void time_or_never(const char*, std::int64_t& second) { fill(second); }
  void time_or_never(const char*, const char*, const char*, std::int64_t& second) { fill(second); }
  void peer(const char*, Address& address, std::string& words) {
    fill(address);
    words = to_string(address);
  }
  void number(const char*, double& value) { fill(value); }
  template <class Value>
  void gauge(const char*, const char*, const char*, Value& value) {
    fill(value);
  }
  void gauge(const char*, const Labelled&, std::size_t& value) { fill(value); }
  template <class Help>
  void counter(const char*, const Help&, std::uint64_t& value) {
    fill(value);
  }
  void storage(const char*, const char*, const char*, StorageState& state) { fill(state); }
  void codes(const char*, const char*, const char*, std::vector<std::pair<ErrorCode, std::uint64_t>>& codes) {
    codes = {{ErrorCode::not_lekt, 3}, {ErrorCode::server_full, 1}};
  }
  void warnings(const char*, const char*, const std::vector<ErrorCode>&) {}
  void histogram(const char*, const char*, Histogram::Copy& durations) {
    durations.counts[3] = 4;
    durations.sum_seconds = 2;
  }

  template <class Value>
  void fill(Value& value) {
    if constexpr (HasFields<Value>)
      Value::fields(value, *this);
    else
      fill_one(value);
  }
  template <class Value>
  void fill(std::optional<Value>& value) {
    fill(value.emplace());
  }
  template <class Element>
  void fill(std::vector<Element>& elements) {
    for (int count = 0; count < 2; ++count) fill(elements.emplace_back());
  }

 private:
  void fill_one(bool& value) { value = true; }
  void fill_one(double& value) { value = ++next_ + 0.5; }
  void fill_one(std::string& value) { value = "text " + std::to_string(++next_); }
  void fill_one(Address& address) { address = parse_address("10.0.0." + std::to_string(++next_)).value(); }
  void fill_one(Block& block) { block = parse_block("10." + std::to_string(++next_) + ".0.0/16").value(); }
  void fill_one(ErrorCode& code) { code = ErrorCode::wal_growing; }
  void fill_one(StorageState& state) { state = StorageState::busy; }
  void fill_one(std::chrono::seconds& value) { value = std::chrono::seconds(++next_); }
  template <std::integral Whole>
  void fill_one(Whole& value) {
    value = static_cast<Whole>(++next_);
  }

  int next_ = 0;
};

template <class Message>
Message filled() {
  Message message{};
  Filler().fill(message);
  return message;
}

/// Which keys a request may leave out.
struct Optionals {
  template <class... Rest>
  void field(const char*, const Rest&...) {}
  template <class... Rest>
  void optional(const char* name, const Rest&...) {
    names.insert(name);
  }
  Names names;
};

template <class Message>
Names optionals_of() {
  Optionals optionals;
  const Message message{};
  Message::fields(message, optionals);
  return optionals.names;
}

/// Calls it with each of the requests.
template <class Visit>
void for_each_request(Visit visit) {
  std::apply([&](const auto&... requests) { (visit(requests), ...); }, Requests{});
}

template <class Request>
using AnswerOf = typename Request::Answer;

/// An answer's object, or the first of a list.
Json& object_of(Json& answer) { return answer.is_array() ? answer.at(0) : answer; }

Names keys_of(const Json& object) {
  Names keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

class MessagesTest : public testing::Test {
 protected:
  Json answer(const Json& request) {
    return Json::parse(ReadRequest(to_line(request), operations_).run().line);
  }
  void expect_refused(const Json& request, const std::string& part) {
    const Json refused = answer(request);
    EXPECT_EQ(refused.at("ok"), false) << request;
    EXPECT_EQ(refused.value("code", ""), "E802") << request;
    EXPECT_PRED_FORMAT2(IsSubstring, part, refused.value("message", ""));
  }

  FakeOperations operations_;
};

TEST_F(MessagesTest, are_read_as_they_were_written) {
  for_each_request([]<class Request>(const Request&) {
    SCOPED_TRACE(Request::name);
    const Json request = to_json(filled<Request>());
    EXPECT_EQ(to_json(from_json<Request>(request)), request);
    const Json result = to_json(filled<AnswerOf<Request>>());
    EXPECT_EQ(to_json(from_json<AnswerOf<Request>>(result)), result);
  });
}

TEST_F(MessagesTest, are_taken_by_the_server_whole_and_without_what_may_be_left_out) {
  for_each_request([&]<class Request>(const Request&) {
    const Json whole = to_request(filled<Request>());
    EXPECT_EQ(answer(whole).at("ok"), true) << whole;
    Json shortest = whole;
    for (const std::string& name : optionals_of<Request>()) shortest.erase(name);
    EXPECT_EQ(answer(shortest).at("ok"), true) << shortest;
    for (const std::string& name : optionals_of<Request>()) shortest[name] = nullptr;
    EXPECT_EQ(answer(shortest).at("ok"), true) << shortest;
  });
}

TEST_F(MessagesTest, are_refused_with_a_key_too_many_or_too_few_or_of_a_wrong_kind) {
  for_each_request([&]<class Request>(const Request&) {
    const Json whole = to_request(filled<Request>());
    Json wrong = whole;
    wrong["surplus"] = 1;
    expect_refused(wrong, "\"surplus\" is not known to this command");
    const Names may_be_missing = optionals_of<Request>();
    for (const std::string& key : keys_of(whole)) {
      wrong = whole;
      wrong[key] = Json::object();
      expect_refused(wrong, "\"" + key + "\" must be ");
      wrong.erase(key);
      if (!may_be_missing.contains(key)) expect_refused(wrong, "\"" + key + "\" is missing");
    }
  });
}

TEST_F(MessagesTest, of_a_newer_server_are_read_and_of_another_one_are_an_error) {
  for_each_request([]<class Request>(const Request&) {
    SCOPED_TRACE(Request::name);
    using Answer = AnswerOf<Request>;
    const Json whole = to_json(filled<Answer>());
    Json other = whole;
    object_of(other)["newer"] = 1;
    EXPECT_EQ(to_json(ControlClient::read<Answer>(other)), whole);
    for (const std::string& key : keys_of(object_of(other))) {
      if (key == "newer") continue;
      other = whole;
      object_of(other)[key] = Json::array({Json::array()});
      EXPECT_THROW(ControlClient::read<Answer>(other), CodedError) << key;
      object_of(other).erase(key);
      EXPECT_THROW(ControlClient::read<Answer>(other), CodedError) << key;
    }
    EXPECT_THROW(ControlClient::read<Answer>("text"), CodedError);
  });
}

// ---- The manual ----

Names words_in_code(const std::string& text) {
  Names words;
  std::istringstream parts(text);
  std::string word;
  while (std::getline(parts, word, '`') && std::getline(parts, word, '`')) words.insert(word);
  return words;
}

/// The lines between a heading and the next one.
std::vector<std::string> section(const std::string& heading) {
  std::istringstream text(test::read_text(test::source_file("docs/lektctl.md")));
  std::vector<std::string> lines;
  bool inside = false;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("#")) inside = line == heading;
    if (inside) lines.push_back(line);
  }
  return lines;
}

/// Of rows "| `name`, `other` | `key`, ... |": the keys by each of the names.
std::map<std::string, Names> table(const std::vector<std::string>& lines) {
  std::map<std::string, Names> rows;
  for (const std::string& line : lines) {
    if (!line.starts_with("| `")) continue;
    const auto middle = line.find('|', 1);
    for (const std::string& name : words_in_code(line.substr(0, middle)))
      rows[name] = words_in_code(line.substr(middle));
  }
  return rows;
}

TEST_F(MessagesTest, are_those_of_the_manual) {
  std::map<std::string, Names> requests;
  for_each_request([&]<class Request>(const Request&) {
    requests[std::string(Request::name)] = keys_of(to_json(filled<Request>()));
  });
  EXPECT_EQ(table(section("## The control socket")), requests);
}

TEST_F(MessagesTest, have_answers_with_the_keys_of_the_manual) {
  std::map<std::string, Names> rows = table(section("## JSON"));
  std::string text;
  for (const std::string& line : section("## JSON"))
    if (!line.starts_with("|")) text += line + "\n";
  rows["status"] = words_in_code(text);
  rows["sessions"] = rows.at("client");
  rows["device_screen"] = rows.at("device --screen");
  rows["device_alerts"] = rows.at("devices --alerts");
  rows["kick_device"] = rows.at("kick");
  for_each_request([&]<class Request>(const Request&) {
    Json result = to_json(filled<AnswerOf<Request>>());
    for (const std::string& key : keys_of(object_of(result)))
      EXPECT_TRUE(rows[std::string(Request::name)].contains(key)) << Request::name << ": " << key;
  });
}

}  // namespace

}  // namespace lekt::control
