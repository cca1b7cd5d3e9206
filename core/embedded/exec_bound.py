"""Becomes another program that dies with the process that started it. Run as a script, never imported.

    exec_bound.py PARENT UID GID SIGNAL PROGRAM [ARGUMENT...]

UID and GID of -1 keep the present user. SIGNAL reaches the program when the thread that started it ends, even by
`kill -9` (Linux: prctl(2), PR_SET_PDEATHSIG, which has to follow the change of user). Other systems have no such
thing; there the next start clears what is left. Uses the standard library only, since it runs before any environment.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, uid: int, gid: int, death_signal: int, program: list[str]) -> None:
    """Never returns: the process is `program` from here on, or ends because `parent` is gone already."""
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(program[0], program)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
