"""Learning an emulator from a data set, and how wrong it is on phases that it does not know."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import trapezoid
from scipy.optimize import least_squares
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.model_selection import GroupKFold

from hyperspy_coreloss.components.curves import evaluate_curves
from hyperspy_coreloss.components.emulator import STEP, SpectrumEmulator
from hyperspy_coreloss.dataset.splits import phase_numbers
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.properties import EXCITATION_ENERGY, property_index
from hyperspy_coreloss.provenance import package_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.components.curves import CurveArgument
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

_FOLDS = 5
# Where the search for the length scales (in standard deviations) and the noise starts, and where
# it ends: properties of real sites never fix a spectrum.
_LENGTH, _NOISE = (2.0, (0.3, 30.0)), (0.3, (1e-3, 10.0))
# Limits of intensity and onset in eV when a spectrum of unit area is fitted.
_INTENSITY, _ONSET = (0.5, 2.0), (-2.0, 2.0)
_MOST_STEPS = 100


def train_emulator(
    dataset: SpectrumDataset,
    properties: Sequence[str] | None = None,
    *,
    name: str,
    sigma: float = 0.2,
    energy_range: tuple[float, float] = (-5.0, 40.0),
    n_components: int = 15,
) -> SpectrumEmulator:
    """Learn the spectra of a data set as a function of properties.

    Takes less than a minute for some hundred spectra, two for a thousand. The same data set gives
    the same emulator on one kind of processor.

    Parameters
    ----------
    dataset
        Computed spectra with labels and phases.
    properties
        Names of the properties that the spectrum is a function of; by default all of the data set
        but the excitation energy, which is where the spectrum lies.
    name
        Identifies the emulator.
    sigma
        Standard deviation in eV of the Gaussian broadening of the spectra.
    energy_range
        In eV from the lowest empty state; cut to where all spectra are known.
    n_components
        Principal components of the spectra; fewer if there are fewer spectra.

    Raises
    ------
    UnknownPropertyError
        If the data set has no such property.
    DatasetError
        If a property of a site is not known, or there are fewer than two phases.
    """
    known = [spec.name for spec in dataset.properties]
    wanted = [one for one in known if one != EXCITATION_ENERGY.name]
    columns = [property_index(one, known) for one in (properties or wanted)]
    values = dataset.targets[:, columns]
    _check(dataset, values, [known[column] for column in columns])
    low, high = np.clip(energy_range, *dataset.energy_range)
    energy = low + STEP * np.arange(int((high - low) / STEP + 1e-6) + 1)
    spectra = dataset.spectra(energy, sigma)
    spectra /= trapezoid(spectra, energy, axis=1)[:, np.newaxis]
    groups = phase_numbers(dataset)

    record = {
        "dataset_sha256": dataset.sha256,
        **asdict(dataset.counts),
        "licence": dataset.licence,
        "package_version": package_version(),
    }
    specs = tuple(dataset.properties[column] for column in columns)

    def emulator(arrays: dict[str, NDArray[np.float64]]) -> SpectrumEmulator:
        return SpectrumEmulator(name, dataset.edge, specs, sigma, float(low), record, arrays)

    arrays, noise = _fit(values, spectra, n_components)
    missed, residuals = np.empty_like(spectra), np.empty_like(values)
    for rest, left_out in GroupKFold(min(_FOLDS, len(set(groups)))).split(values, groups=groups):
        partial = emulator(_fit(values[rest], spectra[rest], n_components, (arrays, noise))[0])
        missed[left_out] = spectra[left_out] - partial.spectra(values[left_out])
        fitted = np.array([fit_properties(partial, spectrum) for spectrum in spectra[left_out]])
        residuals[left_out] = fitted - values[left_out]
    arrays |= {"discrepancy": np.sqrt(np.mean(missed**2, axis=0)), "residuals": residuals}
    return emulator(arrays)


def fit_properties(
    emulator: SpectrumEmulator, spectrum: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Fit all properties to one spectrum, with intensity and onset, by least squares.

    Parameters
    ----------
    emulator
        Whose spectra are fitted; the bounds are the range of its sites.
    spectrum
        On the energies of the emulator, of about unit area.

    Returns
    -------
    ndarray
        Shape (properties,).
    """
    energy, arrays = emulator.curves.energy, emulator.arrays
    lower, upper = arrays["lower"], arrays["upper"]
    spread = np.where(upper > lower, upper - lower, 1.0)

    def parts(at: NDArray[np.float64], derivative: CurveArgument | None) -> NDArray[np.float64]:
        return evaluate_curves(emulator.curves, energy - at[1], derivative=derivative)

    def missed(at: NDArray[np.float64]) -> NDArray[np.float64]:
        return at[0] * (emulator.mixture(at[None, 2:])[0] @ parts(at, None)) - spectrum

    def gradient(at: NDArray[np.float64]) -> NDArray[np.float64]:
        curves, mixture = parts(at, None), emulator.mixture(at[None, 2:])[0]
        by_onset = -at[0] * (mixture @ parts(at, "energy"))
        by_properties = at[0] * (emulator.mixture_gradient(at[2:]).T @ curves)
        return np.column_stack([mixture @ curves, by_onset, by_properties.T])

    # From the properties of the training site whose emulated spectrum is nearest.
    nearest = np.argmin(((emulator.site_spectra - spectrum) ** 2).sum(axis=1))
    inside = np.clip(emulator.sites[nearest], lower + 1e-3 * spread, upper - 1e-3 * spread)
    # A property that all sites share has no range; least_squares wants one.
    lowest = np.concatenate([[_INTENSITY[0], _ONSET[0]], lower])
    highest = np.concatenate([[_INTENSITY[1], _ONSET[1]], lower + spread])
    found = least_squares(
        missed,
        np.concatenate([[1.0, 0.0], inside]),
        gradient,
        bounds=(lowest, highest),
        x_scale=np.concatenate([[1.0, 1.0], spread]),
        max_nfev=_MOST_STEPS,
    )
    return found.x[2:]


def _check(dataset: SpectrumDataset, values: NDArray[np.float64], names: Sequence[str]) -> None:
    unknown = np.argwhere(np.isnan(values))
    if len(unknown):
        site, column = unknown[0]
        msg = (
            f"The {names[column]} of {dataset.names[site]} is not known. Leave it out of the "
            "properties, or the site out of the data set."
        )
        raise DatasetError(msg)
    if dataset.counts.n_phases < 2:
        msg = "An emulator is judged on phases that are left out, so it needs two or more phases."
        raise DatasetError(msg)


def _fit(
    values: NDArray[np.float64],
    spectra: NDArray[np.float64],
    n_components: int,
    known: tuple[Mapping[str, NDArray], float] | None = None,
) -> tuple[dict[str, NDArray[np.float64]], float]:
    """Fit a Gaussian process; also return its noise.

    Length scales and noise are those of a process that is known, or else the likeliest.
    """
    centre, spread = values.mean(axis=0), values.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    points = (values - centre) / scale
    pca = PCA(min(n_components, len(spectra) - 1), random_state=0).fit(spectra)
    scores = pca.transform(spectra)
    unit = scores[:, 0].std()
    lengths, amplitude, noise = np.full(len(centre), _LENGTH[0]), 1.0, _NOISE[0]
    if known is not None:
        arrays, noise = known
        lengths, amplitude = arrays["length_scales"], arrays["amplitude"].item()
    kernel = ConstantKernel(amplitude, (1e-3, 1e3)) * RBF(lengths, _LENGTH[1])
    # All components share one kernel: a whole spectrum is nearer to or further from others.
    process = GaussianProcessRegressor(
        kernel + WhiteKernel(noise, _NOISE[1]),
        optimizer="fmin_l_bfgs_b" if known is None else None,
        random_state=0,
    )
    with warnings.catch_warnings():
        # Few sites say little about the length scales; then the bounds are meant to hold.
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(points, scores / unit)
    smooth, white = process.kernel_.k1, process.kernel_.k2
    fitted = {
        "mean": pca.mean_,
        "components": pca.components_,
        "centre": centre,
        "scale": scale,
        "lower": values.min(axis=0),
        "upper": values.max(axis=0),
        "points": points,
        "length_scales": np.atleast_1d(smooth.k2.length_scale).astype(np.float64),
        "amplitude": np.array([smooth.k1.constant_value]),
        "coefficients": process.alpha_ * unit,
        # Not known before the process has been tried on what it does not know.
        "discrepancy": np.zeros_like(pca.mean_),
        "residuals": np.zeros_like(values),
    }
    return fitted, float(white.noise_level)
