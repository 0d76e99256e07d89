"""Time that the package adds to ``import hyperspy.api``, in fresh interpreters.

Usage: ``python benchmarks/import_time.py [RUNS]``
"""

from __future__ import annotations

import statistics
import subprocess
import sys

CHILD = """
import importlib.metadata, sys, time
installed = importlib.metadata.entry_points
if sys.argv[1] == "without":
    importlib.metadata.entry_points = lambda **select: [
        point for point in installed(**select) if not point.name.startswith("hyperspy_coreloss")
    ]
start = time.perf_counter()
import hyperspy.api
elapsed = time.perf_counter() - start
assert ("hyperspy_coreloss" in sys.modules) == (sys.argv[1] == "with")
print(elapsed)
"""


def import_time(arm: str) -> float:
    """Return the time of one import in ms, ``"with"`` or ``"without"`` the package."""
    finished = subprocess.run(
        [sys.executable, "-c", CHILD, arm], capture_output=True, text=True, check=True
    )
    return 1e3 * float(finished.stdout)


def import_times(runs: int) -> tuple[float, float, float]:
    """Return the median times with and without the package, and of their differences, in ms."""
    import_time("with"), import_time("without")  # fill the caches
    # In turn, so that both have the same load.
    pairs = [(import_time("with"), import_time("without")) for _ in range(runs)]
    with_package, without = (statistics.median(arm) for arm in zip(*pairs, strict=True))
    return with_package, without, statistics.median(first - second for first, second in pairs)


def main(runs: int = 15) -> None:
    """Measure with and without the package in turn."""
    with_package, without, difference = import_times(runs)
    print(f"import hyperspy.api with {with_package:.1f} ms, without {without:.1f} ms (medians)")
    print(f"median of {runs} differences: {difference:+.1f} ms")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
