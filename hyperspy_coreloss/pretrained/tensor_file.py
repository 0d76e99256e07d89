"""Arrays and words in one `safetensors <https://huggingface.co/docs/safetensors>`_ file.

The words are one JSON text ``hyperspy_coreloss`` in the header of the file. Reading a file never
runs code from it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from hyperspy_coreloss.errors import PretrainedFormatError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

_HEADER = "hyperspy_coreloss"


def pack(header: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> bytes:
    """Return the content of a file; the same content for the same words and arrays.

    Parameters
    ----------
    header
        JSON-ready; ``format`` is its version.
    arrays
        By name.
    """
    text = json.dumps(header, sort_keys=True, ensure_ascii=False)
    return save_tensors(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        metadata={_HEADER: text},
    )


def unpack(
    content: bytes, name: str, kind: str, version: int, expected: Collection[str]
) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return the header, without its ``format``, and the arrays of a file.

    Parameters
    ----------
    content
        What :func:`pack` returned.
    name, kind
        Of the file, and what it should be, for the error messages.
    version
        The format that can be read.
    expected
        What the header must hold, and nothing else.

    Raises
    ------
    PretrainedFormatError
        If the file is damaged, of another kind, or of another format.
    """
    header = _read_header(content, name, kind)
    found = header.pop("format")
    if found != version:
        msg = (
            f"{name} has the format {found}, this version reads format {version} of a {kind}. "
            "Update hyperspy_coreloss."
        )
        raise PretrainedFormatError(msg)
    if set(header) != set(expected):
        msg = f"{name} is no complete {kind}: its header needs {sorted(expected)}."
        raise PretrainedFormatError(msg)
    try:
        return header, load_tensors(content)
    except (ValueError, SafetensorError) as error:
        msg = f"{name} is not a complete {kind}: {error}"
        raise PretrainedFormatError(msg) from error


def _read_header(content: bytes, name: str, kind: str) -> dict[str, Any]:
    """Return the JSON header; the first eight bytes of a safetensors file are its length."""
    try:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][_HEADER])
        header["format"]
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{name} is no {kind} of hyperspy_coreloss: its header cannot be read."
        raise PretrainedFormatError(msg) from error
    return header
