"""Update the numbers in README.md and CHANGES.md from the records of the shipped models.

python training/silica/readme_numbers.py
"""

from __future__ import annotations

import re
from pathlib import Path

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.dataset.splits import HEADLINE

ROOT = Path(__file__).parents[2]
MODELS = ("silica-o-k", "silica-o-k-wide", "silica-o-k-absolute")


def replaced(pattern: str, words: str, text: str) -> str:
    """Replace the only match of `pattern` in `text` by `words`."""
    result, count = re.subn(pattern, words, text)
    if count != 1:
        msg = f"The text must match {pattern!r} once; found {count} matches. Correct the text."
        raise ValueError(msg)
    return result


def main() -> None:
    """Replace the numbers, and keep the words."""
    record = load_pretrained(MODELS[0]).record
    readme, changes = ROOT / "README.md", ROOT / "CHANGES.md"
    text = replaced(
        r"\d+ computed spectra of \d+ phases",
        f"{record.n_spectra} computed spectra of {record.n_phases} phases",
        readme.read_text(),
    )
    for name in MODELS:
        rows = load_pretrained(name).record.metrics[HEADLINE].values()
        ratios = [row["mae"] / row["baselines"]["mean"] for row in rows]
        words = f"`{name}` {min(ratios):.2f} to {max(ratios):.2f} times"
        text = replaced(rf"`{name}` \d\.\d\d to \d\.\d\d times", words, text)
    readme.write_text(text)
    sizes = f"from {record.n_spectra} computed spectra"
    changes.write_text(replaced(r"from \d+ computed spectra", sizes, changes.read_text()))


if __name__ == "__main__":
    main()
