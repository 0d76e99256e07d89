"""Locks that are plain files: claimed by exclusive creation, recovered from dead workers."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

#: A lock from another machine, untouched for this long in seconds, is taken for dead.
_FOREIGN_PATIENCE = 3600.0

#: To recover a lock takes milliseconds; a recovery older than this in seconds has died itself.
_RECOVERY_PATIENCE = 60.0


@dataclass(frozen=True)
class Lock:
    """A lock file that this process holds.

    Parameters
    ----------
    path
        The file.
    """

    path: Path

    def touch(self) -> None:
        """Show other machines that the holder is alive."""
        if self.path.exists():
            os.utime(self.path)


def claim(path: Path) -> Lock | None:
    """Claim the lock at `path`; None if a living process holds it.

    A lock whose holder is dead (no such process on this machine, or another process under its
    number, or untouched for an hour on another machine) is recovered.
    """
    lock = _create(path)
    if lock is None and _is_stale(path):
        _remove_stale(path)
        lock = _create(path)
    return lock


def release(lock: Lock) -> None:
    """Give the lock back."""
    lock.path.unlink(missing_ok=True)


def _create(path: Path) -> Lock | None:
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "born": _birth(os.getpid())}
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(holder, file)
    return Lock(path)


def _is_stale(path: Path) -> bool:
    try:
        age = time.time() - path.stat().st_mtime
        holder = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return True
    except ValueError:
        # Created and not yet written, or its writer died in between.
        return age > _RECOVERY_PATIENCE
    if holder["host"] != socket.gethostname():
        return age > _FOREIGN_PATIENCE
    return not _is_alive(holder["pid"], holder["born"])


def _remove_stale(path: Path) -> None:
    """Remove a stale lock, but never one that another worker has just recovered."""
    guard = path.with_suffix(".recovery")
    if guard.exists() and time.time() - guard.stat().st_mtime > _RECOVERY_PATIENCE:
        guard.unlink(missing_ok=True)
    try:
        os.close(os.open(guard, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    try:
        if _is_stale(path):
            path.unlink(missing_ok=True)
    finally:
        guard.unlink(missing_ok=True)


def _is_alive(pid: int, born: str) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _birth(pid) == born


def _birth(pid: int) -> str:
    """Start time of a process, which tells it from a later one of the same number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""  # no /proc on this system: the number alone has to do
    fields = stat.rpartition(")")[2].split()
    # A zombie holds nothing: its files are closed, only its number lives on.
    return "" if fields[0] == "Z" else fields[19]
