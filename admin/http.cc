#include "admin/http.h"

#include "control/json.h"

namespace lekt::admin {

Answer error_answer(int status, ErrorCode code, const std::string& message) {
  Answer answer;
  answer.status = status;
  answer.body = control::to_line({{"code", code_text(code)}, {"message", message}});
  return answer;
}

}  // namespace lekt::admin
