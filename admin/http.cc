#include "admin/http.h"

#include "server/operators/json.h"

namespace lekt::admin {

Answer error_answer(int status, ErrorCode code, const std::string& message) {
  Answer answer;
  answer.status = status;
  answer.body = to_line({{"code", code_text(code)}, {"message", message}});
  return answer;
}

}  // namespace lekt::admin
