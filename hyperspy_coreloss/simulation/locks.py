"""Lock files, claimed by exclusive creation; locks of dead workers are removed."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperspy_coreloss.processes import can_be_asked, is_running, this_process

if TYPE_CHECKING:
    from pathlib import Path

#: A lock whose process cannot be asked, as that of another machine, is stale if it was not touched
#: for this long, in seconds.
_FOREIGN_PATIENCE = 3600.0

#: Removing a stale lock takes milliseconds; one that takes longer than this in seconds has died.
_RECOVERY_PATIENCE = 60.0


@dataclass(frozen=True)
class Lock:
    """A lock file held by this process.

    Parameters
    ----------
    path
        The file.
    """

    path: Path

    def touch(self) -> None:
        """Renew the time of the file, which tells other machines that this process is alive."""
        if self.path.exists():
            os.utime(self.path)


def claim(path: Path) -> Lock | None:
    """Claim the lock at `path`; return None if a living process holds it.

    A stale lock is removed and claimed. A lock of this machine is stale if the process that made
    it no longer exists, one of another machine, or any in Windows, if not touched for an hour.
    """
    lock = _create(path)
    if lock is None and _is_stale(path):
        _remove_stale(path)
        lock = _create(path)
    return lock


def release(lock: Lock) -> None:
    """Remove the lock file."""
    lock.path.unlink(missing_ok=True)


def _create(path: Path) -> Lock | None:
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(this_process(), file)
    return Lock(path)


def _is_stale(path: Path) -> bool:
    try:
        age = time.time() - path.stat().st_mtime
        holder = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return True
    except ValueError:
        # The file was created but not yet written, or its writer died in between.
        return age > _RECOVERY_PATIENCE
    return not is_running(holder) if can_be_asked(holder) else age > _FOREIGN_PATIENCE


def _remove_stale(path: Path) -> None:
    """Remove a stale lock, but never one that another worker has just claimed anew."""
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
