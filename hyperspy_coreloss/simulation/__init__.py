"""First-principles core-loss spectra and their labels: structures, engine, labels, campaign.

A side wing: nothing above it imports it but the command line. It needs the extra
``simulation`` (GPAW, ASE, spglib, pymatgen); spectra of a finished data set do not, see
:mod:`hyperspy_coreloss.dataset.continued_fraction`.
"""

__all__: tuple[str, ...] = ()
