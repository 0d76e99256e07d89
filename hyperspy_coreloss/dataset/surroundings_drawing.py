"""Drawing of the surroundings of a site: atoms, bonds, angles and the Voronoi cell."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import matplotlib.patheffects as effects
import numpy as np
from matplotlib import rcParams
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.path import Path
from scipy.spatial import ConvexHull

from hyperspy_coreloss.dataset.elements import covalent_radii, element_colours
from hyperspy_coreloss.dataset.surroundings import bond_angles
from hyperspy_coreloss.dataset.surroundings_scene import angle_arc, cell_edges, scene_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from hyperspy_coreloss.dataset.computed_site import ComputedSite
    from hyperspy_coreloss.dataset.surroundings_scene import Scene

# Lengths in Å.
_RADIUS = 0.45  # of a ball, in covalent radii
_SMALLEST = 0.22
_STICK = 0.1  # half its width
_OUTLINE = 0.035
_RING = 0.1
_ARC = 0.8
_MARGIN = 0.25
_SMALLEST_VIEW = 2.0  # half of it

_EDGE = (0.3, 0.3, 0.3)
_HIGHLIGHT = "#0072B2"
_CELL = "#56B4E9"
# Share of the background in the colour of the farthest atom.
_FOG = 0.65
# A panel of this many inches is drawn with the lines and letters of full size.
_FULL_SIZE = 3.0
_MOST_ARCS = 3


def draw_surroundings(
    panel: Axes, site: ComputedSite, *, labels: bool = True, voronoi: bool = True
) -> None:
    """Draw the absorbing atom of a site, its bonded neighbours, theirs, and its Voronoi cell.

    The absorbing atom has a blue ring. Bonds, angles and Voronoi cell are those that the labels
    are computed from. The plane of two bonds is that of the panel, so that lengths and angle are
    the true ones. Atoms farther away fade into the background. With more than three bonds, only the
    bonded neighbours are drawn.

    Parameters
    ----------
    panel
        Where to draw; its axes are hidden.
    site
        Computed site.
    labels
        Write the lengths of the bonds in Å and the angles between them in degrees. With more than
        three bonds, the mean of the angles is written in the corner.
    voronoi
        Draw the Voronoi cell, with dashed lines for edges at its back.

    Raises
    ------
    StructureError
        If the Voronoi cell does not close within 60 Å.
    """
    panel.set_axis_off()
    if not _is_known(site):
        panel.text(
            0.5,
            0.5,
            "structure\nunknown",
            transform=panel.transAxes,
            ha="center",
            va="center",
            color=_ink(_background(panel)),
        )
        return
    scene = scene_of(site.structure, site.absorber, voronoi=voronoi)
    shapes = _Shapes(_background(panel), _scale(panel))
    shapes.add_atoms(scene)
    shapes.add_bonds(scene)
    if voronoi:
        shapes.add_cell(scene)
        _fill_cell(panel, scene)
    panel.add_collection(shapes.collection(), autolim=False)
    _set_limits(panel, scene)
    if labels:
        _write_labels(panel, scene)


def _is_known(site: ComputedSite) -> bool:
    cell = site.structure.cell
    return site.absorber >= 0 and bool(np.isfinite(cell).all() and abs(np.linalg.det(cell)) > 1e-6)


def _background(panel: Axes) -> NDArray[np.float64]:
    """Return the colour behind a panel whose axes are hidden: that of the figure."""
    *colour, opacity = to_rgba(panel.figure.canvas.figure.get_facecolor())
    # A transparent figure is on a page whose colour suits the texts.
    return np.array(colour) if opacity > 0.5 else 1.0 - np.array(to_rgb(rcParams["text.color"]))


def _ink(background: NDArray[np.float64]) -> str:
    """Return black on light backgrounds, and white on dark ones."""
    return "black" if background @ (0.299, 0.587, 0.114) > 0.5 else "white"


def _scale(panel: Axes) -> float:
    box = panel.get_window_extent()
    return float(np.clip(min(box.width, box.height) / panel.figure.dpi / _FULL_SIZE, 0.3, 1.4))


def ball_radii(numbers: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the radii in angstrom that atoms are drawn with."""
    return np.maximum(_RADIUS * covalent_radii(numbers), _SMALLEST)


class _Shapes:
    """Shapes of a picture with their depths, drawn from the back to the front."""

    def __init__(self, background: NDArray[np.float64], scale: float) -> None:
        self._background = background
        self._scale = scale
        self._shapes: list[tuple[float, Path, Any, Any, float, Any]] = []

    def _faded(self, colour: Any, depth: float, nearest: float, farthest: float) -> Any:
        share = _FOG * np.clip((nearest - depth) / max(nearest - farthest, 1.0), 0, 1)
        return (1 - share) * np.asarray(colour) + share * self._background

    def _add(self, depth: float, path: Path, colour: Any) -> None:
        self._shapes.append((depth, path, colour, "none", 0.0, "solid"))

    def add_atoms(self, scene: Scene) -> None:
        """Add a ball with an outline for each atom, and a ring around the absorbing one."""
        circle = Path.unit_circle()
        round_about = np.asarray(circle.vertices)
        radii, colours = ball_radii(scene.numbers), element_colours(scene.numbers)
        fog = _fog_range(scene)
        for place, radius, colour in zip(scene.positions, radii, colours, strict=True):
            depth = place[2]
            discs: list[tuple[float, Any]] = [(radius, _EDGE), (radius - _OUTLINE, colour)]
            if not place.any():
                discs.insert(0, (radius + _RING, to_rgb(_HIGHLIGHT)))
            for size, fill in discs:
                disc = Path(round_about * size + place[:2], circle.codes)
                self._add(depth, disc, self._faded(fill, depth, *fog))
            shine = place[:2] + radius * np.array([-0.3, 0.35])
            lit = 0.55 * np.asarray(colour) + 0.45
            disc = Path(round_about * 0.28 * radius + shine, circle.codes)
            self._add(depth, disc, self._faded(lit, depth, *fog))

    def add_bonds(self, scene: Scene) -> None:
        """Add a stick for each bond, half of it in the colour of either atom."""
        radii, colours = ball_radii(scene.numbers), element_colours(scene.numbers)
        fog = _fog_range(scene)
        for one, other in scene.bonds:
            ends = scene.positions[[one, other]]
            length = np.linalg.norm(ends[1] - ends[0])
            along = (ends[1] - ends[0]) / length
            inside = np.sqrt(radii[[one, other]] ** 2 - _STICK**2)
            if inside.sum() >= length:
                continue
            points = np.linspace(ends[0] + inside[0] * along, ends[1] - inside[1] * along, 3)
            for atom, half in ((one, points[:2]), (other, points[1:])):
                depth = half[:, 2].mean()
                for width, fill in ((_STICK, _EDGE), (_STICK - _OUTLINE, colours[atom])):
                    self._add(depth, _stick(half, width), self._faded(fill, depth, *fog))

    def add_cell(self, scene: Scene) -> None:
        """Add the edges of the Voronoi cell."""
        edges, front = cell_edges(scene.corners)
        for edge, near in zip(scene.corners[edges], front, strict=True):
            width, style = (1.4, "solid") if near else (0.8, (0, (3, 2)))
            path = Path(edge[:, :2])
            shape = (edge[:, 2].mean(), path, "none", _CELL, width * self._scale, style)
            self._shapes.append(shape)

    def collection(self) -> PathCollection:
        """Return all shapes as one collection."""
        _, paths, fills, lines, widths, styles = zip(
            *sorted(self._shapes, key=lambda shape: shape[0]), strict=True
        )
        return PathCollection(
            paths,
            facecolors=fills,
            edgecolors=lines,
            linewidths=widths,
            linestyles=styles,
            zorder=2,
        )


def _fog_range(scene: Scene) -> tuple[float, float]:
    """Return the depths where the fog begins and where it is densest."""
    return 0.0, float(scene.positions[:, 2].min())


def _stick(ends: NDArray[np.float64], width: float) -> Path:
    along = ends[1, :2] - ends[0, :2]
    across = np.array([-along[1], along[0]]) * width / max(float(np.hypot(*along)), 1e-9)
    first, second = ends[:, :2]
    corners = [first + across, second + across, second - across, first - across, first + across]
    return Path(np.array(corners), closed=True)


def _fill_cell(panel: Axes, scene: Scene) -> None:
    flat = scene.corners[:, :2]
    outline = flat[ConvexHull(flat).vertices]
    panel.fill(*outline.T, color=_CELL, alpha=0.18, linewidth=0, zorder=1)


def _set_limits(panel: Axes, scene: Scene) -> None:
    radii = ball_radii(scene.numbers)[:, np.newaxis] + _MARGIN
    flat = scene.positions[:, :2]
    points = np.vstack([flat - radii, flat + radii, scene.corners[:, :2]])
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, max((high - low).max() / 2, _SMALLEST_VIEW)
    panel.set_xlim(middle[0] - half, middle[0] + half)
    panel.set_ylim(middle[1] - half, middle[1] + half)
    panel.set_aspect("equal")


def _write_labels(panel: Axes, scene: Scene) -> None:
    background = _background(panel)
    ink = _ink(background)
    halo = [effects.withStroke(linewidth=3 * _scale(panel), foreground=tuple(background))]
    usual: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "color": ink,
        "fontsize": 4 + 6 * _scale(panel),
        "path_effects": halo,
        "zorder": 4,
    }
    for vector, length in zip(scene.bonded, scene.bond_lengths, strict=True):
        place, turn = _beside(vector) if scene.n_bonded <= 2 else (vector[:2], 0.0)
        panel.text(
            place[0], place[1], f"{length:.2f} Å", rotation=turn, rotation_mode="anchor", **usual
        )
    if scene.n_bonded < 2:
        return
    angles = bond_angles(scene.bonded)
    if len(angles) > _MOST_ARCS:
        words = f"mean of {len(angles)} angles: {angles.mean():.1f}°"
        panel.text(0.5, 0.01, words, transform=panel.transAxes, **(usual | {"va": "bottom"}))
        return
    for (one, other), angle in zip(combinations(scene.bonded, 2), angles, strict=True):
        arc = angle_arc(one, other, _ARC)
        panel.plot(*arc[:, :2].T, color=ink, linewidth=1.2 * _scale(panel), zorder=3)
        middle = 1.4 * arc[len(arc) // 2]
        panel.text(middle[0], middle[1], f"{angle:.1f}°", **usual)


def _beside(vector: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the place and the rotation in degrees of a text above the middle of a bond."""
    along = vector[:2] if np.hypot(*vector[:2]) > 1e-3 else np.array([1.0, 0.0])
    turn = (np.degrees(np.arctan2(along[1], along[0])) + 90) % 180 - 90
    above = np.array([-np.sin(np.radians(turn)), np.cos(np.radians(turn))])
    return vector[:2] * 0.57 + 0.36 * above, float(turn)
