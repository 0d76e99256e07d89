"""Pages: HTML in one look that needs nothing but its own file."""

from hyperspy_coreloss.pages.pictures import embed
from hyperspy_coreloss.pages.tables import Cell, Table
from hyperspy_coreloss.pages.templates import page_environment

__all__ = ("Cell", "Table", "embed", "page_environment")
