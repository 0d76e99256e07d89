"""Processes that made something in a folder: are they still running?"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def this_process() -> dict[str, Any]:
    """Return what identifies this process: its machine, its number and its start time."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "born": _birth(os.getpid())}


def is_of_this_machine(process: Mapping[str, Any]) -> bool:
    """Return whether a process, from :func:`this_process`, is or was one of this machine."""
    return process["host"] == socket.gethostname()


def is_running(process: Mapping[str, Any]) -> bool:
    """Return whether a process of this machine, from :func:`this_process`, is still running.

    In Windows, where it cannot be asked without harm, every process counts as running.
    """
    if os.name == "nt":
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
