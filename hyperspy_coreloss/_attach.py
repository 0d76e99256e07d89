"""Give exspy's EELS signals the method ``predict_properties``, without an import by the user.

HyperSpy looks up the *name* of every extension entry point with ``importlib.util.find_spec``. For
the dotted name ``hyperspy_coreloss._autoload`` that imports this package, inside ``import
hyperspy.api`` and before exspy. So :func:`install` runs early, must cost nothing (standard library
only), must never raise (the package catches what it raises) and must wait for exspy's class.

``HYPERSPY_CORELOSS_ATTACH=0`` in the environment switches it off.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_HOST_PACKAGE = "exspy.signals"
_HOST_CLASS = "EELSSpectrum"  # its lazy form inherits from it
_METHODS = {"predict_properties": "hyperspy_coreloss.prediction"}


class DeferredMethod:
    """A method that is imported when it is first looked at, so that help() shows the real one."""

    def __init__(self, name: str, module: str) -> None:
        self._name = name
        self._module = module

    def __get__(self, instance: object, owner: type | None = None) -> Callable[..., Any]:
        function = getattr(importlib.import_module(self._module), self._name)
        return function if instance is None else function.__get__(instance, owner)


class PostImportFinder:
    """Finder on ``sys.meta_path`` that looks at exspy's signal modules once they have run.

    It finds nothing itself: it asks the other finders and wraps the loader they return.
    """

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec the other finders give, with a loader that calls :func:`attach`."""
        if not fullname.startswith(f"{_HOST_PACKAGE}."):
            return None
        others = [finder for finder in sys.meta_path if finder is not cls]
        specs = (
            finder.find_spec(fullname, path, target)
            for finder in others
            if hasattr(finder, "find_spec")
        )
        spec = next((found for found in specs if found is not None), None)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            _attach_after(spec.loader)
        return spec


def _attach_after(loader: Any) -> None:
    run = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        run(module)
        _attach_and_clean_up(module)

    # A loader with __slots__ stays as it is: the plain function still works.
    with contextlib.suppress(AttributeError):
        loader.exec_module = exec_module


def _attach_and_clean_up(module: object) -> bool:
    """Attach in the middle of exspy's import, which no fault of ours may break."""
    try:
        attached = attach(module)
    except Exception:
        logging.getLogger(__name__).warning("No methods added to EELS signals.", exc_info=True)
        attached = True  # not to be tried again
    if attached:
        remove_finder()
    return attached


def attach(module: object) -> bool:
    """Add the methods if `module` defines the class; say whether it does."""
    host = getattr(module, "__dict__", {}).get(_HOST_CLASS)
    if not isinstance(host, type) or host.__module__ != getattr(module, "__name__", None):
        return False
    for name, source in _METHODS.items():
        if name not in host.__dict__:  # a method of exspy's own wins
            setattr(host, name, DeferredMethod(name, source))
    return True


def remove_finder() -> None:
    """Leave ``sys.meta_path`` as it was."""
    while PostImportFinder in sys.meta_path:
        sys.meta_path.remove(PostImportFinder)


def install() -> None:
    """Attach the methods now, or as soon as exspy defines its class."""
    if os.environ.get("HYPERSPY_CORELOSS_ATTACH", "1") == "0":
        return
    for name, module in list(sys.modules.items()):
        if not name.startswith(f"{_HOST_PACKAGE}.") or module is None:
            continue
        if attach(module):
            remove_finder()
            return
        if getattr(getattr(module, "__spec__", None), "_initializing", False):
            # This import was started by exspy's module, whose class statement is still to come;
            # importlib ends by setting the module as an attribute of its parent.
            _attach_when_set(sys.modules[_HOST_PACKAGE])
    if PostImportFinder not in sys.meta_path:
        sys.meta_path.insert(0, PostImportFinder)


def _attach_when_set(parent: ModuleType) -> None:
    original = parent.__class__
    if original.__name__ == "_WatchedModule":
        return

    class _WatchedModule(original):  # type: ignore[misc, valid-type]  # class of a module
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if _attach_and_clean_up(value):
                self.__class__ = original  # type: ignore[assignment]  # the one before

    parent.__class__ = _WatchedModule
