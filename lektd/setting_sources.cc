#include "lektd/setting_sources.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "common/text.h"
#include "lektd/setting_table.h"
#include "server/operators/settings_file.h"

namespace lekt {

namespace {

/// A value and how a message about it begins.
struct Given {
  std::string value;
  std::string where;
};

using Taken = std::vector<Given>;

/// "; 'max-clients' is one", or nothing when no known name is near.
std::string suggestion(std::string_view name, const std::vector<std::string>& known,
                       std::string_view prefix = {}) {
  const std::string meant = closest(name, known);
  return meant.empty() ? "" : "; '" + std::string(prefix) + meant + "' is one";
}

/// The value of an environment variable; empty when it is not set.
std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : value;
}

/// Splits a list at its separators. Empty parts count; the command line's library would leave them out.
void split(Taken& taken, const Setting& setting, const std::string& text, const std::string& where) {
  std::size_t begin = 0;
  if (setting.form == Setting::Form::list)
    for (std::size_t end = text.find(setting.separator); end != text.npos;
         end = text.find(setting.separator, begin)) {
      taken.push_back({text.substr(begin, end - begin), where});
      begin = end + 1;
    }
  taken.push_back({text.substr(begin), where});
}

Taken values_of_flag(const Setting& setting, const CLI::Option& option) {
  Taken taken;
  for (const std::string& result : option.results()) split(taken, setting, result, setting.flag() + ": ");
  return taken;
}

/// The values that a setting's variable has. An empty variable counts as unset.
Taken values_of_variable(const Setting& setting) {
  Taken taken;
  const std::string text = environment(setting.variable());
  if (!text.empty()) split(taken, setting, text, setting.variable() + ": ");
  return taken;
}

/// The file that the flag or the variable names, in this order; empty for none.
std::filesystem::path file_of(const CLI::App& flags) {
  const CLI::Option* flag = flags.get_option("--config");
  return flag->count() > 0 ? flag->results().front() : environment("LEKT_CONFIG");
}

class FileValues {
 public:
  explicit FileValues(const std::filesystem::path& path)
      : file_(path.string()), settings_(read_settings_file(path)) {
    for (const FileSetting& setting : settings_) expect_known(setting);
  }

  const FileSetting* find(const Setting& setting) const {
    const auto found = std::ranges::find(settings_, setting.name, &FileSetting::name);
    return found == settings_.end() ? nullptr : &*found;
  }

  Taken values_of(const Setting& setting, const FileSetting& given) const {
    Taken taken;
    if (setting.form != Setting::Form::list || given.value.kind != FileValue::Kind::list) {
      taken.push_back(value_of(setting, given.value));
      return taken;
    }
    for (const FileValue& element : given.value.elements) taken.push_back(value_of(setting, element));
    return taken;
  }

  const std::string& name() const { return file_; }

 private:
  void expect_known(const FileSetting& setting) const {
    std::vector<std::string> known;
    for (const Setting& one : all_settings()) known.push_back(one.name);
    if (std::ranges::find(known, setting.name) != known.end()) return;
    throw WrongSetting(place_text(file_, setting.line, setting.column) + ": " + quote_value(setting.name) +
                       " is no setting" + suggestion(setting.name, known));
  }

  /// The value of a setting: a number stands as it is, everything else in quotes.
  Given value_of(const Setting& setting, const FileValue& value) const {
    const std::string where = place_text(file_, value.line, value.column) + ": " + setting.name + ": ";
    const auto wanted =
        setting.form == Setting::Form::number ? FileValue::Kind::integer : FileValue::Kind::text;
    if (value.kind == wanted) return {value.text, where};
    const std::string what =
        std::string(describe(value.kind)) + (value.text.empty() ? "" : " (" + quote_value(value.text) + ")");
    throw WrongSetting(where + what + " is not allowed: " + form_text(setting));
  }

  static std::string form_text(const Setting& setting) {
    if (setting.form == Setting::Form::list) return "a list of strings, each in quotes";
    const std::vector<std::string> values = setting.show(Configuration());
    if (setting.form == Setting::Form::number)
      return "a whole number without quotes, such as " + values.front();
    return "a string in quotes" + (values.empty() ? "" : ", such as \"" + values.front() + "\"");
  }

  std::string file_;
  std::vector<FileSetting> settings_;
};

void take(Configuration& configuration, const Setting& setting, const Taken& taken) {
  for (const Given& given : taken) try {
      setting.take(configuration, given.value);
    } catch (const WrongSetting& wrong) {
      throw WrongSetting(given.where + wrong.what());
    }
}

/// Names of the other programs' variables, which the server may find in its own environment.
constexpr std::array<std::string_view, 6> variables_of_others = {"LEKT_CONFIG", "LEKT_SERVER", "LEKT_TLS",
                                                                 "LEKT_CA",     "LEKT_CERT",   "LEKT_KEY"};

/// Kubernetes and Docker's links describe a service named "lekt" or "lekt-..." like this.
bool describes_a_service(std::string_view name) {
  return name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != name.npos ||
         name.ends_with("_PORT") || name.find("_PORT_") != name.npos;
}

}  // namespace

std::string Origin::text() const {
  if (kind == Kind::fallback) return "default";
  return kind == Kind::file ? name + ":" + std::to_string(line) : name;
}

std::vector<Origin> take_settings(Configuration& configuration, const CLI::App& flags) {
  std::optional<FileValues> in_file;
  if (const std::filesystem::path path = file_of(flags); !path.empty()) in_file.emplace(path);
  std::vector<Origin> origins;
  for (const Setting& setting : all_settings()) {
    // From the weakest to the strongest: each takes the place of the one before.
    Origin origin;
    std::optional<Taken> taken;
    const auto beat = [&](Taken values, Origin from) {
      Configuration unused;
      if (taken) take(unused, setting, *taken);
      taken = std::move(values);
      origin = std::move(from);
    };
    if (const FileSetting* given = in_file ? in_file->find(setting) : nullptr)
      beat(in_file->values_of(setting, *given), {Origin::Kind::file, in_file->name(), given->line});
    if (Taken values = values_of_variable(setting); !values.empty())
      beat(std::move(values), {Origin::Kind::variable, setting.variable(), 0});
    if (const CLI::Option* flag = flags.get_option(setting.flag()); flag->count() > 0)
      beat(values_of_flag(setting, *flag), {Origin::Kind::flag, setting.flag(), 0});
    if (taken) take(configuration, setting, *taken);
    origins.push_back(std::move(origin));
  }
  for (std::size_t index = 0; const Setting& setting : all_settings())
    if (origins[index++].kind == Origin::Kind::fallback && setting.follow) setting.follow(configuration);
  return origins;
}

std::vector<std::string> unknown_variables() {
  constexpr std::string_view prefix = "LEKT_";
  std::vector<std::string> known;  // without the prefix, which all have in common
  for (const Setting& setting : all_settings()) known.push_back(setting.variable().substr(prefix.size()));
  std::vector<std::string> unknown;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    if (!name.starts_with(prefix) || describes_a_service(name)) continue;
    const std::string_view word = name.substr(prefix.size());
    if (std::ranges::find(variables_of_others, name) != variables_of_others.end() ||
        std::ranges::find(known, word) != known.end())
      continue;
    unknown.push_back(quote_value(name) + " is no setting" + suggestion(word, known, prefix));
  }
  return unknown;
}

}  // namespace lekt
