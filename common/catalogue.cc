#include "common/catalogue.h"

#include <algorithm>

#include "common/device_string.h"
#include "common/limits.h"
#include "common/method_words.h"
#include "common/parse_number.h"
#include "common/printable.h"
#include "common/text.h"

namespace lekt {

namespace {

static_assert(name_index <= limits::methods_max_default, "or no server would take a name");

const std::vector<Method>& built_in_methods() {
  static const std::vector<Method> methods = {{tcp_index, "tcp", {MethodForm::Kind::fixed, 4}},
                                              {device_index, "device", {MethodForm::Kind::sized, 0}, true},
                                              {name_index, "name", {MethodForm::Kind::text, 0}}};
  return methods;
}

std::optional<MethodForm> parse_form(std::string_view text) {
  if (text == "sized") return MethodForm{MethodForm::Kind::sized, 0};
  if (text == "text") return MethodForm{MethodForm::Kind::text, 0};
  constexpr std::string_view fixed = "fixed:";
  if (!text.starts_with(fixed)) return std::nullopt;
  const auto bytes = parse_number<std::uint32_t>(text.substr(fixed.size()));
  if (!bytes || *bytes > limits::information_bytes_max) return std::nullopt;
  return MethodForm{MethodForm::Kind::fixed, *bytes};
}

bool is_name(std::string_view text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= limits::method_name_max && std::ranges::all_of(text, allowed);
}

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](char byte) { return byte == 0; });
}

Rejection padding_rejection(const Method& method) {
  return {ErrorCode::padding_not_zero, "the padding after the information of method " +
                                           std::to_string(method.index) + " (" + method.name +
                                           ") is not zero; pad to a multiple of 4 bytes with zeros"};
}

std::optional<Rejection> check_text(const Method& method, ByteView content) {
  if (is_plain_text(content)) return std::nullopt;
  return Rejection{ErrorCode::text_invalid,
                   "the text of method " + std::to_string(method.index) + " (" + method.name +
                       ") cannot be shown; UTF-8 without control characters and without characters that are "
                       "invisible or change the direction of writing would be right"};
}

std::optional<Rejection> check_port(ByteView information) {
  const std::uint32_t port = ByteReader(information).u32();
  if (port >= 1 && port <= 65535) return std::nullopt;
  return Rejection{
      ErrorCode::port_invalid,
      "port " + std::to_string(port) + " of method 1 (tcp) is not a port; 1 to 65535 would be right"};
}

}  // namespace

void normalise(Methods& methods) {
  std::ranges::sort(methods);
  methods.erase(std::unique(methods.begin(), methods.end()), methods.end());
}

void append_methods(ByteWriter& writer, const Methods& methods) {
  for (const MethodInformation& method : methods) {
    writer.u32(method.index);
    writer.bytes(method.information);
  }
}

std::size_t encoded_size(const Methods& methods) {
  std::size_t size = 0;
  for (const MethodInformation& method : methods) size += 4 + method.information.size();
  return size;
}

MethodCatalogue::MethodCatalogue() : methods_(built_in_methods()) {}

std::optional<std::string> MethodCatalogue::add(std::string_view specification) {
  const auto first = specification.find(':');
  const auto second = first == specification.npos ? first : specification.find(':', first + 1);
  if (second == specification.npos) return "it must be INDEX:NAME:FORM, for example 2:chat:sized";
  const auto index = parse_number<std::uint32_t>(specification.substr(0, first));
  const std::string_view name = specification.substr(first + 1, second - first - 1);
  const auto form = parse_form(specification.substr(second + 1));
  if (!index || *index == 0) return "the index must be a number from 1 (0 ends the setup)";
  if (is_built_in(*index))
    return "method " + std::to_string(*index) + " is the built-in " + find(*index)->name +
           " and cannot be redefined; use another index";
  if (!is_name(name)) return "the name must be 1 to 32 of a-z, 0-9 and '-'";
  if (!form)
    return "the form must be 'text', 'sized', or 'fixed:BYTES' with 0 to " +
           std::to_string(limits::information_bytes_max) + " bytes";
  if (const Method* known = find(name); known != nullptr && is_built_in(known->index))
    return "'" + known->name + "' is the built-in method " + std::to_string(known->index) +
           "; use another name";
  if (find(*index) != nullptr) return "the catalogue has method " + std::to_string(*index) + " already";
  if (find(name) != nullptr) return "the catalogue has a method '" + std::string(name) + "' already";
  const auto counts = [](const Method& method) {
    return !method.given_by_server && method.index != name_index;
  };
  if (static_cast<std::size_t>(std::ranges::count_if(methods_, counts)) >= limits::catalogue_methods_max)
    return "the catalogue is full; at most " + std::to_string(limits::catalogue_methods_max) + " methods";
  const auto place = std::ranges::upper_bound(methods_, *index, {}, &Method::index);
  methods_.insert(place, Method{*index, std::string(name), *form});
  return std::nullopt;
}

const Method* MethodCatalogue::find(std::uint32_t index) const {
  const auto found = std::ranges::find(methods_, index, &Method::index);
  return found == methods_.end() ? nullptr : &*found;
}

const Method* MethodCatalogue::find(std::string_view name) const {
  const auto found = std::ranges::find(methods_, name, &Method::name);
  return found == methods_.end() ? nullptr : &*found;
}

std::optional<std::string> MethodCatalogue::why_not_offered(std::uint32_t index) const {
  const Method* method = find(index);
  if (method == nullptr || !method->given_by_server) return std::nullopt;
  return "method " + std::to_string(index) + " (" + method->name +
         ") cannot be offered by a program: the server lists its devices with it by itself";
}

std::optional<Rejection> MethodCatalogue::read_information(const Method& method, ByteReader& reader,
                                                           Bytes& information, Source source) const {
  const bool is_offered_text = method.form.kind == MethodForm::Kind::text && source == Source::offer;
  const std::uint32_t length_max = is_offered_text ? limits::text_bytes_max : limits::information_bytes_max;
  std::uint32_t length = method.form.bytes;
  information.clear();
  ByteWriter writer(information);
  if (method.form.has_length()) {
    length = reader.u32();
    if (length > length_max)
      return Rejection{ErrorCode::information_too_long, "method " + std::to_string(method.index) + " (" +
                                                            method.name + ") has " + std::to_string(length) +
                                                            " bytes of information; at most " +
                                                            std::to_string(length_max) + " are allowed"};
    writer.u32(length);
  }
  writer.bytes(reader.take(length));
  const ByteView padding = reader.take(padding_of(length));
  if (reader.ran_short()) return std::nullopt;
  if (!all_zero(padding)) return padding_rejection(method);
  writer.bytes(padding);
  if (method.index == tcp_index) return check_port(information);
  if (is_offered_text) return check_text(method, content_of(method.form, information));
  return std::nullopt;
}

Bytes MethodCatalogue::wrap(const MethodForm& form, ByteView content) {
  Bytes information;
  ByteWriter writer(information);
  if (form.has_length()) writer.u32(static_cast<std::uint32_t>(content.size()));
  writer.bytes(content);
  writer.zeros(padding_of(content.size()));
  return information;
}

ByteView MethodCatalogue::content_of(const MethodForm& form, ByteView information) {
  ByteReader reader(information);
  return reader.take(form.has_length() ? reader.u32() : form.bytes);
}

std::string MethodCatalogue::describe(const MethodInformation& method) const {
  const Method* known = find(method.index);
  if (known == nullptr) return "?" + std::to_string(method.index) + ":" + to_hex(method.information);
  if (known->index == tcp_index) return "tcp:" + std::to_string(ByteReader(method.information).u32());
  const ByteView content = content_of(known->form, method.information);
  if (known->form.kind == MethodForm::Kind::text) return known->name + ":" + text_word(content);
  return known->name + ":" + (known->index == device_index ? device_method_text(content) : to_hex(content));
}

std::string MethodCatalogue::describe(const Methods& methods) const {
  std::string text;
  for (const MethodInformation& method : methods) {
    if (!text.empty()) text += ' ';
    text += describe(method);
  }
  return text;
}

std::string MethodCatalogue::summary(const Methods& methods) const {
  constexpr std::size_t information_shown_max = 64;
  constexpr std::size_t text_max = 400;
  std::string text;
  for (std::size_t index = 0; index < methods.size(); ++index) {
    const MethodInformation& method = methods[index];
    if (!text.empty()) text += ' ';
    if (text.size() > text_max) return text + "and " + std::to_string(methods.size() - index) + " more";
    const std::size_t bytes = method.information.size();
    if (bytes <= information_shown_max) {
      text += describe(method);
      continue;
    }
    const Method* known = find(method.index);
    text += known != nullptr ? known->name : "?" + std::to_string(method.index);
    text += ":(" + std::to_string(bytes) + " bytes)";
  }
  return text;
}

bool is_built_in(std::uint32_t index) {
  return std::ranges::find(built_in_methods(), index, &Method::index) != built_in_methods().end();
}

std::string to_string(const MethodForm& form) {
  switch (form.kind) {
    case MethodForm::Kind::fixed:
      return "fixed:" + std::to_string(form.bytes);
    case MethodForm::Kind::sized:
      return "sized";
    case MethodForm::Kind::text:
      break;
  }
  return "text";
}

std::vector<std::string> names_in(const Methods& methods) {
  std::vector<std::string> names;
  for (const MethodInformation& method : methods)
    if (method.index == name_index)
      names.push_back(
          plain_text(MethodCatalogue::content_of({MethodForm::Kind::text, 0}, method.information)));
  return names;
}

Bytes tcp_information(std::uint16_t port) {
  Bytes information;
  ByteWriter(information).u32(port);
  return information;
}

}  // namespace lekt
