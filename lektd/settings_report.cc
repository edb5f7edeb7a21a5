#include "lektd/settings_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lektd/setting_table.h"

namespace lekt {

namespace {

std::string quoted(const std::string& text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      result += std::string("\\") + c;
    else if (byte < 0x20 || byte == 0x7f)
      result += std::string("\\u00") + digits[byte / 16] + digits[byte % 16];
    else
      result += c;
  }
  return result + "\"";
}

/// The value as the file has it; empty for a setting that has none.
std::string toml_value(const Setting& setting, const std::vector<std::string>& values) {
  if (setting.form != Setting::Form::list) {
    if (values.empty()) return {};
    return setting.form == Setting::Form::number ? values.front() : quoted(values.front());
  }
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ", ") + quoted(value);
  return "[" + list + "]";
}

nlohmann::ordered_json json_value(const Setting& setting, const std::vector<std::string>& values) {
  if (setting.form == Setting::Form::list) return values;
  if (values.empty()) return nullptr;
  if (setting.form == Setting::Form::number) return std::stoull(values.front());
  return values.front();
}

const char* kind_text(Origin::Kind kind) {
  switch (kind) {
    case Origin::Kind::fallback:
      return "default";
    case Origin::Kind::file:
      return "file";
    case Origin::Kind::variable:
      return "environment";
    case Origin::Kind::flag:
      return "flag";
  }
  return "";
}

}  // namespace

const Rejection* SettingsReport::refusal() const {
  const auto found = std::ranges::find(troubles, ErrorCode::tls_unusable, &Rejection::code);
  return found == troubles.end() ? nullptr : &*found;
}

std::string SettingsReport::as_toml() const {
  constexpr std::size_t comment_column = 48;
  std::string text = refusal() != nullptr ? "# The settings are valid, but no server starts.\n"
                                          : "# The configuration is valid.\n";
  for (const std::string& variable : configuration.unknown_variables)
    text += "# In the environment: " + variable + ". It is passed over.\n";
  for (const Rejection& trouble : troubles) text += "# " + trouble.text() + "\n";
  for (std::size_t index = 0; const Setting& setting : all_settings()) {
    const std::string value = toml_value(setting, setting.show(configuration));
    // TOML has no word for "none".
    std::string line = value.empty() ? "#" + setting.name + " is not set" : setting.name + " = " + value;
    line.resize(std::max(line.size() + 2, comment_column), ' ');
    text += line + "# " + origins[index++].text() + "\n";
  }
  return text;
}

std::string SettingsReport::as_json() const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (std::size_t index = 0; const Setting& setting : all_settings()) {
    const Origin& origin = origins[index++];
    nlohmann::ordered_json one{{"name", setting.name},
                               {"value", json_value(setting, setting.show(configuration))},
                               {"from", kind_text(origin.kind)},
                               {"where", nullptr}};
    if (origin.kind != Origin::Kind::fallback) one["where"] = origin.name;
    if (origin.kind == Origin::Kind::file) one["line"] = origin.line;
    list.push_back(std::move(one));
  }
  nlohmann::ordered_json warnings = nlohmann::ordered_json::array();
  for (const Rejection& trouble : troubles)
    warnings.push_back({{"code", code_text(trouble.code)}, {"message", trouble.message}});
  const nlohmann::ordered_json report{{"settings", std::move(list)},
                                      {"unknown_variables", configuration.unknown_variables},
                                      {"warnings", std::move(warnings)}};
  return report.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace lekt
