"""Arrays and a JSON header in one `safetensors <https://huggingface.co/docs/safetensors>`_ file.

The JSON header is the metadata entry ``hyperspy_coreloss`` of the safetensors header. The metadata
entry ``sha256`` is the SHA-256 of the file without this entry. Files of early versions do not have
it; they are read without a check of their content. Reading a file never runs code from it.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from hyperspy_coreloss.errors import PretrainedFormatError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_HEADER = "hyperspy_coreloss"
# How a safetensors file with metadata begins, after the eight bytes with the length of its header.
_OPENING = b'{"__metadata__":{'
# The spaces make it 80 bytes long: the arrays must begin at a multiple of eight.
_SEAL = b'"sha256":"%s",    '
_SEAL_BEGIN, _SEAL_SIZE = _SEAL.partition(b"%s")[0], len(_SEAL % (64 * b"0"))


# A header has some kilobytes, because the arrays are no part of it, and reading JSON takes many
# times its size. Reading the arrays takes three times theirs, which are some megabytes at most.
_LONGEST_HEADER = 1 << 20
_LARGEST_FILE = 1 << 28


def read_content(path: Path, kind: str) -> bytes:
    """Return the content of a file, which :func:`unpack` reads, after a check of its size.

    Parameters
    ----------
    path
        The file.
    kind
        Kind of its content, for the error message.

    Raises
    ------
    PretrainedFormatError
        If the file or its header is so large that it cannot be of this kind.
    """
    with path.open("rb") as file:
        size, header = os.fstat(file.fileno()).st_size, int.from_bytes(file.read(8), "little")
        if size > _LARGEST_FILE or header > min(_LONGEST_HEADER, size):
            msg = (
                f"{path.name} is not a {kind} of hyperspy_coreloss: such a file has at most "
                f"{_LARGEST_FILE} bytes, of which at most {_LONGEST_HEADER} are its header, but "
                f"this one has {size}, and its header would have {header}. Check the path, or copy "
                "or download the file again."
            )
            raise PretrainedFormatError(msg)
        file.seek(0)
        return file.read()


def pack(header: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> bytes:
    """Return the content of a file; it is the same for equal headers and arrays.

    Parameters
    ----------
    header
        Header that JSON can encode; its entry ``format`` is the version of the format.
    arrays
        Arrays by name.
    """
    text = json.dumps(header, sort_keys=True, ensure_ascii=False)
    return save_tensors(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        metadata={_HEADER: text},
    )


def seal(content: bytes) -> bytes:
    """Return a content with its SHA-256 as a checksum, which :func:`unpack` checks.

    Parameters
    ----------
    content
        Content of a file, as :func:`pack` returned it.
    """
    start = 8 + len(_OPENING)
    checksum = _SEAL % hashlib.sha256(content).hexdigest().encode()
    length = int.from_bytes(content[:8], "little") + _SEAL_SIZE
    return length.to_bytes(8, "little") + content[8:start] + checksum + content[start:]


def _unsealed(content: bytes, name: str, kind: str) -> bytes:
    """Return the content without its checksum, after comparison with it."""
    start = 8 + len(_OPENING)
    end = start + _SEAL_SIZE
    length = int.from_bytes(content[:8], "little") - _SEAL_SIZE
    if not content.startswith(_SEAL_BEGIN, start) or length < 0:
        return content
    inner = length.to_bytes(8, "little") + content[8:start] + content[end:]
    stated, found = content[start:end], hashlib.sha256(inner).hexdigest()
    if stated != _SEAL % found.encode():
        msg = (
            f"{name} is not the {kind} that was saved: its content should have the SHA-256 "
            f"{stated[len(_SEAL_BEGIN) :][:64].decode(errors='replace')}, but it has {found}. "
            "Copy or download the file again."
        )
        raise PretrainedFormatError(msg)
    return inner


def unpack(
    content: bytes,
    name: str,
    kind: str,
    version: int,
    expected: Collection[str],
    optional: Collection[str] = (),
) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return the header, without its ``format``, and the arrays of a file.

    Parameters
    ----------
    content
        Content of the file, as :func:`pack` or :func:`seal` returned it.
    name, kind
        Name of the file, and kind of its content, for error messages.
    version
        Version of the format that is supported.
    expected
        Names of the entries of the header, without ``format``. Others are not allowed.
    optional
        Names of entries that may be missing.

    Raises
    ------
    PretrainedFormatError
        If the file is damaged, of another kind, or of another format, or if its content does not
        have the SHA-256 that the file states.
    """
    content = _unsealed(content, name, kind)
    header = _read_header(content, name, kind)
    file_format = header.pop("format")
    if file_format != version:
        msg = (
            f"{name} is a {kind} of format {file_format}, but this version of hyperspy_coreloss "
            f"reads format {version}. Install a version that reads format {file_format}, or get "
            f"the file in format {version}."
        )
        raise PretrainedFormatError(msg)
    if set(header) - set(optional) != set(expected):
        msg = (
            f"{name} is not a complete {kind}: its header needs the entries {sorted(expected)}, "
            f"but it has {sorted(header)}. Get the file again, or write it again."
        )
        raise PretrainedFormatError(msg)
    try:
        return header, load_tensors(content)
    except (ValueError, SafetensorError) as error:
        msg = f"{name} is not a complete {kind} ({error}). Copy or download the file again."
        raise PretrainedFormatError(msg) from error


def _read_header(content: bytes, name: str, kind: str) -> dict[str, Any]:
    """Return the JSON header.

    The first eight bytes of a safetensors file are the length of the safetensors header.
    """
    try:
        length = int.from_bytes(content[:8], "little")
        # No other entry is allowed: it would be a checksum whose name is damaged.
        ((entry, text),) = json.loads(content[8 : 8 + length])["__metadata__"].items()
        header = {_HEADER: json.loads(text)}[entry]
        header["format"]
        json.dumps(header, ensure_ascii=False).encode()  # JSON may hold half of a letter
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        msg = (
            f"{name} is not a {kind} of hyperspy_coreloss: its header cannot be read. "
            "Check the path, or copy or download the file again."
        )
        raise PretrainedFormatError(msg) from error
    return header
