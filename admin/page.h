// The page: one text with its style and its script (admin/page), which loads nothing else.
#pragma once

#include <string>
#include <string_view>

#include "admin/http.h"

namespace lekt::admin {

extern const std::string_view page_text;
extern const std::string_view api_text;            ///< docs/openapi.json
extern const std::string_view page_style_sha256;   ///< hexadecimal
extern const std::string_view page_script_sha256;  ///< hexadecimal

/// The page as an answer, with a policy that lets nothing run or be loaded but what is in the page itself.
Answer page_answer();

}  // namespace lekt::admin
