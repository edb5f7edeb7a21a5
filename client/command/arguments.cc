#include "client/command/arguments.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <variant>

#include "client/server_name.h"
#include "common/duration.h"
#include "common/limits.h"
#include "common/method_words.h"
#include "common/parse_number.h"

namespace lekt::command {

namespace {

[[noreturn]] void refuse_method(std::string_view text, const std::string& reason) {
  throw CodedError(ErrorCode::usage_wrong, "--method \"" + escape(text) + "\": " + reason);
}

std::string names(const MethodCatalogue& catalogue) {
  std::string text;
  for (const Method& method : catalogue.methods())
    if (!method.given_by_server) text += (text.empty() ? "" : ", ") + method.name;
  return text;
}

MethodInformation parse_tcp(std::string_view text, std::string_view port) {
  const auto number = parse_number<std::uint32_t>(port);
  if (!number || *number < 1 || *number > 65535)
    refuse_method(text, "the port must be a number from 1 to 65535");
  return {tcp_index, tcp_information(static_cast<std::uint16_t>(*number))};
}

/// The information of a method, or why a server would refuse this content.
std::variant<Bytes, Rejection> wrap_or_reject(const Bytes& content, const Method& method,
                                              const MethodCatalogue& catalogue) {
  Bytes information = MethodCatalogue::wrap(method.form, content);
  Bytes read;
  ByteReader reader(information);
  if (auto rejection = catalogue.read_information(method, reader, read)) return *std::move(rejection);
  return information;
}

Bytes wrap_checked(std::string_view text, const Bytes& content, const Method& method,
                   const MethodCatalogue& catalogue) {
  if (method.form.kind == MethodForm::Kind::fixed && content.size() != method.form.bytes)
    refuse_method(text, "method " + method.name + " has " + std::to_string(method.form.bytes) +
                            " bytes of information; " + std::to_string(content.size()) + " are given");
  const auto information = wrap_or_reject(content, method, catalogue);
  if (const auto* rejection = std::get_if<Rejection>(&information)) refuse_method(text, rejection->message);
  return std::get<Bytes>(information);
}

std::optional<Bytes> parse_content(const Method* method, std::string_view value) {
  const bool is_text = method != nullptr && method->form.kind == MethodForm::Kind::text;
  return is_text ? parse_text_word(value) : parse_hex(value);
}

Bytes pad_checked(std::string_view text, Bytes content) {
  if (content.size() > limits::information_bytes_max)
    refuse_method(text, "at most " + std::to_string(limits::information_bytes_max) + " bytes are allowed; " +
                            std::to_string(content.size()) + " are given");
  content.append(padding_of(content.size()), '\0');
  return content;
}

/// Refuses a value of a flag's variable that is neither true nor false. An empty value counts as unset.
void expect_truth(const char* variable) {
  constexpr std::array<std::string_view, 5> words = {"", "true", "1", "false", "0"};
  const char* value = std::getenv(variable);
  if (value != nullptr && std::ranges::find(words, std::string_view(value)) == words.end())
    throw CodedError(ErrorCode::usage_wrong,
                     std::string(variable) + " \"" + escape(value) + "\" is not true or 1, nor false or 0");
}

/// CLI11 looks at flags in the order in which they were added: this one before those of its files.
CLI::Option* add_tls_flag(CLI::App& app, std::optional<TlsOptions>& tls, const std::string& flag,
                          const std::string& help) {
  return app.add_flag_function(
      flag,
      [&tls](std::int64_t times) {
        if (times > 0) tls.emplace();
      },
      help);
}

struct TlsFileFlags {
  CLI::Option* authorities;
  CLI::Option* certificate;
  CLI::Option* key;
};

/// The files that belong to `switch_flag`.
TlsFileFlags add_tls_files(CLI::App& app, std::optional<TlsOptions>& tls, const std::string& switch_flag,
                           const std::string& server) {
  const auto add_file = [&](const std::string& flag, std::filesystem::path TlsOptions::*file,
                            const std::string& what) {
    return app
        .add_option_function<std::string>(
            flag,
            [=, &tls](const std::string& path) {
              if (!tls)
                throw CodedError(ErrorCode::usage_wrong,
                                 flag + " \"" + escape(path) + "\" is of use with " + switch_flag + " only");
              (*tls).*file = path;
            },
            "With " + switch_flag + ": " + what)
        ->type_name("FILE");
  };
  return {add_file("--ca", &TlsOptions::authorities,
                   "trust the authorities of this PEM file, and not\nthose that the machine trusts"),
          add_file("--cert", &TlsOptions::certificate,
                   "your own certificate, for a " + server + " that\nwants one; a PEM file"),
          add_file("--key", &TlsOptions::key, "the key of --cert; a PEM file without a password")};
}

}  // namespace

void add_server(CLI::App& app, std::string& server) {
  app.add_option_function<std::string>(
         "--server",
         [&server](const std::string& text) {
           parse_server_name(text);
           server = text;
         },
         "Where the coordinator is: a name or IPv4 address, and its\nport if it is not 7890")
      ->type_name("HOST[:PORT]")
      ->envname("LEKT_SERVER")
      ->required();
}

void add_source(CLI::App& app, std::optional<Address>& source) {
  app.add_option_function<std::string>(
         "--source",
         [&source](const std::string& text) {
           source = parse_address(text);
           if (!source)
             throw CodedError(ErrorCode::usage_wrong, "--source \"" + escape(text) +
                                                          "\" is not an IPv4 address, for example 10.0.0.7");
         },
         "Connect from this IPv4 address of the machine; others know\nyou by it")
      ->type_name("ADDR");
}

void add_tls(CLI::App& app, std::optional<TlsOptions>& tls) {
  // CLI11 takes more words for true and false, and refuses any other with a message of its own.
  app.preparse_callback([](std::size_t) { expect_truth("LEKT_TLS"); });
  add_tls_flag(
      app, tls, "--tls",
      "Speak TLS with the coordinator, on its port for TLS; its\ncertificate has to name the host of "
      "--server")
      ->envname("LEKT_TLS");
  const TlsFileFlags files = add_tls_files(app, tls, "--tls", "coordinator");
  files.authorities->envname("LEKT_CA");
  files.certificate->envname("LEKT_CERT");
  files.key->envname("LEKT_KEY");
}

void add_dtls(CLI::App& app, std::optional<TlsOptions>& tls) {
  add_tls_flag(
      app, tls, "--dtls",
      "Speak DTLS with the server, and with none that does not;\nits certificate has to name the host "
      "of --server");
  (void)add_tls_files(app, tls, "--dtls", "server");
}

void add_catalogue(CLI::App& app, MethodCatalogue& catalogue) {
  app.add_option_function<std::vector<std::string>>(
         "--catalogue",
         [&catalogue](const std::vector<std::string>& texts) {
           for (const std::string& text : texts)
             if (const auto wrong = catalogue.add(text))
               throw CodedError(ErrorCode::usage_wrong, "--catalogue \"" + escape(text) + "\": " + *wrong);
         },
         "A connection method besides 1:tcp, 3006:device and\n3007:name, as the server's --method has it; "
         "FORM "
         "is sized,\ntext or fixed:BYTES (repeatable)")
      ->type_name("INDEX:NAME:FORM")
      ->allow_extra_args(false);
}

namespace {

template <class Value>
void add_any_duration(CLI::App& app, const std::string& flag, const std::string& help, Value& value,
                      std::chrono::milliseconds first, std::chrono::milliseconds last,
                      std::chrono::milliseconds example, const std::string& otherwise) {
  const std::string range = format_duration(first) + " to " + format_duration(last);
  app.add_option_function<std::string>(
         flag,
         [=, &value](const std::string& text) {
           const auto duration = parse_duration(text);
           if (!duration || *duration < first || *duration > last)
             throw CodedError(ErrorCode::usage_wrong, flag + " \"" + escape(text) +
                                                          "\" is not a duration of " + range +
                                                          ", for example " + format_duration(example) +
                                                          " (units are ms, s, m, h, d)");
           value = *duration;
         },
         help + "\n(" + range + ")")
      ->type_name("TIME")
      ->default_str(otherwise);
}

}  // namespace

void add_duration(CLI::App& app, const std::string& flag, const std::string& help,
                  std::chrono::milliseconds& value, std::chrono::milliseconds first,
                  std::chrono::milliseconds last) {
  add_any_duration(app, flag, help, value, first, last, value, format_duration(value));
}

void add_duration(CLI::App& app, const std::string& flag, const std::string& help,
                  std::optional<std::chrono::milliseconds>& value, std::chrono::milliseconds first,
                  std::chrono::milliseconds last, std::chrono::milliseconds example,
                  const std::string& otherwise) {
  add_any_duration(app, flag, help, value, first, last, example, otherwise);
}

void add_number(CLI::App& app, const std::string& flag, const std::string& help, std::uint64_t& value) {
  app.add_option_function<std::string>(
         flag,
         [=, &value](const std::string& text) {
           const auto number = parse_number<std::uint32_t>(text);
           if (!number || *number == 0)
             throw CodedError(ErrorCode::usage_wrong,
                              flag + " \"" + escape(text) + "\" is not a number from 1 to " +
                                  std::to_string(std::numeric_limits<std::uint32_t>::max()));
           value = *number;
         },
         help)
      ->type_name("N");
}

MethodInformation parse_method(std::string_view text, const MethodCatalogue& catalogue) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos)
    refuse_method(text, "tcp:PORT, NAME:TEXT, NAME:HEX or INDEX:HEX is expected, for example tcp:4000");
  const std::string_view name = text.substr(0, colon);
  const std::string_view value = text.substr(colon + 1);
  if (name == "tcp") return parse_tcp(text, value);
  const auto index = parse_number<std::uint32_t>(name);
  const Method* method = index ? catalogue.find(*index) : catalogue.find(name);
  if (method != nullptr)
    if (const auto reason = catalogue.why_not_offered(method->index)) refuse_method(text, *reason);
  const auto content = parse_content(method, value);
  if (!content && method != nullptr && method->form.kind == MethodForm::Kind::text)
    refuse_method(text, R"(text that begins with " must end with one, and has no other but \")");
  if (!content) refuse_method(text, "what follows the first ':' must be hexadecimal, two digits a byte");
  if (method != nullptr) return {method->index, wrap_checked(text, *content, *method, catalogue)};
  if (!index)
    refuse_method(text, "no method has this name; known are " + names(catalogue) +
                            ", and --catalogue INDEX:NAME:FORM adds others");
  if (*index < 1 || *index > limits::methods_max_ceiling)
    refuse_method(text, "the index must be from 1 to " + std::to_string(limits::methods_max_ceiling));
  return {*index, pad_checked(text, *content)};
}

MethodInformation parse_name(const std::string& name) {
  const auto refuse = [&](const std::string& reason) {
    throw CodedError(ErrorCode::usage_wrong, "--name \"" + escape(name) + "\": " + reason);
  };
  const MethodCatalogue built_in;
  if (name.empty()) refuse("a name has at least one character");
  const auto information = wrap_or_reject(name, *built_in.find(name_index), built_in);
  if (const auto* rejection = std::get_if<Rejection>(&information)) refuse(rejection->message);
  return {name_index, std::get<Bytes>(information)};
}

Methods parse_methods(const std::vector<std::string>& texts, const MethodCatalogue& catalogue) {
  Methods methods;
  for (const std::string& text : texts) {
    MethodInformation method = parse_method(text, catalogue);
    if (std::ranges::find(methods, method.index, &MethodInformation::index) != methods.end())
      refuse_method(text, "method " + std::to_string(method.index) +
                              " is given twice; a program has one of each index");
    methods.push_back(std::move(method));
  }
  return methods;
}

}  // namespace lekt::command
