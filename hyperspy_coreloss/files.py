"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a new file may be used for, before the user's own mask: reading by all, writing by the owner.
_PERMISSIONS = 0o666


@contextmanager
def replace_file(filename: str | Path) -> Iterator[Path]:
    """Give the path of a new file that takes the place of `filename` at the end.

    The content reaches the disk before the name changes hands. If anything goes wrong, also on a
    full disk, an existing file stays as it was and nothing is left behind.

    Parameters
    ----------
    filename
        The file to write; an existing one is replaced.

    Yields
    ------
    Path
        An empty file in the same folder, to be written.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with replace_file(folder / "note.txt") as path:
    ...     _ = path.write_text("whole")
    >>> (folder / "note.txt").read_text()
    'whole'
    """
    path = Path(filename)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(_permissions(path))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _permissions(path: Path) -> int:
    """Return those of the file that is replaced, or those that any new file gets."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return _PERMISSIONS & ~mask
