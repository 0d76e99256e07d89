"""Data sets of computed spectra with labels.

The package contains the classes of sites and data sets, files and tables, network inputs, splits,
spectra of minerals, figures and the data card.
"""

from hyperspy_coreloss.dataset.card import render_dataset_card
from hyperspy_coreloss.dataset.computed_site import (
    ComputedSite,
    ComputedStructure,
    RecursionChains,
    SampledSpectrum,
    TransitionLines,
)
from hyperspy_coreloss.dataset.dataset import (
    DatasetCounts,
    SpectrumDataset,
    load_dataset,
)
from hyperspy_coreloss.dataset.inputs import (
    absolute_window,
    default_recipe,
    network_inputs,
    site_thresholds,
)
from hyperspy_coreloss.dataset.minerals import find_sites, mean_spectrum, typical_sites
from hyperspy_coreloss.dataset.plotting import (
    plot_dataset,
    plot_projected_densities,
    plot_surroundings,
)
from hyperspy_coreloss.dataset.splits import (
    Split,
    complete_sites,
    demonstration_phases,
    phase_disjoint_split,
    random_site_split,
)
from hyperspy_coreloss.dataset.summary import summarise
from hyperspy_coreloss.dataset.surroundings_drawing import draw_surroundings
from hyperspy_coreloss.dataset.tables import read_table

__all__ = (
    "ComputedSite",
    "ComputedStructure",
    "DatasetCounts",
    "RecursionChains",
    "SampledSpectrum",
    "SpectrumDataset",
    "Split",
    "TransitionLines",
    "absolute_window",
    "complete_sites",
    "default_recipe",
    "demonstration_phases",
    "draw_surroundings",
    "find_sites",
    "load_dataset",
    "mean_spectrum",
    "network_inputs",
    "phase_disjoint_split",
    "plot_dataset",
    "plot_projected_densities",
    "plot_surroundings",
    "random_site_split",
    "read_table",
    "render_dataset_card",
    "site_thresholds",
    "summarise",
    "typical_sites",
)
