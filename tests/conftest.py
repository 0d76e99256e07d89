"""Shared fixtures. No test needs the network; real files are read where they are at hand."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import hypothesis
import matplotlib as mpl
import numpy as np
import pytest

mpl.use("agg")
# Busy machines are slow now and then; timings are benchmarks.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

#: Deprecations that were shown whatever the filters of warnings say.
PASSED_FILTERS: list[str] = []


def pytest_warning_recorded(warning_message, nodeid):
    if warning_message.category.__name__ == "VisibleDeprecationWarning":
        PASSED_FILTERS.append(f"{nodeid}: {warning_message.message}")


def pytest_sessionfinish(session):
    if PASSED_FILTERS and session.exitstatus == 0:
        print("\n".join(["", *PASSED_FILTERS]))  # noqa: T201  # beside the results of the tests
        session.exitstatus = 1


REAL_EELS = Path(os.environ.get("HYPERSPY_CORELOSS_REAL_EELS", "../shared/data/real_eels"))


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def local_only(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in (
            "127.0.0.1",
            "localhost",
            "::1",
        ):
            msg = f"a test tried to reach {address}"
            raise AssertionError(msg)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)


@pytest.fixture
def rng():
    return np.random.default_rng(20190325)


@pytest.fixture(scope="session")
def sites():
    from hyperspy_coreloss.data import oxygen_k_sites

    return oxygen_k_sites()


@pytest.fixture(scope="session")
def quartz(sites):
    """The computed edge of alpha-quartz."""
    from hyperspy_coreloss.dataset.reference import reference_edge

    return reference_edge(sites, "alpha-quartz")


@pytest.fixture
def mixed():
    """Five sites of three structures, with spectra of every kind."""
    from hyperspy_coreloss.dataset.computed_site import (
        ComputedStructure,
        SampledSpectrum,
        TransitionLines,
    )
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset
    from tests.made_sites import chains, site, structure

    common = structure("common", "glass")
    lines = TransitionLines(np.linspace(0, 30, 7), np.linspace(1, 2, 7))
    samples = SampledSpectrum(np.linspace(-10, 25, 50), np.hypot(1, np.linspace(-10, 25, 50)), 0.3)
    return SpectrumDataset(
        sites=(
            site("a", cell=common, details={"calculation": {"cutoff": 400.0}, "energy": -3.5}),
            site("b", chains(30, 4), common, 2, details={"calculation": {"cutoff": 400.0}}),
            site(
                "c",
                lines,
                labels={"mulliken_charge": -1.2},
                details={"label_definitions": {"mulliken_charge": "CASTEP's"}},
            ),
            site("d", samples, ComputedStructure("table", "table"), -1),
            site("e", projected_densities={"ground state O p": chains(25, 3)}),
        ),
        description="made up",
        licence="CC0",
        convergence=(
            {
                "volume": [None, 500.0],
                "changes": [{"parameter": "cutoff", "cosine": 0.9991, "charge_change": None}],
            },
        ),
    )


@pytest.fixture(scope="session")
def pretrained():
    from hyperspy_coreloss import load_pretrained

    return load_pretrained("silica-o-k")


def _trained(sites, name, **window):
    from hyperspy_coreloss import TrainingSettings, train
    from hyperspy_coreloss.dataset import complete_sites, default_recipe

    complete = sites.take(complete_sites(sites))
    return train(
        complete,
        TrainingSettings(hidden=(64, 64), epochs=60, patience=None, learning_rate=2e-3),
        name=name,
        recipe=replace(default_recipe(complete), **window),
        n_networks=2,
        intended_use="Tests.",
        limits="All.",
        n_jobs=1,
        show_progressbar=False,
    )


@pytest.fixture(scope="session")
def ensemble(sites):
    """Return a model of two networks that read clean spectra, and nothing else."""
    return _trained(sites, "ensemble")


@pytest.fixture(scope="session")
def absolute(sites):
    """Return a model that reads spectra at their excitation energies."""
    from hyperspy_coreloss import absolute_window

    return _trained(sites, "absolute", window=absolute_window(sites))


@pytest.fixture(scope="session")
def _image():
    from hyperspy_coreloss.data import silica_spectrum_image

    return silica_spectrum_image((7, 5), seed=10)  # all of whose pixels are familiar


@pytest.fixture
def image(_image):
    """A small noisy spectrum image and its true properties."""
    return tuple(signal.deepcopy() for signal in _image)


@pytest.fixture(params=["eager", "lazy"])
def signal(request, image):
    """The spectra of the small image, in memory and lazily, in several chunks."""
    spectra = image[0]
    if request.param == "lazy":
        spectra = spectra.as_lazy()
        spectra.data = spectra.data.rechunk((2, 3, 400))
    return spectra


@pytest.fixture
def prediction(image):
    return image[0].predict_properties(resolution=0.5, show_progressbar=False)


@pytest.fixture
def real_eels():
    """Folder of measured spectra, which may not be passed on with the package."""
    if not REAL_EELS.is_dir():
        pytest.skip(
            f"no measured spectra in {REAL_EELS}; name their folder in HYPERSPY_CORELOSS_REAL_EELS"
        )
    return REAL_EELS
