"""PAW data sets with a 1s core hole, generated once per element in a cache folder.

The core hole is a choice of theory. With a full hole the spectrum is that of the final state. Half
a hole is the transition potential (Triguero, Pettersson and Ågren 1998, Phys. Rev. B 58, 8097).
Without a hole the spectrum is that of the ground state.

Each cell is neutral: what is missing in 1s is in the conduction band, so half a hole is Slater's
transition state. GPAW's ``charge`` is therefore minus the number of missing electrons. A charged
cell would need a uniform background, and theories would differ in its charge.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class CoreHole:
    """A choice of core hole.

    Parameters
    ----------
    setup_name
        GPAW's name of the PAW data sets.
    electrons
        Number of electrons missing in 1s; as many are in the conduction band.
    description
        The choice in words, as in the settings of every record.
    generator
        Parameters of GPAW's generator that differ from its own, by element. Elements without an
        entry have no such data set.
    """

    setup_name: str
    electrons: float
    description: str
    generator: dict[str, dict[str, Any]] | None = field(default=None, hash=False)


#: Choices of the core hole by name. GPAW names the data sets after what they are used for: full and
#: half core hole, and emission, which needs the 1s state but no hole in it. The harder data set has
#: smaller radii (in Bohr, of s, p and d), and needs a cutoff of 700 eV: it tests the usual one.
CORE_HOLES = {
    "full": CoreHole("fch1s", 1, "full 1s, neutral cell"),
    "full-harder": CoreHole(
        "fch1s_harder",
        1,
        "full 1s, neutral cell, harder PAW data set",
        {"O": {"rcut": [1.1, 0.95, 1.0], "vbar": ("f", 1.1), "rcutcomp": 1.06}},
    ),
    "half": CoreHole("hch1s", 0.5, "half 1s, neutral cell"),
    "none": CoreHole("xes1s", 0, "none, ground state"),
}

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
    element: str, functional: str = "PBE", folder: Path | None = None, core_hole: str = "full"
) -> Path:
    """Generate a PAW data set of `element` with a core hole in 1s, and show it to GPAW.

    Parameters
    ----------
    element
        Chemical symbol, for example ``"O"``.
    functional
        Exchange-correlation functional of the atomic calculation.
    folder
        Folder of the data sets; default :func:`cache_folder`. Existing files are kept.
    core_hole
        Key of `CORE_HOLES`.

    Returns
    -------
    pathlib.Path
        Folder with ``<element>.<setup name>.<functional>`` and the basis of the initial density.

    Raises
    ------
    SimulationError
        If GPAW has no parameters for the element, or its generator fails.
    """
    hole = CORE_HOLES[core_hole]
    folder = cache_folder() if folder is None else Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data_set = folder / f"{element}.{hole.setup_name}.{functional}"
    if not data_set.exists():
        _generate(element, functional, hole, data_set)
    basis = folder / f"{element}.{hole.setup_name}.dzp.basis"
    if not basis.exists():
        _copy_basis(element, basis)
    _register(folder)
    return folder


def check_functional(functional: str, elements: Iterable[str]) -> None:
    """Refuse a functional with which GPAW cannot calculate these elements.

    The recursion takes a local potential from GPAW; a functional must be an LDA or a GGA.

    Parameters
    ----------
    functional
        GPAW's name of the functional.
    elements
        Chemical symbols.

    Raises
    ------
    SimulationError
        If the functional is unknown or of another type, or GPAW lacks a PAW data set for it.
    """
    from gpaw.setup_data import search_for_file
    from gpaw.xc import XC

    try:
        kind = XC(functional).type
    except NameError:
        kind = "unknown to GPAW"
    if kind not in ("LDA", "GGA"):
        msg = f"The functional must be an LDA or a GGA; {functional!r} is {kind}. Use PBE or LDA."
        raise SimulationError(msg)
    for element in sorted(set(elements)):
        try:
            search_for_file(f"{element}.{functional}")
        except FileNotFoundError as error:
            msg = (
                f"The functional {functional} needs PAW data sets of all elements; GPAW has none "
                f"of {element}. Use PBE, LDA, RPBE or revPBE, or add the data set "
                f"{element}.{functional} to the folders of GPAW_SETUP_PATH."
            )
            raise SimulationError(msg) from error


def _generate(element: str, functional: str, hole: CoreHole, path: Path) -> None:
    from gpaw.atom.configurations import parameters
    from gpaw.atom.generator import Generator

    known = parameters if hole.generator is None else hole.generator
    if element not in known:
        msg = (
            f"A core-hole data set ({hole.description}) needs generator parameters for "
            f"{element!r}; they are known for {', '.join(sorted(known))}. Choose an absorbing "
            "element among these."
        )
        raise SimulationError(msg)
    _LOGGER.info("generating the 1s core-hole data set of %s in %s", element, path.parent)
    settings = parameters[element] | ({} if hole.generator is None else hole.generator[element])
    if isinstance(settings.get("rcut"), list):
        settings["rcut"] = list(settings["rcut"])  # the generator extends this list
    try:
        generator = Generator(
            element,
            functional,
            scalarrel=True,
            corehole=(1, 0, float(hole.electrons)),
            nofiles=True,
            txt=None,
        )
        setup = generator.run(name=hole.setup_name, write_xml=False, **settings)
    except (ArithmeticError, AssertionError, RuntimeError, ValueError) as error:
        msg = (
            f"GPAW's generator must converge for {element} with {hole.electrons:g} 1s electrons "
            f"missing; it stopped with {error!r}. Give a folder that already contains {path.name}."
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
