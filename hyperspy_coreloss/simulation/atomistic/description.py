"""Table and figure of made structures, beside what is published of vitreous silica."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hyperspy_coreloss.simulation.atomistic.network import Network


@dataclass(frozen=True)
class PublishedValue:
    """A published quantity of vitreous silica.

    Parameters
    ----------
    quantity
        Name of the quantity.
    value, spread
        Value and standard deviation of its distribution; the latter is None if not given.
    source
        Reference.
    """

    quantity: str
    value: float
    spread: float | None
    source: str


SI_O, ANGLE, TETRAHEDRON, DENSITY = (
    "Si-O (Å)",
    "Si-O-Si (degrees)",
    "O-Si-O (degrees)",
    "density (g/cm³)",
)
SI_SI = "Si-Si (Å)"

#: Measured on vitreous silica.
PUBLISHED = (
    PublishedValue(SI_O, 1.608, None, "neutrons: Grimley, Wright and Sinclair 1990"),
    PublishedValue(SI_O, 1.62, None, "X-rays: Mozzi and Warren 1969"),
    PublishedValue(ANGLE, 144.0, None, "X-rays: Mozzi and Warren 1969"),
    PublishedValue(ANGLE, 148.3, 7.5, "X-rays and neutrons: Neuefeind and Liss 1996"),
    PublishedValue(TETRAHEDRON, 109.4, None, "X-rays: Mozzi and Warren 1969"),
    PublishedValue(DENSITY, 2.20, None, "vitreous silica"),
)


def describe_networks(networks: Mapping[str, Network]) -> str:
    """Return a table of networks, with their mean and the published values in its last rows.

    Parameters
    ----------
    networks
        Networks by name.
    """
    columns = (DENSITY, SI_O, SI_SI, ANGLE, TETRAHEDRON)
    width = max([len("structure"), *(len(name) for name in networks)])
    lines = [
        f"{'structure':{width}s}  {'atoms':>5s}  {'broken':>6s}  "
        + "  ".join(f"{column:>18s}" for column in columns)
    ]
    for name, network in networks.items():
        cells = "  ".join(f"{_cell(_values(network, column)):>18s}" for column in columns)
        broken = len(network.miscoordinated)
        lines.append(f"{name:{width}s}  {len(network.symbols):5d}  {broken:6d}  {cells}")
    if len(networks) > 1:
        together = [_pooled(networks.values(), column) for column in columns]
        cells = "  ".join(f"{_cell(values):>18s}" for values in together)
        lines.append(f"{'all':{width}s}  {'':5s}  {'':6s}  {cells}")
    lines.append("")
    lines += [
        f"measured: {each.quantity} {each.value:g}"
        + (f" ± {each.spread:g}" if each.spread else "")
        + f" ({each.source})"
        for each in PUBLISHED
    ]
    return "\n".join(lines)


def plot_networks(
    networks: Mapping[str, Network], rings: Mapping[int, int] | None = None
) -> Figure:
    """Plot the distributions of bond lengths, angles, coordination and rings.

    Parameters
    ----------
    networks
        Networks by name; their bonds are pooled.
    rings
        Number of rings by size, from :func:`.network.smallest_rings`, if they are to be drawn.
    """
    from matplotlib import pyplot

    all_networks = list(networks.values())
    figure, panels = pyplot.subplots(2, 3, figsize=(12.0, 7.0), layout="constrained")
    _draw_distribution(panels[0, 0], _pooled(all_networks, SI_O), SI_O, (1.50, 1.80))
    _draw_distribution(panels[0, 1], _pooled(all_networks, ANGLE), ANGLE, (90.0, 180.0))
    _draw_distribution(panels[0, 2], _pooled(all_networks, TETRAHEDRON), TETRAHEDRON, (80.0, 140.0))
    _draw_coordination(panels[1, 0], all_networks)
    _draw_rings(panels[1, 1], rings)
    _draw_density(panels[1, 2], all_networks)
    n_atoms = sum(len(network.symbols) for network in all_networks)
    figure.suptitle(f"{len(all_networks)} structures, {n_atoms} atoms")
    return figure


def _values(network: Network, quantity: str) -> NDArray[np.float64]:
    return {
        DENSITY: np.array([network.density]),
        SI_O: network.si_o_bonds,
        SI_SI: network.si_si_bonds,
        ANGLE: network.si_o_si_angles,
        TETRAHEDRON: network.o_si_o_angles,
    }[quantity]


def _pooled(networks: Iterable[Network], quantity: str) -> NDArray[np.float64]:
    return np.concatenate([_values(network, quantity) for network in networks])


def _cell(values: NDArray[np.float64]) -> str:
    if not len(values):
        return "none"
    digits = 1 if values.mean() > 10 else 3
    spread = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"


def _draw_distribution(
    axes: Axes, values: NDArray[np.float64], quantity: str, reach: tuple[float, float]
) -> None:
    axes.hist(
        values, bins=np.linspace(*reach, 46).tolist(), density=True, color="0.75", label="made here"
    )
    axes.axvline(values.mean(), color="black", label=f"mean {_cell(values)}")
    published = [each for each in PUBLISHED if each.quantity == quantity]
    for colour, each in zip(("tab:blue", "tab:orange"), published, strict=False):
        axes.axvline(
            each.value, color=colour, linestyle="--", label=f"{each.value:g}, {each.source}"
        )
        if each.spread:
            axes.axvspan(
                each.value - each.spread, each.value + each.spread, color=colour, alpha=0.15
            )
    axes.set_xlabel(quantity)
    axes.set_ylabel("probability density")
    axes.set_ylim(top=1.55 * axes.get_ylim()[1])  # room for the legend
    axes.legend(loc="upper left", fontsize="x-small")


def _draw_coordination(axes: Axes, networks: Sequence[Network]) -> None:
    for offset, (symbol, colour) in enumerate((("Si", "tab:blue"), ("O", "tab:red"))):
        counts: Counter[int] = Counter()
        for network in networks:
            counts.update(network.coordination(symbol))
        bars = axes.bar(
            [number + 0.4 * offset - 0.2 for number in counts],
            list(counts.values()),
            width=0.4,
            color=colour,
            label=symbol,
        )
        axes.bar_label(bars, fontsize="x-small")
    axes.set_xlabel("bonds of an atom")
    axes.set_ylabel("atoms")
    axes.locator_params(axis="x", integer=True)
    axes.legend()


def _draw_rings(axes: Axes, rings: Mapping[int, int] | None) -> None:
    if not rings:
        axes.set_axis_off()
        return
    share = np.array(list(rings.values())) / sum(rings.values())
    axes.bar(list(rings), share, color="tab:green")
    axes.set_xlabel("size of the smallest rings (silicon atoms)")
    axes.set_ylabel("share")


def _draw_density(axes: Axes, networks: Sequence[Network]) -> None:
    density = [network.density for network in networks]
    angle = [
        network.si_o_si_angles.mean() if len(network.si_o_si_angles) else np.nan
        for network in networks
    ]
    axes.scatter(density, angle, s=18, color="black", label="made here")
    axes.axvline(2.20, color="tab:blue", linestyle="--", label="vitreous silica")
    axes.set_xlabel(DENSITY)
    axes.set_ylabel(f"mean {ANGLE}")
    axes.legend(fontsize="x-small")
