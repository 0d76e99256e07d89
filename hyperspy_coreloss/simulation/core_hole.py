"""PAW data sets with a full 1s core hole, made once per element and kept in a cache folder."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.files import replace_file

_LOGGER = logging.getLogger(__name__)

#: Name under which GPAW finds the data sets: full core hole in 1s.
SETUP_NAME = "fch1s"

#: Folder of the cache, unless the environment variable names another.
CACHE_VARIABLE = "HYPERSPY_CORELOSS_CACHE"


def cache_folder() -> Path:
    """Return the folder that keeps the core-hole data sets.

    ``$HYPERSPY_CORELOSS_CACHE/core_hole``, or ``core_hole`` in the user's cache folder.
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
    """Make sure that GPAW can use a data set of `element` with one electron missing in 1s.

    Parameters
    ----------
    element
        Chemical symbol, for example ``"O"``.
    functional
        Exchange-correlation functional of the atom.
    folder
        Where the files are kept; default :func:`cache_folder`.

    Returns
    -------
    pathlib.Path
        Folder that now holds ``<element>.fch1s.<functional>`` and the start basis.

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
        settings["rcut"] = list(settings["rcut"])  # the generator extends the list it is given
    try:
        generator = Generator(
            element, functional, scalarrel=True, corehole=(1, 0, 1.0), nofiles=True, txt=None
        )
        setup = generator.run(name=SETUP_NAME, write_xml=False, **settings)
    except (ArithmeticError, AssertionError, RuntimeError, ValueError) as error:
        msg = (
            f"GPAW's generator must converge for {element} with an empty 1s state; it stopped "
            f"with {error!r}. Give a folder that already holds {path.name}."
        )
        raise SimulationError(msg) from error
    # Several workers may make the same file at the same time: the last one wins, whole.
    with replace_file(path) as new:
        setup.write_xml(str(new))


def _copy_basis(element: str, path: Path) -> None:
    # The first guess of the density needs a basis of the same name as the data set; the guess
    # is only a start, so the basis of the atom without a hole serves.
    from gpaw.setup_data import search_for_file

    _, source = search_for_file(f"{element}.dzp.basis")
    with replace_file(path) as new:
        new.write_bytes(source)


def _register(folder: Path) -> None:
    import gpaw

    if str(folder) not in map(str, gpaw.setup_paths):
        gpaw.setup_paths.insert(0, str(folder))
