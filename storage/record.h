// The stored form of a client's methods: ClientRecord of records.proto.
#pragma once

#include <optional>

#include "common/bytes.h"
#include "common/catalogue.h"

namespace lekt::storage {

Bytes encode_record(const Methods& methods);

/// The methods in a record. Nothing if the bytes are no record, or one that encode_record() cannot have made:
/// with unordered methods, an index of 0, or information that is not aligned.
std::optional<Methods> decode_record(ByteView bytes);

}  // namespace lekt::storage
