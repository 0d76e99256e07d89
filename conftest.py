"""Doctests of the simulator need its extra; elsewhere they are skipped, with this reason."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

_SIMULATOR = "hyperspy_coreloss.simulation."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_spec("pymatgen") is not None:
        return
    skip = pytest.mark.skip(reason="doctests of the simulator need the extra 'simulation'")
    for item in items:
        if isinstance(item, pytest.DoctestItem) and item.name.startswith(_SIMULATOR):
            item.add_marker(skip)
