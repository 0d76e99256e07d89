"""Only what HyperSpy promises to keep is used of it, and its warnings are heard.

Names that begin with an underscore are no contract: HyperSpy 3.0 removes and renames some. The
nodes of its metadata will be renamed too, so that one module alone spells them.
"""

from __future__ import annotations

import ast
import re
import warnings
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
from hyperspy.component import Component
from hyperspy.components1d import Expression
from hyperspy.exceptions import VisibleDeprecationWarning
from hyperspy.signals import BaseSignal, LazySignal

from tests import conftest
from tests.house import path_of, places

HOSTS = ("hyperspy", "exspy", "rsciio")
PRIVATE = re.compile(r"_[a-z]\w*")
TREES = {
    module: ast.parse(path_of(module).read_text(encoding="utf-8")) for module in sorted(places())
}

#: Private names for which there is no public one: the module that uses it, the name, the reason.
NEEDED = {
    ("components.edge_step", "_id_name"): "finds the class of a stored component again",
    ("components.edge_step", "_whitelist"): "stores the arguments of a component",
    ("components.energy_component", "_axes_manager"): "the axes come first when a model takes it",
    ("components.fine_structure", "_position"): "the parameter that is dragged in a plot",
    ("components.property_elnes", "_id_name"): "finds the class of a stored component again",
    ("components.property_elnes", "_whitelist"): "stores the arguments of a component",
    ("components.template", "_id_name"): "finds the class of a stored component again",
    ("components.template", "_whitelist"): "stores the arguments of a component",
    ("signals.explorer", "_plot"): "the figures of a plot, of which plot() returns nothing",
    ("signals.property_signal", "_additional_slicing_targets"): "slices the maps with a result",
    ("signals.property_signal", "_signal_type"): "the signal type of an extension's class",
}


def private_names():
    """Return the private names of HyperSpy's signals, axes and components, class or instance."""
    signal, component = BaseSignal(np.zeros(2)), Component(["a"])
    axes = signal.axes_manager
    bases = (signal, LazySignal, axes, *axes.signal_axes, component, component.a, Expression)
    names = {name for base in bases for name in (*dir(base), *vars(base))}
    return {name for name in names if PRIVATE.fullmatch(name)}


HOST_NAMES = private_names()


def imported(module):
    """Yield the modules, and the names in them, that a module imports."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def uses_host(module):
    return any(source.partition(".")[0] in HOSTS for source, _ in imported(module))


def texts(tree):
    """Yield all texts of a module but its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documents:
            yield from [node.value] if isinstance(node.value, str) else []


def extends_host(module, name):
    made = getattr(import_module(f"hyperspy_coreloss.{module}"), name)
    return any(base.__module__.partition(".")[0] in HOSTS for base in made.__mro__)


def classes(tree):
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def accesses(tree, owner=r".*"):
    """Return the accesses to attributes of the names that match."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and re.fullmatch(owner, ast.unparse(node.value))
    ]


def own_accesses(module, tree):
    """Return the accesses to the private names of the module's own classes."""
    found, defined = set(), set()
    for made in classes(tree):
        foreign = HOST_NAMES if extends_host(module, made.name) else set()
        found |= {node for node in accesses(made, "self|cls") if node.attr not in foreign}
        defined |= {node.name for node in made.body if isinstance(node, ast.FunctionDef)}
    return found | {node for node in accesses(tree) if node.attr in defined - HOST_NAMES}


def overridden(module, tree):
    """Yield the private names of HyperSpy that classes define anew."""
    for made in classes(tree):
        if extends_host(module, made.name):
            functions = (node.name for node in made.body if isinstance(node, ast.FunctionDef))
            targets = (
                target.id
                for node in made.body
                if isinstance(node, (ast.Assign, ast.AnnAssign))
                for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            )
            yield from HOST_NAMES.intersection((*functions, *targets))


def used_private_names(module):
    tree = TREES[module]
    own = own_accesses(module, tree)
    names = {node.attr for node in accesses(tree) if node not in own}
    names |= HOST_NAMES.intersection(texts(tree)) if uses_host(module) else set()
    names |= set(overridden(module, tree))
    return {(module, name) for name in names if PRIVATE.fullmatch(name)}


def test_private_names_are_used_only_where_there_is_no_public_one():
    assert set().union(*map(used_private_names, TREES)) == set(NEEDED)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("def f(s):\n    return s._lazy\n", "_lazy"),
        ("def f(s):\n    s.axes_manager._axes[0].name = ''\n", "_axes"),
        ("import hyperspy.api as hs\ndef f(s):\n    return getattr(s, '_lazy')\n", "_lazy"),
        ("import hyperspy.api as hs\nhs.load('a', attributes={'_lazy': 1})\n", "_lazy"),
    ],
)
def test_private_names_are_noticed(monkeypatch, code, name):
    monkeypatch.setitem(TREES, "made", ast.parse(code))
    assert used_private_names("made") == {("made", name)}


@pytest.mark.parametrize("module", TREES)
def test_nothing_is_imported_from_private_modules(module):
    for source, name in imported(module):
        if source.partition(".")[0] in HOSTS:
            assert not re.search(r"(^|\.)_", f"{source}.{name}"), f"{module}: {source} {name}"


NODES = r"General|Signal|Sample|Acquisition_instrument|CoreLossProperty"
OWNER = "signals.metadata"


@pytest.mark.parametrize("module", sorted({*filter(uses_host, TREES)} - {OWNER}))
def test_one_module_knows_the_metadata_of_signals(module):
    tree = TREES[module]
    trees = [node for node in accesses(tree) if node.attr in ("metadata", "original_metadata")]
    assert [ast.unparse(node) for node in trees] == []
    written = [
        word.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "metadata" and isinstance(word.value, ast.Dict)
    ]
    assert written == []
    assert [text for text in texts(tree) if re.match(rf"(metadata\.)?({NODES})(\.|$)", text)] == []


def test_the_owner_of_the_metadata_is_there():
    assert uses_host(OWNER)
    assert any(re.match(NODES, text) for text in texts(TREES[OWNER]))


GENERAL = {"Warning", "UserWarning", "DeprecationWarning", "FutureWarning"}


@pytest.mark.parametrize("module", sorted(filter(uses_host, TREES)))
def test_warnings_of_hyperspy_are_not_silenced(module):
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("warnings."):
            ignoring = any(getattr(one, "value", "") in ("ignore", "once") for one in node.args)
            named = {
                ast.unparse(one) for one in (*node.args[1:], *(k.value for k in node.keywords))
            }
            assert not ignoring or (named and not named & GENERAL), ast.unparse(node)


def test_deprecations_that_pass_the_filters_fail_the_session(monkeypatch):
    """RosettaSciIO shows those of arguments in any case, so that no filter makes them errors."""
    monkeypatch.setattr(conftest, "PASSED_FILTERS", [])
    session = SimpleNamespace(exitstatus=0)
    conftest.pytest_sessionfinish(session)
    assert session.exitstatus == 0
    shown = warnings.WarningMessage("gone in 3.0", VisibleDeprecationWarning, "io.py", 1)
    conftest.pytest_warning_recorded(shown, "test_x")
    conftest.pytest_sessionfinish(session)
    assert session.exitstatus == 1
    assert conftest.PASSED_FILTERS == ["test_x: gone in 3.0"]
