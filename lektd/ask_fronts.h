// How operators' threads ask the fronts: each answers on its own thread, and nobody is waited for without a limit.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "server/net/front.h"

namespace lekt {

/// Runs the question on the thread of each front. A front that has not answered in time has no answer.
template <class Answer>
std::vector<std::optional<Answer>> ask(const Fronts& fronts, const std::function<Answer(Front&)>& question,
                                       std::chrono::milliseconds patience) {
  std::vector<std::future<Answer>> answers;
  for (Front* front : fronts) {
    const auto task = std::make_shared<std::packaged_task<Answer(Front&)>>(question);
    answers.push_back(task->get_future());
    front->post([task, front] { (*task)(*front); });
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<std::optional<Answer>> results;
  for (std::future<Answer>& answer : answers) {
    const bool here = answer.wait_until(deadline) == std::future_status::ready;
    results.push_back(here ? std::optional(answer.get()) : std::nullopt);
  }
  return results;
}

}  // namespace lekt
