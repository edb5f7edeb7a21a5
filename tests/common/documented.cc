#include "tests/common/documented.h"

#include <map>
#include <sstream>
#include <stdexcept>

#include "tests/support/paths.h"
#include "tests/support/support.h"

namespace lekt::test {

namespace {

/// All fenced blocks of a document whose info string is "text NAME".
std::map<std::string, std::string> read_documented_examples(const std::string& document) {
  std::istringstream lines(read_text(source_file(document)));
  const std::string opening = "```text ";
  std::map<std::string, std::string> examples;
  std::string* current = nullptr;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(opening)) {
      const auto [place, is_new] = examples.try_emplace(line.substr(opening.size()));
      if (!is_new) throw std::runtime_error(document + " has two examples named " + place->first);
      current = &place->second;
    } else if (line.starts_with("```")) {
      current = nullptr;
    } else if (current != nullptr) {
      *current += line + "\n";
    }
  }
  return examples;
}

}  // namespace

std::string documented_example(std::string_view document, std::string_view name) {
  const auto examples = read_documented_examples(std::string(document));
  const auto found = examples.find(std::string(name));
  if (found == examples.end())
    throw std::runtime_error(std::string(document) + " has no example " + std::string(name));
  return found->second;
}

std::vector<std::string> documented_example_names(std::string_view document) {
  std::vector<std::string> names;
  for (const auto& [name, text] : read_documented_examples(std::string(document))) names.push_back(name);
  return names;
}

Bytes bytes_of_annotation(std::string_view text) {
  constexpr std::size_t column = 8;
  constexpr std::size_t width = 24;
  std::istringstream lines{std::string(text)};
  Bytes bytes;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("  ")) bytes += hex(line.substr(column, width));
  return bytes;
}

}  // namespace lekt::test
