// What queries of the program can ask of the words in the columns `methods`. Views cannot: they work in any shell.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

namespace lekt::storage {

/// Gives a connection the functions
///
///     has_method(words, method)   1 if a word is of this method; see lekt::has_method()
///     has_name(words, part)       1 if one of the names has this part; see lekt::is_in_a_name()
///     first_name(words)           the first of the names; null if there is none
void add_word_functions(SQLite::Database& database);

}  // namespace lekt::storage
