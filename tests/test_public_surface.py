"""What is exported is there, is documented, and is all that the reference shows."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import pytest

import hyperspy_coreloss
from tests.house import ROOMS
from tests.paths import ROOT

MODULES = (
    "hyperspy_coreloss",
    *(f"hyperspy_coreloss.{room.name}" for room in ROOMS if room.modules and room.name != "cli"),
    "hyperspy_coreloss.simulation.castep",
)
EXPORTED = {
    f"{module}.{name}": (module, name)
    for module in MODULES
    for name in import_module(module).__all__
    if name != "__version__"
}


@pytest.mark.parametrize("module", MODULES)
def test_exports_are_in_alphabetical_order_and_there(module):
    names = list(import_module(module).__all__)
    if module != "hyperspy_coreloss":  # whose order is that of its parts
        assert names == sorted(names)
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(import_module(module), name) is not None


@pytest.mark.parametrize("name", sorted(EXPORTED))
def test_what_is_exported_is_documented(name):
    module, attribute = EXPORTED[name]
    exported = getattr(import_module(module), attribute)
    text = inspect.getdoc(exported) or ""
    assert text
    if inspect.isfunction(exported):
        for parameter in inspect.signature(exported).parameters:
            assert re.search(rf"\b{parameter}\b", text), f"{name} does not tell {parameter}"
    if inspect.isclass(exported):
        for method, function in vars(exported).items():
            if inspect.isfunction(function) and not method.startswith("_"):
                assert inspect.getdoc(function), f"{name}.{method}"


PAGES = [
    *sorted((ROOT / "examples").glob("*.py")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "README.md",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_import_what_is_exported(page):
    pattern = r"^from (hyperspy_coreloss[\w.]*) import (?:\(([^)]*)\)|(.+))$"
    for module, several, one in re.findall(pattern, page.read_text(encoding="utf-8"), re.M):
        names = {name.strip() for name in (several or one).split(",")} - {""}
        assert names <= set(import_module(module).__all__), module


def test_names_of_before_the_pair_load_and_save_still_work(tmp_path, mixed):
    hyperspy_coreloss.write_dataset(mixed, tmp_path / "mixed.nc")
    again = hyperspy_coreloss.read_dataset(tmp_path / "mixed.nc")
    assert again.sha256 == hyperspy_coreloss.load_dataset(tmp_path / "mixed.nc").sha256
    assert again.sha256 == mixed.sha256
