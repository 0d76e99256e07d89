"""Claims about the edges that are found on a background."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hyperspy_coreloss.spectra.edges import edge_search, find_edges
from hyperspy_coreloss.spectra.energy import channel_widths

ENERGY = np.arange(470.0, 600.0, 0.2)
SEARCH = edge_search(ENERGY, channel_widths(ENERGY), (512.0, 552.0))
ONE = np.ones(300)


def counted(rng, onset, jump_ratio, counts, n=300):
    """Counts of triangular edges that rise over 2 eV, on a power law."""
    background = (ENERGY / 530.0) ** -3.0
    rise = (ENERGY - onset) / 2.0
    edge = np.clip(np.minimum(rise, 1 - (rise - 1) / 8), 0, None)
    return rng.poisson(counts * (background + jump_ratio * edge), (n, ENERGY.size)).astype(
        np.float32
    )


@pytest.mark.parametrize("counts", [50, 1e3, 1e5, 1e7])
def test_counting_noise_alone_is_no_edge(rng, counts):
    assert not find_edges(counted(rng, 530.0, 0.0, counts), SEARCH, ONE).clear.any()


@pytest.mark.parametrize("onset", [520.0, 531.3, 545.0])
@pytest.mark.parametrize("counts", [300, 1e5])
def test_edges_are_found_and_their_background_recovered(rng, onset, counts):
    edges = find_edges(counted(rng, onset, 1.0, counts), SEARCH, ONE)
    assert edges.clear.all()
    assert np.abs(edges.position - onset).max() < 5
    np.testing.assert_allclose(np.median(edges.background.law.exponent), 3.0, atol=0.15)
    np.testing.assert_allclose(edges.noise.mean(), np.sqrt(counts * 1.1), rtol=0.1)


def test_the_parts_of_a_background_are_its_means(rng):
    spectra = counted(rng, 531.0, 1.0, 1e4, 20)
    edges = find_edges(spectra, SEARCH, ONE[:20])
    bounds = SEARCH.parts.bounds[edges.candidate]
    for spectrum, ends, means in zip(spectra, bounds, edges.parts, strict=True):
        expected = [spectrum[start:stop].mean() for start, stop in pairwise(ends)]
        np.testing.assert_allclose(means, expected, rtol=1e-5)


def test_candidates_beside_blank_channels_are_left_out(rng):
    spectra = counted(rng, 531.0, 1.0, 1e4, 20)
    blank = np.zeros(spectra.shape, dtype=bool)
    blank[:, (ENERGY > 536.0) & (ENERGY < 538.0)] = True
    edges = find_edges(spectra, SEARCH, ONE[:20], blank)
    # The area after a candidate is 10 eV wide; the background ends 5 eV before it.
    assert not ((edges.position > 527.0) & (edges.position < 541.0)).any()


def test_where_all_channels_are_blank_no_edge_is_clear(rng):
    spectra = counted(rng, 531.0, 1.0, 1e4, 20)
    edges = find_edges(spectra, SEARCH, ONE[:20], np.ones(spectra.shape, dtype=bool))
    assert not edges.clear.any()


def test_an_edge_does_not_depend_on_the_spectra_beside_it(rng):
    spectra = counted(rng, 531.0, 1.0, 300)
    together = find_edges(spectra, SEARCH, ONE)
    alone = find_edges(spectra[7:8], SEARCH, ONE[:1])
    assert alone.background.law.exponent[0] == together.background.law.exponent[7]
    assert alone.position[0] == together.position[7]


def test_fixed_background_limits_are_kept():
    search = edge_search(ENERGY, channel_widths(ENERGY), (530.0, 540.0), (490.0, 520.0))
    assert np.ptp(search.first.energy) == np.ptp(search.second.energy) == 0
    assert 490 < search.first.energy[0] < search.second.energy[0] < 520
