"""Code in an interpreter of its own: what is loaded there, the code itself has loaded."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

_QUIET = 'import warnings; warnings.simplefilter("ignore")\nimport logging; logging.disable(50)\n'


def run_fresh(code: str, *arguments: str, **environment: str) -> None:
    """Run code in a fresh interpreter, and fail with its words if it fails."""
    finished = subprocess.run(
        [sys.executable, "-c", _QUIET + textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert finished.returncode == 0, finished.stderr
