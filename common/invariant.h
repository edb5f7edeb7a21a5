// How check() says that an invariant is broken. The functions check() state again what headers promise; they look at
// everything, so only tests call them (the simulation after each turn), and no program links them. They never change
// or mend anything.
#pragma once

#include <stdexcept>
#include <string>

namespace lekt {

/// Throws std::logic_error with these words unless it holds.
inline void expect_invariant(bool holds, const char* words) {
  if (!holds) throw std::logic_error(std::string("broken invariant: ") + words);
}

}  // namespace lekt
