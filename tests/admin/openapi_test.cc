// docs/openapi.json against what is answered: every path, every key, every parameter, and the form of each
// value.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "admin/api.h"
#include "tests/admin/fake_server.h"
#include "tests/support/paths.h"

namespace lekt::admin {

namespace {

using nlohmann::json;

const json& document() {
  static const json parsed = json::parse(test::read_text(test::source_file("docs/openapi.json")));
  return parsed;
}

const json& resolve(const json& schema) {
  if (!schema.contains("$ref")) return schema;
  return document().at(json::json_pointer(schema["$ref"].get<std::string>().substr(1)));
}

bool has_type(const json& value, const std::string& type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  return type == "array" ? value.is_array() : value.is_object();
}

bool has_format(const std::string& text, const json& schema) {
  static const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)");
  const std::string format = schema.value("format", "");
  if (format == "ipv4") return parse_address(text).has_value();
  if (format == "date-time") return std::regex_match(text, time);
  if (schema.contains("pattern"))
    return std::regex_match(text, std::regex(schema["pattern"].get<std::string>()));
  return !schema.contains("enum") || std::ranges::find(schema["enum"], json(text)) != schema["enum"].end();
}

/// As much of JSON Schema as the document uses; `place` is for messages.
void expect_valid(const json& value, const json& given, const std::string& place) {
  const json& schema = resolve(given);
  const json types = schema.at("type").is_array() ? schema["type"] : json::array({schema["type"]});
  const bool typed = std::ranges::any_of(types, [&](const json& type) { return has_type(value, type); });
  ASSERT_TRUE(typed) << place << " is " << value << ", documented as " << types;
  if (value.is_string()) {
    EXPECT_TRUE(has_format(value, schema)) << place << " is " << value;
  }
  if (value.is_number()) {
    EXPECT_GE(value.get<double>(), schema.value("minimum", 0.0)) << place;
  }
  if (value.is_array()) {
    EXPECT_FALSE(value.empty()) << place << ": the test has no example of it";
    for (const json& element : value) expect_valid(element, schema.at("items"), place + "[]");
  }
  if (!value.is_object()) return;
  const json properties = schema.value("properties", json::object());
  for (const auto& [key, child] : value.items()) {
    if (properties.contains(key))
      expect_valid(child, properties[key], place + "." + key);
    else if (schema.at("additionalProperties").is_object())
      expect_valid(child, schema["additionalProperties"], place + "." + key);
    else
      ADD_FAILURE() << place << "." << key << " is not documented";
  }
  for (const auto& [key, unused] : properties.items())
    EXPECT_TRUE(value.contains(key)) << place << "." << key << " is documented, and not answered";
}

class OpenApiTest : public testing::Test {
 protected:
  OpenApiTest() {
    server_.add(Address::v4(0x0a000001), 7890);
    server_.count_code(ErrorCode::not_lekt, 3);
    server_.operations.reject(
        {1767323040, Address::v4(0x0a000001), ErrorCode::not_lekt, "these bytes are not LEKT", {}});
    server_.operations.set_devices({test::example_device()});
    Sample sample;
    sample.second = 1767323050;
    history_.add(sample);
  }

  /// An example for each documented path, with a real address in it.
  Answer ask(std::string path, std::map<std::string, std::string> parameters = {}) {
    if (const auto at = path.find("{address}"); at != path.npos) path.replace(at, 9, "10.0.0.1");
    if (const auto at = path.find("{device}"); at != path.npos) path.replace(at, 8, "0015708E863F");
    return api_.answer({path, std::move(parameters), {}});
  }

  test::FakeServer server_{1767323040};
  History history_;
  Api api_{server_.operations, history_, {server_.path(), "0.1.0"}};
};

}  // namespace

TEST_F(OpenApiTest, every_path_that_is_answered_is_documented) {
  for (const std::string& path : Api::paths()) EXPECT_TRUE(document().at("paths").contains(path)) << path;
}

TEST_F(OpenApiTest, every_documented_path_answers_what_is_documented) {
  for (const auto& [path, item] : document().at("paths").items()) {
    const Answer answer = ask(path);
    EXPECT_EQ(answer.status, 200) << path;
    const json& content = item.at("get").at("responses").at("200").at("content");
    const std::string type = answer.type.substr(0, answer.type.find(';'));
    ASSERT_TRUE(content.contains(type)) << path << " is " << type;
    if (path == "/api/v1/openapi.json")
      EXPECT_EQ(json::parse(answer.body), document());
    else if (type == "application/json")
      expect_valid(json::parse(answer.body), content[type].at("schema"), path);
  }
}

TEST_F(OpenApiTest, every_event_is_documented) {
  const std::string text = api_.answer({"/api/v1/events", {{"after", "0"}}, {}}).events().value();
  const auto at = text.find("data: ");
  ASSERT_NE(at, text.npos);
  const json& schemas = document().at("components").at("schemas");
  expect_valid(json::parse(text.substr(at + 6, text.find('\n', at) - at - 6)), schemas.at("Change"),
               "change");
}

TEST_F(OpenApiTest, every_documented_parameter_is_known_and_no_other) {
  for (const auto& [path, item] : document().at("paths").items()) {
    for (const json& parameter : item.at("get").value("parameters", json::array())) {
      if (parameter.at("in") != "query") continue;
      const std::string name = parameter.at("name"), answer = ask(path, {{name, "\x01"}}).body;
      EXPECT_EQ(answer.find("there is no parameter"), answer.npos) << path << " " << name;
    }
    if (path.starts_with("/api/")) {
      EXPECT_EQ(ask(path, {{"unheard-of", "1"}}).status, 400) << path;
    }
  }
}

TEST_F(OpenApiTest, errors_are_as_documented) {
  for (const Answer& answer : {ask("/api/v1/nothing"), ask("/api/v1/clients", {{"limit", "0"}})})
    expect_valid(json::parse(answer.body), document().at("components").at("schemas").at("Error"), "error");
}

}  // namespace lekt::admin
