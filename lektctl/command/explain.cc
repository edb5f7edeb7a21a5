// `lektctl explain`: what a code of an error means, and what to do about it.
#include <memory>

#include "common/errors.h"
#include "common/parse_number.h"
#include "common/printable.h"
#include "lektctl/command/commands.h"
#include "lektctl/command/output.h"

namespace lekt::lektctl {

namespace {

constexpr const char* explain_help = R"(Tells what a code such as E605 means, and what to do about it.

Every error message of lektd, lekt and lektctl begins with such a code, and what the server counts is listed by it.
Without a code, all are listed. It needs neither a server nor a database.)";

constexpr const char* explain_footer = R"(
Examples:
  lektctl explain E605
  lektctl explain 605 404
  lektctl explain

With --json: {"code","place","meaning","remedy"} a line.
Exit codes: 0 done; 1 there is no such code (E803); 2 wrong usage.)";

constexpr int codes_of_a_place = 100;

/// The place that the hundreds of a code stand for.
std::string_view place_of(int code) {
  switch (code / codes_of_a_place) {
    case 1:
      return "handshake";
    case 2:
      return "setup";
    case 3:
      return "heartbeat";
    case 4:
      return "the server's own state";
    case 5:
      return "configuration and start";
    case 6:
      return "while the server runs";
    case 7:
      return "the client";
    case 8:
      return "the operator's command";
    case 9:
      return "device sessions";
    default:
      return "elsewhere";
  }
}

/// The number of a code that is written as "E605", "e605" or "605".
int parse_code(const std::string& text) {
  const std::size_t digits = text.starts_with('E') || text.starts_with('e') ? 1 : 0;
  const int code = parse_number<int>(std::string_view(text).substr(digits)).value_or(0);
  if (text.size() != digits + 3 || code < codes_of_a_place)
    refuse("CODE \"" + printable(text) + "\" is not a code such as E605; `lektctl explain` lists all");
  return code;
}

int number_of(const ErrorInfo& info) { return static_cast<int>(info.code); }

/// The codes of the same place: "E601, E602".
std::string neighbours_of(int code) {
  std::string neighbours;
  for (const ErrorInfo& known : error_catalogue())
    if (number_of(known) / codes_of_a_place == code / codes_of_a_place)
      neighbours += (neighbours.empty() ? "" : ", ") + code_text(known.code);
  return neighbours;
}

const ErrorInfo& find(int code) {
  for (const ErrorInfo& known : error_catalogue())
    if (number_of(known) == code) return known;
  throw CodedError(ErrorCode::not_found, "there is no code E" + std::to_string(code) + "; for " +
                                             std::string(place_of(code)) + " there are " +
                                             neighbours_of(code) + ". `lektctl explain` lists all");
}

Json explained(const ErrorInfo& info) {
  return {{"code", code_text(info.code)},
          {"place", place_of(number_of(info))},
          {"meaning", info.meaning},
          {"remedy", info.remedy}};
}

std::string describe(const ErrorInfo& info) {
  return code_text(info.code) + " (" + std::string(place_of(number_of(info))) +
         ")\n  Meaning: " + std::string(info.meaning) + ".\n  Remedy:  " + std::string(info.remedy) + ".\n";
}

int list_all(const Options& options) {
  const Table table({{"CODE", 4}, {"MEANING"}}, output_size().columns);
  if (!options.json) print(table.head());
  for (const ErrorInfo& info : error_catalogue()) {
    if (options.json)
      print_json(explained(info));
    else
      print(table.row({code_text(info.code), std::string(info.meaning)}));
  }
  return exit_done;
}

int explain(const Options& options, const std::vector<std::string>& codes) {
  if (codes.empty()) return list_all(options);
  std::vector<const ErrorInfo*> found;
  for (const std::string& code : codes) found.push_back(&find(parse_code(code)));
  for (const ErrorInfo* info : found) {
    if (options.json)
      print_json(explained(*info));
    else
      print((info == found.front() ? "" : "\n") + describe(*info));
  }
  return exit_done;
}

}  // namespace

Run add_explain(CLI::App& app, const Options& options) {
  app.description(explain_help);
  app.footer(explain_footer);
  const auto codes = std::make_shared<std::vector<std::string>>();
  app.add_option("CODE", *codes, "Codes, as they stand in messages [default: all]")->type_name("");
  return [codes, &options] { return explain(options, *codes); };
}

}  // namespace lekt::lektctl
