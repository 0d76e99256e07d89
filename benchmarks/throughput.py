"""Spectra per second, the time of each step, and a comparison with reading the data only.

With ``--low-loss``, also the spectra per second with a map of low-loss spectra of as many channels,
as a fraction of those without.

Usage: ``python benchmarks/throughput.py [SPECTRA] [--low-loss]``
"""

from __future__ import annotations

import sys
import time

import dask.array as da
import numpy as np
from hyperspy.signals import LazySignal1D

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.pretrained.auxiliary import auxiliary_inputs, unknown_conditions
from hyperspy_coreloss.pretrained.inference import predict_chunk
from hyperspy_coreloss.pretrained.network import evaluate
from hyperspy_coreloss.pretrained.trust import compare
from hyperspy_coreloss.spectra.low_loss_simulation import simulate_low_loss
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess


def timed(function, repeats: int = 3) -> float:
    """Return the best time of a call in s, after one call to fill the caches."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def lazy_signal(spectra: np.ndarray, axis: dict[str, object]) -> LazySignal1D:
    """Return spectra of the shape (spectra, channels) as a lazy map of 16 rows."""
    chunked = da.from_array(spectra.reshape(16, -1, spectra.shape[-1]), chunks=(1, 4096, -1))
    signal = LazySignal1D(chunked)
    for name, value in axis.items():
        setattr(signal.axes_manager[-1], name, value)
    signal.set_signal_type("EELS")
    return signal


def low_loss_of(n_spectra: int) -> LazySignal1D:
    """Return low-loss spectra of 1024 channels of pixels of any thickness."""
    generator = np.random.default_rng(0)
    energy = -15.0 + 0.1 * np.arange(1024)
    spectra = simulate_low_loss(
        energy,
        generator.uniform(0.1, 1.0, 256),
        zero_loss=generator.uniform(-1.0, 1.0, 256),
        generator=generator,
    ).astype(np.float32)
    axis = {"scale": 0.1, "offset": -15.0, "units": "eV"}
    return lazy_signal(np.tile(spectra, (n_spectra // 256, 1)), axis)


def main(n_spectra: int = 65536, with_low_loss: bool = False) -> None:
    """Time the steps on one core, and the whole on all cores."""
    signal, _ = silica_spectrum_image((64, 16))
    pretrained = load_pretrained()
    energy = signal.axes_manager.signal_axes[0].axis
    preparation = prepare(pretrained.recipe, energy, resolution=0.5)
    spectra = np.tile(signal.data.reshape(-1, energy.size), (n_spectra // 1024, 1))
    some = spectra[:256]
    read = preprocess(some, preparation).spectra
    told = auxiliary_inputs(unknown_conditions(len(some)), pretrained.usual_threshold)
    inputs = np.hstack([read, told])
    *_, layer = evaluate(pretrained, inputs)
    steps = {
        "preprocessing": timed(lambda: preprocess(some, preparation)),
        "network": timed(lambda: evaluate(pretrained, inputs)),
        "comparison": timed(lambda: compare(pretrained.references, read, layer)),
        "whole chunk": timed(
            lambda: predict_chunk(some, preparation=preparation, pretrained=pretrained)
        ),
    }
    for name, seconds in steps.items():
        print(f"{name:14s} {256 / seconds:10.0f} spectra/s, {seconds / steps['whole chunk']:.0%}")
    axis = signal.axes_manager[-1]
    many = lazy_signal(
        spectra, {name: getattr(axis, name) for name in ("scale", "offset", "units")}
    )
    reading = timed(many.data.sum(axis=-1).compute)

    def predict(**options: object) -> None:
        many.predict_properties(resolution=0.5, **options).compute(show_progressbar=False)

    whole = timed(predict, repeats=2)
    print(
        f"{len(spectra)} spectra of {energy.size} channels on all cores: "
        f"{len(spectra) / whole:.0f} spectra/s, {whole / reading:.0f} times a sum over channels"
    )
    if with_low_loss:
        low_loss = low_loss_of(len(spectra))
        both = timed(lambda: predict(low_loss=low_loss), repeats=2)
        print(f"with low_loss {len(spectra) / both:.0f} spectra/s, {whole / both:.0%} of that")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument != "--low-loss"]
    main(*numbers, with_low_loss="--low-loss" in sys.argv)
