// lektctl beside a running lektd, for the tests of what it tells and does.
#pragma once

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/support/paths.h"

namespace lekt::test {

using Json = nlohmann::json;
using Lines = std::vector<std::string>;

inline Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class OperatorsCommandTest : public DaemonTest {
 protected:
  Flags arguments(Flags given) const {
    given.insert(given.begin(), {"--database", database().string()});
    return given;
  }
  Outcome lektctl(const Flags& given) const { return run(program_file("lektctl"), arguments(given)); }

  /// The objects that it prints.
  std::vector<Json> objects(Flags given) const {
    given.push_back("--json");
    const Outcome outcome = lektctl(given);
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    std::vector<Json> found;
    for (const std::string& line : lines_of(outcome.output)) found.push_back(Json::parse(line));
    return found;
  }

  Lines clients(const Flags& filter = {}) const {
    Flags given = {"clients"};
    given.insert(given.end(), filter.begin(), filter.end());
    Lines addresses;
    for (const Json& client : objects(given)) addresses.push_back(client.at("address"));
    return addresses;
  }

  void expect_failed(const Flags& given, int status, const std::string& part) const {
    const Outcome outcome = lektctl(given);
    EXPECT_EQ(outcome.status, status) << outcome.output << outcome.errors;
    EXPECT_PRED_FORMAT2(testing::IsSubstring, part, outcome.errors);
  }
};

}  // namespace lekt::test
