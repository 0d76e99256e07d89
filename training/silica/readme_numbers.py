"""Update the numbers in README.md and CHANGES.md, from the models and ``results/accuracy.json``.

python -m training.silica.readme_numbers
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.accuracy_tables import errors_table
from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.dataset.card import markdown_table

ROOT = Path(__file__).parents[2]
MODEL = "silica-o-k"


def replaced(pattern: str, words: str, text: str) -> str:
    """Replace the only match of `pattern` in `text` by `words`."""
    result, count = re.subn(pattern, lambda _: words, text, flags=re.DOTALL)
    if count != 1:
        msg = f"The text must match {pattern!r} once; found {count} matches. Correct the text."
        raise ValueError(msg)
    return result


def with_accuracy(text: str, results: dict[str, Any]) -> str:
    """Return the README with the table of the accuracy."""
    begin = "<!-- errors: python -m training.silica.readme_numbers -->\n"
    end = "<!-- end of errors -->"
    table = errors_table(results, conditions=("typical", "clean"))
    lines = "\n".join(markdown_table(*table))
    return replaced(f"{begin}.*?{end}", f"{begin}\n{lines}\n\n{end}", text)


def main() -> None:
    """Replace the numbers, and keep the words."""
    record = load_pretrained(MODEL).record
    readme, changes = ROOT / "README.md", ROOT / "CHANGES.md"
    text = replaced(
        r"\d+ computed spectra of \d+ phases",
        f"{record.n_spectra} computed spectra of {record.n_phases} phases",
        readme.read_text(encoding="utf-8"),
    )
    results = json.loads((ROOT / "results" / "accuracy.json").read_text(encoding="utf-8"))
    readme.write_text(with_accuracy(text, results), encoding="utf-8")
    sizes = f"from {record.n_spectra} computed spectra"
    text = changes.read_text(encoding="utf-8")
    changes.write_text(replaced(r"from \d+ computed spectra", sizes, text), encoding="utf-8")


if __name__ == "__main__":
    main()
