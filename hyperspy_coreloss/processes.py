"""Processes that made something in a folder: are they still running?"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOWS = os.name == "nt"


def this_process() -> dict[str, Any]:
    """Return what identifies this process: its machine, its number and its start time."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "born": _birth(os.getpid())}


def can_be_asked(process: Mapping[str, Any]) -> bool:
    """Return whether :func:`is_running` can tell of a process, from :func:`this_process`.

    It cannot of those of other machines, nor in Windows, where the question would end the process.
    """
    return process["host"] == socket.gethostname() and not _WINDOWS


def is_running(process: Mapping[str, Any]) -> bool:
    """Return whether a process is still running; one that cannot be asked counts as running."""
    if not can_be_asked(process):
        return True
    try:
        os.kill(process["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _birth(process["pid"]) == process["born"]


def _birth(pid: int) -> str:
    """Return the start time of a process; it distinguishes later ones of the same number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""  # without /proc, only process numbers are compared
    fields = stat.rpartition(")")[2].split()
    # A zombie holds nothing: its files are closed, and only its number still exists.
    return "" if fields[0] == "Z" else fields[19]
