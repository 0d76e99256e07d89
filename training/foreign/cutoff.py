"""Measure what a higher plane-wave cutoff changes in a few oxides that are not silica.

Usage: ``python -m training.foreign.cutoff``

The first site of each oxide of `CHOSEN` is computed again at 520 eV, into ``finer/``, unless it is
there. Then the cosines of the spectra at both cutoffs are printed: as networks read them, from -1
to 15 eV and from -1 to 40 eV around their threshold.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import click

from hyperspy_coreloss.dataset.dataset import SpectrumDataset
from hyperspy_coreloss.dataset.inputs import network_inputs
from hyperspy_coreloss.simulation.campaign import record_path, run_campaign
from hyperspy_coreloss.simulation.collect import collect_sites
from hyperspy_coreloss.simulation.comparison import cosine
from hyperspy_coreloss.simulation.engine import EngineSettings
from hyperspy_coreloss.simulation.site_simulation import SiteSimulator
from hyperspy_coreloss.spectra.energy import EnergyWindow
from hyperspy_coreloss.spectra.recipe import Recipe
from training.foreign.plan import STRUCTURES, foreign_plan

#: A light oxide, one with 3d states at the threshold, and one with filled 3d states.
CHOSEN = ("lime", "rutile", "zincite")
CUTOFF = 520.0
STOPS = (15.0, 40.0)


@click.command()
@click.option("--sites", default="training/foreign/sites", type=click.Path(path_type=Path))
@click.option("--finer", default="training/foreign/finer", type=click.Path(path_type=Path))
def main(sites: Path, finer: Path) -> None:
    """Compute the sites at the higher cutoff, and compare."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tasks = [
        replace(task, sites=task.sites[:1], multiplicities=task.multiplicities[:1])
        for task in foreign_plan()
        if task.name in CHOSEN
    ]
    run_campaign(tasks, finer, SiteSimulator(str(STRUCTURES), EngineSettings(cutoff=CUTOFF)))
    for task in tasks:
        name = record_path(Path(), task.name, task.sites[0]).stem
        pair = [
            site for folder in (sites, finer) for site in collect_sites(folder) if site.name == name
        ]
        if len(pair) < 2:
            logging.info("%s: not computed at both cutoffs", name)
            continue
        logging.info("%s: %s", name, compare(*pair))


def compare(usual, finer) -> str:
    """Return the cosines of the spectra of two sites, and the changes of energy and labels."""
    cosines = []
    for stop in STOPS:
        recipe = Recipe(window=EnergyWindow(stop=stop))
        spectra = (network_inputs(SpectrumDataset((s,), "", ""), recipe)[0] for s in (usual, finer))
        cosines.append(f"-1 to {stop:.0f} eV {cosine(*spectra):.5f}")
    change = finer.labels["excitation_energy"] - usual.labels["excitation_energy"]
    return f"{', '.join(cosines)}, excitation energy {change:+.2f} eV"


if __name__ == "__main__":
    main()
