#include "common/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace lekt {

void open_standard_descriptors() {
  constexpr int exit_failed = 1;
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    // open() takes the lowest free number, which is the missing one. Without /dev, O_PATH makes a descriptor as well.
    int opened = open("/dev/null", number == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
    if (opened < 0) opened = open("/", O_PATH);
    if (opened != number) _exit(exit_failed);
  }
}

}  // namespace lekt
