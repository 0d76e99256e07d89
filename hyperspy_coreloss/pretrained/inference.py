"""Prediction of properties from arrays of spectra, in memory or of dask."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import dask.array as da
import numpy as np
from dask import delayed

from hyperspy_coreloss.dataset.population import NO_POPULATION
from hyperspy_coreloss.pretrained.auxiliary import auxiliary_inputs, measured_conditions
from hyperspy_coreloss.pretrained.intervals import is_believable
from hyperspy_coreloss.pretrained.results import as_prediction, blank_unreadable, result_dtype
from hyperspy_coreloss.pretrained.trust import NOVELTY_LEVEL, compare, widening
from hyperspy_coreloss.spectra.low_loss import measure_low_loss
from hyperspy_coreloss.spectra.preprocessing import preprocess
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.results import Prediction, Reader
    from hyperspy_coreloss.spectra.low_loss import LowLossAxis
    from hyperspy_coreloss.spectra.preparation import Preparation

# Number of spectra that are evaluated together. It is constant because the rounding in the network
# depends on the shape of its input; a spectrum thus gives the same bits in chunks of any shape.
_BATCH = 512
# Number of spectra per chunk when the data are an array in memory: the array is split into so many
# chunks that all processors have work, but a chunk has no fewer and no more spectra than these.
_CHUNKS, _FEWEST, _MOST = 32, 2 * _BATCH, 8 * _BATCH


@dataclass(frozen=True, slots=True)
class LowLossSpectra:
    """Low-loss spectra of the pixels of a map.

    Parameters
    ----------
    spectra
        Intensities, in memory or of dask, shape (..., channels), or (channels,): one for all.
    axis
        Their energy axis.
    sets_zero
        Whether energies are relative to the zero loss of each pixel. Not so for a calibrated axis,
        whose energy zero is that of the calibration.
    """

    spectra: NDArray | da.Array
    axis: LowLossAxis
    sets_zero: bool = True


def map_spectra(
    spectra: NDArray | da.Array,
    preparation: Preparation,
    pretrained: Reader,
    excluded: NDArray | None = None,
    low_loss: LowLossSpectra | None = None,
    novelty_level: float = NOVELTY_LEVEL,
) -> da.Array:
    """Predict the properties of every spectrum, lazily.

    This function neither reads nor computes spectra.

    Parameters
    ----------
    spectra
        Intensities, shape (..., channels). An array in memory is split into chunks of a few
        thousand spectra, without a copy: it must not change before the result is computed. Chunks
        of few spectra are merged. The masked channels of a masked array have no value, like
        channels that are NaN.
    preparation
        Preprocessing of the spectra, from :func:`~hyperspy_coreloss.spectra.prepare`.
    pretrained
        A pretrained model.
    excluded
        True for each spectrum to exclude, shape (...).
    low_loss
        Low-loss spectra of the same pixels, or one spectrum for all.
    novelty_level
        Novelty below which a spectrum is unfamiliar.

    Returns
    -------
    dask.array.Array
        Results, shape (...), with the fields of :func:`.result_dtype`, which :func:`.as_prediction`
        gives one by one.
    """
    if not isinstance(spectra, da.Array):
        spectra = _in_chunks(spectra, _adjacent(spectra.shape[:-1]))
    spectra = _merged(_whole(spectra))
    navigation = spectra.chunks[:-1]
    left_out = low = None
    if excluded is not None:
        left_out = _in_chunks(excluded[..., None], navigation)
    if low_loss is not None:
        low = _beside(low_loss.spectra, navigation)
    dtype = result_dtype(len(pretrained.property_names), low is not None)
    # The axis of the channels becomes one of length 1, and is dropped afterwards: dask then reads
    # and predicts a chunk in one task, so that no worker has to hold spectra between two.
    kept = da.map_blocks(
        _predict_kept,
        spectra,
        left_out,
        low,
        # One key of the graph each, so that a worker is sent them once, and not with every chunk.
        preparation=delayed(preparation, pure=True, traverse=False),
        pretrained=delayed(pretrained, pure=True, traverse=False),
        low_loss_axis=None if low_loss is None else low_loss.axis,
        zero_from_low_loss=low_loss is not None and low_loss.sets_zero,
        novelty_level=novelty_level,
        dtype=dtype,
        chunks=(*navigation, (1,)),
        meta=np.empty((0,) * spectra.ndim, dtype=dtype),
    )
    return _dropped(kept)


def _dropped(kept: da.Array) -> da.Array:
    """Return an array without its last axis, of length 1, by a task that dask joins with others."""
    last = kept.ndim - 1
    meta = np.empty((0,) * last, dtype=kept.dtype)
    results: da.Array = da.map_blocks(_drop_last, kept, drop_axis=last, dtype=kept.dtype, meta=meta)
    return results


def _predict_kept(*arrays: NDArray, **options: Any) -> NDArray:
    """Return the results of :func:`predict_chunk` along one more axis, of length 1."""
    return predict_chunk(*arrays, **options)[..., None]


def _drop_last(results: NDArray) -> NDArray:
    return results[..., 0]


def _beside(low_loss: NDArray | da.Array, navigation: tuple[tuple[int, ...], ...]) -> da.Array:
    """Return low-loss spectra in the chunks of the spectra; one spectrum is one chunk for all."""
    chunks = (*navigation, (low_loss.shape[-1],))
    if low_loss.ndim == 1:
        low_loss = low_loss.reshape((1,) * len(navigation) + low_loss.shape)
        chunks = tuple((size,) for size in low_loss.shape)
    if not isinstance(low_loss, da.Array):
        return _in_chunks(low_loss, chunks[:-1])
    return low_loss.rechunk(chunks)


def _adjacent(navigation: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return chunks of spectra that lie next to one another in memory, for an array of a shape."""
    room = int(np.clip(np.prod(navigation) / _CHUNKS, _FEWEST, _MOST))
    sizes = []
    for length in navigation[::-1]:
        sizes.append(max(min(length, room), 1))
        room //= sizes[-1]
    chunks: tuple[tuple[int, ...], ...] = da.core.normalize_chunks(sizes[::-1], navigation)
    return chunks


def _in_chunks(array: NDArray, navigation: tuple[tuple[int, ...], ...]) -> da.Array:
    """Return a dask array of the parts of an array in memory, with whole spectra.

    Unlike :func:`dask.array.from_array`, it neither copies the array nor reads it to name it.
    """
    chunks = da.core.normalize_chunks((*navigation, -1), array.shape)
    name = f"spectra-{uuid4().hex}"
    keys = product([name], *(range(len(sizes)) for sizes in chunks))
    parts = [array[each] for each in da.core.slices_from_chunks(chunks)]
    meta = array[(slice(0),) * array.ndim]
    return da.Array(dict(zip(keys, parts, strict=True)), name, chunks, meta=meta)


def _whole(spectra: da.Array) -> da.Array:
    """Return spectra in whole chunks; those of few energies of many pixels are split."""
    if spectra.numblocks[-1] == 1:
        return spectra
    room, navigation = _MOST, []
    for sizes in spectra.chunks[-2::-1]:
        most = max(min(max(sizes), room), 1)
        navigation.append(sizes if most == max(sizes) else most)
        room //= most
    return spectra.rechunk((*navigation[::-1], -1))


def _merged(spectra: da.Array) -> da.Array:
    """Merge chunks of few spectra, because each chunk is evaluated as at least one whole batch."""
    n_spectra = int(np.prod(spectra.shape[:-1]))
    if n_spectra >= _BATCH * spectra.npartitions or spectra.npartitions == 1:
        return spectra
    sizes = list(spectra.chunksize)
    for axis in reversed(range(spectra.ndim - 1)):
        size, length = max(sizes[axis], 1), spectra.shape[axis]
        room = _BATCH * size // max(int(np.prod(sizes[:-1])), 1)
        # Several whole chunks or all of them, so that none is read twice.
        sizes[axis] = length if room >= length else max(room // size, 1) * size
    return spectra.rechunk(tuple(sizes))


def predict_chunk(
    spectra: NDArray,
    excluded: NDArray | None = None,
    low_loss: NDArray | None = None,
    *,
    preparation: Preparation,
    pretrained: Reader,
    low_loss_axis: LowLossAxis | None = None,
    zero_from_low_loss: bool = True,
    novelty_level: float = NOVELTY_LEVEL,
) -> NDArray:
    """Predict the properties of the spectra of one chunk.

    Parameters
    ----------
    spectra
        Intensities, shape (..., channels).
    excluded
        True for each spectrum to exclude, shape (..., 1).
    low_loss
        Low-loss spectra, shape (..., low-loss channels), or one spectrum, shape (1, ..., channels).
    preparation, pretrained, novelty_level
        As in :func:`map_spectra`.
    low_loss_axis
        Energy axis of the low-loss spectra.
    zero_from_low_loss
        Whether energies are relative to the zero losses.

    Returns
    -------
    ndarray
        Results, shape (...), with the fields of
        :func:`~hyperspy_coreloss.pretrained.results.result_dtype`.
    """
    flat = spectra.reshape(-1, spectra.shape[-1])
    thin = _measured(low_loss, low_loss_axis, len(flat))
    results = np.empty(len(flat), dtype=result_dtype(len(pretrained.property_names), bool(thin)))
    # Like the spectra, so that a masked array keeps its mask.
    batch = np.zeros_like(flat, shape=(_BATCH, flat.shape[-1]))
    for start in range(0, len(flat), _BATCH):
        rows = flat[start : start + _BATCH]
        batch[: len(rows)] = rows
        place = slice(start, start + len(rows))
        zero_loss, thickness = np.zeros(_BATCH), np.full(_BATCH, np.nan)
        if thin:
            zero_loss[: len(rows)] = thin["zero_loss"][place] * zero_from_low_loss
            thickness[: len(rows)] = thin["relative_thickness"][place]
        predicted = predict_batch(batch, preparation, pretrained, zero_loss, thickness)
        for name, values in predicted.items():
            results[name][place] = values[: len(rows)]
    for name, values in thin.items():
        results[name] = values
    if thin:
        _judge_thickness(results, pretrained.thickest)
    unfamiliar = (results["quality"] == Quality.GOOD) & (results["novelty"] < novelty_level)
    results["quality"][unfamiliar] = Quality.UNFAMILIAR
    if excluded is not None:
        results["quality"][np.ravel(excluded)] = Quality.MASKED
    blank_unreadable(results)
    return results.reshape(spectra.shape[:-1])


def _measured(
    low_loss: NDArray | None, axis: LowLossAxis | None, spectra: int
) -> dict[str, NDArray]:
    """Return the fields that come from low-loss spectra; one spectrum is measured once for all."""
    if low_loss is None or axis is None:
        return {}
    flat = low_loss.reshape(-1, low_loss.shape[-1])
    parts = [
        measure_low_loss(flat[start : start + _BATCH], axis)
        for start in range(0, len(flat), _BATCH)
    ]
    return {
        name: np.broadcast_to(np.concatenate([getattr(part, name) for part in parts]), spectra)
        for name in ("zero_loss", "resolution", "relative_thickness")
    }


def _judge_thickness(results: NDArray, thickest: float) -> None:
    """Set the quality of spectra without a zero loss and of thick specimens, in place."""
    good = results["quality"] == Quality.GOOD
    results["quality"][good & (results["relative_thickness"] > thickest)] = Quality.TOO_THICK
    results["quality"][good & np.isnan(results["zero_loss"])] = Quality.NO_ZERO_LOSS


def predict_batch(
    spectra: NDArray,
    preparation: Preparation,
    pretrained: Reader,
    zero_loss: NDArray | None = None,
    relative_thickness: NDArray | None = None,
) -> dict[str, NDArray]:
    """Return each field of the results for one batch of spectra, shape (spectra, channels)."""
    try:
        from hyperspy_coreloss.pretrained.network import evaluate, one_thread  # imports torch
    except (ImportError, OSError) as error:
        msg = (
            f"Predictions need PyTorch, but it cannot be imported: {error}. Install it again, for "
            "example with pip install --force-reinstall torch."
        )
        raise ImportError(msg) from error
    inputs = preprocess(spectra, preparation, zero_loss=zero_loss)
    read = inputs.spectra
    if pretrained.reads_conditions:
        threshold = inputs.onset.astype(np.float64) + (preparation.energy_offset or 0.0)
        thickness = np.full(len(read), np.nan) if relative_thickness is None else relative_thickness
        conditions = measured_conditions(preparation.certainty, threshold, thickness)
        auxiliary = auxiliary_inputs(conditions, pretrained.usual_threshold)
        read = np.hstack([read, auxiliary])
    with one_thread():
        values, spread, layer = evaluate(pretrained, read)
        compared = None
        if pretrained.references is not None:
            compared = compare(pretrained.references, inputs.spectra, layer)
    novelty, ambiguity = np.ones(len(read), dtype=np.float32), np.zeros_like(values)
    population = np.full(len(read), NO_POPULATION, dtype=np.uint8)
    if compared is not None:
        novelty, ambiguity, population = compared.novelty, compared.ambiguity, compared.population
        spread = spread * widening(compared.distance)
    half_width = pretrained.interval_scale * spread
    outside = ~is_believable(
        values, half_width, pretrained.trained_range, pretrained.property_names
    )
    quality = inputs.quality
    quality[outside & (quality == Quality.GOOD)] = Quality.OUTSIDE_LABELS
    return {
        "values": values,
        "spread": spread,
        "onset": inputs.onset,
        "quality": quality,
        "novelty": novelty,
        "population": population,
        "ambiguity": ambiguity,
        "spikes": inputs.spikes,
        "background_error": inputs.background_error,
    }


def predict_arrays(
    spectra: NDArray,
    preparation: Preparation,
    pretrained: Reader,
    novelty_level: float = NOVELTY_LEVEL,
) -> Prediction:
    """Predict the properties of spectra in memory immediately.

    Parameters
    ----------
    spectra, preparation, pretrained, novelty_level
        As in :func:`map_spectra`.

    Returns
    -------
    Prediction
        Prediction that consists of arrays in memory.
    """
    results = predict_chunk(
        spectra, preparation=preparation, pretrained=pretrained, novelty_level=novelty_level
    )
    return as_prediction(results)
