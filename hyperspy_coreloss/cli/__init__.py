"""The command line, ``hyperspy-coreloss``: the only room that prints."""

from hyperspy_coreloss.cli.commands import main

__all__ = ("main",)
