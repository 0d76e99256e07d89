"""Predictions for phases of the training data set by networks that were not trained on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hyperspy_coreloss.dataset.inputs import network_inputs
from hyperspy_coreloss.dataset.splits import phase_numbers, sites_without
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.pretrained.network import forward_with_spread
from hyperspy_coreloss.training.ensemble import fold_numbers
from hyperspy_coreloss.training.side_by_side import NO_FOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.pretrained.model import PretrainedModel

#: Network of a spectrum whose phase all networks were trained on.
ALL_TRAINED = -2

# Largest difference between errors that are computed again and the recorded ones, in standard
# deviations of the labels: predictions of another network differ by tenths.
_ROUNDING = 1e-3


def left_out_networks(model: PretrainedModel, dataset: SpectrumDataset) -> NDArray[np.int64]:
    """Return the network of a model that was trained without the phase of each site.

    The errors of these networks on one site of each phase are compared with the recorded ones.
    Phases of equal size may be in other folds on processors of another kind; this would be noticed.

    Parameters
    ----------
    model
        Model that :func:`~hyperspy_coreloss.train` trained on the data set, not from another model.
    dataset
        The data set that the model was trained on.

    Returns
    -------
    ndarray
        Number of the network, shape (sites,); :data:`.NO_FOLD` for sites of withheld phases, which
        no network was trained on, and :data:`ALL_TRAINED` for the other sites of a model that has
        one network only.

    Raises
    ------
    DatasetError
        If the model was trained on another data set or from another model, or if the errors of its
        networks are not the recorded ones.
    """
    record = model.record
    if record.dataset_sha256 != dataset.sha256:
        msg = (
            f"The phases left out of the training of {model.name!r} are those of its data set, "
            f"SHA-256 {record.dataset_sha256:.12}, but this data set has {dataset.sha256:.12}. "
            "Load the data set that the model was trained on."
        )
        raise DatasetError(msg)
    if record.start_sha256 is not None:
        msg = (
            f"Every network of {model.name!r} must have started without training, but they started "
            f"from the model {record.start_sha256:.12}, which may have been trained on any phase. "
            "Use a model that was trained without start=."
        )
        raise DatasetError(msg)
    networks = np.full(len(dataset), NO_FOLD, dtype=np.int64)
    rows = sites_without(dataset, record.withheld_phases)
    if model.n_networks == 1:
        networks[rows] = ALL_TRAINED
        return networks
    phases = phase_numbers(dataset)[rows]
    folds = fold_numbers(phases, model.n_networks)
    one_each = np.unique(phases, return_index=True)[1]
    _check_errors(model, dataset.take(rows[one_each]), folds[one_each], one_each)
    networks[rows] = folds
    return networks


def predict_left_out(
    model: PretrainedModel, inputs: NDArray[np.float32], networks: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Predict each spectrum by the network that was trained without its phase.

    Parameters
    ----------
    model
        Model whose networks predict.
    inputs
        Network inputs, shape (spectra, inputs).
    networks
        Network of each spectrum, shape (spectra,), of :func:`left_out_networks`. Where it is
        :data:`.NO_FOLD`, the prediction is the mean over all networks.

    Returns
    -------
    values, spread : ndarray
        Properties and their spreads, shape (spectra, properties); NaN where all networks were
        trained on the phase.
    """
    everything = forward_with_spread(model.weights, inputs)
    own = np.maximum(networks, 0), np.arange(len(inputs))
    withheld, trained = ((networks == code)[:, None] for code in (NO_FOLD, ALL_TRAINED))
    values, spread = (
        np.where(trained, np.nan, np.where(withheld, each.mean(axis=0), each[own]))
        for each in everything
    )
    return values, spread


def _check_errors(
    model: PretrainedModel,
    sites: SpectrumDataset,
    networks: NDArray[np.int64],
    positions: NDArray[np.int64],
) -> None:
    """Refuse networks whose errors on sites are not those recorded at some positions."""
    predicted, _ = predict_left_out(model, network_inputs(sites, model.recipe), networks)
    deviation = np.abs(predicted - sites.targets - model.scores[positions])
    largest = float((deviation / model.weights["target_scale"][0]).max())
    if largest > _ROUNDING:
        msg = (
            f"The networks of {model.name!r} must have their recorded errors on the phases left "
            f"out, but these differ by up to {largest:.2g} standard deviations of the labels: the "
            "phases were divided differently in the training. Train the model again on this "
            "machine."
        )
        raise DatasetError(msg)
