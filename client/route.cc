#include "client/route.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lekt {

Route::Route(asio::io_context& context, ServerName server)
    : server_(std::move(server)), lookup_(context, server_.host) {}

void Route::begin_round(std::function<void(const std::string&)> ready) {
  if (left() > 0) return ready({});
  if (const auto address = parse_address(server_.host)) {
    known_ = {*address};
    fill();
    return ready({});
  }
  lookup_.ask([this, ready = std::move(ready)](const NameAnswer& answer) {
    if (answer.is_definite) known_ = answer.addresses;
    fill();
    ready(known_.empty() ? answer.trouble : std::string());
  });
}

void Route::begin_with_known() {
  lookup_.cancel();
  fill();
}

Address Route::take() {
  assert(left() > 0);
  taken_last_ = left_.front();
  left_.pop_front();
  return *taken_last_;
}

void Route::fill() {
  left_.assign(known_.begin(), known_.end());
  const auto last = taken_last_ ? std::ranges::find(left_, *taken_last_) : left_.end();
  if (last != left_.end()) std::rotate(left_.begin(), last + 1, left_.end());
}

}  // namespace lekt
