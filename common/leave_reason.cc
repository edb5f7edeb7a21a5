#include "common/leave_reason.h"

namespace lekt {

std::string to_string(LeaveReason reason) {
  switch (reason) {
    case LeaveReason::unknown:
      return "";
    case LeaveReason::closed:
      return "closed";
    case LeaveReason::lost:
      return "lost";
    case LeaveReason::not_back:
      return "not back";
  }
  return code_text(static_cast<ErrorCode>(reason));
}

}  // namespace lekt
