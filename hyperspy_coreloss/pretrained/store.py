"""Folders of files in the package, which are loaded by name: pretrained models and emulators."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hyperspy_coreloss.errors import PretrainedNotFoundError
from hyperspy_coreloss.files import is_file

if TYPE_CHECKING:
    from collections.abc import Callable

Stored = TypeVar("Stored")

_SUFFIX = ".safetensors"
_READING = RLock()


@dataclass(frozen=True)
class Store(Generic[Stored]):
    """A folder of files of one kind; each file is read once and cached.

    Parameters
    ----------
    kind
        Kind of the files' content, for error messages.
    folder
        Path of the folder.
    read
        Function that reads a file.
    """

    kind: str
    folder: Path
    read: Callable[[Path], Stored]

    def names(self) -> list[str]:
        """Return the names of all files without their suffix, in alphabetical order."""
        return sorted(path.stem for path in self.folder.glob(f"*{_SUFFIX}"))

    def load(self, name: str | Path) -> Stored:
        """Return the content of the file with a given name or path.

        Parameters
        ----------
        name
            One of :meth:`names`, or the path of any file of this kind.

        Raises
        ------
        PretrainedNotFoundError
            If no file has this name or this path.
        """
        names = self.names()
        if isinstance(name, str) and name in names:
            return self._kept(self.folder / f"{name}{_SUFFIX}")
        if isinstance(name, (str, PathLike)) and is_file(Path(name)):
            return self.read(Path(name))
        msg = (
            f"There is no {self.kind} {str(name)!r}. The names are {', '.join(names) or 'none'}. "
            f"Give one of these names, or the path of a {_SUFFIX} file of this kind."
        )
        raise PretrainedNotFoundError(msg)

    def _kept(self, path: Path) -> Stored:
        state = path.stat()
        with _READING:  # otherwise, threads that start together would all read it
            return _read_once(self.read, path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _read_once(read: Callable[[Path], Any], path: Path, *_state: int) -> Any:
    return read(path)
