"""Projector functions of all atoms of a cell in plane waves, without their matrix.

The functions of an atom at R are form factors times a phase, ``f_i(G) exp(-iG.R)``, and all atoms
of one kind share the form factors. Sums over the plane waves need no more than these two, which
are so much smaller than the matrix that they stay in the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class AtomKind:
    """Projector functions of the atoms that share a PAW data set.

    Parameters
    ----------
    form_factors
        Real, shape ``(functions, 2 * plane waves)``: each value twice, for real and imaginary
        part.
    powers
        ``(-i)^l`` of each function, shape ``(functions,)``.
    phases, adjoint_phases
        ``exp(-iG.R)``, shape ``(atoms, plane waves)``, and its adjoint. Both are kept, because
        reading one as the other costs time at every step.
    columns
        Places of the functions among all of the cell, shape ``(atoms, functions)``.
    """

    form_factors: NDArray[np.floating]
    powers: NDArray[np.complexfloating]
    phases: NDArray[np.complexfloating]
    adjoint_phases: NDArray[np.complexfloating]
    columns: NDArray[np.integer]

    @classmethod
    def from_functions(
        cls,
        functions: NDArray[np.complexfloating],
        momenta: NDArray[np.integer],
        angles: NDArray[np.float64],
        columns: NDArray[np.integer],
        precision: type[np.complexfloating],
    ) -> AtomKind:
        """Split the functions of an atom at the origin, and place them at all atoms.

        Parameters
        ----------
        functions
            Functions of an atom at the origin, shape ``(plane waves, functions)``.
        momenta
            Angular momentum of each function, shape ``(functions,)``.
        angles
            ``G.R`` of the atoms, shape ``(atoms, plane waves)``.
        columns
            As the field.
        precision
            Complex type.
        """
        powers = (-1j) ** momenta
        real = np.empty(0, dtype=precision).real.dtype
        form_factors = (functions / powers).real.T.astype(real)
        phases = np.exp(-1j * angles).astype(precision)
        return cls(
            form_factors=np.repeat(form_factors, 2, axis=1),
            powers=powers.astype(precision),
            phases=phases,
            adjoint_phases=np.ascontiguousarray(phases.conj().T),
            columns=columns,
        )

    def project(self, vectors: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
        """Inner products with `vectors`, shape ``(m, atoms, functions)``."""
        real = self.form_factors.dtype
        functions = len(self.form_factors)
        products = np.empty((len(vectors), functions, vectors.shape[1]), dtype=vectors.dtype)
        np.multiply(vectors.view(real)[:, np.newaxis], self.form_factors, out=products.view(real))
        sums = products.reshape(-1, vectors.shape[1]) @ self.adjoint_phases
        shaped = sums.reshape(len(vectors), functions, -1).swapaxes(1, 2)
        return shaped * self.powers.conj()

    def expand(self, coefficients: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
        """Sum of the functions times `coefficients`, shape ``(m, atoms, functions)``."""
        count, atoms, functions = coefficients.shape
        weights = (coefficients * self.powers).swapaxes(1, 2).reshape(count * functions, atoms)
        parts = (weights @ self.phases).view(self.form_factors.dtype)
        parts = parts.reshape(count, functions, -1)
        parts *= self.form_factors
        return parts.sum(axis=1).view(coefficients.dtype)


@dataclass(frozen=True)
class ProjectorFunctions:
    """Projector functions ``B`` of all atoms of a cell, orthonormal plane-wave basis.

    Parameters
    ----------
    kinds
        The atoms by kind.
    count
        Number of functions.
    """

    kinds: tuple[AtomKind, ...]
    count: int

    @classmethod
    def from_setups(
        cls,
        setups: Sequence[Any],
        basis: Any,
        positions: NDArray[np.float64],
        scale: float,
        precision: type[np.complexfloating],
    ) -> ProjectorFunctions:
        """Make the projector functions of GPAW's PAW data sets.

        Parameters
        ----------
        setups
            Data set of each atom.
        basis
            GPAW's plane-wave descriptor of one k-point.
        positions
            Fractional positions, shape ``(atoms, 3)``.
        scale
            Factor that makes the plane waves orthonormal.
        precision
            Complex type.
        """
        from gpaw.old.pw.lfc import PWLFC

        # The phase exp(ik.R) of each atom's projectors cancels in every product, because the
        # PAW corrections are diagonal in the atoms.
        waves = basis.G_Qv[basis.Q_qG[0]]
        angles = positions @ basis.gd.cell_cv @ waves.T
        starts = np.cumsum([0, *(setup.ni for setup in setups)])
        kinds = []
        for setup in dict.fromkeys(setups):
            members = [index for index, other in enumerate(setups) if other is setup]
            functions = PWLFC([setup.pt_j], basis)
            functions.set_positions(np.zeros((1, 3)))
            momenta = np.repeat(setup.l_j, [2 * angular + 1 for angular in setup.l_j])
            kinds.append(
                AtomKind.from_functions(
                    functions.expand(0) * scale,
                    momenta,
                    angles[members],
                    starts[members, np.newaxis] + np.arange(setup.ni),
                    precision,
                )
            )
        return cls(tuple(kinds), int(starts[-1]))

    @property
    def dtype(self) -> np.dtype[np.complexfloating]:
        """Complex type of the plane waves."""
        return self.kinds[0].phases.dtype

    def project(self, vectors: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
        """``B^H v`` of each row of `vectors`: ``(m, plane waves)`` to ``(m, functions)``."""
        result = np.empty((len(vectors), self.count), dtype=vectors.dtype)
        for kind in self.kinds:
            result[:, kind.columns] = kind.project(vectors)
        return result

    def expand(self, coefficients: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
        """``B c`` of each row of `coefficients`: ``(m, functions)`` to ``(m, plane waves)``."""
        first, *others = (kind.expand(coefficients[:, kind.columns]) for kind in self.kinds)
        for other in others:
            first += other
        return first

    def gram_matrix(self) -> NDArray[np.complexfloating]:
        """``B^H B``, shape ``(functions, functions)``."""
        matrix = np.empty((self.count, self.kinds[0].phases.shape[1]), dtype=self.dtype)
        for kind in self.kinds:
            shaped = kind.form_factors[:, ::2] * kind.powers[:, np.newaxis]
            matrix[kind.columns] = kind.phases[:, np.newaxis] * shaped
        return matrix.conj() @ matrix.T
