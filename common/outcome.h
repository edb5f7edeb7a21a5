// What one thread did for another: a result, or the error with which it failed.
//
// An error is handed over as its code and its words, and thrown anew by the thread that asked. The exception object itself
// stays with the thread that threw it: nothing but the standard library would know which of the two destroys it.
#pragma once

#include <utility>
#include <variant>

#include "common/error_message.h"
#include "common/errors.h"

namespace lekt {

template <class Result>
using Outcome = std::variant<Result, Rejection>;

/// Runs `act`. Catches CodedError, and nothing else.
template <class Act>
auto outcome_of(Act&& act) -> Outcome<decltype(act())> {
  try {
    return act();
  } catch (const CodedError& error) {
    return Rejection{error.code(), message_of(error)};
  }
}

/// The result; throws CodedError with the code and the words of an error.
template <class Result>
Result result_of(Outcome<Result> outcome) {
  if (const auto* rejection = std::get_if<Rejection>(&outcome))
    throw CodedError(rejection->code, rejection->message);
  return std::get<Result>(std::move(outcome));
}

}  // namespace lekt
