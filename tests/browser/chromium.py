"""Finding Debian's Chromium, or installing it where this process may."""

from __future__ import annotations

import os
import shutil
import subprocess

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

# Without these, Chromium calls its maker at every start; a sandbox of its own it cannot have as root.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """The browser's path, from `CHROMIUM` or the PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def install_chromium() -> str | None:
    """Installs Debian's Chromium as root, unless `JETWAY_INSTALL_CHROMIUM=0`; None if that is not possible."""
    allowed = os.environ.get("JETWAY_INSTALL_CHROMIUM", "1") != "0"
    if not allowed or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    wait = "DPkg::Lock::Timeout=300"
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
        done = subprocess.run(["apt-get", "-o", wait, *command], env=quiet, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None
    return find_chromium()
