"""Atomic writing of files: a file is written completely or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hyperspy_coreloss.processes import can_be_asked, is_running, this_process

if TYPE_CHECKING:
    from collections.abc import Iterator

# Permissions of a new file, before the user's umask is applied.
_PERMISSIONS = 0o666
# Ending of the hidden folders in which files of others are written. In each lie the process that
# writes there and, while it is replaced, what had the name before.
_PART, _WRITER, _BEFORE = ".part", ".writer", ".before"
# A hidden folder whose process cannot be asked, as one of another machine, is kept for a day.
_PATIENCE = 86400.0


def is_file(path: Path) -> bool:
    """Return whether there is a file of this path; of one that no file can have, there is none."""
    try:
        return path.is_file()
    except OSError:  # a longer name than a file can have
        return False


@contextmanager
def replace_file(filename: str | Path) -> Iterator[Path]:
    """Provide the path of a temporary file that replaces `filename` on success.

    The content is flushed to the disk before the temporary file is renamed. If writing fails, for
    example because the disk is full, an existing file is unchanged and the temporary file is
    removed.

    Parameters
    ----------
    filename
        The file to write. An existing file is replaced.

    Yields
    ------
    Path
        An empty temporary file in the same folder, to which the content is to be written.

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


@contextmanager
def replace_written(filename: str | Path) -> Iterator[Path]:
    """Provide a path, of the same name, of a file or store that replaces `filename` on success.

    For files and stores of other packages, which look at the ending of the name. They are written
    in a hidden folder beside, so that what has the name is whole.

    Parameters
    ----------
    filename
        The file, or folder of a store, to write. What has this name is replaced.

    Yields
    ------
    Path
        A path where nothing is.

    Notes
    -----
    A process that is killed leaves the hidden folder, for :func:`clear_interrupted`.
    """
    path = Path(filename)
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=_PART))
    try:
        (folder / _WRITER).write_text(json.dumps(this_process()), encoding="utf-8")
        written = folder / path.name
        yield written
        for part in (written, *written.rglob("*")):
            if part.is_file():
                _flush(part)
        _put_in_place(written, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_interrupted(folder: str | Path) -> None:
    """Clear what processes that were killed in :func:`replace_written` have left in a folder.

    What a process was about to replace is put back if it has not been replaced. The hidden folders
    of running processes are left alone, and for a day those of other machines, which may be running
    there; in Windows, for a day all. So are folders that only have such a name.

    Parameters
    ----------
    folder
        The folder of the files; those of the folders in it are not looked at.
    """
    for part in Path(folder).glob(f".*{_PART}"):
        if not _is_abandoned(part):
            continue
        path = part.with_name(part.name[1:].rsplit(".", 2)[0])
        # Both are there only if the process was killed just between two renames.
        between = (part / path.name).exists() and (part / _BEFORE).exists()
        with suppress(OSError):  # another process may be clearing the same folder
            if between and not path.exists():
                (part / _BEFORE).rename(path)
        shutil.rmtree(part, ignore_errors=True)


def _put_in_place(written: Path, path: Path) -> None:
    """Rename what was written to a path; what is there is replaced, or stays if this fails."""
    before = written.with_name(_BEFORE)
    if written.is_file() and not path.is_dir():
        written.replace(path)
        return
    try:
        # Folders cannot take the place of others at once.
        if path.exists():
            path.rename(before)
        written.rename(path)
    except BaseException:
        if before.exists() and not path.exists():
            before.rename(path)
        raise


def _is_abandoned(part: Path) -> bool:
    try:
        writer = json.loads((part / _WRITER).read_text(encoding="utf-8"))
        if can_be_asked(writer):
            return not is_running(writer)
        return time.time() - part.stat().st_mtime > _PATIENCE
    except (OSError, ValueError, LookupError, TypeError):  # not yet written, or nothing of ours
        return False


@contextmanager
def keep_replaced(filename: str | Path) -> Iterator[None]:
    """Keep a file, or the folder of a store, until what replaces it is written.

    For the files of other packages, which write in place. If writing fails, the old file is there
    again; if it cannot be put back, it stays in a hidden folder beside. If the old file cannot be
    moved, as an open file in Windows, it is not kept.

    Parameters
    ----------
    filename
        The file or folder to write; it need not exist.
    """
    path = Path(filename)
    kept = _move_aside(path)
    if kept is None:
        yield
        return
    try:
        yield
    except BaseException:
        # If one of these fails, the old file stays in its hidden folder, and is not lost.
        _remove(path)
        kept.rename(path)
        kept.parent.rmdir()
        raise
    shutil.rmtree(kept.parent)


def check_writable(filename: str | Path) -> None:
    """Check that :func:`replace_file` can write a file, before a long computation of its content.

    Parameters
    ----------
    filename
        The file, which need not exist; nothing is left of the check.

    Raises
    ------
    OSError
        If the folder does not exist or takes no new files, or the path is that of a folder.
    """
    path = Path(filename)
    if path.is_dir():
        msg = "it is a folder"
        raise IsADirectoryError(msg)
    if not path.parent.is_dir():
        msg = f"there is no folder {path.parent}"
        raise NotADirectoryError(msg)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"):
        pass


def check_folder_writable(folder: str | Path) -> None:
    """Check that files can be written into a folder, which need not exist yet.

    Parameters
    ----------
    folder
        The folder; it is not created.

    Raises
    ------
    OSError
        If the folder, or the first of its parents that exists, takes no new files.
    """
    path = Path(folder).absolute()
    existing = next(one for one in (path, *path.parents) if one.exists())
    if not existing.is_dir():
        msg = f"{existing} is not a folder"
        raise NotADirectoryError(msg)
    check_writable(existing / "check")


def _move_aside(path: Path) -> Path | None:
    """Move a file or a folder into a hidden folder beside it; return None if that cannot be."""
    if not path.exists():
        return None
    try:
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".old"))
    except OSError:
        return None
    try:
        return path.rename(folder / path.name)
    except OSError:
        folder.rmdir()
        return None


def _remove(path: Path) -> None:
    """Remove a file or a folder, if it exists."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _permissions(path: Path) -> int:
    """Return the permissions of an existing file, or the default permissions of a new file."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return _PERMISSIONS & ~mask
