"""Versions of the packages that produced a result."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def software_versions(*packages: str) -> dict[str, str]:
    """Return the installed version of each package, or "unknown" if it is not installed.

    Parameters
    ----------
    *packages
        Names of the distributions.

    Examples
    --------
    >>> list(software_versions("numpy"))
    ['numpy']
    >>> software_versions("no-such-package")
    {'no-such-package': 'unknown'}
    """
    return {package: _version(package) for package in packages}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def package_version() -> str:
    """Return the version of this package."""
    return version("hyperspy-coreloss")
