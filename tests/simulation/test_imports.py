"""Claims about importing the simulator."""

from __future__ import annotations

import subprocess
import sys

from hyperspy_coreloss import simulation
from hyperspy_coreloss.simulation import load_site_record, site_record


def test_importing_the_simulator_needs_no_extra():
    code = (
        "import sys\n"
        "import hyperspy_coreloss.simulation, hyperspy_coreloss.simulation.castep\n"
        "print({'ase', 'gpaw', 'pymatgen', 'spglib'} & set(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_all_exported_names_exist():
    assert all(hasattr(simulation, name) for name in simulation.__all__)


def test_the_earlier_name_of_load_site_record_works():
    assert site_record.read_site_record is load_site_record
