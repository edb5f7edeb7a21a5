// Connection methods: what a client offers, and the catalogue of the methods whose form is known.
//
// The length of a method's information depends on the method, and the stream has no other framing. So nobody
// can read the information of a method that is not in his catalogue (docs/protocol.md, "Connection methods").
//
// Information is kept as it is on the wire, with length word and padding: it is relayed, compared and stored,
// and only describe() and the built-in validation look into it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/errors.h"

namespace lekt {

/// One method that a client supports.
struct MethodInformation {
  std::uint32_t index = 0;
  Bytes information;  ///< as on the wire; its size is a multiple of 4

  auto operator<=>(const MethodInformation&) const = default;
};

/// Ascending by index, then information, without duplicates: then equal sets have equal bytes.
using Methods = std::vector<MethodInformation>;

/// Puts any list into that order.
void normalise(Methods& methods);

/// Bytes of index and information of all methods, one after the other, as in an entry of an 'A' packet.
void append_methods(ByteWriter& writer, const Methods& methods);
std::size_t encoded_size(const Methods& methods);

/// How the information of a method is framed.
struct MethodForm {
  enum class Kind : std::uint8_t {
    fixed,  ///< `bytes` bytes, padded to 4
    sized,  ///< a u32 length, so many bytes, padded to 4
  };
  Kind kind = Kind::fixed;
  std::uint32_t bytes = 0;  ///< of the fixed form

  bool operator==(const MethodForm&) const = default;
};

struct Method {
  std::uint32_t index = 0;  ///< 1 and up
  std::string name;         ///< a-z, 0-9 and '-', at most 32
  MethodForm form;

  bool operator==(const Method&) const = default;
};

inline constexpr std::uint32_t tcp_index = 1;

/// Ordered by index. Built once at the start, then read by any thread.
class MethodCatalogue {
 public:
  /// Has the built-in method 1, "tcp": 4 bytes, the port.
  MethodCatalogue();

  /// Adds a method written INDEX:NAME:FORM, where FORM is `fixed:BYTES` or `sized`.
  /// Returns what is wrong with it and what would be right, or nothing.
  std::optional<std::string> add(std::string_view specification);

  const Method* find(std::uint32_t index) const;
  const Method* find(std::string_view name) const;
  const std::vector<Method>& methods() const { return methods_; }

  /// Reads the information of `method` from the wire into `information`. When the reader ran short the
  /// information is unspecified and nothing is returned; a rejection is returned as soon as the bytes at hand
  /// justify it.
  std::optional<Rejection> read_information(const Method& method, ByteReader& reader,
                                            Bytes& information) const;

  /// Wire form of `content` for a method: adds length word and padding. The content of a fixed form must have
  /// its size.
  static Bytes wrap(const MethodForm& form, ByteView content);

  /// "tcp:7890", "chat:0a0b0c" (content in hexadecimal), and "?9:0000000a" for a method that is not in the
  /// catalogue.
  std::string describe(const MethodInformation& method) const;
  /// All of them, separated by spaces; empty for a client that nobody can connect to.
  std::string describe(const Methods& methods) const;

  bool operator==(const MethodCatalogue&) const = default;

 private:
  std::vector<Method> methods_;
};

/// Information of method 1.
Bytes tcp_information(std::uint16_t port);

}  // namespace lekt
