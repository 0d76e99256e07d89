"""Ending processes at once, as when the power fails."""

from __future__ import annotations

import os
import signal

import pytest

#: The signal; Windows, which has no SIGKILL, ends a process at once by SIGTERM.
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)

#: For tests of what is done at once about a process that was killed.
noticed_at_once = pytest.mark.skipif(
    os.name == "nt", reason="Windows does not tell whether a process runs: its traces stay for long"
)
