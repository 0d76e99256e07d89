"""Prediction of properties from arrays of spectra, in memory or of dask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dask.array as da
import numpy as np

from hyperspy_coreloss.pretrained.results import as_prediction, blank_unreadable, result_dtype
from hyperspy_coreloss.spectra.preprocessing import preprocess
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.results import Prediction, Reader
    from hyperspy_coreloss.spectra.preparation import Preparation

# Number of spectra that are evaluated together. It is constant because the rounding in the network
# depends on the shape of its input; a spectrum thus gives the same bits in chunks of any shape.
_BATCH = 256
# Number of spectra per chunk when the data are an array in memory.
_CHUNK = 16 * _BATCH


def map_spectra(
    spectra: NDArray | da.Array,
    preparation: Preparation,
    pretrained: Reader,
    excluded: NDArray | None = None,
) -> Prediction:
    """Predict the properties of every spectrum, lazily.

    This function neither reads nor computes spectra. The arrays of the result share one dask
    graph, so compute them together.

    Parameters
    ----------
    spectra
        Intensities, shape (..., channels). An array in memory is split into chunks of a few
        thousand spectra; chunks of few spectra are merged.
    preparation
        Preprocessing of the spectra, from :func:`~hyperspy_coreloss.spectra.prepare`.
    pretrained
        A pretrained model.
    excluded
        True for each spectrum to exclude, shape (...).

    Returns
    -------
    Prediction
        Prediction that consists of dask arrays.
    """
    if not isinstance(spectra, da.Array):
        chunks = da.core.normalize_chunks(
            ("auto",) * (spectra.ndim - 1) + (-1,),
            shape=spectra.shape,
            dtype=spectra.dtype,
            limit=_CHUNK * spectra.shape[-1] * spectra.dtype.itemsize,
        )
        # With name=False, dask does not read all data to compute a name.
        spectra = da.from_array(spectra, chunks=chunks, name=False)
    spectra = _merged(spectra.rechunk({spectra.ndim - 1: -1}))
    blocks = [spectra]
    if excluded is not None:
        blocks.append(
            da.from_array(excluded[..., None], chunks=(*spectra.chunks[:-1], (1,)), name=False)
        )
    dtype = result_dtype(len(pretrained.properties))
    results = da.map_blocks(
        predict_chunk,
        *blocks,
        preparation=preparation,
        pretrained=pretrained,
        dtype=dtype,
        drop_axis=spectra.ndim - 1,
        meta=np.empty((0,) * (spectra.ndim - 1), dtype=dtype),
    )
    return as_prediction(results)


def _merged(spectra: da.Array) -> da.Array:
    """Merge chunks of few spectra, because each chunk is evaluated as at least one whole batch."""
    n_spectra = int(np.prod(spectra.shape[:-1]))
    if n_spectra >= _BATCH * spectra.npartitions or spectra.npartitions == 1:
        return spectra
    navigation = dict.fromkeys(range(spectra.ndim - 1), "auto")
    return spectra.rechunk(
        navigation, block_size_limit=_BATCH * spectra.shape[-1] * spectra.dtype.itemsize
    )


def predict_chunk(
    spectra: NDArray,
    excluded: NDArray | None = None,
    *,
    preparation: Preparation,
    pretrained: Reader,
) -> NDArray:
    """Predict the properties of the spectra of one chunk.

    Parameters
    ----------
    spectra
        Intensities, shape (..., channels).
    excluded
        True for each spectrum to exclude, shape (..., 1).
    preparation, pretrained
        As in :func:`map_spectra`.

    Returns
    -------
    ndarray
        Results, shape (...), with the fields of
        :func:`~hyperspy_coreloss.pretrained.results.result_dtype`.
    """
    flat = np.ascontiguousarray(spectra).reshape(-1, spectra.shape[-1])
    results = np.empty(len(flat), dtype=result_dtype(len(pretrained.properties)))
    batch = np.zeros((_BATCH, flat.shape[-1]), dtype=flat.dtype)
    for start in range(0, len(flat), _BATCH):
        rows = flat[start : start + _BATCH]
        batch[: len(rows)] = rows
        predicted = predict_batch(batch, preparation, pretrained)
        for name, values in predicted.items():
            results[name][start : start + len(rows)] = values[: len(rows)]
    if excluded is not None:
        results["quality"][np.ravel(excluded)] = Quality.MASKED
    blank_unreadable(results)
    return results.reshape(spectra.shape[:-1])


def predict_batch(
    spectra: NDArray, preparation: Preparation, pretrained: Reader
) -> dict[str, NDArray]:
    """Return each field of the results for one batch of spectra, shape (spectra, channels)."""
    try:
        from hyperspy_coreloss.pretrained.network import evaluate  # imports torch
    except (ImportError, OSError) as error:
        msg = (
            f"Predictions need PyTorch, but it cannot be imported: {error}. Install it again, for "
            "example with pip install --force-reinstall torch."
        )
        raise ImportError(msg) from error
    inputs = preprocess(spectra, preparation)
    return {
        "values": evaluate(pretrained, inputs.spectra),
        "onset": inputs.onset,
        "quality": inputs.quality,
    }


def predict_arrays(spectra: NDArray, preparation: Preparation, pretrained: Reader) -> Prediction:
    """Predict the properties of spectra in memory immediately.

    Parameters
    ----------
    spectra, preparation, pretrained
        As in :func:`map_spectra`.

    Returns
    -------
    Prediction
        Prediction that consists of arrays in memory.
    """
    return as_prediction(predict_chunk(spectra, preparation=preparation, pretrained=pretrained))
