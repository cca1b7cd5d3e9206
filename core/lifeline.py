"""A process that ends with the one that started it, even when that one is killed with `kill -9`.

The starter keeps the writing end of a pipe and never writes; the child reads from the other end, whose number stands in
JETWAY_LIFELINE. However the starter ends, the system closes its end, and the child's read returns. Works wherever there
are pipes. Without JETWAY_LIFELINE, as in production, nothing is watched.

    python -m core.lifeline MARK MODULE [ARGUMENT...]

runs MODULE as `python -m MODULE` would, watched from its first moment. MARK only stands in the command line, for
whoever looks for processes that an earlier run left behind.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

VARIABLE = "JETWAY_LIFELINE"
GRACE_SECONDS = 10.0


def watch(grace: float = GRACE_SECONDS) -> None:
    """Send SIGTERM to this process once its starter is gone, and end it `grace` seconds later if it still runs.

    Does nothing where there is no lifeline, or where it is watched already. Processes started from here don't inherit
    the lifeline: they are ours to end.
    """
    number = os.environ.pop(VARIABLE, "")
    if number:
        os.set_inheritable(int(number), False)
        threading.Thread(target=wait_and_end, args=(int(number), grace), name="lifeline", daemon=True).start()


def wait_and_end(descriptor: int, grace: float) -> None:
    """Block until the other end of the pipe is closed; then end this process."""
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)


def main() -> None:
    """Run the module that the command line names."""
    module = sys.argv[2]
    sys.argv = sys.argv[2:]
    watch()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
