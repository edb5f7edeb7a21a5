# cmake -D DIRECTORY=page -D API=openapi.json -D OUTPUT=page.cc -P embed_page.cmake
# Puts style and scripts into the page and writes it as a C++ file, with the hashes that its
# Content-Security-Policy allows, and the API's description beside it (admin/page.h).
file(READ ${DIRECTORY}/index.html page)
file(READ ${DIRECTORY}/page.css style)
file(READ ${API} api)
set(script "")
foreach(name format chart clients activity detail devices main)
  file(READ ${DIRECTORY}/${name}.js part)
  string(APPEND script "${part}")
endforeach()
string(SHA256 style_hash "${style}")
string(SHA256 script_hash "${script}")
string(REPLACE "@STYLE@" "${style}" page "${page}")
string(REPLACE "@SCRIPT@" "${script}" page "${page}")
file(WRITE ${OUTPUT} "// Made from admin/page by embed_page.cmake.
#include \"admin/page.h\"

namespace lekt::admin {

const std::string_view page_text = R\"page(${page})page\";
const std::string_view api_text = R\"api(${api})api\";
const std::string_view page_style_sha256 = \"${style_hash}\";
const std::string_view page_script_sha256 = \"${script_hash}\";

}  // namespace lekt::admin
")
