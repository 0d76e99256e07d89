"""Oxygen K sites of oxides that are not silica: what a model of silica must notice as foreign.

They are never training data. Nothing here is installed.
"""
