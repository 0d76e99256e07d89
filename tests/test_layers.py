"""Imports point down, from room to room and inside each, so that no circle can grow."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest

from tests.house import OUTSIDE, ROOMS, contributing, path_of, places
from tests.paths import PACKAGE, ROOT

PLACES = places()
TORCH_OWNERS = {
    "pretrained.network",
    "pretrained.trust",
    "training.regressor",
    "training.side_by_side",
    "components.emulator",
}
# The wings that only the named rooms may use.
WINGS = {"simulation": {"cli"}, "cli": set(), "study": {"cli"}}


def module_names():
    paths = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
    names = (".".join(path.with_suffix("").parts) for path in paths)
    return {name.removesuffix("__init__").removesuffix(".") for name in names}


def imports(module):
    """Yield all that a module imports, wherever it does: also in functions, also for types."""
    tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import"
            yield from named(node)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def named(node):
    """Yield the modules of ``from a import b``: a.b if that is a module, else a."""
    for alias in node.names:
        inner = f"{node.module}.{alias.name}".removeprefix("hyperspy_coreloss.")
        whole = node.module == "hyperspy_coreloss" or node.module.startswith("hyperspy_coreloss.")
        yield f"hyperspy_coreloss.{inner}" if whole and inner in PLACES else node.module


def own_imports(module):
    for name in imports(module):
        if name.partition(".")[0] == "hyperspy_coreloss":
            yield name.removeprefix("hyperspy_coreloss").removeprefix(".")


def test_every_module_has_a_place():
    assert module_names() == {*PLACES, *OUTSIDE}


@pytest.mark.parametrize("module", sorted(PLACES))
def test_imports_point_down(module):
    for name in own_imports(module):
        assert name in PLACES, f"{module} imports {name or 'the package itself'}"
        assert PLACES[name] < PLACES[module], f"{module} imports {name}"


@pytest.mark.parametrize("module", sorted(PLACES))
def test_side_wings_are_used_from_above_only(module):
    room = module.partition(".")[0]
    for name in own_imports(module):
        wing = name.partition(".")[0]
        assert room == wing or room in WINGS.get(wing, {room}), f"{module} imports {name}"


@pytest.mark.parametrize("module", sorted(PLACES))
def test_torch_has_few_owners(module):
    uses_torch = any(name.partition(".")[0] == "torch" for name in imports(module))
    assert uses_torch == (module in TORCH_OWNERS)


def test_numba_has_one_owner():
    users = {
        module
        for module in PLACES
        if any(name.partition(".")[0] == "numba" for name in imports(module))
    }
    assert users == {"spectra.compiled"}


@pytest.mark.parametrize("module", sorted(PLACES))
def test_spectra_and_data_sets_are_plain_arrays(module):
    """Arrays know nothing of HyperSpy, so that they work without it."""
    if module.partition(".")[0] in ("spectra", "training"):
        assert "hyperspy" not in {name.partition(".")[0] for name in imports(module)}


@pytest.mark.parametrize("module", sorted([*PLACES, *OUTSIDE]))
def test_nothing_of_the_repository_is_imported(module):
    outside = {path.name for path in ROOT.iterdir() if path.is_dir()} - {PACKAGE.name}
    assert not outside & {name.partition(".")[0] for name in imports(module)}


@pytest.mark.parametrize("module", sorted(PLACES))
def test_modules_stay_small(module):
    assert len(path_of(module).read_text(encoding="utf-8").splitlines()) <= 400


def test_no_two_classes_share_a_name():
    names = Counter(
        node.name
        for module in PLACES
        for node in ast.parse(path_of(module).read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    assert {name for name, times in names.items() if times > 1} == set()


@pytest.mark.parametrize("room", [room.name for room in ROOMS if room.modules])
def test_a_room_says_what_it_is_for_and_what_it_offers(room):
    tree = ast.parse(path_of(room).read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert any(isinstance(node, ast.Name) and node.id == "__all__" for node in ast.walk(tree))


def test_files_that_contributors_are_sent_to_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w./-]+\.(?:py|md|sh))`", text)
    assert len(named) > 10
    for name in named:
        assert any((folder / name).exists() for folder in (ROOT, PACKAGE)), name


def test_the_table_for_contributors_is_that_of_today():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert text == contributing(text), "run python -m tests.house"
