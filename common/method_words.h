// What operators and programs read of methods: words such as `tcp:7890 chat:0a0b name:"kitchen pi"`, as
// MethodCatalogue::describe() writes them.
//
// A word is a name, ':' and a value. A value in quotation marks is text that a client chose: it can look like other words,
// so nobody may look for a word without this.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"

namespace lekt {

/// The text as the value of a word: as it is if it has only letters, digits and ._:/+-@,[]% of ASCII, and otherwise in
/// quotation marks. In them, \" and \\ stand for themselves, and \n \r \t \xNN for bytes that is_plain_text() refuses.
std::string text_word(std::string_view text);

/// What text_word() has made a value of; nothing if no text has this value. A value without quotation marks at its
/// beginning stands for itself, whatever it has in it.
std::optional<Bytes> parse_text_word(std::string_view value);

/// The first of the words, up to the blank behind it. A text that was cut off within a word ends that word.
std::string_view first_word(std::string_view words);

/// All words that are whole or cut off, in order.
std::vector<std::string_view> split_words(std::string_view words);

/// Whether a word is of this method: "tcp", or "?9" for one without a name.
bool has_method(std::string_view words, std::string_view method);

/// What the words of the method `name` say, as texts that can be shown.
std::vector<std::string> names_in_words(std::string_view words);

/// At most `bytes_max` bytes of the words: all of them, or as many whole ones as fit, and "...".
std::string cut_words(std::string_view words, std::size_t bytes_max);

/// Whether one of the names has `part` in it; the case of ASCII letters is ignored. An empty part is in every name.
bool is_in_a_name(std::string_view part, const std::vector<std::string>& names);

}  // namespace lekt
