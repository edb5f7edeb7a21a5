#include "common/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace lekt {

void open_standard_descriptors() {
  constexpr int exit_failed = 1;
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest number that is free is the one that is missing. Where there is no /dev, a path alone does.
    int opened = open("/dev/null", number == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
    if (opened < 0) opened = open("/", O_PATH);
    if (opened != number) _exit(exit_failed);
  }
}

}  // namespace lekt
