"""Claims about the GPAW engine, on cells small enough to diagonalise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("gpaw", reason="the engine is GPAW (extra 'simulation')")
pytest.importorskip("spglib", reason="inequivalent sites need spglib (extra 'simulation')")

from ase.build import bulk

from hyperspy_coreloss.dataset.continued_fraction import spectrum_from_recursion
from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation import engine
from hyperspy_coreloss.simulation.basis_set import plane_wave_count
from hyperspy_coreloss.simulation.core_hole import CORE_HOLES, ensure_core_hole_setup
from hyperspy_coreloss.simulation.engine import (
    absorption_recursion,
    calculate_core_hole,
    converge_core_hole,
    converge_ground_state,
    excitation_energy,
    ground_state_of,
    projected_density_recursion,
)
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.populations import calculate_populations
from hyperspy_coreloss.simulation.projectors import ProjectorFunctions
from hyperspy_coreloss.simulation.recursion import (
    PlaneWaveHamiltonian,
    dipole_amplitudes,
    haydock_recursion,
    projector_amplitudes,
    recursion_kpoints,
)
from hyperspy_coreloss.simulation.structures import absorbing_sites

SETUP_NAME = CORE_HOLES["full"].setup_name
FAST = EngineSettings(cutoff=300.0, steps=200)
GAMMA = np.zeros((1, 3))
ENERGY = np.linspace(-25, 60, 400)
SITE = 4


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("core_hole")


@pytest.fixture(scope="module")
def diagonalised(stishovite, cache):
    """Core-hole cell of stishovite with all its eigenstates at Gamma."""
    ensure_core_hole_setup("O", FAST.functional, cache)
    calculator = engine.plane_wave_calculator(
        FAST,
        setups={SITE: SETUP_NAME},
        charge=-1,
        mode={"name": "pw", "ecut": FAST.cutoff, "force_complex_dtype": True},
    )
    atoms = stishovite.copy()
    atoms.calc = calculator
    atoms.get_potential_energy()
    calculator.diagonalize_full_hamiltonian()
    return calculator


def _xas_spectrum(calculator, lifetime: float) -> np.ndarray:
    """Spectra of all eigenstates after gpaw.xas, shape (3, energies)."""
    from gpaw.xas import XAS

    states = XAS(calculator, mode="all", center=SITE)
    offsets = ENERGY[:, np.newaxis] - states.eps_kn[0]
    shape = lifetime / np.pi / (offsets**2 + lifetime**2)
    return np.abs(states.sigma_cmkn[:, 0, 0]) ** 2 @ shape.T


@pytest.mark.parametrize(("precision", "tolerance"), [(np.complex128, 1e-4), (np.complex64, 1e-3)])
def test_the_recursion_equals_full_diagonalisation(diagonalised, precision, tolerance):
    hamiltonian = PlaneWaveHamiltonian.from_calculator(
        diagonalised, (0, 0, 0), FAST.cutoff, precision=precision
    )
    coefficients = haydock_recursion(
        hamiltonian, SITE, dipole_amplitudes(diagonalised, SITE), FAST.steps
    )
    exact = _xas_spectrum(diagonalised, 0.5)
    ours = spectrum_from_recursion(*coefficients, ENERGY, 0.5)
    assert np.abs(ours - exact).max() < tolerance * exact.max()


def test_the_precision_is_what_the_settings_say(diagonalised):
    spectra = {}
    for precision in ("single", "double"):
        settings = replace(FAST, precision=precision)
        found = absorption_recursion(diagonalised, SITE, settings, GAMMA)
        spectra[precision] = spectrum_from_recursion(
            found.alpha[0], found.beta[0], found.norm[0], ENERGY, 0.5
        )
    exact = _xas_spectrum(diagonalised, 0.5)
    single, double = (np.abs(found - exact).max() / exact.max() for found in spectra.values())
    assert double < 1e-4
    assert double < single


def test_another_precision_is_refused():
    with pytest.raises(SimulationError, match="single or double; 'half'"):
        EngineSettings(precision="half")


def test_the_projector_functions_are_those_of_gpaw(diagonalised):
    from ase.units import Hartree
    from gpaw.old.kpt_descriptor import KPointDescriptor
    from gpaw.old.pw.descriptor import PWDescriptor
    from gpaw.old.pw.lfc import PWLFC

    waves = diagonalised.wfs
    points = KPointDescriptor(np.array([[0.25, 0.25, -0.25]]))
    basis = PWDescriptor(FAST.cutoff / Hartree, waves.gd, complex, points)
    whole = PWLFC([setup.pt_j for setup in waves.setups], basis)
    whole.set_positions(diagonalised.spos_ac)
    matrix = whole.expand(0)
    ours = ProjectorFunctions.from_setups(
        waves.setups, basis, diagonalised.spos_ac, 1.0, np.complex128
    )
    n_waves, n_functions = matrix.shape
    rng = np.random.default_rng(0)
    vectors, coefficients = (
        rng.standard_normal((2, size)) + 1j * rng.standard_normal((2, size))
        for size in (n_waves, n_functions)
    )
    np.testing.assert_allclose(ours.project(vectors), vectors @ matrix.conj(), atol=1e-9)
    np.testing.assert_allclose(ours.expand(coefficients), coefficients @ matrix.T, atol=1e-9)
    np.testing.assert_allclose(ours.gram_matrix(), matrix.conj().T @ matrix, atol=1e-9)


def test_the_projected_density_of_states_equals_full_diagonalisation(diagonalised):
    recursion = projected_density_recursion(diagonalised, SITE, FAST, GAMMA)
    ours = spectrum_from_recursion(recursion.alpha, recursion.beta, recursion.norm, ENERGY, 0.5)
    amplitudes = projector_amplitudes(diagonalised, SITE)
    point = diagonalised.wfs.kpt_u[0]
    weights = np.abs(point.P_ani[SITE] @ amplitudes.T) ** 2
    offsets = ENERGY[:, np.newaxis] - diagonalised.get_eigenvalues()
    exact = 0.5 / np.pi / (offsets**2 + 0.25) @ weights
    assert np.abs(ours[0] - exact.T).max() < 1e-3 * exact.max()


def test_the_plane_waves_of_a_cell_are_counted_as_the_engine_does(diagonalised, stishovite):
    engine_count = len(diagonalised.wfs.pd.Q_qG[0])
    assert plane_wave_count(stishovite.cell[:], FAST.cutoff) == engine_count


def test_a_projection_on_a_missing_partial_wave_is_refused(diagonalised):
    with pytest.raises(SimulationError, match="l = 3"):
        projector_amplitudes(diagonalised, SITE, angular_momentum=3)


def test_symmetry_equivalent_sites_give_equal_spectra_and_energies(stishovite, cache):
    (site,) = absorbing_sites(stishovite, "O")
    spectra, energies, edges = [], [], []
    for index in (site.equivalents[0], site.equivalents[2]):
        calculator = converge_core_hole(stishovite, index, FAST, cache)
        recursion = absorption_recursion(calculator, index, FAST, GAMMA)
        parts = spectrum_from_recursion(
            recursion.alpha, recursion.beta, recursion.norm, ENERGY, 0.5
        )
        spectra.append(parts.mean(axis=(0, 1)))  # over polarisations: the sites are rotated
        energies.append(calculator.get_potential_energy())
        edges.append(engine.band_edges(calculator))
    np.testing.assert_allclose(spectra[0], spectra[1], atol=1e-4 * spectra[0].max())
    assert energies[0] == pytest.approx(energies[1], abs=1e-4)
    assert edges[0] == pytest.approx(edges[1], abs=1e-3)


def test_symmetry_equivalent_sites_give_equal_populations(stishovite):
    populations = calculate_populations(stishovite, FAST)
    charges = [populations.mulliken_charge(index) for index in range(6)]
    overlaps = [populations.bond_overlap_population(stishovite, index) for index in range(6)]
    np.testing.assert_allclose(charges[2:], charges[2], atol=1e-3)
    np.testing.assert_allclose(overlaps[2:], overlaps[2], atol=1e-3)
    assert sum(charges) == pytest.approx(0.0, abs=1e-3)
    assert charges[2] < 0 < charges[0]


def test_oxygen_in_silica_is_excited_near_its_edge(stishovite, cache):
    ground = ground_state_of(converge_ground_state(stishovite, FAST))
    state = calculate_core_hole(stishovite, 2, FAST, cache)
    assert 530 < excitation_energy(ground, state) < 555
    assert ground.lumo > ground.homo
    assert state.lumo > state.homo
    assert state.recursion.alpha.shape == (4, 3, FAST.steps)
    assert ground.atomic_potentials.shape == state.atomic_potentials.shape == (6,)


def test_the_start_does_not_change_the_result(stishovite, cache):
    start = converge_ground_state(stishovite, FAST)
    cold, warm = (
        calculate_core_hole(stishovite, SITE, FAST, cache, ground_state)
        for ground_state in (None, start)
    )
    assert warm.energy == pytest.approx(cold.energy, abs=1e-3)
    spectra = [
        spectrum_from_recursion(r.alpha, r.beta, r.norm, ENERGY, 0.5).mean(axis=(0, 1))
        for r in (cold.recursion, warm.recursion)
    ]
    overlap = spectra[0] @ spectra[1]
    assert overlap / np.linalg.norm(spectra[0]) / np.linalg.norm(spectra[1]) > 0.9999


@pytest.mark.parametrize(
    ("element", "crystal", "low", "high"),
    [
        ("C", bulk("C", "diamond", a=3.567, cubic=True), 270, 310),
        ("N", bulk("BN", "zincblende", a=3.615, cubic=True), 385, 425),
    ],
)
def test_other_elements_run_through_the_same_engine(element, crystal, low, high, cache):
    site = crystal.get_chemical_symbols().index(element)
    calculator = converge_ground_state(crystal, FAST)
    ground = ground_state_of(calculator)
    state = calculate_core_hole(crystal, site, FAST, cache, calculator)
    assert low < excitation_energy(ground, state) < high
    assert (state.recursion.norm > 0).all()


def test_a_core_hole_data_set_is_made_once(cache):
    ensure_core_hole_setup("O", "PBE", cache)
    path = cache / f"O.{SETUP_NAME}.PBE"
    made = path.stat().st_mtime_ns
    ensure_core_hole_setup("O", "PBE", cache)
    assert path.stat().st_mtime_ns == made
    assert not list(cache.glob(".*"))


def test_an_element_without_parameters_is_refused(cache):
    with pytest.raises(SimulationError, match="'Xx'"):
        ensure_core_hole_setup("Xx", "PBE", cache)


def test_a_site_outside_the_cell_is_refused(stishovite, cache):
    with pytest.raises(SimulationError, match="0 to 5; found 6"):
        converge_core_hole(stishovite, 6, FAST, cache)


def test_a_recursion_past_its_end_is_refused(diagonalised):
    hamiltonian = PlaneWaveHamiltonian.from_calculator(
        diagonalised, (0, 0, 0), FAST.cutoff, precision=np.complex128
    )
    nothing = np.zeros_like(dipole_amplitudes(diagonalised, SITE))
    with pytest.raises(SimulationError, match="finite length"):
        haydock_recursion(hamiltonian, SITE, nothing, 3)


def test_small_cells_use_all_points_of_the_two_by_two_by_two_grid():
    points = recursion_kpoints(900.0)
    grid = {tuple(np.mod(sign * point, 1)) for point in points for sign in (1, -1)}
    assert len(grid) == 8
    assert recursion_kpoints(1300.0).tolist() == points[::2].tolist()
