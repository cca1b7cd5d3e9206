"""A Chromium for the browser tests: found, or installed where the machine allows it.

    python -m scripts.chromium            installs one with apt where it is missing and we are root
    JETWAY_BROWSER=required ...           fails where there is none afterwards; without it only says so, loudly

The tests call `find()`; CHROMIUM names another one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = """
*** NO BROWSER: the tests in tests/browser are skipped. Install Chromium, or name one: CHROMIUM=<path> make test ***
"""


def find() -> str | None:
    """The path of a Chromium; None where there is none."""
    if chosen := os.environ.get("CHROMIUM", "").strip():
        return shutil.which(chosen)
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def required() -> bool:
    """Whether the browser tests must run, as they must in CI."""
    return os.environ.get("JETWAY_BROWSER", "") == "required"


def install() -> None:
    """Install Debian's Chromium where we may; what goes wrong is printed by apt."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    print("Installing Chromium for the browser tests …", flush=True)
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run([*apt, *command], env=quiet, stdout=subprocess.DEVNULL, check=False)


def main() -> int:
    """Find or install one; the exit code."""
    if find() is None:
        install()
    if find() is not None:
        return 0
    print(MISSING, file=sys.stderr)
    return 1 if required() else 0


if __name__ == "__main__":
    sys.exit(main())
