"""Ensembles of networks, each trained without one fold of the phases and tested on it.

Each network is trained without one fold of the groups (phases), which can also stop its training
early. The prediction is the mean over the networks. The errors of each network on its own fold give
the prediction intervals (the CV+ method of Barber et al. 2021, Ann. Statist. 49, 486).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.model_selection import GroupKFold
from tqdm.auto import tqdm

from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.pretrained.network import forward
from hyperspy_coreloss.training.regressor import NetworkRegressor, TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


#: Default number of networks of an ensemble.
N_NETWORKS = 8


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trained networks, with their predictions for the spectra held out of their training.

    Parameters
    ----------
    weights
        Arrays for :func:`~hyperspy_coreloss.pretrained.network.forward`, with the networks along
        the first axis.
    held_out
        Prediction of each training spectrum by the network that was trained without its group,
        shape (spectra, properties).
    history
        Mean absolute error on training and held-out spectra after each epoch, in standard
        deviations, shape (networks, epochs, 2); NaN after a network stopped.
    """

    weights: Mapping[str, NDArray]
    held_out: NDArray[np.float64]
    history: NDArray[np.float32]

    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the mean prediction, shape (spectra, properties)."""
        return forward(self.weights, inputs).mean(axis=0)


def train_ensemble(
    inputs: NDArray[np.float32],
    targets: NDArray[np.float64],
    groups: NDArray[np.int64],
    settings: TrainingSettings,
    *,
    step: float,
    n_networks: int = N_NETWORKS,
    start: Mapping[str, NDArray] | None = None,
    n_jobs: int | None = None,
    show_progressbar: bool = False,
) -> Ensemble:
    """Train the networks of an ensemble.

    Parameters
    ----------
    inputs
        Preprocessed spectra, shape (spectra, window channels).
    targets
        Properties, shape (spectra, properties).
    groups
        Group (phase) of each spectrum, shape (spectra,); groups are held out as a whole.
    settings
        Settings of each network; the seed increases by one from network to network.
    step
        Energy step of the inputs, in eV.
    n_networks
        Number of networks, each trained without one fold of the groups; at most the number of
        groups.
    start
        Weights of an ensemble to start from; its networks are used in turn.
    n_jobs
        Number of parallel processes, as in scikit-learn.
    show_progressbar
        Whether to show a progress bar over the networks.

    Raises
    ------
    DatasetError
        If there are fewer than two groups.
    """
    fold_of = fold_numbers(groups, n_networks)
    n_networks = int(fold_of.max()) + 1
    folds = [
        (np.flatnonzero(fold_of != number), np.flatnonzero(fold_of == number))
        for number in range(n_networks)
    ]
    fits = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_fit)(
            NetworkRegressor(replace(settings, seed=settings.seed + number), step=step),
            (inputs[training], targets[training]),
            (inputs[left_out], targets[left_out]),
            None if start is None else _member(start, number),
        )
        for number, (training, left_out) in enumerate(folds)
    )
    networks = list(tqdm(fits, "networks", n_networks, disable=not show_progressbar))

    held_out = np.empty_like(targets)
    history = np.full((n_networks, settings.epochs, 2), np.nan, dtype=np.float32)
    for number, (network, (_, left_out)) in enumerate(zip(networks, folds, strict=True)):
        held_out[left_out] = network.predict(inputs[left_out])
        history[number, : len(network.history_)] = network.history_
    names = networks[0].weights_
    weights = {name: np.stack([network.weights_[name] for network in networks]) for name in names}
    return Ensemble(weights, held_out, history)


def fold_numbers(groups: NDArray[np.int64], n_networks: int) -> NDArray[np.int64]:
    """Return the fold of each spectrum: the number of the network that is trained without it.

    Parameters
    ----------
    groups
        Group (phase) of each spectrum, shape (spectra,).
    n_networks
        Number of networks; with fewer groups there are as many networks as groups.

    Returns
    -------
    ndarray
        Numbers from 0, shape (spectra,). All spectra of a group have one number.

    Raises
    ------
    DatasetError
        If there are fewer than two groups or two networks.
    """
    n_groups = len(np.unique(groups))
    if min(n_networks, n_groups) < 2:
        msg = (
            f"Training holds out groups (phases) of spectra, so it needs at least two groups and "
            f"two networks, but there are {n_groups} groups and {n_networks} networks. Add spectra "
            "of other phases, set the phase of each structure, or increase n_networks."
        )
        raise DatasetError(msg)
    numbers = np.empty(len(groups), dtype=np.int64)
    folds = GroupKFold(min(n_networks, n_groups)).split(groups, groups=groups)
    for number, (_, left_out) in enumerate(folds):
        numbers[left_out] = number
    return numbers


def settings_record(settings: TrainingSettings, n_networks: int) -> dict[str, Any]:
    """Return the settings of an ensemble as a JSON-ready dictionary."""
    return {**asdict(settings), "hidden": list(settings.hidden), "n_networks": n_networks}


def settings_from_record(record: Mapping[str, Any]) -> tuple[TrainingSettings, int]:
    """Return the settings of each network, and the number of networks, from a record.

    Parameters
    ----------
    record
        Result of :func:`settings_record`.
    """
    fields = {**record, "hidden": tuple(record["hidden"])}
    n_networks = int(fields.pop("n_networks"))
    return TrainingSettings(**fields), n_networks


def _fit(
    regressor: NetworkRegressor,
    training: tuple[NDArray, NDArray],
    validation: tuple[NDArray, NDArray],
    start: Mapping[str, NDArray] | None,
) -> NetworkRegressor:
    return regressor.fit(*training, validation=validation, start=start)


def _member(weights: Mapping[str, NDArray], number: int) -> dict[str, NDArray]:
    return {name: array[number % len(array)] for name, array in weights.items()}
