"""Maps of material properties from core-loss spectra, inside HyperSpy."""
