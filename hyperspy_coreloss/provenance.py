"""Versions of the packages that produced a result, and how they are cited."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

#: The paper whose method is implemented, and who makes this package. CITATION.cff has both.
PAPER = (
    "S. Kiyohara, M. Tsubaki, K. Liao, T. Mizoguchi, Quantitative estimation of properties from "
    "core-loss spectrum via neural network, J. Phys. Mater. 2 (2019) 024003"
)
AUTHORS = "The hyperspy_coreloss developers"
_PAPER_ENTRY = """@article{kiyohara2019,
  author = {Kiyohara, Shin and Tsubaki, Masashi and Liao, Kunyen and Mizoguchi, Teruyasu},
  title = {Quantitative estimation of properties from core-loss spectrum via neural network},
  journal = {Journal of Physics: Materials},
  volume = {2},
  number = {2},
  pages = {024003},
  year = {2019},
}
"""


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


def citations() -> tuple[str, str]:
    """Return how the paper and this package are cited, in words."""
    return PAPER, f"{AUTHORS}, hyperspy_coreloss, version {package_version()}"


def bibtex() -> str:
    """Return the entries of the paper and of this package for BibTeX."""
    return f"""{_PAPER_ENTRY}
@software{{hyperspy_coreloss,
  author = {{{{{AUTHORS}}}}},
  title = {{hyperspy_coreloss}},
  version = {{{package_version()}}},
}}"""
