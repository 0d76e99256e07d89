"""First-principles core-loss spectra and their labels, computed from crystal structures.

Computing needs the extra ``simulation`` (GPAW, spglib, pymatgen); importing this package does
not, and neither does work with finished data sets (:mod:`hyperspy_coreloss.dataset`).
"""

from hyperspy_coreloss.simulation.campaign import CampaignStatus, campaign_status, run_campaign
from hyperspy_coreloss.simulation.collect import collect_sites
from hyperspy_coreloss.simulation.convergence import summarise_convergence
from hyperspy_coreloss.simulation.engine_settings import EngineSettings
from hyperspy_coreloss.simulation.projected_density import density_of_states, find_density
from hyperspy_coreloss.simulation.site_record import (
    ProjectedDensity,
    SiteRecord,
    load_site_record,
    save_site_record,
)
from hyperspy_coreloss.simulation.site_simulation import SiteSimulator
from hyperspy_coreloss.simulation.tasks import SimulationTask, tasks_from_files

__all__ = (
    "CampaignStatus",
    "EngineSettings",
    "ProjectedDensity",
    "SimulationTask",
    "SiteRecord",
    "SiteSimulator",
    "campaign_status",
    "collect_sites",
    "density_of_states",
    "find_density",
    "load_site_record",
    "run_campaign",
    "save_site_record",
    "summarise_convergence",
    "tasks_from_files",
)
