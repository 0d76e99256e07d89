"""Imports between modules point down the layers, so that no circle can grow."""

from __future__ import annotations

import ast

import pytest

from tests.paths import PACKAGE

LAYERS = (
    ("errors", "quality"),
    (
        "properties",
        "energy",
        "background",
        "continued_fraction",
        "voronoi",
        "curves",
        "tensor_file",
    ),
    ("computed_site", "table_files"),
    ("broadening", "onset", "metadata", "tables"),
    ("recipe", "dataset"),
    ("preprocessing", "pretrained", "dataset_layout", "plotting", "splits", "baselines"),
    ("network", "card", "dataset_file", "families", "reference_spectra"),
    ("regressor", "inference", "emulator"),
    ("ensemble", "emulator_training"),
    ("evaluation", "settings_search"),
    ("training",),
    ("study", "study_figures", "study_tables"),
    ("study_report",),
    ("signals",),
    ("lazy_signals",),
    ("prediction", "data", "dataset_signal"),
    ("fine_structure", "template_signals"),
    ("property_elnes",),
    ("components",),
    ("cli_dataset",),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
OUTSIDE = {"__init__", "_attach", "_autoload"}
TORCH_OWNERS = {"network", "regressor", "emulator"}


def module_paths():
    found = {path.stem: path for path in PACKAGE.glob("*.py") if path.stem not in OUTSIDE}
    return {**found, "data": PACKAGE / "data" / "__init__.py"}


def imported_modules(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module
        elif isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)


def run_at_import(tree):
    """Return the names imported when the module is, not inside functions or for types only."""
    deferred = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        or (isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING")
        for child in ast.walk(node)
    }
    return {name for node, name in imported_modules(tree) if id(node) not in deferred}


def test_every_module_has_a_layer():
    assert set(module_paths()) == set(RANK)


@pytest.mark.parametrize("module", sorted(RANK))
def test_imports_point_down(module):
    for name in run_at_import(ast.parse(module_paths()[module].read_text())):
        if name.startswith("hyperspy_coreloss."):
            imported = name.split(".")[1]
            assert RANK[imported] < RANK[module], f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(RANK))
def test_torch_has_three_owners(module):
    names = imported_modules(ast.parse(module_paths()[module].read_text()))
    uses_torch = any(name.split(".")[0] == "torch" for _, name in names)
    assert not uses_torch or module in TORCH_OWNERS


@pytest.mark.parametrize("module", sorted(RANK))
def test_modules_stay_small(module):
    assert len(module_paths()[module].read_text().splitlines()) <= 400
