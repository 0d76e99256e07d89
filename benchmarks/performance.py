"""Speed and memory of predictions, into ``results/performance.json``; timings as ratios in one run.

    python -m benchmarks.performance results/performance.json [--gigabytes 64] [--part speed]

Spectra are those of the simulated silica image, with 1024 channels of float32 unless said
otherwise. The reference is the same work by HyperSpy's own steps, one after another
(:func:`by_steps`). Memory is the largest resident set of a fresh process, less that of one that has
only imported HyperSpy and its signals. Parts that are not measured again are kept.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import dask
import hyperspy.api as hs
import numpy as np
from hyperspy.axes import UniformDataAxis
from hyperspy.signals import Signal1D

from benchmarks import memory_of_predictions
from benchmarks.graph_size import measure as measure_graph
from benchmarks.import_time import import_times
from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.files import replace_file
from hyperspy_coreloss.pretrained.auxiliary import auxiliary_inputs, unknown_conditions
from hyperspy_coreloss.pretrained.inference import predict_chunk
from hyperspy_coreloss.pretrained.network import evaluate
from hyperspy_coreloss.pretrained.trust import compare
from hyperspy_coreloss.provenance import software_versions
from hyperspy_coreloss.spectra.low_loss_simulation import simulate_low_loss
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from hyperspy_coreloss.pretrained.model import PretrainedModel

RESOLUTION = 0.5
FIRST, LAST = 480.0, 649.9
CHANNELS = (512, 1024, 2048, 4096)
SIDES = (64, 128, 256)
DTYPES = ("uint16", "float32", "float64")
MODELS = ("15", "40", "100")
WORKERS = (1, 2)
BATCH = 512


def spectrum_image(
    shape: tuple[int, int], channels: int = 1024, dtype: str = "float32"
) -> Signal1D:
    """Return spectra of the silica image from 480 to 650 eV, repeated to a map of a shape."""
    image, _ = silica_spectrum_image((16, 16), n_channels=1700)
    energy = image.axes_manager.signal_axes[0].axis
    wanted = np.linspace(FIRST, LAST, channels)
    some = np.array([np.interp(wanted, energy, row) for row in image.data.reshape(-1, energy.size)])
    some *= 10_000.0 / some.max()
    repeats = -(-int(np.prod(shape)) // len(some))
    data = np.tile(some, (repeats, 1))[: int(np.prod(shape))].astype(dtype)
    signal = Signal1D(data.reshape(*shape, channels))
    axis = signal.axes_manager[-1]
    axis.offset, axis.scale, axis.units = FIRST, float(wanted[1] - wanted[0]), "eV"
    signal.set_signal_type("EELS")
    return signal


def timed(
    function: Callable[[], Any], repeats: int = 3, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the shortest time of a call in s, after one call to fill the caches."""
    function()
    times = []
    for _ in range(repeats):
        start = clock()
        function()
        times.append(clock() - start)
    return min(times)


def predict(signal: Signal1D, workers: int = 2, **options: Any) -> None:
    """Predict all properties of a signal, on a number of threads."""
    with dask.config.set(num_workers=workers):
        signal.predict_properties(resolution=RESOLUTION, show_progressbar=False, **options)


def by_steps(
    signal: Signal1D, model: PretrainedModel, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Do what a prediction does by HyperSpy's own steps; return the time of each in s.

    It has no search for the edge, no check and no interval, and is told the shift of each spectrum.
    """
    window = model.recipe.window
    shifts = np.full(signal.axes_manager.navigation_shape[::-1], 0.37)
    read = window.grid.size
    axis = UniformDataAxis(offset=529.0, scale=(LAST - 530.0) / read, size=read, units="eV")
    told = auxiliary_inputs(unknown_conditions(1), model.usual_threshold)

    def network(spectrum: NDArray) -> NDArray:
        inputs = np.hstack([spectrum[None] / spectrum.sum(), told]).astype(np.float32)
        return evaluate(model, inputs)[0][0]

    times = {}

    def step(name: str, function: Callable[[], Any]) -> Any:
        start = clock()
        result = function()
        times[name] = clock() - start
        return result

    quiet = {"show_progressbar": False}
    net = step(
        "remove_background",
        lambda: signal.remove_background(
            (490.0, 520.0), background_type="PowerLaw", plot_remainder=False, **quiet
        ),
    )
    step("shift1D", lambda: net.shift1D(shifts, crop=False, fill_value=0.0, **quiet))
    step("gaussian_filter", lambda: net.gaussian_filter(FWHM=1.0))
    window_read = step("interpolate_on_axis", lambda: net.interpolate_on_axis(axis, axis=-1))
    step("map of the network", lambda: window_read.map(network, inplace=False, **quiet))
    return times


def processor_time_ratio(side: int = 32) -> float:
    """Return how much more processor time HyperSpy's own steps take than a prediction.

    Unlike times, the ratio hardly depends on the machine and on what else it does.
    """
    signal = spectrum_image((side, side))
    by_steps(signal, load_pretrained(), time.process_time)
    steps = by_steps(signal, load_pretrained(), time.process_time)
    return sum(steps.values()) / timed(lambda: predict(signal), 3, time.process_time)


def measure_steps(side: int = 64) -> dict[str, Any]:
    """Compare a prediction with HyperSpy's own steps, and its own parts with one another."""
    signal = spectrum_image((side, side))
    model = load_pretrained()
    energy = signal.axes_manager.signal_axes[0].axis
    steps = by_steps(signal, model)
    whole = timed(lambda: predict(signal))
    spectra = signal.data.reshape(-1, energy.size)[:BATCH]
    preparation = prepare(model.recipe, energy, resolution=RESOLUTION)
    read = preprocess(spectra, preparation).spectra
    told = auxiliary_inputs(unknown_conditions(BATCH), model.usual_threshold)
    inputs = np.hstack([read, told])
    *_, layer = evaluate(model, inputs)
    parts = {
        "preprocessing": lambda: preprocess(spectra, preparation),
        "network": lambda: evaluate(model, inputs),
        "comparison with computed sites": lambda: compare(model.references, read, layer),
        "whole": lambda: predict_chunk(spectra, preparation=preparation, pretrained=model),
    }
    seconds = {name: timed(function, 20) for name, function in parts.items()}
    return {
        "model": model.name,
        "spectra": side * side,
        "by_steps_seconds": steps,
        "by_steps_over_prediction": sum(steps.values()) / whole,
        "processor_time_ratio": processor_time_ratio(),
        "spectra_per_second": side * side / whole,
        "microseconds_per_spectrum_on_one_core": {
            name: 1e6 * each / BATCH for name, each in seconds.items()
        },
        "preprocessing_over_network": seconds["preprocessing"] / seconds["network"],
    }


def measure_speed(side: int = 128) -> dict[str, Any]:
    """Measure spectra per second by channels, data type, model, trust and threads."""
    usual = load_pretrained()
    signal = spectrum_image((side, side))

    def rate(of: Signal1D, **options: Any) -> float:
        return of.axes_manager.navigation_size / timed(lambda: predict(of, **options), 2)

    low_loss = low_loss_of(side)
    lower = usual.recipe.sigma
    return {
        "channels": {str(n): rate(spectrum_image((side, side), n)) for n in CHANNELS},
        "pixels": {f"{n} x {n}": rate(spectrum_image((n, n))) for n in SIDES},
        "dtype": {name: rate(spectrum_image((side, side), dtype=name)) for name in DTYPES},
        "model": {
            stop: rate(signal, pretrained=f"silica-o-k-{stop}eV-sigma-{lower:g}") for stop in MODELS
        },
        "without comparison": rate(signal, pretrained=replace(usual, references=None)),
        "with low_loss": rate(signal, low_loss=low_loss),
        "threads": {str(number): rate(signal, workers=number) for number in WORKERS},
    }


def low_loss_of(side: int) -> Signal1D:
    """Return low-loss spectra of 1024 channels of pixels of any thickness."""
    generator = np.random.default_rng(0)
    some = simulate_low_loss(
        -15.0 + 0.1 * np.arange(1024),
        generator.uniform(0.1, 1.0, BATCH),
        zero_loss=generator.uniform(-1.0, 1.0, BATCH),
        generator=generator,
    )
    data = np.tile(some.astype(np.float32), (side * side // BATCH, 1))
    signal = Signal1D(data.reshape(side, side, -1))
    axis = signal.axes_manager[-1]
    axis.offset, axis.scale, axis.units = -15.0, 0.1, "eV"
    signal.set_signal_type("EELS")
    return signal


_FIRST_CALL = """
import time
import hyperspy.api as hs
from benchmarks.performance import predict, spectrum_image
signal = spectrum_image((4, 4))
start = time.perf_counter()
predict(signal)
first = time.perf_counter() - start
start = time.perf_counter()
predict(signal)
print(first, time.perf_counter() - start)
"""


def measure_start() -> dict[str, Any]:
    """Measure the time of imports, and of the first prediction of a process."""
    with tempfile.TemporaryDirectory() as cache:
        # In an empty folder, nothing is compiled yet; the second process finds it compiled.
        runs = [
            subprocess.run(
                [sys.executable, "-c", _FIRST_CALL],
                env=os.environ | {"NUMBA_CACHE_DIR": cache},
                capture_output=True,
                text=True,
                check=True,
            ).stdout.split()
            for _ in range(2)
        ]
    with_package, without, difference = import_times(5)
    return {
        "import_hyperspy_ms": {"with": with_package, "without": without, "added": difference},
        "first_prediction_after_installation_s": float(runs[0][0]),
        "first_prediction_s": float(runs[1][0]),
        "second_prediction_s": float(runs[1][1]),
    }


def measure_memory(gigabytes: float) -> dict[str, Any]:
    """Measure memory and time of predictions of files, and of generated spectra of a size."""
    return memory_of_predictions.measure(gigabytes)


PARTS: Mapping[str, Callable[[float], dict[str, Any]]] = {
    "steps": lambda _: measure_steps(),
    "speed": lambda _: measure_speed(),
    "start": lambda _: measure_start(),
    "memory": measure_memory,
    "graph": lambda _: measure_graph(),
}


def machine() -> dict[str, Any]:
    """Return the machine and the software that is measured."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "versions": software_versions("numpy", "numba", "torch", "dask", "hyperspy"),
    }


@click.command()
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--part", "chosen", multiple=True, type=click.Choice(list(PARTS)))
@click.option("--gigabytes", default=8.0, show_default=True, help="Size of generated spectra.")
def main(output: Path, chosen: tuple[str, ...], gigabytes: float) -> None:
    """Measure all parts, or the chosen ones, into OUTPUT."""
    hs.preferences.General.show_progressbar = False
    results = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}
    for name in chosen or PARTS:
        results[name] = {"machine": machine(), **PARTS[name](gigabytes)}
        click.echo(json.dumps({name: results[name]}, indent=1))
        with replace_file(output) as new:
            new.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
