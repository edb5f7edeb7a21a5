#include "common/features.h"

#include <algorithm>

#include "common/text.h"

namespace lekt {

std::string to_string(Features features) {
  if (features.empty()) return "none";
  std::string text;
  const auto append = [&](std::string_view name) {
    if (!text.empty()) text += ',';
    text += name;
  };
  for (const NamedFeature& named : all_features) {
    if (!features.has(named.feature)) continue;
    append(named.name);
    features.remove(named.feature);
  }
  if (!features.empty()) {
    const char rest = static_cast<char>(features.extra());
    append("0x" + to_hex({&rest, 1}));
  }
  return text;
}

std::optional<Features> parse_features(std::string_view text) {
  if (text == "all") return Features::all();
  if (text == "none") return Features();
  Features features;
  for (;;) {
    const std::string_view name = text.substr(0, text.find(','));
    const auto* const named = std::ranges::find(all_features, name, &NamedFeature::name);
    if (named == all_features.end()) return std::nullopt;
    features.add(named->feature);
    if (name.size() == text.size()) return features;
    text.remove_prefix(name.size() + 1);
  }
}

std::string to_string(const LogIdentity& identity) {
  return to_hex({reinterpret_cast<const char*>(identity.data()), identity.size()});
}

std::optional<LogIdentity> parse_log_identity(std::string_view text) {
  LogIdentity identity;
  const std::optional<Bytes> bytes = parse_hex(text);
  if (!bytes || bytes->size() != identity.size()) return std::nullopt;
  std::ranges::copy(*bytes, identity.begin());
  return identity;
}

}  // namespace lekt
