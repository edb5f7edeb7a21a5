// The codes are one list in three places: the enumeration, the catalogue and docs/errors.md. They agree.
#include "common/errors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <sstream>
#include <vector>

#include "tests/support/paths.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::read_text;

struct Documented {
  std::string name;
  std::string meaning;
  std::string remedy;
  std::string seen;
};

std::string trimmed(std::string text) {
  std::erase(text, '`');  // code font is the document's own matter
  const auto first = text.find_first_not_of(' ');
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> cells_of(const std::string& row) {
  std::istringstream stream(row.substr(1));
  std::vector<std::string> cells;
  for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(trimmed(cell));
  return cells;
}

/// The rows "| E101 | name | meaning | remedy | seen |" of docs/errors.md, in their order.
std::vector<std::pair<std::string, Documented>> documented_codes() {
  std::istringstream document(read_text(test::source_file("docs/errors.md")));
  std::vector<std::pair<std::string, Documented>> codes;
  for (std::string line; std::getline(document, line);) {
    if (!line.starts_with("| E")) continue;
    const auto cells = cells_of(line);
    if (cells.size() != 5) throw std::runtime_error("docs/errors.md: not five cells: " + line);
    codes.push_back({cells[0], {cells[1], cells[2], cells[3], cells[4]}});
  }
  return codes;
}

/// Name by code, as the header has them: "version_unsupported = 101,".
std::map<std::string, std::string> enumerators() {
  const std::string header = read_text(test::source_file("common/errors.h"));
  const std::regex enumerator("\n  ([a-z0-9_]+) = ([0-9]+),");
  std::map<std::string, std::string> names;
  for (auto found = std::sregex_iterator(header.begin(), header.end(), enumerator);
       found != std::sregex_iterator(); ++found)
    names["E" + found->str(2)] = found->str(1);
  return names;
}

TEST(Errors, ascend_and_are_unique) {
  const auto catalogue = error_catalogue();
  ASSERT_FALSE(catalogue.empty());
  const auto descends = [](const ErrorInfo& one, const ErrorInfo& next) { return one.code >= next.code; };
  EXPECT_EQ(std::ranges::adjacent_find(catalogue, descends), catalogue.end());
}

TEST(Errors, all_have_a_meaning_and_a_remedy_of_one_line) {
  for (const ErrorInfo& info : error_catalogue()) {
    EXPECT_FALSE(info.meaning.empty()) << code_text(info.code);
    EXPECT_FALSE(info.remedy.empty()) << code_text(info.code);
    EXPECT_EQ(info.meaning.find_first_of("|\n"), std::string_view::npos) << code_text(info.code);
    EXPECT_EQ(info.remedy.find_first_of("|\n"), std::string_view::npos) << code_text(info.code);
  }
}

TEST(Errors, of_the_enumeration_are_all_in_the_catalogue) {
  std::vector<std::string> listed;
  for (const ErrorInfo& info : error_catalogue()) listed.push_back(code_text(info.code));
  std::vector<std::string> declared;
  for (const auto& [code, name] : enumerators()) declared.push_back(code);
  EXPECT_EQ(listed, declared);
}

TEST(Errors, are_documented_word_for_word_and_no_other_code_is) {
  const auto documented = documented_codes();
  const auto catalogue = error_catalogue();
  const auto names = enumerators();
  ASSERT_EQ(documented.size(), catalogue.size());
  for (std::size_t row = 0; row < catalogue.size(); ++row) {
    const auto& [code, text] = documented[row];
    EXPECT_EQ(code, code_text(catalogue[row].code));
    EXPECT_EQ(text.name, names.at(code));
    EXPECT_EQ(text.meaning, catalogue[row].meaning) << code;
    EXPECT_EQ(text.remedy, catalogue[row].remedy) << code;
    EXPECT_FALSE(text.seen.empty()) << code << " does not say where it is seen";
  }
}

TEST(Errors, that_other_documents_mention_exist) {
  const auto names = enumerators();
  const std::regex code("\\bE[0-9]{3}\\b");
  for (const auto& file : std::filesystem::directory_iterator(test::source_file("docs"))) {
    if (file.path().extension() != ".md") continue;
    const std::string text = read_text(file.path());
    for (auto found = std::sregex_iterator(text.begin(), text.end(), code); found != std::sregex_iterator();
         ++found)
      EXPECT_TRUE(names.contains(found->str())) << file.path() << " mentions " << found->str();
  }
}

TEST(Errors, begin_every_text_with_their_code) {
  EXPECT_EQ((Rejection{ErrorCode::port_invalid, "port 0"}).text(), "E202 port 0");
  const CodedError error(ErrorCode::listen_failed, "port in use");
  EXPECT_STREQ(error.what(), "E502 port in use");
  EXPECT_EQ(error.code(), ErrorCode::listen_failed);
}

}  // namespace
}  // namespace lekt
