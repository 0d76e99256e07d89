"""Add the method ``predict_properties`` to exspy's EELS signals, without an import by the user.

HyperSpy looks up the *name* of every extension entry point with ``importlib.util.find_spec``. For
the dotted name ``hyperspy_coreloss._autoload`` this lookup imports this package, during ``import
hyperspy.api`` and before exspy. :func:`install` therefore uses the standard library only, to be
fast, and waits until exspy defines its class. The package catches any error that it raises.

The environment variable ``HYPERSPY_CORELOSS_ATTACH=0`` disables it.
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
    """A method that is imported at its first access, so that help() shows the real method."""

    def __init__(self, name: str, module: str) -> None:
        self._name = name
        self._module = module

    def __get__(self, instance: object, owner: type | None = None) -> Callable[..., Any]:
        try:
            function = getattr(importlib.import_module(self._module), self._name)
        except Exception as error:  # A broken package must not disturb who lists the attributes.
            function = _unavailable(self._name, error)
        return function if instance is None else function.__get__(instance, owner)


def _unavailable(name: str, reason: Exception) -> Callable[..., Any]:
    def method(*_arguments: Any, **_options: Any) -> Any:
        msg = (
            f"{name} needs hyperspy_coreloss to be imported, which failed: {reason!r}. Install it "
            "and the packages that it needs again."
        )
        raise ImportError(msg) from reason

    method.__name__ = name
    return method


class PostImportFinder:
    """Finder on ``sys.meta_path`` that calls :func:`attach` after exspy's signal modules have run.

    It does not locate modules itself. It queries the other finders and wraps the loader that they
    return.
    """

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the other finders, with a loader that calls :func:`attach`."""
        if not fullname.startswith(f"{_HOST_PACKAGE}."):
            return None
        others = [finder for finder in sys.meta_path if finder is not cls]
        specs = (
            finder.find_spec(fullname, path, target)
            for finder in others
            if hasattr(finder, "find_spec")
        )
        spec = next((candidate for candidate in specs if candidate is not None), None)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            _attach_after(spec.loader)
        return spec


def _attach_after(loader: Any) -> None:
    run = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        run(module)
        _attach_and_clean_up(module)

    # A loader with __slots__ cannot be wrapped; predict_properties(signal) still works then.
    with contextlib.suppress(AttributeError):
        loader.exec_module = exec_module


def _attach_and_clean_up(module: object) -> bool:
    """Attach during exspy's import, which an error of this package must not interrupt."""
    try:
        attached = attach(module)
    except Exception:
        logging.getLogger(__name__).warning("No methods added to EELS signals.", exc_info=True)
        attached = True  # Do not try again.
    if attached:
        remove_finder()
    return attached


def attach(module: object) -> bool:
    """Add the methods if `module` defines the class, and return whether it does."""
    host = getattr(module, "__dict__", {}).get(_HOST_CLASS)
    if not isinstance(host, type) or host.__module__ != getattr(module, "__name__", None):
        return False
    for name, source in _METHODS.items():
        if name not in host.__dict__:  # A method of exspy takes precedence.
            setattr(host, name, DeferredMethod(name, source))
    return True


def remove_finder() -> None:
    """Remove :class:`PostImportFinder` from ``sys.meta_path``."""
    while PostImportFinder in sys.meta_path:
        sys.meta_path.remove(PostImportFinder)


def install() -> None:
    """Add the methods now, or as soon as exspy defines its class."""
    if os.environ.get("HYPERSPY_CORELOSS_ATTACH", "1") == "0":
        return
    for name, module in list(sys.modules.items()):
        if not name.startswith(f"{_HOST_PACKAGE}.") or module is None:
            continue
        if attach(module):
            remove_finder()
            return
        if getattr(getattr(module, "__spec__", None), "_initializing", False):
            # exspy's module, which started this import, has not yet defined its class. When its
            # import ends, importlib sets the module as an attribute of its parent package.
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
                self.__class__ = original  # type: ignore[assignment]  # restored

    parent.__class__ = _WatchedModule
