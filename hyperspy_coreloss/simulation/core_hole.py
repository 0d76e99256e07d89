"""PAW data sets with a full 1s core hole, generated once per element in a cache folder."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.files import replace_file

_LOGGER = logging.getLogger(__name__)

#: GPAW's name of the data sets: full core hole in 1s.
SETUP_NAME = "fch1s"

#: Environment variable that names the cache folder.
CACHE_VARIABLE = "HYPERSPY_CORELOSS_CACHE"


def cache_folder() -> Path:
    """Return the folder of the core-hole data sets.

    It is ``$HYPERSPY_CORELOSS_CACHE/core_hole``, or without that environment variable
    ``hyperspy_coreloss/core_hole`` in the user's cache folder.
    """
    named = os.environ.get(CACHE_VARIABLE)
    base = (
        Path(named)
        if named
        else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hyperspy_coreloss"
    )
    return base / "core_hole"


def ensure_core_hole_setup(
    element: str, functional: str = "PBE", folder: Path | None = None
) -> Path:
    """Generate a PAW data set of `element` that lacks one 1s electron, and show it to GPAW.

    Parameters
    ----------
    element
        Chemical symbol, for example ``"O"``.
    functional
        Exchange-correlation functional of the atomic calculation.
    folder
        Folder of the data sets; default :func:`cache_folder`. Existing files are kept.

    Returns
    -------
    pathlib.Path
        Folder with ``<element>.fch1s.<functional>`` and the basis of the initial density.

    Raises
    ------
    SimulationError
        If GPAW has no parameters for the element, or its generator fails.
    """
    folder = cache_folder() if folder is None else Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data_set = folder / f"{element}.{SETUP_NAME}.{functional}"
    if not data_set.exists():
        _generate(element, functional, data_set)
    basis = folder / f"{element}.{SETUP_NAME}.dzp.basis"
    if not basis.exists():
        _copy_basis(element, basis)
    _register(folder)
    return folder


def _generate(element: str, functional: str, path: Path) -> None:
    from gpaw.atom.configurations import parameters
    from gpaw.atom.generator import Generator

    if element not in parameters:
        msg = (
            f"A core-hole data set needs generator parameters for {element!r}; GPAW has them for "
            f"{', '.join(sorted(parameters))}. Choose an absorbing element among these."
        )
        raise SimulationError(msg)
    _LOGGER.info("generating the 1s core-hole data set of %s in %s", element, path.parent)
    settings = dict(parameters[element])
    if isinstance(settings.get("rcut"), list):
        settings["rcut"] = list(settings["rcut"])  # the generator extends this list
    try:
        generator = Generator(
            element, functional, scalarrel=True, corehole=(1, 0, 1.0), nofiles=True, txt=None
        )
        setup = generator.run(name=SETUP_NAME, write_xml=False, **settings)
    except (ArithmeticError, AssertionError, RuntimeError, ValueError) as error:
        msg = (
            f"GPAW's generator must converge for {element} with one 1s electron missing; it "
            f"stopped with {error!r}. Give a folder that already contains {path.name}."
        )
        raise SimulationError(msg) from error
    # Several workers may write the same file at the same time: each replaces it as a whole.
    with replace_file(path) as new:
        setup.write_xml(str(new))


def _copy_basis(element: str, path: Path) -> None:
    # GPAW's initial density needs a basis with the name of the data set. It is only an initial
    # guess, so the basis of the atom without a core hole suffices.
    from gpaw.setup_data import search_for_file

    _, source = search_for_file(f"{element}.dzp.basis")
    with replace_file(path) as new:
        new.write_bytes(source)


def _register(folder: Path) -> None:
    import gpaw

    if str(folder) not in map(str, gpaw.setup_paths):
        gpaw.setup_paths.insert(0, str(folder))
