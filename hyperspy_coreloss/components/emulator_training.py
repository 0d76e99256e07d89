"""Training an emulator on a data set, and its errors on phases left out of the training."""

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
from hyperspy_coreloss.dataset.splits import phase_numbers, sites_without
from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.properties import EXCITATION_ENERGY, property_index
from hyperspy_coreloss.provenance import package_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hyperspy_coreloss.components.curves import CurveArgument
    from hyperspy_coreloss.dataset.dataset import SpectrumDataset

_FOLDS = 5
# Initial value and bounds of the length scales (in standard deviations) and of the noise. The noise
# has a lower bound, because equal properties do not imply equal spectra.
_LENGTH, _NOISE = (2.0, (0.3, 30.0)), (0.3, (1e-3, 10.0))
# Bounds of the intensity and of the onset in eV in the fit to a spectrum of unit area.
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
    withheld_phases: Sequence[str] = (),
) -> SpectrumEmulator:
    """Train an emulator: the spectra of a data set as a function of properties.

    Training takes less than a minute for a few hundred spectra, and two minutes for a thousand. The
    same data set gives the same emulator on processors of one kind.

    Parameters
    ----------
    dataset
        Computed spectra with labels and phases.
    properties
        Names of the properties that the spectrum is a function of; by default all properties of the
        data set except the excitation energy, which is the position of the spectrum.
    name
        Identifies the emulator.
    sigma
        Standard deviation in eV of the Gaussian broadening of the spectra.
    energy_range
        In eV from the lowest empty state; restricted to the range that all spectra cover.
    n_components
        Number of principal components; at most one less than the number of spectra.
    withheld_phases
        Names of phases that the emulator is not trained on; by default none. The emulator records
        them.

    Raises
    ------
    UnknownPropertyError
        If the data set has no such property.
    DatasetError
        If a site lacks one of the properties, there are fewer than two phases, or a withheld phase
        is not in the data set.
    """
    dataset_sha256 = dataset.sha256
    dataset = dataset.take(sites_without(dataset, withheld_phases))
    names = [spec.name for spec in dataset.properties]
    wanted = [one for one in names if one != EXCITATION_ENERGY.name]
    columns = [property_index(one, names) for one in (properties or wanted)]
    values = dataset.targets[:, columns]
    _check(dataset, values, [names[column] for column in columns])
    low, high = np.clip(energy_range, *dataset.energy_range)
    energy = low + STEP * np.arange(int((high - low) / STEP + 1e-6) + 1)
    spectra = dataset.spectra(energy, sigma)
    spectra /= trapezoid(spectra, energy, axis=1)[:, np.newaxis]
    groups = phase_numbers(dataset)

    record = {
        "dataset_sha256": dataset_sha256,
        "withheld_phases": list(withheld_phases),
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
        Emulator to fit; its training sites bound the properties.
    spectrum
        Intensities at the energies of the emulator, with an area of about one.

    Returns
    -------
    ndarray
        Shape (properties,).
    """
    energy, arrays = emulator.curves.energy, emulator.arrays
    lower, upper = arrays["lower"], arrays["upper"]
    spread = np.where(upper > lower, upper - lower, 1.0)

    def shifted_curves(
        at: NDArray[np.float64], derivative: CurveArgument | None
    ) -> NDArray[np.float64]:
        return evaluate_curves(emulator.curves, energy - at[1], derivative=derivative)

    def missed(at: NDArray[np.float64]) -> NDArray[np.float64]:
        return at[0] * (emulator.mixture(at[None, 2:])[0] @ shifted_curves(at, None)) - spectrum

    def gradient(at: NDArray[np.float64]) -> NDArray[np.float64]:
        curves, mixture = shifted_curves(at, None), emulator.mixture(at[None, 2:])[0]
        by_onset = -at[0] * (mixture @ shifted_curves(at, "energy"))
        by_properties = at[0] * (emulator.mixture_gradient(at[2:]).T @ curves)
        return np.column_stack([mixture @ curves, by_onset, by_properties.T])

    # Start from the training site whose emulated spectrum is nearest to this one.
    nearest = np.argmin(((emulator.site_spectra - spectrum) ** 2).sum(axis=1))
    inside = np.clip(emulator.sites[nearest], lower + 1e-3 * spread, upper - 1e-3 * spread)
    # least_squares needs a range also for a property that is equal in all sites.
    lowest = np.concatenate([[_INTENSITY[0], _ONSET[0]], lower])
    highest = np.concatenate([[_INTENSITY[1], _ONSET[1]], lower + spread])
    solution = least_squares(
        missed,
        np.concatenate([[1.0, 0.0], inside]),
        gradient,
        bounds=(lowest, highest),
        x_scale=np.concatenate([[1.0, 1.0], spread]),
        max_nfev=_MOST_STEPS,
    )
    return solution.x[2:]


def _check(dataset: SpectrumDataset, values: NDArray[np.float64], names: Sequence[str]) -> None:
    missing = np.argwhere(np.isnan(values))
    if len(missing):
        site, column = missing[0]
        msg = (
            f"An emulator needs all its properties for all sites, but {dataset.names[site]} has no "
            f"{names[column]}. Leave the property out with properties=, or the sites with "
            "dataset.take(complete_sites(dataset)), from hyperspy_coreloss.dataset."
        )
        raise DatasetError(msg)
    if dataset.counts.n_phases < 2:
        msg = (
            "An emulator is tested on phases left out of its training, so it needs two or more "
            f"phases; the data set has {dataset.counts.n_phases}. Add sites of other phases."
        )
        raise DatasetError(msg)


def _fit(
    values: NDArray[np.float64],
    spectra: NDArray[np.float64],
    n_components: int,
    earlier: tuple[Mapping[str, NDArray], float] | None = None,
) -> tuple[dict[str, NDArray[np.float64]], float]:
    """Return the arrays of a fitted Gaussian process, and its noise.

    Length scales, amplitude and noise are those of an earlier fit, or else maximise the likelihood.
    """
    centre, spread = values.mean(axis=0), values.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    points = (values - centre) / scale
    pca = PCA(min(n_components, len(spectra) - 1), random_state=0).fit(spectra)
    scores = pca.transform(spectra)
    unit = scores[:, 0].std()
    lengths, amplitude, noise = np.full(len(centre), _LENGTH[0]), 1.0, _NOISE[0]
    if earlier is not None:
        arrays, noise = earlier
        lengths, amplitude = arrays["length_scales"], arrays["amplitude"].item()
    kernel = ConstantKernel(amplitude, (1e-3, 1e3)) * RBF(lengths, _LENGTH[1])
    # All components share one kernel: sites resemble each other in their whole spectrum.
    process = GaussianProcessRegressor(
        kernel + WhiteKernel(noise, _NOISE[1]),
        optimizer="fmin_l_bfgs_b" if earlier is None else None,
        random_state=0,
    )
    with warnings.catch_warnings():
        # With few sites the likelihood hardly depends on the length scales: they end at a bound.
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
        # Placeholders until the process has been tested on phases left out.
        "discrepancy": np.zeros_like(pca.mean_),
        "residuals": np.zeros_like(values),
    }
    return fitted, float(white.noise_level)
