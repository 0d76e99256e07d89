"""Errors of networks that also read the excitation energy (the paper's figure 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hyperspy_coreloss.dataset.inputs import absolute_window, default_recipe
from hyperspy_coreloss.study.held_out import recipe_errors

if TYPE_CHECKING:
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from hyperspy_coreloss.dataset.splits import Split
    from hyperspy_coreloss.training.regressor import TrainingSettings


def errors_with_excitation_energy(
    dataset: SpectrumDataset,
    split: Split,
    settings: TrainingSettings,
    *,
    n_networks: int,
    n_jobs: int | None = None,
) -> dict[str, float]:
    """Return the errors on test spectra that lie at their excitation energies, by property.

    Parameters
    ----------
    dataset
        Spectra, labels and phases.
    split, settings, n_networks, n_jobs
        As in :func:`~hyperspy_coreloss.training.evaluate_split`.
    """
    recipe = replace(default_recipe(dataset), window=absolute_window(dataset))
    return recipe_errors(dataset, recipe, split, settings, n_networks=n_networks, n_jobs=n_jobs)
