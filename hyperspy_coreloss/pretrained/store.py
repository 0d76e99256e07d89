"""Files that come with the package, by name: pretrained models and emulators alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hyperspy_coreloss.errors import PretrainedNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

Stored = TypeVar("Stored")

_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Store(Generic[Stored]):
    """A folder of files of one kind, which are read once and kept.

    Parameters
    ----------
    kind
        What the files hold, for the error messages.
    folder
        Where they lie.
    read
        Reads one file.
    """

    kind: str
    folder: Path
    read: Callable[[Path], Stored]

    def names(self) -> list[str]:
        """Return the names of all files, without their suffix, in alphabetical order."""
        return sorted(path.stem for path in self.folder.glob(f"*{_SUFFIX}"))

    def load(self, name: str | Path) -> Stored:
        """Return what is stored under a name, or in any other file.

        Parameters
        ----------
        name
            One of :meth:`names`, or the path of a file.

        Raises
        ------
        PretrainedNotFoundError
            If there is no such name or file.
        """
        names = self.names()
        if name in names:
            return self._kept(self.folder / f"{name}{_SUFFIX}")
        path = Path(name)
        if path.is_file():
            return self.read(path)
        msg = (
            f"There is no {self.kind} {str(name)!r}. The names are {', '.join(names) or 'none'}; "
            f"the path of any {_SUFFIX} file of one works too."
        )
        raise PretrainedNotFoundError(msg)

    def _kept(self, path: Path) -> Stored:
        state = path.stat()
        return _read_once(self.read, path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _read_once(read: Callable[[Path], Any], path: Path, *_state: int) -> Any:
    return read(path)
