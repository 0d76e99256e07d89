"""Claims about the populations of the sites that the campaign computed."""

from __future__ import annotations

import json

import pytest

from hyperspy_coreloss.dataset.population import OTHER
from hyperspy_coreloss.simulation.site_record import load_site_record
from hyperspy_coreloss.simulation.tasks import load_tasks
from tests.paths import ROOT
from training.silica.populations import FILE, population_of

SITES = ROOT / "training" / "sites"


def test_the_list_is_that_of_the_plan():
    tasks = load_tasks(SITES / "tasks.json")
    assert json.loads(FILE.read_text()) == {task.name: population_of(task) for task in tasks}


@pytest.mark.parametrize(
    ("name", "population"),
    [
        ("COD-Quartz-alpha", "crystal"),
        ("mp-559550", "crystal"),
        ("IZA-SOD", "zeolite"),
        ("mp-7648-v0", "strained"),
        ("mp-7648-vac2", "vacancy"),
    ],
)
def test_known_structures_have_their_population(name, population):
    assert json.loads(FILE.read_text())[name] == population


def test_every_record_has_a_population():
    listed = json.loads(FILE.read_text())
    for path in sorted(SITES.glob("*.npz")):
        structure = path.stem.rpartition("_")[0]
        if structure not in listed:
            label = load_site_record(path).label
            assert label["population"] != OTHER, path.name


def test_no_state_lies_in_the_gap_of_a_glass_or_a_heated_crystal():
    """A broken bond that the geometry does not show would leave one."""
    for path in sorted(SITES.glob("*.npz")):
        if path.stem.startswith(("glass-", "silanol-")) or "00K-" in path.stem:
            label = load_site_record(path).label
            if label["population"] in ("glass", "heated", "silanol"):
                assert label["lumo_gs"] - label["homo_gs"] > 4.0, path.name
