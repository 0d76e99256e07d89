"""Memory and time of predictions of spectra that are larger than memory; see ``performance``.

Memory is read in Linux's way.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

# The resident set of a process that has imported what every HyperSpy session imports.
_CHILD = """
import json, sys, time
from pathlib import Path
import hyperspy.api as hs
import exspy.signals, hyperspy.signals, dask.array
def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
hs.preferences.General.show_progressbar = False
imported = peak()
from benchmarks.memory_of_predictions import opened
source, target = sys.argv[1:]
signal = opened(source)
if target == "read":
    start = time.perf_counter()
    signal.data.sum(axis=-1).compute()
else:
    start = time.perf_counter()
    signal.predict_properties(resolution=0.5).save(target)
print(json.dumps({"s": time.perf_counter() - start, "bytes": peak() - imported}))
"""

_CHANNELS = 1024
_SIDE = 512
#: Files by their chunks: format, shape of the map, chunks.
FILES = {
    "rows of pixels, .zspy": ("zspy", (1024, _SIDE), (8, _SIDE, _CHANNELS)),
    "rows of pixels, .hspy": ("hspy", (1024, _SIDE), (8, _SIDE, _CHANNELS)),
    "single energies, .hspy": ("hspy", (512, _SIDE), (512, _SIDE, 4)),
    "single pixels, .hspy": ("hspy", (128, _SIDE), (1, 1, _CHANNELS)),
}


def _run(source: str, target: str) -> dict[str, float]:
    finished = subprocess.run(
        [sys.executable, "-c", _CHILD, source, target], capture_output=True, text=True, check=True
    )
    result: dict[str, float] = json.loads(finished.stdout.splitlines()[-1])
    return result


def opened(source: str) -> Any:
    """Return the lazy signal of a file, or that of as many generated gigabytes as a number says."""
    import hyperspy.api as hs

    if Path(source).exists():
        return hs.load(source, lazy=True)
    return generated(float(source))


def generated(gigabytes: float) -> Any:
    """Return a lazy map of spectra that are generated when they are read, 16 MB in a chunk."""
    import dask.array as da
    import numpy as np
    from hyperspy.signals import LazySignal1D

    from benchmarks.performance import FIRST, LAST, spectrum_image

    rows = max(int(gigabytes * 1e9 / (4 * _CHANNELS * _SIDE)) // 8, 1) * 8
    chunk = spectrum_image((8, _SIDE)).data

    def noisy(block: np.ndarray, block_info: Any = None) -> np.ndarray:
        first = block_info[0]["array-location"][0][0]
        scale = np.random.default_rng(first).uniform(0.5, 1.5, (*block.shape[:2], 1))
        return chunk * scale.astype(np.float32)

    empty = da.zeros((rows, _SIDE, _CHANNELS), chunks=(8, _SIDE, _CHANNELS), dtype=np.float32)
    signal = LazySignal1D(empty.map_blocks(noisy, dtype=np.float32, meta=np.empty((0, 0, 0), "f4")))
    axis = signal.axes_manager[-1]
    axis.offset, axis.scale, axis.units = FIRST, (LAST - FIRST) / (_CHANNELS - 1), "eV"
    signal.set_signal_type("EELS")
    return signal


def measure(gigabytes: float) -> dict[str, Any]:
    """Predict files of several chunks, and generated spectra, and save the results."""
    from benchmarks.performance import spectrum_image

    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (ending, shape, chunks) in FILES.items():
            path = Path(folder) / f"spectra.{ending}"
            spectrum_image(shape).save(path, chunks=chunks, show_progressbar=False)
            read = _run(str(path), "read")
            saved = _run(str(path), str(Path(folder) / f"maps.{ending}"))
            results[name] = {
                "gigabytes": 4e-9 * shape[0] * shape[1] * _CHANNELS,
                "peak_gigabytes": saved["bytes"] / 1e9,
                "spectra_per_second": shape[0] * shape[1] / saved["s"],
                "over_reading": saved["s"] / read["s"],
            }
            for each in Path(folder).iterdir():
                _remove(each)
        saved = _run(str(gigabytes), str(Path(folder) / "maps.zspy"))
        spectra = gigabytes * 1e9 / (4 * _CHANNELS)
        results["generated, saved to .zspy"] = {
            "gigabytes": gigabytes,
            "peak_gigabytes": saved["bytes"] / 1e9,
            "spectra_per_second": spectra / saved["s"],
        }
    return results


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
