// Flags that several subcommands have, and their values. The message about a wrong value says what is allowed.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/tls.h"
#include "common/address.h"
#include "common/catalogue.h"
#include "common/errors.h"
#include "common/text.h"

namespace lekt::command {

/// Adds --server HOST[:PORT] or the environment variable LEKT_SERVER; one of them is required.
void add_server(CLI::App& app, std::string& server);
/// Adds --source ADDR.
void add_source(CLI::App& app, std::optional<Address>& source);
/// Adds --tls, --ca, --cert and --key, or LEKT_TLS, LEKT_CA, LEKT_CERT and LEKT_KEY.
void add_tls(CLI::App& app, std::optional<TlsOptions>& tls);
/// Adds --dtls, --ca, --cert and --key.
void add_dtls(CLI::App& app, std::optional<TlsOptions>& tls);
/// Adds --catalogue INDEX:NAME:FORM, which may be given any number of times.
void add_catalogue(CLI::App& app, MethodCatalogue& catalogue);
/// Adds a duration with its limits; `value` is also the default that the help shows.
void add_duration(CLI::App& app, const std::string& flag, const std::string& help,
                  std::chrono::milliseconds& value, std::chrono::milliseconds first,
                  std::chrono::milliseconds last);
/// One whose default depends on something else: `otherwise` says it, and `value` stays empty.
void add_duration(CLI::App& app, const std::string& flag, const std::string& help,
                  std::optional<std::chrono::milliseconds>& value, std::chrono::milliseconds first,
                  std::chrono::milliseconds last, std::chrono::milliseconds example,
                  const std::string& otherwise);

/// Adds a number that has to be at least 1.
void add_number(CLI::App& app, const std::string& flag, const std::string& help, std::uint64_t& value);

/// Adds a choice of several words; the first is the default.
template <class Value>
void add_choice(CLI::App& app, const std::string& flag, const std::string& help, Value& value,
                const std::vector<std::pair<std::string, Value>>& choices) {
  std::string words;
  for (const auto& [word, meaning] : choices) words += (words.empty() ? "" : "|") + word;
  app.add_option_function<std::string>(
         flag,
         [=, &value](const std::string& text) {
           const auto chosen = std::ranges::find(choices, text, &std::pair<std::string, Value>::first);
           if (chosen == choices.end())
             throw CodedError(ErrorCode::usage_wrong,
                              flag + " \"" + escape(text) + "\" is not one of " + words);
           value = chosen->second;
         },
         help)
      ->type_name(words)
      ->default_str(choices.front().first);
}

/// Reads the values of --method: `tcp:PORT`, `NAME:TEXT`, `NAME:HEX` or `INDEX:HEX`. For a method of the form text the
/// content is given as parse_text_word() takes it. For any other one that the catalogue knows, HEX is its content. For another one it is the information as it goes onto the wire, and is padded with zeros to a
/// multiple of 4 bytes. Throws CodedError E705.
MethodInformation parse_method(std::string_view text, const MethodCatalogue& catalogue);
Methods parse_methods(const std::vector<std::string>& texts, const MethodCatalogue& catalogue);

/// Reads the value of --name, which is the name as it is. Throws CodedError E705.
MethodInformation parse_name(const std::string& name);

}  // namespace lekt::command
