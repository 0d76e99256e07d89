"""Edges of other elements in the specimen, where spectra are read: named in a warning."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperspy_coreloss.signals.metadata import elements_of
from hyperspy_coreloss.spectra.edges import BACKGROUND_GAP, BACKGROUND_WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hyperspy.signals import BaseSignal

    from hyperspy_coreloss.spectra.recipe import Background, Limits, Recipe

# Tabulated onsets and those of compounds differ by up to this, in eV.
_SHIFT = 6.0
# Up to this far above its onset, in eV, an edge is no power law: it has white lines (L), or its
# maximum is delayed (M, 3d electrons).
_EXTENT = {"K": 6.0, "L": 10.0, "M": 40.0}


@dataclass(frozen=True, slots=True)
class OtherEdge:
    """A tabulated edge of another element.

    Parameters
    ----------
    name
        Name in HyperSpy's notation, such as ``"V_L3"``.
    onset
        Tabulated onset in eV.
    """

    name: str
    onset: float

    def __str__(self) -> str:
        return f"{self.name} ({self.onset:g} eV)"


def warn_of_other_edges(
    signal: BaseSignal,
    recipe: Recipe,
    background: Background,
    background_range: Limits | None,
    stacklevel: int = 2,
) -> None:
    """Warn if elements of the specimen have edges where the background or the window is read.

    Parameters
    ----------
    signal
        Spectra, whose metadata may name the elements of the specimen.
    recipe
        Preprocessing of the model, with the tabulated onset of its edge.
    background, background_range
        Options of the prediction; the range in eV.
    stacklevel
        Stack level of the warning, seen from here.
    """
    edges = major_edges(elements_of(signal), recipe.edge)
    before = edges_before(edges, recipe, background_range) if background is not None else []
    within = edges_in_window(edges, recipe)
    if not before and not within:
        return
    sentences = ["Elements of the specimen have edges where the spectra are read."]
    if before:
        sentences.append(
            f"Before {recipe.edge}: {_listed(before)}, whose rise is taken for background, so that "
            "the extrapolated background and the onset can be wrong. Pass background_range= limits "
            "without other edges, and onset_range= if the wrong edge is read."
        )
    if within:
        sentences.append(
            f"In the window of the model, which ends {recipe.window.read_range[1]:g} eV above the "
            f"threshold: {_listed(within)}, whose rise is read as fine structure of {recipe.edge}. "
            "Use a model with a narrower window, or do not trust the properties where these "
            "elements are."
        )
    sentences.append("If an element is not there, remove it from s.metadata.Sample.elements.")
    warnings.warn(" ".join(sentences), UserWarning, stacklevel=stacklevel + 1)


def major_edges(elements: Iterable[str], own_edge: str) -> list[OtherEdge]:
    """Return the edges of elements by their onset, without minor edges and an edge of one's own.

    The edges are those that exspy lists as major. Minor ones, such as L1, M2 and M3, are steps of a
    few per cent of the major edges of the same element.

    Parameters
    ----------
    elements
        Symbols of elements; others are left out.
    own_edge
        The edge to leave out, with the other edges of its shell, in HyperSpy's notation.
    """
    elements = tuple(elements)
    if not elements:
        return []
    from exspy.material import elements as known  # This import takes seconds.

    own_element, _, own_shell = own_edge.partition("_")
    found: dict[tuple[str, float], OtherEdge] = {}
    for element in dict.fromkeys(elements):
        listed = known.get_item(f"{element}.Atomic_properties.Binding_energies")
        for shell, edge in () if listed is None else listed.as_dictionary().items():
            own = element == own_element and shell[0] == own_shell[0]
            if edge["relevance"] == "Major" and not own:
                onset = float(edge["onset_energy (eV)"])
                # Some edges are listed twice, such as the carbon K edge.
                found.setdefault((element, onset), OtherEdge(f"{element}_{shell}", onset))
    return sorted(found.values(), key=lambda edge: edge.onset)


def edges_before(
    edges: Iterable[OtherEdge], recipe: Recipe, background_range: Limits | None
) -> list[OtherEdge]:
    """Return the edges between the beginning of the background fit and the onset."""
    first = recipe.nominal_onset - BACKGROUND_GAP - BACKGROUND_WIDTH[1]
    if background_range is not None:
        first = background_range[0]
    return [
        edge
        for edge in edges
        if edge.onset < recipe.nominal_onset and edge.onset + _extent(edge) > first
    ]


def edges_in_window(edges: Iterable[OtherEdge], recipe: Recipe) -> list[OtherEdge]:
    """Return the edges between the onset and the end of the window."""
    last = recipe.nominal_onset + recipe.window.read_range[1] + _SHIFT
    return [edge for edge in edges if recipe.nominal_onset <= edge.onset < last]


def _extent(edge: OtherEdge) -> float:
    shell = edge.name.partition("_")[2][0]
    return _EXTENT.get(shell, _SHIFT)


def _listed(edges: list[OtherEdge]) -> str:
    return ", ".join(str(edge) for edge in edges)
