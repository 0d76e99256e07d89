"""Data shipped with the package: computed oxygen K sites, and images simulated from them."""

from hyperspy_coreloss.data.silica_image import silica_spectrum_image
from hyperspy_coreloss.dataset.shipped import oxygen_k_foreign, oxygen_k_sites

__all__ = ("oxygen_k_foreign", "oxygen_k_sites", "silica_spectrum_image")
