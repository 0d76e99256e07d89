"""Where the project and the package lie."""

from __future__ import annotations

from pathlib import Path

import hyperspy_coreloss

ROOT = Path(__file__).parents[1]
PACKAGE = Path(hyperspy_coreloss.__file__).parent
