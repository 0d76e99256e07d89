"""The transfer set: some oxygen K sites of silica once more, by another theory.

It is not installed with the package, and no model is trained on it.
"""
