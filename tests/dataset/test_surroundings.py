"""The pictures of sites show the bonds, angles and Voronoi cells of the labels."""

from __future__ import annotations

import dataclasses
import re
import time
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from ase import Atoms
from scipy.spatial import ConvexHull

from hyperspy_coreloss.data import oxygen_k_foreign
from hyperspy_coreloss.dataset.computed_site import ComputedStructure
from hyperspy_coreloss.dataset.minerals import find_sites, typical_sites
from hyperspy_coreloss.dataset.plotting import plot_surroundings
from hyperspy_coreloss.dataset.surroundings import (
    Neighbours,
    bond_angles,
    bonded_neighbours,
    without_hydrogen,
)
from hyperspy_coreloss.dataset.surroundings_drawing import draw_surroundings
from hyperspy_coreloss.dataset.surroundings_scene import (
    angle_arc,
    cell_edges,
    picture_axes,
    scene_of,
)
from hyperspy_coreloss.errors import DatasetError
from tests import made_sites


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def every_site(sites):
    """All shipped sites, those of other oxides included, with their scenes."""
    return [
        (site, scene_of(site.structure, site.absorber, voronoi=False))
        for site in (*sites.sites, *oxygen_k_foreign().sites)
    ]


def arc_angle(first, second):
    """Return the angle that an arc covers in degrees, from its points."""
    arc = angle_arc(first, second, 0.8)
    np.testing.assert_allclose(np.linalg.norm(arc, axis=1), 0.8)
    steps = 2 * np.arcsin(np.linalg.norm(np.diff(arc, axis=0), axis=1) / 1.6)
    return np.degrees(steps.sum())


def test_drawn_bonds_and_arcs_are_those_of_the_labels_of_every_site(every_site):
    for site, scene in every_site:
        drawn = Neighbours(np.arange(1, 1 + scene.n_bonded), scene.bonded)
        lengths = without_hydrogen(
            drawn, Atoms(numbers=scene.numbers, positions=scene.positions)
        ).distances
        assert lengths.mean() == pytest.approx(site.labels["bond_length"], abs=1e-9)
        np.testing.assert_allclose(scene.bond_lengths, site.details["bonds"], atol=1e-9)
        if scene.n_bonded > 1:
            arcs = [arc_angle(*pair) for pair in combinations(scene.bonded, 2)]
            # Straight bonds: the label has lost digits to the arc cosine.
            assert np.mean(arcs) == pytest.approx(site.labels["bond_angle"], abs=1e-4)


def test_two_bonds_are_seen_in_their_true_lengths_and_open_downwards(every_site):
    for _, scene in every_site:
        if scene.n_bonded == 2:
            flat = scene.bonded[:, :2]
            np.testing.assert_allclose(np.linalg.norm(flat, axis=1), scene.bond_lengths, atol=1e-9)
            assert (flat / scene.bond_lengths[:, np.newaxis]).sum(axis=0)[1] < 1e-3
            (seen,) = bond_angles(flat)
            assert seen == pytest.approx(bond_angles(scene.bonded)[0], abs=1e-4)


def test_a_picture_is_never_a_mirror_image(every_site):
    for site, scene in every_site[::10]:
        axes = picture_axes(scene.positions, scene.n_bonded)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(axes) == pytest.approx(1.0)
        vectors = bonded_neighbours(site.structure, site.absorber).vectors
        if scene.n_bonded == 3:
            order = np.argsort(np.linalg.norm(vectors, axis=1), kind="stable")
            volumes = np.linalg.det(vectors[order]), np.linalg.det(scene.bonded)
            assert volumes[0] == pytest.approx(volumes[1], abs=1e-9)


def test_no_neighbour_hides_another(every_site):
    for _, scene in every_site:
        flat = np.vstack([np.zeros(2), scene.bonded[:, :2]])
        apart = [np.linalg.norm(one - other) for one, other in combinations(flat, 2)]
        assert min(apart) > 0.5


def test_the_drawn_voronoi_cell_has_the_volume_of_the_label(sites):
    for site in (*sites.sites[::20], *oxygen_k_foreign().sites):
        corners = scene_of(site.structure, site.absorber).corners
        volume = ConvexHull(corners).volume
        assert volume == pytest.approx(site.labels["voronoi_volume"], rel=1e-9)
        edges, front = cell_edges(corners)
        faces = 2 + len(edges) - len(np.unique(edges))  # Euler's formula
        assert 4 <= faces <= len(edges)
        assert 0 < front.sum() <= len(edges)


def test_a_cube_has_twelve_edges_of_which_nine_are_seen():
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
    view = picture_axes(np.array([[0, 0, 0], [1, 1.3, 0], [1, -1, 1.2]], dtype=float), 2)
    edges, front = cell_edges(corners @ view.T)
    assert len(edges) == 12
    np.testing.assert_allclose(np.linalg.norm(np.diff(corners[edges], axis=1), axis=2), 2.0)
    assert front.sum() == 9


def test_structures_of_ase_and_of_the_data_set_have_the_same_bonds(sites):
    part = sites.sites[0].structure
    atoms = Atoms(part.numbers, positions=part.positions, cell=part.cell, pbc=True)
    for one, other in zip(
        *(vars(bonded_neighbours(each, 30)).values() for each in (part, atoms)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_straight_bonds_have_an_arc_below():
    arc = angle_arc(np.array([1.6, 0.0, 0.0]), np.array([-1.6, 0.0, 0.0]), 1.0)
    np.testing.assert_allclose(arc[len(arc) // 2], [0.0, -1.0, 0.0], atol=0.05)


def test_the_written_numbers_are_those_of_the_labels(sites):
    for site in typical_sites(sites).sites:
        panel = plt.figure().add_subplot()
        draw_surroundings(panel, site)
        words = [text.get_text() for text in panel.texts]
        lengths = sorted(float(word.split()[0]) for word in words if word.endswith("Å"))
        np.testing.assert_allclose(lengths, site.details["bonds"], atol=0.00501)
        (angle,) = (word for word in words if word.endswith("°"))
        assert angle == f"{site.labels['bond_angle']:.1f}°"


def test_silica_is_drawn_as_two_tetrahedra(sites):
    (quartz,) = find_sites(sites, "alpha-quartz").sites
    scene = scene_of(quartz.structure, quartz.absorber)
    assert scene.numbers.tolist() == [8, 14, 14, *[8] * 6]
    assert len(scene.bonds) == 8


def test_metal_atoms_beside_one_oxygen_atom_are_not_joined():
    site = next(s for s in oxygen_k_foreign().sites if s.structure.phase == "rutile")
    scene = scene_of(site.structure, site.absorber)
    kinds = scene.numbers[scene.bonds]
    assert (np.sort(kinds, axis=1) == [8, 22]).all()


def test_nothing_hides_an_atom_with_many_bonds():
    site = next(s for s in oxygen_k_foreign().sites if s.structure.phase == "periclase")
    scene = scene_of(site.structure, site.absorber)
    assert scene.numbers.tolist() == [8, *[12] * 6]
    panel = plt.figure().add_subplot()
    draw_surroundings(panel, site)
    assert "mean of 15 angles: 108.0°" in [text.get_text() for text in panel.texts]


def test_one_site_of_each_population_is_typical(sites):
    usual = typical_sites(sites)
    assert list(usual.populations) == list(dict.fromkeys(usual.populations))
    assert set(usual.populations) == set(sites.populations)
    for site in usual.sites:
        own = sites.of_population(site.population).targets[:, :2]
        low, high = np.nanpercentile(own, (20, 80), axis=0)
        values = [site.labels["bond_length"], site.labels["bond_angle"]]
        assert (low <= values).all()
        assert (values <= high).all()


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_sites_of_all_kinds_are_drawn(sites, style):
    kinds = {}
    for site in sites.sites:
        kinds.setdefault((site.population, site.details["coordination"]), site)
    with plt.style.context(style):
        figure = plot_surroundings([*kinds.values(), *oxygen_k_foreign().sites[:12]])
        figure.canvas.draw()
    captions = [text.get_text() for panel in figure.axes for text in panel.texts]
    for site in kinds.values():
        assert any(f"V = {site.labels['voronoi_volume']:.1f} Å³" in word for word in captions)


def test_one_site_is_drawn_with_a_table_of_its_labels(sites):
    (quartz,) = find_sites(sites, "alpha-quartz").sites
    picture, table = plot_surroundings(quartz, voronoi=False).axes
    assert not picture.patches
    words = " ".join(text.get_text() for text in table.texts)
    for name, value in quartz.labels.items():
        assert re.search(rf"{name.split('_')[-1]} \(\S+\) {value:#.4g}", words), name


def test_sites_without_structure_or_neighbours_are_drawn():
    unknown = made_sites.site("table", cell=ComputedStructure("table", "table"), absorber=-1)
    alone = made_sites.site("alone")
    figure = plot_surroundings([unknown, alone])
    figure.canvas.draw()
    assert "structure\nunknown" in [text.get_text() for text in figure.axes[0].texts]
    lone = dataclasses.replace(
        alone.structure, numbers=[8, 1], positions=[[0, 0, 0], [0.97, 0, 0]], cell=9.0 * np.eye(3)
    )
    plot_surroundings(dataclasses.replace(alone, structure=lone)).canvas.draw()


def test_too_many_sites_are_refused(sites):
    for chosen in ((), sites.sites[:41]):
        with pytest.raises(DatasetError, match="pictures of 1 to 40 sites"):
            plot_surroundings(chosen)


def test_small_pictures_are_quick(sites):
    times = []
    for site in sites.sites[:10]:
        panel = plt.figure(figsize=(1.2, 1.2)).add_axes((0, 0, 1, 1))
        start = time.process_time()
        draw_surroundings(panel, site, labels=False)
        times.append(time.process_time() - start)
        assert not panel.texts
    assert min(times) < 0.03
