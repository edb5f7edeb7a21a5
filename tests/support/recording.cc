#include "tests/support/recording.h"

#include <sstream>
#include <stdexcept>

#include "tests/support/paths.h"
#include "tests/support/support.h"

namespace lekt::test {

std::vector<Turn> recording(const std::string& name) {
  std::istringstream text(read_text(source_file("tests/client/fixtures/" + name + ".txt")));
  std::vector<Turn> turns;
  for (std::string line; std::getline(text, line);)
    if (line.starts_with("> ") || line.starts_with("< "))
      turns.push_back({line.front() == '>', hex(line.substr(2))});
  if (turns.empty()) throw std::runtime_error("no conversation of the name " + name);
  return turns;
}

}  // namespace lekt::test
