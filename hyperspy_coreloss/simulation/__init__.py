"""First-principles core-loss spectra and their labels: structures, engine, labels, campaign.

A side wing: nothing above it imports it but the command line. It needs the extra
``simulation`` (GPAW, ASE, spglib, pymatgen); only :mod:`.continued_fraction` is pure NumPy, so
that the spectra of a data set can be evaluated without it.
"""
