"""Arrays and a JSON header in one `safetensors <https://huggingface.co/docs/safetensors>`_ file.

The JSON header is the metadata entry ``hyperspy_coreloss`` of the safetensors header. Reading a
file never runs code from it.
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


def unpack(
    content: bytes, name: str, kind: str, version: int, expected: Collection[str]
) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return the header, without its ``format``, and the arrays of a file.

    Parameters
    ----------
    content
        Content of the file, as :func:`pack` returned it.
    name, kind
        Name of the file, and kind of its content, for error messages.
    version
        Version of the format that is supported.
    expected
        Names of the entries of the header, without ``format``. Others are not allowed.

    Raises
    ------
    PretrainedFormatError
        If the file is damaged, of another kind, or of another format.
    """
    header = _read_header(content, name, kind)
    file_format = header.pop("format")
    if file_format != version:
        msg = (
            f"{name} is a {kind} of format {file_format}, but this version of hyperspy_coreloss "
            f"reads format {version}. Install a version that reads format {file_format}, or get "
            f"the file in format {version}."
        )
        raise PretrainedFormatError(msg)
    if set(header) != set(expected):
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
        header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][_HEADER])
        header["format"]
    except (KeyError, TypeError, ValueError) as error:
        msg = (
            f"{name} is not a {kind} of hyperspy_coreloss: its header cannot be read. "
            "Check the path, or copy or download the file again."
        )
        raise PretrainedFormatError(msg) from error
    return header
