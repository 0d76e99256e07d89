"""Which versions of which packages made a result."""

from __future__ import annotations

from importlib.metadata import version


def software_versions(*packages: str) -> dict[str, str]:
    """Return the installed version of each package, by its name.

    Parameters
    ----------
    *packages
        Names of distributions.

    Examples
    --------
    >>> list(software_versions("numpy"))
    ['numpy']
    """
    return {package: version(package) for package in packages}


def package_version() -> str:
    """Return the version of this package."""
    return version("hyperspy-coreloss")
