"""A night of files that is killed and resumed, compared with one that is not disturbed.

Fifty small spectrum images are made, three of them broken: a truncated file, a text that is named
like a file of HyperSpy, and a spectrum image without the O K edge. ``hyperspy-coreloss predict`` is
killed while it writes a result, after some files have theirs, and is run again. Its results and its
report must be those of an undisturbed run, to the bit; the exit code must be 1, and the three
broken files, and no others, be reported as failed.

Usage: ``python benchmarks/night_of_files.py [FOLDER] [FILES]``; by default in a temporary folder.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import hyperspy.api as hs

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.signals.metadata import MAPS, get_map

FILES = 50
_COMMAND = "from hyperspy_coreloss.cli import main; main()"
# Columns of the report that differ between any two runs, or between one and its continuation.
_OF_THE_RUN = ("outputs", "seconds", "finished before")


def made(folder: Path, number: int) -> list[Path]:
    """Make a number of files of spectra, of which three are broken, and return them sorted."""
    folder.mkdir(parents=True)
    for index in range(number):
        shape = (6 + index % 5, 4 + index % 3)
        image, _ = silica_spectrum_image(shape, seed=index, n_channels=1100)
        if index == 2:  # far below the edge
            image.axes_manager.signal_axes[0].offset = 100.0
        image.save(folder / f"grain_{index:02d}.hspy")
    truncated = folder / "grain_00.hspy"
    truncated.write_bytes(truncated.read_bytes()[: truncated.stat().st_size // 2])
    (folder / "grain_01.hspy").write_text("These are no spectra.\n")
    return sorted(folder.glob("*.hspy"))


def started(files: list[Path], output: Path, report: Path) -> subprocess.Popen:
    """Start the command on files."""
    arguments = ["-o", str(output), "--resolution", "0.5", "--table", str(report)]
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _COMMAND, "predict", *map(str, files), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def killed(files: list[Path], output: Path, report: Path, results: int) -> int:
    """Run the command, kill it as it writes one more than some results, and return how many."""
    process = started(files, output, report)
    while len(list(output.glob("*.hspy"))) < results or not list(output.glob(".*.part")):
        if process.poll() is not None:
            msg = f"The command ended with {process.returncode} before it was killed."
            raise RuntimeError(msg)
        time.sleep(0.002)
    process.kill()
    process.wait()
    return len(list(output.glob("*.hspy")))


def rows_of(report: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a report by the name of the file, without what is of one run only."""
    with report.open(newline="", encoding="utf-8") as table:
        return {
            Path(row.pop("file")).name: {k: v for k, v in row.items() if k not in _OF_THE_RUN}
            for row in csv.DictReader(table)
        }


def difference(first: Path, second: Path) -> str:
    """Return in what two results differ, in words; nothing if they are the same to the bit."""
    one, other = hs.load(first), hs.load(second)
    if one.data.dtype != other.data.dtype or one.data.tobytes() != other.data.tobytes():
        return "values"
    for name in MAPS:
        maps = [get_map(result, name) for result in (one, other)]
        if (maps[0] is None) != (maps[1] is None):
            return f"{name} is missing in one"
        if maps[0] is not None and maps[0].data.tobytes() != maps[1].data.tobytes():
            return name
    return ""


def reported_differently(
    disturbed: dict[str, dict[str, str]], undisturbed: dict[str, dict[str, str]], before: set[str]
) -> list[str]:
    """Return the files with other rows; of those finished before, only the errors are compared."""
    if disturbed.keys() != undisturbed.keys():
        return sorted(disturbed.keys() ^ undisturbed.keys())
    return [
        name
        for name, row in disturbed.items()
        if (row["error"] != undisturbed[name]["error"])
        or (name not in before and _counts(row) != _counts(undisturbed[name]))
    ]


def _counts(row: dict[str, str]) -> dict[str, str]:
    """Return a row without zeros: a report has a column for each code that occurs in it."""
    return {column: value for column, value in row.items() if value != "0"}


def measure(folder: str | Path, number: int = FILES) -> dict[str, Any]:
    """Kill and resume a night of files, and compare it with an undisturbed one.

    Parameters
    ----------
    folder
        Folder for the files and the results, which is empty or does not exist.
    number
        Number of files, above 10.

    Returns
    -------
    dict
        Times of the runs in s, the number of results when the first was killed, the exit codes, the
        files that are reported as failed, and what differs.

    Raises
    ------
    AssertionError
        If anything differs, or is half-written, or another number of files than three failed.
    """
    place = Path(folder)
    files = made(place / "spectra", number)
    broken = [file.name for file in files[:3]]
    night, calm = place / "night", place / "calm"
    finished = killed(files, night, place / "killed.csv", number // 3)
    before = {path.name for path in night.glob("*.hspy")}
    left = [path.name for path in night.iterdir() if path.name.startswith(".")]
    seconds, codes, reports = {}, {}, {}
    for output in (night, calm):
        start = time.perf_counter()
        reports[output.name] = place / f"{output.name}.csv"
        codes[output.name] = started(files, output, reports[output.name]).wait()
        seconds[output.name] = time.perf_counter() - start
    rows = {name: rows_of(report) for name, report in reports.items()}
    names = sorted(path.name for path in calm.iterdir())
    found = {
        "files": number,
        "finished_when_killed": finished,
        "left_when_killed": left,
        "exit_codes": codes,
        "failed": sorted(name for name, row in rows["night"].items() if row["error"]),
        "differ": [name for name in names if difference(night / name, calm / name)],
        "reported_differently": reported_differently(rows["night"], rows["calm"], before),
        "seconds": seconds,
    }
    there = sorted(path.name for path in night.iterdir())
    assert there == names, f"other results, or left-overs: {sorted(set(there) ^ set(names))}"
    assert names == sorted(file.name for file in files[3:]), names
    assert found["failed"] == broken, found["failed"]
    assert codes == {"night": 1, "calm": 1}, codes
    assert not found["differ"], found["differ"]
    assert not found["reported_differently"], found["reported_differently"]
    assert 0 < finished < len(names), finished
    return found


def main(folder: str | None = None, number: int = FILES) -> None:
    """Print what :func:`measure` found."""
    with tempfile.TemporaryDirectory() as temporary:
        found = measure(folder or temporary, number)
    print(
        f"killed after {found['finished_when_killed']} of {found['files'] - 3} results, which left "
        f"{len(found['left_when_killed'])} half-written, and resumed: all results are those of an "
        f"undisturbed run, to the bit; {', '.join(found['failed'])} failed in both"
    )
    for name, seconds in found["seconds"].items():
        print(f"{'resumed' if name == 'night' else 'undisturbed'} run: {seconds:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:2], *(int(argument) for argument in sys.argv[2:]))
