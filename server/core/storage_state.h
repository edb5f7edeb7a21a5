// Whether what happens can be stored.
#pragma once

#include <cstdint>
#include <string_view>

namespace lekt {

enum class StorageState : std::uint8_t {
  usable,
  busy,    ///< another program holds the write lock (E602)
  failed,  ///< the disk or the database fails (E601)
};

inline std::string_view to_string(StorageState state) {
  return state == StorageState::usable ? "usable" : state == StorageState::busy ? "busy" : "failed";
}

}  // namespace lekt
