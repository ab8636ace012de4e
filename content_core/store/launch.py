"""The first thing that a child process runs: tie its life to its parent's, then become the program.

Run as a script by :mod:`content_core.store.child_process`; it imports little, so that it costs little.
"""

import ctypes
import os
import signal
import sys

__all__ = ["die_with_parent"]

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, number: int = signal.SIGTERM) -> bool:
    """Ask the kernel to signal this process when the thread that started it ends (Linux; elsewhere nothing happens).

    Args:
        parent: the process id that the parent had when it started this process.
        number: the signal.

    Returns:
        False if the parent was gone already: the signal will never come, and the caller should end.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # Asked after the request, so that a parent that ended before it is noticed.
    return os.getppid() == parent


def _main() -> None:
    parent, program, *rest = sys.argv[1:]
    if not die_with_parent(int(parent)):
        sys.exit(1)
    os.execv(program, [program, *rest])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    _main()
