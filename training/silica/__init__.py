"""The project's campaign over silica: which structures and sites it computes, in which order.

This package is not installed, because it uses folders of the repository. Run it from there:
``python -m training.silica.campaign``.
"""
