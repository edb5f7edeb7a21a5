# cmake -D INPUT=schema.sql -D OUTPUT=schema.cc -P embed_schema.cmake
# Writes a C++ file that defines lekt::storage::schema_text with the content of the input.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "// Made from schema.sql by embed_schema.cmake.
#include \"storage/migrations.h\"

namespace lekt::storage {

const std::string_view schema_text = R\"schema(${text})schema\";

}  // namespace lekt::storage
")
