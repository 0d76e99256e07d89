"""Prediction from a noisy spectrum of a phase left out of the training (the paper's figure 6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA
from hyperspy_coreloss.training.model_training import train

if TYPE_CHECKING:
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.spectra.recipe import Recipe
    from hyperspy_coreloss.training.regressor import TrainingSettings

Json = dict[str, Any]

# The simulated spectrum that replaces the paper's measurement: counts in the highest channel, full
# width of the zero loss and dispersion in eV, and the σ in eV of the ensemble that reads it.
_COUNTS = 2000.0
_RESOLUTION = 0.2
_STEP = 0.05
_SIGMA = 0.1
# Level of the prediction intervals.
_LEVEL = 0.9


def predict_noisy_spectrum(
    dataset: SpectrumDataset,
    recipe: Recipe,
    phase: str,
    settings: TrainingSettings,
    *,
    n_networks: int,
    n_jobs: int | None = None,
) -> Json | None:
    """Train without a phase, and predict its first site from a noisy spectrum.

    Parameters
    ----------
    dataset
        Spectra, labels and phases.
    recipe
        Preprocessing of the spectra; its σ is replaced by 0.1 eV.
    phase
        Phase to leave out of the training. If the data set does not have it, None is returned.
    settings, n_networks, n_jobs
        As in :func:`~hyperspy_coreloss.train`.
    """
    of_phase = np.array(dataset.phases) == phase
    if not of_phase.any():
        return None
    recipe = replace(recipe, sigma=_SIGMA)
    model = train(
        dataset.take(np.flatnonzero(~of_phase)),
        settings,
        name=f"without {phase}",
        intended_use="One figure of the study.",
        limits="Not to be used for anything else.",
        recipe=recipe,
        n_networks=n_networks,
        n_jobs=n_jobs,
        show_progressbar=False,
    )
    site = dataset.take(np.flatnonzero(of_phase)[:1])
    energy = np.arange(-10.0, 30.0, _STEP)
    exact = site.spectra(energy, sigma=_RESOLUTION / FWHM_PER_SIGMA)
    random = np.random.default_rng(settings.seed)
    counts = random.poisson(np.clip(exact, 0, None) * (_COUNTS / exact.max()))
    axis = energy + recipe.nominal_onset
    predicted = model.predict(counts, axis, resolution=_RESOLUTION, background=None)
    columns = zip(
        predicted.values[0].tolist(),
        site.targets[0].tolist(),
        model.half_width(_LEVEL).tolist(),
        strict=True,
    )
    return {
        "site": site.names[0],
        "left_out_phase": phase,
        "resolution": _RESOLUTION,
        "sigma": _SIGMA,
        "level": _LEVEL,
        "energy": axis.tolist(),
        "counts": counts[0].tolist(),
        "threshold": float(predicted.onset[0]),
        "properties": {
            spec.name: {"predicted": value, "true": true, "half_width": half_width}
            for spec, (value, true, half_width) in zip(dataset.properties, columns, strict=True)
        },
    }
