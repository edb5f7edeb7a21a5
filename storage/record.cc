#include "storage/record.h"

#include <algorithm>
#include <functional>

#include "records.pb.h"

namespace lekt::storage {

namespace {

bool is_sound(const MethodInformation& method) {
  return method.index != 0 && padding_of(method.information.size()) == 0;
}

}  // namespace

Bytes encode_record(const Methods& methods) {
  records::ClientRecord record;
  for (const MethodInformation& method : methods) {
    records::Method* stored = record.add_methods();
    stored->set_index(method.index);
    stored->set_information(method.information);
  }
  return record.SerializeAsString();
}

std::optional<Methods> decode_record(ByteView bytes) {
  records::ClientRecord record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
  Methods methods;
  methods.reserve(static_cast<std::size_t>(record.methods_size()));
  for (records::Method& stored : *record.mutable_methods())
    methods.push_back({stored.index(), std::move(*stored.mutable_information())});
  const bool ascends = std::ranges::adjacent_find(methods, std::greater_equal<>()) == methods.end();
  if (!ascends || !std::ranges::all_of(methods, is_sound)) return std::nullopt;
  return methods;
}

}  // namespace lekt::storage
