#include "storage/word_functions.h"

#include <sqlite3.h>

#include <new>
#include <string_view>

#include "common/method_words.h"

namespace lekt::storage {

namespace {

std::string_view text_of(sqlite3_value* value) {
  const unsigned char* text = sqlite3_value_text(value);
  if (text == nullptr) return {};
  return {static_cast<const char*>(static_cast<const void*>(text)),
          static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

/// SQLite is C: no exception may pass through it.
template <class Function>
void answer(sqlite3_context* context, Function function) noexcept {
  try {
    function();
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

void answer_has_method(sqlite3_context* context, int, sqlite3_value** values) noexcept {
  answer(context,
         [&] { sqlite3_result_int(context, has_method(text_of(values[0]), text_of(values[1])) ? 1 : 0); });
}

void answer_has_name(sqlite3_context* context, int, sqlite3_value** values) noexcept {
  answer(context, [&] {
    const bool found = is_in_a_name(text_of(values[1]), names_in_words(text_of(values[0])));
    sqlite3_result_int(context, found ? 1 : 0);
  });
}

void answer_first_name(sqlite3_context* context, int, sqlite3_value** values) noexcept {
  answer(context, [&] {
    const auto names = names_in_words(text_of(values[0]));
    if (names.empty()) return sqlite3_result_null(context);
    sqlite3_result_text(context, names.front().data(), static_cast<int>(names.front().size()),
                        SQLITE_TRANSIENT);
  });
}

}  // namespace

void add_word_functions(SQLite::Database& database) {
  database.createFunction("has_method", 2, true, nullptr, answer_has_method, nullptr, nullptr, nullptr);
  database.createFunction("has_name", 2, true, nullptr, answer_has_name, nullptr, nullptr, nullptr);
  database.createFunction("first_name", 1, true, nullptr, answer_first_name, nullptr, nullptr, nullptr);
}

}  // namespace lekt::storage
