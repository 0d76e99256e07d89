"""Accuracy on the sites of a second theory, which networks of the first predict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.trial import predict_sites
from hyperspy_coreloss.dataset.acquisition import specimen
from hyperspy_coreloss.dataset.computed_site import SampledSpectrum
from hyperspy_coreloss.spectra.microscope import CLEAN
from hyperspy_coreloss.training.accuracy import accuracy_by_population
from hyperspy_coreloss.training.cross_validation import measure_sites
from training.transfer.differences import theory_difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.trial import Networks, Trial
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

# Windows and number of spectra of each site for the second theory, and the site of quartz whose
# spectrum gives the difference of the energy scales.
TRANSFERRED, TRANSFER_COPIES, QUARTZ = ("15", "40", "100"), 8, "mp-10851_3"


def measure_transfer(
    trial: Trial,
    transfer: SpectrumDataset,
    networks: Networks,
    window: str,
) -> dict[str, Any]:
    """Return the accuracy on the sites of a second theory, and on the same sites by the first.

    The scale of energies of the second theory is also corrected by what one site of quartz tells.
    """
    places = [trial.dataset.names.index(name) for name in transfer.names]
    usual = trial.dataset.take(places)
    quartz = transfer.names.index(QUARTZ)
    difference = theory_difference(*(each.sites[quartz].spectrum for each in (usual, transfer)))
    scale, recipe = difference.oscillations, trial.recipes[window]
    moved = replace(
        recipe.window,
        start=recipe.window.start + scale.shift,
        stop=recipe.window.stop + scale.shift,
    )
    cases = {
        "first_theory": (usual, recipe),
        "second_theory": (with_energies(transfer, usual, 1.0), recipe),
        "second_theory_calibrated": (
            with_energies(transfer, usual, scale.stretch),
            replace(recipe, window=moved),
        ),
    }
    results: dict[str, Any] = {"shift": scale.shift, "stretch": scale.stretch}
    local = replace(trial, dataset=usual, folds=trial.folds[places])
    for name, (sites, read) in cases.items():
        sample = specimen(sites)
        if name != "first_theory":
            sample = replace(sample, targets=transfer_targets(transfer, usual))
        measured = measure_sites(sample, [read], CLEAN, TRANSFER_COPIES, trial.seeds[-4])
        here = replace(local, sample=sample)
        predictions = predict_sites(here, networks, measured, measured.read_by(0))
        results[name] = accuracy_by_population(usual.properties, predictions)
    return results


def with_energies(
    transfer: SpectrumDataset, usual: SpectrumDataset, stretch: float
) -> SpectrumDataset:
    """Return sites with the excitation energies of the usual theory, and energies divided."""
    sites = []
    for other, site in zip(transfer.sites, usual.sites, strict=True):
        spectrum = other.spectrum
        energy = spectrum.energy / stretch
        # The end of the axis is that of all computed spectra.
        energy[-1] = max(energy[-1], spectrum.energy[-1])
        sampled = SampledSpectrum(energy, spectrum.intensity_samples, spectrum.sigma)
        labels = {**other.labels, "excitation_energy": site.labels["excitation_energy"]}
        sites.append(replace(other, spectrum=sampled, labels=labels))
    return replace(transfer, sites=tuple(sites), properties=usual.properties)


def transfer_targets(transfer: SpectrumDataset, usual: SpectrumDataset) -> NDArray[np.float64]:
    """Return the labels of the second theory in the columns of the first; NaN for others."""
    rows = [
        [site.labels.get(spec.name, np.nan) for spec in usual.properties] for site in transfer.sites
    ]
    return np.array(rows)
