// Connection methods: what a client offers, and the catalogue of the methods whose form is known.
//
// The length of a method's information depends on the method, and the stream has no other framing. So a
// reader can read only methods that are in its catalogue (docs/protocol.md, "Connection methods").
//
// Information is kept as it is on the wire, with length word and padding. It is relayed, compared and stored;
// only describe() and the check of the port look into it.
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

/// Methods ascend by index, then information, without duplicates. So equal sets have equal bytes.
using Methods = std::vector<MethodInformation>;

/// Sorts any list of methods into that order, and removes duplicates.
void normalise(Methods& methods);

/// Appends index and information of all methods, one after the other, as in an entry of an 'A' packet.
void append_methods(ByteWriter& writer, const Methods& methods);
std::size_t encoded_size(const Methods& methods);

/// How the information of a method is framed.
struct MethodForm {
  enum class Kind : std::uint8_t {
    fixed,  ///< `bytes` bytes, padded to 4
    sized,  ///< a u32 length, that many bytes, padded to 4
    text,   ///< as sized, and the bytes are text for people to read: is_plain_text()
  };
  Kind kind = Kind::fixed;
  std::uint32_t bytes = 0;  ///< the size of the fixed form; unused otherwise

  bool has_length() const { return kind != Kind::fixed; }

  bool operator==(const MethodForm&) const = default;
};

struct Method {
  std::uint32_t index = 0;  ///< 1 and up
  std::string name;         ///< a-z, 0-9 and '-', at most 32
  MethodForm form;
  /// Whether the server says who has the method. It asks no client for it, and no client can offer it.
  bool given_by_server = false;

  bool operator==(const Method&) const = default;
};

inline constexpr std::uint32_t tcp_index = 1;
/// Of the method by which the server lists devices; no client can offer it.
inline constexpr std::uint32_t device_index = 3006;
/// Of what people call a program or its machine. It is not unique, and anybody can take any.
inline constexpr std::uint32_t name_index = 3007;

/// The known methods, ordered by index. It is built once at the start, then read by any thread.
class MethodCatalogue {
 public:
  /// A new catalogue has the built-in methods: 1, "tcp", whose information is the port in 4 bytes; 3006, "device", which
  /// is sized and given by the server; and 3007, "name", which is text (docs/protocol.md, "Connection methods").
  MethodCatalogue();

  /// Adds a method written INDEX:NAME:FORM, where FORM is `fixed:BYTES`, `sized` or `text`.
  /// Returns nothing, or what is wrong with the method and what would be right.
  std::optional<std::string> add(std::string_view specification);

  const Method* find(std::uint32_t index) const;
  const Method* find(std::string_view name) const;
  const std::vector<Method>& methods() const { return methods_; }

  /// Why a program cannot offer the method, in one line; nothing if it can. It can offer one that is not in the
  /// catalogue.
  std::optional<std::string> why_not_offered(std::uint32_t index) const;

  /// Whose information is read: a client's own, or that of others in a server's list. A server of another release may
  /// list what is no text, and one such client must not cost the others.
  enum class Source : std::uint8_t { offer, list };

  /// Reads the information of `method` from the wire into `information`. If the reader ran short, the
  /// information is unspecified and nothing is returned. A rejection is returned as soon as the bytes at hand
  /// justify it.
  std::optional<Rejection> read_information(const Method& method, ByteReader& reader, Bytes& information,
                                            Source source = Source::offer) const;

  /// The wire form of `content`, with length word and padding. For a fixed form, the content must have that
  /// form's size.
  static Bytes wrap(const MethodForm& form, ByteView content);
  /// The content of information on the wire: a part of it, whatever its bytes are.
  static ByteView content_of(const MethodForm& form, ByteView information);

  /// The method in words: "tcp:7890", "device:uid=0015708E863F,..." (see device_method_text()), "chat:0a0b0c"
  /// (content in hexadecimal), "name:kitchen" and "name:\"kitchen pi\"" (text, see text_word()), and "?9:0000000a" if it
  /// is not in the catalogue. Words are printable UTF-8; only text in quotation marks has blanks and anything but ASCII.
  std::string describe(const MethodInformation& method) const;
  /// All methods in words, separated by spaces; empty for a client that nobody can connect to.
  std::string describe(const Methods& methods) const;
  /// All methods in words for a line of the log, in at most a few hundred bytes. Long information is only
  /// measured, as in "chat:(4096 bytes)"; of many methods, the last ones are only counted.
  std::string summary(const Methods& methods) const;

  bool operator==(const MethodCatalogue&) const = default;

 private:
  std::vector<Method> methods_;
};

/// Whether nobody can add a method of this index.
bool is_built_in(std::uint32_t index);

/// The form as a specification has it: "fixed:6", "sized", "text".
std::string to_string(const MethodForm& form);

/// The names among the methods, in words that can be shown; several when several programs run at an address.
std::vector<std::string> names_in(const Methods& methods);

/// The information of method 1, on the wire.
Bytes tcp_information(std::uint16_t port);

}  // namespace lekt
