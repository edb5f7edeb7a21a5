// The stored form of a client's methods: ClientRecord of records.proto.
#pragma once

#include <optional>

#include "common/bytes.h"
#include "common/catalogue.h"

namespace lekt::storage {

Bytes encode_record(const Methods& methods);

/// Nothing when the bytes are not a record, or one that encode_record() cannot have made: methods without
/// order, an index of 0, information that is not aligned.
std::optional<Methods> decode_record(ByteView bytes);

}  // namespace lekt::storage
