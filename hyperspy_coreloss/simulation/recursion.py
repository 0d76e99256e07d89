"""Haydock recursion on a converged GPAW Hamiltonian, with the exact inverse PAW overlap.

In the PAW method the eigenvalue problem is generalised, ``H u = E S u`` with
``S = 1 + B O B^H``. The columns of ``B`` are the projector functions in plane waves, and ``O`` is
block-diagonal in the atoms. Woodbury's identity gives the exact inverse, ``S^-1 = 1 - B X B^H``
with ``X = O (1 + G O)^-1`` and ``G = B^H B``. The recursion therefore needs neither empty states
nor an approximate overlap.

Each vector ``w`` of the recursion is kept as ``t + B c``: a vector ``t`` in plane waves and
coefficients ``c`` of the projector functions. Each step then takes only two multiplications with
``B`` (:mod:`.projectors`), one of them for ``z = S^-1 w``.

Notes
-----
Taillefumier, Cabaret, Flank and Mauri 2002, Phys. Rev. B 66, 195107 (recursion for XANES);
Gougoussis, Calandra, Seitsonen and Mauri 2009, Phys. Rev. B 80, 075102 (ultrasoft overlap).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation.projectors import ProjectorFunctions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Recursion:
    """Recursion coefficients of one site.

    Parameters
    ----------
    alpha, beta
        Coefficients in eV, shape ``(k-points, polarisations, steps)``.
    norm
        Squared norm of the starting vectors in atomic units, shape
        ``(k-points, polarisations)``.
    kpoints
        Fractional k-points of the supercell, shape ``(k-points, 3)``.
    """

    alpha: NDArray[np.float64]
    beta: NDArray[np.float64]
    norm: NDArray[np.float64]
    kpoints: NDArray[np.float64]


@dataclass(frozen=True)
class PlaneWaveHamiltonian:
    """A converged PAW Hamiltonian at one k-point, in atomic units.

    Parameters
    ----------
    kinetic
        Kinetic energy of the plane waves, shape ``(plane waves,)``.
    potential
        Local potential on the grid, shape ``(n1, n2, n3)``.
    box
        Shape of the smallest box of wave vectors that contains the plane waves.
    box_index
        Flat index of each plane wave in the box, shape ``(plane waves,)``. The box starts at the
        lowest wave vector, not at zero; the resulting phase in real space cancels on transforming
        back.
    projectors
        Projector functions of all atoms.
    nonlocal_energy, nonlocal_overlap
        PAW corrections of Hamiltonian and overlap, block-diagonal in the atoms, shape
        ``(projectors, projectors)``.
    slices
        Columns of `projectors` that belong to each atom.
    """

    kinetic: NDArray[np.floating]
    potential: NDArray[np.floating]
    box: tuple[int, ...]
    box_index: NDArray[np.integer]
    projectors: ProjectorFunctions
    nonlocal_energy: NDArray[np.float64]
    nonlocal_overlap: NDArray[np.float64]
    slices: tuple[slice, ...]

    @classmethod
    def from_calculator(
        cls,
        calculator: Any,
        kpoint: Sequence[float],
        cutoff: float,
        *,
        precision: type[np.complexfloating],
    ) -> PlaneWaveHamiltonian:
        """Take the Hamiltonian from a converged calculation.

        Parameters
        ----------
        calculator
            Converged plane-wave GPAW calculator, which gives the potential.
        kpoint
            Any fractional k-point; it need not be one of the calculation.
        cutoff
            Plane-wave cutoff in eV, as in the calculation.
        precision
            Complex type of the vectors.
        """
        from ase.units import Hartree
        from gpaw.old.kpt_descriptor import KPointDescriptor
        from gpaw.old.pw.descriptor import PWDescriptor

        waves, grid = calculator.wfs, calculator.wfs.gd
        points = KPointDescriptor(np.array([kpoint], dtype=float))
        basis = PWDescriptor(cutoff / Hartree, grid, complex, points)
        projectors = ProjectorFunctions.from_setups(
            waves.setups,
            basis,
            calculator.spos_ac,
            1.0 / np.sqrt(grid.dv * grid.N_c.prod()),
            precision,
        )
        box, box_index = _smallest_box(basis.Q_qG[0], grid.N_c)
        energy, overlap, slices = _atomic_matrices(calculator)
        real = np.empty(0, dtype=precision).real.dtype
        return cls(
            kinetic=(0.5 * basis.G2_qG[0]).astype(real),
            potential=np.ascontiguousarray(calculator.hamiltonian.vt_sG[0], dtype=real),
            box=box,
            box_index=box_index,
            projectors=projectors,
            nonlocal_energy=energy,
            nonlocal_overlap=overlap,
            slices=slices,
        )

    def apply_local(self, vectors: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
        """Apply kinetic energy and local potential to `vectors`, shape ``(m, plane waves)``."""
        from scipy.fft import fft, ifft

        result = vectors * self.kinetic
        box = np.zeros(self.box, dtype=vectors.dtype)
        for vector, target in zip(vectors, result, strict=True):
            box.ravel()[self.box_index] = vector
            field = box
            for axis, size in enumerate(self.potential.shape):
                field = ifft(field, size, axis)
            field *= self.potential
            # Most of the grid's wave vectors lie outside the box and need no transform.
            for axis, size in reversed(tuple(enumerate(self.box))):
                field = fft(field, axis=axis)[(slice(None),) * axis + (slice(size),)]
            target += field.ravel()[self.box_index]
        return result


def _smallest_box(
    grid_index: NDArray[np.integer], shape: NDArray[np.integer]
) -> tuple[tuple[int, ...], NDArray[np.integer]]:
    """Return the smallest box around plane waves on a grid, and their flat indices in it."""
    places = np.array(np.unravel_index(grid_index, shape)).T
    wave_numbers = (places + shape // 2) % shape - shape // 2
    wave_numbers -= wave_numbers.min(axis=0)
    box = tuple(int(size) for size in wave_numbers.max(axis=0) + 1)
    return box, np.ravel_multi_index(tuple(wave_numbers.T), box)


def _atomic_matrices(
    calculator: Any,
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[slice, ...]]:
    from gpaw.utilities import unpack_hermitian
    from scipy.linalg import block_diag

    setups = calculator.wfs.setups
    corrections = calculator.hamiltonian.dH_asp
    energy = block_diag(*[unpack_hermitian(corrections[a][0]).real for a in range(len(setups))])
    overlap = block_diag(*[setup.dO_ii for setup in setups])
    ends = np.cumsum([setup.ni for setup in setups])
    slices = tuple(slice(end - setup.ni, end) for setup, end in zip(setups, ends, strict=True))
    return energy, overlap, slices


def dipole_amplitudes(calculator: Any, atom: int) -> NDArray[np.float64]:
    """Return the dipole matrix elements between the 1s state and the partial waves of `atom`.

    Returns
    -------
    numpy.ndarray
        Shape ``(3, projectors of the atom)``, in atomic units; the rows are the polarisations x,
        y and z.
    """
    from gpaw.xas import dipole_matrix_elements

    return dipole_matrix_elements(calculator.wfs.setups[atom])[:, 0, :]


def projector_amplitudes(
    calculator: Any, atom: int, angular_momentum: int = 1
) -> NDArray[np.float64]:
    """Return the amplitudes whose recursion gives the projected density of states of `atom`.

    The weight of a state is its squared projection on the atom's bound partial waves with
    `angular_momentum`, as in GPAW's orbital-projected density of states.

    Returns
    -------
    numpy.ndarray
        Shape ``(2 l + 1, projectors of the atom)``: one row for each real spherical harmonic.

    Raises
    ------
    SimulationError
        If the atom has no bound partial wave with this angular momentum.
    """
    setup = calculator.wfs.setups[atom]
    start = 0
    for n, angular in zip(setup.n_j, setup.l_j, strict=True):
        if n > 0 and angular == angular_momentum:
            return np.eye(setup.ni)[start : start + 2 * angular + 1]
        start += 2 * angular + 1
    msg = (
        f"A projected density of states needs a bound partial wave with l = {angular_momentum}; "
        f"{setup.symbol} has l = {list(setup.l_j)}, n = {list(setup.n_j)}. Choose another l."
    )
    raise SimulationError(msg)


def haydock_recursion(
    hamiltonian: PlaneWaveHamiltonian, atom: int, amplitudes: NDArray[np.float64], steps: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Run the recursion from `amplitudes` on the projectors of `atom`.

    Parameters
    ----------
    hamiltonian
        Converged Hamiltonian.
    atom
        Index of the absorbing atom.
    amplitudes
        Starting amplitudes, shape ``(polarisations, projectors of the atom)``.
    steps
        Number of recursion steps.

    Returns
    -------
    alpha, beta
        Coefficients in eV, shape ``(polarisations, steps)``; ``beta[:, 0]`` is 0.
    norm
        Squared norm of the starting vectors, shape ``(polarisations,)``.

    Raises
    ------
    SimulationError
        If the recursion breaks down: a vector has zero length (the Krylov space is exhausted) or
        is not finite.
    """
    from ase.units import Hartree

    projectors, real = hamiltonian.projectors, hamiltonian.kinetic.dtype
    gram, overlap, energy, woodbury = _projector_matrices(hamiltonian)
    count = len(amplitudes)
    # Every vector w of the recursion is kept as plain + B coefficients (t + B c above).
    plain = np.zeros((count, len(hamiltonian.kinetic)), dtype=projectors.dtype)
    coefficients: NDArray[np.complexfloating] = np.zeros((count, len(gram)), dtype=np.complex128)
    coefficients[:, hamiltonian.slices[atom]] = amplitudes
    plain_projected = np.zeros_like(coefficients)
    before, before_projected = np.zeros_like(plain), np.zeros_like(coefficients)
    alpha, beta = np.zeros((count, steps)), np.zeros((count, steps))
    for step in range(steps):
        on_projectors = plain_projected + coefficients @ gram
        correction = on_projectors @ woodbury
        vector = plain + projectors.expand((coefficients - correction).astype(plain.dtype))
        projected = on_projectors - correction @ gram
        length = np.sqrt(_inner(vector, vector) + _inner(projected, projected @ overlap))
        _check_length(length, step)
        vector /= length[:, np.newaxis].astype(real)
        projected /= length[:, np.newaxis]
        applied, applied_projected = hamiltonian.apply_local(vector), projected @ energy
        alpha[:, step] = _inner(vector, applied) + _inner(projected, applied_projected)
        beta[:, step] = length
        a = alpha[:, step, np.newaxis]
        b = length[:, np.newaxis] * (step > 0)
        plain = applied - a.astype(real) * vector - b.astype(real) * before
        coefficients = applied_projected - (a * projected + b * before_projected) @ overlap
        plain_projected = projectors.project(plain)
        before, before_projected = vector, projected
    norm = beta[:, 0] ** 2
    beta[:, 0] = 0.0
    return alpha * Hartree, beta * Hartree, norm


def _projector_matrices(hamiltonian: PlaneWaveHamiltonian) -> tuple[Any, ...]:
    """Return ``G``, ``O``, the PAW energies and ``X`` of the module's docstring, transposed.

    They multiply row vectors; products with transposed views would take longer. Matrices that are
    block-diagonal in the atoms are sparse. All are in double precision, which costs little and
    keeps the vectors orthogonal for longer.
    """
    from scipy.sparse import csr_array

    gram = hamiltonian.projectors.gram_matrix().astype(np.complex128)
    overlap, energy = hamiltonian.nonlocal_overlap, hamiltonian.nonlocal_energy
    woodbury = overlap @ np.linalg.inv(np.eye(len(gram)) + gram @ overlap)
    return (
        np.ascontiguousarray(gram.T),
        csr_array(overlap.T.astype(gram.dtype)),
        csr_array(energy.T.astype(gram.dtype)),
        np.ascontiguousarray(woodbury.T),
    )


def _inner(
    left: NDArray[np.complexfloating], right: NDArray[np.complexfloating]
) -> NDArray[np.float64]:
    """Return the real part of the inner product of each row of `left` with that of `right`."""
    return np.array([np.vdot(x, y).real for x, y in zip(left, right, strict=True)], dtype=float)


def _check_length(length: NDArray[np.float64], step: int) -> None:
    if not np.all(np.isfinite(length)) or np.any(length < 1e-10):
        msg = (
            "The recursion needs vectors of finite length, not zero, at every step; the lengths at "
            f"step {step} are {np.array2string(length, precision=3)}. Use fewer steps, or check "
            "that the calculation converged and that the absorbing atom has a core hole."
        )
        raise SimulationError(msg)


def recursion_kpoints(volume: float, two_points_from: float = 1200.0) -> NDArray[np.float64]:
    """Return the k-points of a supercell: four points (1/4, ±1/4, ±1/4), two in large cells.

    By time reversal, the four points represent the whole 2 x 2 x 2 grid. Cosines of spectra of
    quartz (-1 to 15 eV, sigma 0.5 eV) show what fewer points change. Equivalent sites in 54 atoms
    agree to 0.9999 with four points, to 0.9972 with the first two and to 0.9974 with the first
    alone. Cells of 54 and 72 atoms agree to 0.9999 with four points, to 0.995 to 0.9986 with
    fewer. Fewer points give some directions more weight than others. Four points agree with the
    3 x 3 x 3 grid to 0.9998 or better in 441 to 825 Å**3, and two points with four to 0.9998 in
    1221 Å**3 (``benchmarks/simulation_convergence.py``).

    Parameters
    ----------
    volume
        Volume of the supercell in cubic angstrom.
    two_points_from
        Volume in cubic angstrom from which two points are used (about 72 atoms of an open
        framework). The two differ in the relative sign along the two shortest cell vectors, which
        matters most.

    Returns
    -------
    numpy.ndarray
        Fractional k-points, shape ``(4, 3)`` or ``(2, 3)``.
    """
    quarters = [[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]]
    return 0.25 * np.array(quarters if volume < two_points_from else quarters[::2])
