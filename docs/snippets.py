"""The Python blocks of a page, run in order in one namespace.

The tests run those of all pages, and ``conf.py`` shows what those of the tutorial print and draw.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^>]+?) -->\n\n?)?"
    r"```(?P<language>\S*)[^\n]*\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of a page: its language, code, first line, end in the text, and why it is not run."""

    language: str
    code: str
    line: int
    end: int
    reason: str | None


def blocks(text: str) -> list[Block]:
    """Return the blocks of a page, in the order of the page."""
    return [
        Block(
            match["language"],
            match["code"],
            text.count("\n", 0, match.start("code")) + 1,
            match.end(),
            match["reason"],
        )
        for match in _BLOCK.finditer(text)
    ]


def run(page: Path, text: str, names: dict[str, Any]) -> Iterator[tuple[Block, str, list[Figure]]]:
    """Run the Python blocks of a page, and yield what each prints and draws.

    Parameters
    ----------
    page
        Path of the page, which tracebacks show.
    text
        Text of the page.
    names
        Namespace of the blocks, which they change.
    """
    for block in blocks(text):
        if block.language == "python" and block.reason is None:
            before = set(plt.get_fignums())
            code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(code, names)
            drawn = [plt.figure(number) for number in plt.get_fignums() if number not in before]
            yield block, printed.getvalue(), drawn
            plt.close("all")


def with_output(page: Path, folder: Path) -> str:
    """Return the text of a page with what its blocks print and draw below each.

    Parameters
    ----------
    page
        The page. Its name is the beginning of the names of its figures.
    folder
        Where the blocks are run, and may leave files.
    """
    text, place = page.read_text(encoding="utf-8"), 0
    parts: list[str] = []
    here = Path.cwd()
    os.chdir(folder)
    try:
        for block, printed, figures in run(page, text, {"__name__": "__main__"}):
            parts.append(text[place : block.end])
            place = block.end
            if printed.strip():
                parts.append(f"\n\n```text\n{printed.rstrip()}\n```")
            for number, figure in enumerate(figures):
                name = f"{page.stem}_line_{block.line}_{number}.png"
                figure.savefig(page.with_name(name), dpi=100)
                parts.append(f"\n\n![Figure of the block above]({name})")
    finally:
        os.chdir(here)
    return "".join([*parts, text[place:]])
