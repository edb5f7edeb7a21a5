// The limit of open files, which a program with thousands of connections raises as far as it may.
#pragma once

#include <sys/resource.h>

namespace lekt::bench {

inline void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace lekt::bench
