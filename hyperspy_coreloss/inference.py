"""Spectra to properties: one path for arrays in memory and for dask arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import dask.array as da
import numpy as np

from hyperspy_coreloss.preprocessing import preprocess
from hyperspy_coreloss.quality import Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained import PretrainedModel
    from hyperspy_coreloss.recipe import Preparation

_Array = TypeVar("_Array", da.Array, np.ndarray)

# Spectra worked on at once. Always as many, because the rounding in the network depends on the
# shape of its input: so a spectrum gives the same bits in chunks of any shape.
_BATCH = 256
# Spectra in a chunk of data that come in memory.
_CHUNK = 16 * _BATCH


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the network says about spectra, and whether it could.

    Parameters
    ----------
    values
        Properties, shape (..., properties); NaN where the quality is not good.
    onset
        Threshold in eV, shape (...); NaN where the quality is not good.
    quality
        :class:`~hyperspy_coreloss.quality.Quality` codes, shape (...), uint8.
    """

    values: NDArray[np.float32]
    onset: NDArray[np.float32]
    quality: NDArray[np.uint8]


def map_spectra(
    spectra: NDArray | da.Array,
    preparation: Preparation,
    pretrained: PretrainedModel,
    excluded: NDArray | None = None,
) -> Prediction:
    """Predict the properties of every spectrum, lazily.

    Nothing is read or computed here. The three arrays of the result share one graph: compute
    them together.

    Parameters
    ----------
    spectra
        Shape (..., channels); an array in memory is split into chunks of a few thousand spectra.
    preparation
        How to preprocess, from :func:`~hyperspy_coreloss.recipe.prepare`.
    pretrained
        The trained network.
    excluded
        True for spectra to leave out, shape (...).

    Returns
    -------
    Prediction
        Of dask arrays.
    """
    if not isinstance(spectra, da.Array):
        chunks = da.core.normalize_chunks(
            ("auto",) * (spectra.ndim - 1) + (-1,),
            shape=spectra.shape,
            dtype=spectra.dtype,
            limit=_CHUNK * spectra.shape[-1] * spectra.dtype.itemsize,
        )
        # Without a name dask would read all data to make one.
        spectra = da.from_array(spectra, chunks=chunks, name=False)
    spectra = spectra.rechunk({spectra.ndim - 1: -1})
    blocks = [spectra]
    if excluded is not None:
        blocks.append(
            da.from_array(excluded[..., None], chunks=(*spectra.chunks[:-1], (1,)), name=False)
        )
    columns = len(pretrained.properties) + 2
    predicted = da.map_blocks(
        predict_chunk,
        *blocks,
        preparation=preparation,
        pretrained=pretrained,
        dtype=np.float32,
        chunks=(*spectra.chunks[:-1], (columns,)),
        meta=np.empty((0,) * spectra.ndim, dtype=np.float32),
    )
    return _split(predicted)


def predict_chunk(
    spectra: NDArray,
    excluded: NDArray | None = None,
    *,
    preparation: Preparation,
    pretrained: PretrainedModel,
) -> NDArray[np.float32]:
    """Predict the properties of the spectra of one chunk.

    Parameters
    ----------
    spectra
        Shape (..., channels).
    excluded
        Shape (..., 1); True for spectra to leave out.
    preparation, pretrained
        As in :func:`map_spectra`.

    Returns
    -------
    ndarray
        Properties, threshold and quality code, shape (..., properties + 2), float32.
    """
    flat = np.ascontiguousarray(spectra).reshape(-1, spectra.shape[-1])
    predicted = np.empty((len(flat), len(pretrained.properties) + 2), dtype=np.float32)
    _predict_batches(flat, predicted, preparation, pretrained)
    if excluded is not None:
        predicted[np.ravel(excluded), -1] = Quality.MASKED
    predicted[predicted[:, -1] != Quality.GOOD, :-1] = np.nan
    return predicted.reshape(*spectra.shape[:-1], -1)


def _predict_batches(
    flat: NDArray,
    predicted: NDArray[np.float32],
    preparation: Preparation,
    pretrained: PretrainedModel,
) -> None:
    """Fill in the predictions of spectra of shape (spectra, channels)."""
    from hyperspy_coreloss.network import evaluate  # imports torch

    batch = np.zeros((_BATCH, flat.shape[-1]), dtype=flat.dtype)
    for start in range(0, len(flat), _BATCH):
        rows = flat[start : start + _BATCH]
        n_rows = len(rows)
        batch[:n_rows] = rows
        inputs = preprocess(batch, preparation)
        found = predicted[start : start + n_rows]
        found[:, :-2] = evaluate(pretrained, inputs.spectra)[:n_rows]
        found[:, -2] = inputs.onset[:n_rows]
        found[:, -1] = inputs.quality[:n_rows]


def predict_arrays(
    spectra: NDArray, preparation: Preparation, pretrained: PretrainedModel
) -> Prediction:
    """Predict the properties of spectra in memory, at once; see :func:`map_spectra`."""
    return _split(predict_chunk(spectra, preparation=preparation, pretrained=pretrained))


def _split(predicted: _Array) -> Prediction:
    quality = predicted[..., -1].astype(np.uint8)
    return Prediction(predicted[..., :-2], predicted[..., -2], quality)
