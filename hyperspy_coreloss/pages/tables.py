"""Tables of pages: rows of cells, the first of which is the heading of its row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of one cell of a table, and whether it is the best of its row."""

    text: str
    best: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of a row is its heading."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def plain_table(header: Sequence[str], rows: Iterable[Iterable[object]]) -> Table:
    """Return a table of texts, none of which is the best of its row.

    Parameters
    ----------
    header
        Headings of the columns.
    rows
        Cells of each row, which are converted to texts.
    """
    return Table(tuple(header), tuple(tuple(Cell(str(cell)) for cell in row) for row in rows))
