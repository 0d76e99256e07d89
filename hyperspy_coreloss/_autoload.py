"""Never imported: HyperSpy looking up this name imports the package, see ``_attach.py``."""
