"""What a host writes for a full screen: vim, on a pseudo-terminal of 24 x 80."""

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import termios

from servers import Failure

# Once it has begun, it has drawn everything when it has been silent for so long.
SILENCE_SECONDS = 1
PATIENCE_SECONDS = 20


def vim_on_services() -> bytes:
    vim = shutil.which("vim.tiny") or shutil.which("vim")
    if not vim:
        raise Failure("there is no vim: apt install vim-tiny")
    process, terminal = pty.fork()
    if process == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.execve(vim, [vim, "-u", "NONE", "/etc/services"], {"TERM": "vt220", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]})
    written = b""
    while select.select([terminal], [], [], SILENCE_SECONDS if written else PATIENCE_SECONDS)[0]:
        try:
            written += os.read(terminal, 65536)
        except OSError:  # it has ended
            break
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(terminal)
    return written
