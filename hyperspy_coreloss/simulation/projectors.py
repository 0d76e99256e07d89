"""Projector functions of all atoms of a cell in plane waves, without storing their matrix.

The functions of an atom at R are form factors times a phase, ``f_i(G) exp(-iG.R)``, and all atoms
of one kind share the form factors. Sums over the plane waves need only form factors and phases.
They are so much smaller than the matrix that they fit into the processor's cache.
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
        Real form factors, shape ``(functions, 2 * plane waves)``. Each value is stored twice, to
        multiply the real and the imaginary component of a plane-wave coefficient.
    powers
        ``(-i)^l`` of each function, shape ``(functions,)``.
    phases, adjoint_phases
        ``exp(-iG.R)``, shape ``(atoms, plane waves)``, and its adjoint. Both are stored, because
        forming one from the other would cost time at every step.
    columns
        Indices of the functions among those of the whole cell, shape ``(atoms, functions)``.
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
        """Split the functions of an atom at the origin into factors, with the phases of all atoms.

        Parameters
        ----------
        functions
            Functions of an atom at the origin, shape ``(plane waves, functions)``.
        momenta
            Angular momentum of each function, shape ``(functions,)``.
        angles
            ``G.R`` of the atoms, shape ``(atoms, plane waves)``.
        columns
            As in the class.
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
        """Return the inner products with `vectors`, shape ``(m, atoms, functions)``."""
        real = self.form_factors.dtype
        functions = len(self.form_factors)
        products = np.empty((len(vectors), functions, vectors.shape[1]), dtype=vectors.dtype)
        np.multiply(vectors.view(real)[:, np.newaxis], self.form_factors, out=products.view(real))
        sums = products.reshape(-1, vectors.shape[1]) @ self.adjoint_phases
        shaped = sums.reshape(len(vectors), functions, -1).swapaxes(1, 2)
        return shaped * self.powers.conj()

    def expand(self, coefficients: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
        """Return the sum of the functions times `coefficients`, shape ``(m, atoms, functions)``."""
        count, atoms, functions = coefficients.shape
        weights = (coefficients * self.powers).swapaxes(1, 2).reshape(count * functions, atoms)
        terms = (weights @ self.phases).view(self.form_factors.dtype)
        terms = terms.reshape(count, functions, -1)
        terms *= self.form_factors
        return terms.sum(axis=1).view(coefficients.dtype)


@dataclass(frozen=True)
class ProjectorFunctions:
    """Projector functions ``B`` of all atoms of a cell in an orthonormal plane-wave basis.

    Parameters
    ----------
    kinds
        Functions of the atoms, grouped by PAW data set.
    count
        Number of functions of all atoms.
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
        """Return the projector functions of GPAW's PAW data sets.

        Parameters
        ----------
        setups
            PAW data set of each atom.
        basis
            GPAW's plane-wave descriptor for one k-point.
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
        """Return ``B^H v`` of each row of `vectors`, shape ``(m, functions)``."""
        result = np.empty((len(vectors), self.count), dtype=vectors.dtype)
        for kind in self.kinds:
            result[:, kind.columns] = kind.project(vectors)
        return result

    def expand(self, coefficients: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
        """Return ``B c`` of each row of `coefficients`, shape ``(m, plane waves)``."""
        first, *others = (kind.expand(coefficients[:, kind.columns]) for kind in self.kinds)
        for other in others:
            first += other
        return first

    def gram_matrix(self) -> NDArray[np.complexfloating]:
        """Return ``B^H B``, shape ``(functions, functions)``."""
        matrix = np.empty((self.count, self.kinds[0].phases.shape[1]), dtype=self.dtype)
        for kind in self.kinds:
            shaped = kind.form_factors[:, ::2] * kind.powers[:, np.newaxis]
            matrix[kind.columns] = kind.phases[:, np.newaxis] * shaped
        return matrix.conj() @ matrix.T
