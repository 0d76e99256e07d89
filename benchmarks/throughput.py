"""Spectra per second, the time of each step, and a comparison with reading the data only.

Usage: ``python benchmarks/throughput.py [SPECTRA]``
"""

from __future__ import annotations

import sys
import time

import dask.array as da
import numpy as np
from hyperspy.signals import LazySignal1D

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.pretrained.inference import predict_chunk
from hyperspy_coreloss.pretrained.network import evaluate
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


def main(n_spectra: int = 65536) -> None:
    """Time the steps on one core, and the whole on all cores."""
    signal, _ = silica_spectrum_image((64, 16))
    pretrained = load_pretrained()
    energy = signal.axes_manager.signal_axes[0].axis
    preparation = prepare(pretrained.recipe, energy, resolution=0.5)
    spectra = np.tile(signal.data.reshape(-1, energy.size), (n_spectra // 1024, 1))
    some = spectra[:256]
    inputs = preprocess(some, preparation).spectra
    steps = {
        "preprocessing": timed(lambda: preprocess(some, preparation)),
        "network": timed(lambda: evaluate(pretrained, inputs)),
        "whole chunk": timed(
            lambda: predict_chunk(some, preparation=preparation, pretrained=pretrained)
        ),
    }
    for name, seconds in steps.items():
        print(f"{name:14s} {256 / seconds:10.0f} spectra/s, {seconds / steps['whole chunk']:.0%}")
    chunked = da.from_array(spectra.reshape(16, -1, energy.size), chunks=(1, 4096, -1))
    many = LazySignal1D(chunked)
    many.axes_manager[-1].update_from(signal.axes_manager[-1], ("scale", "offset", "units"))
    many.set_signal_type("EELS")
    reading = timed(chunked.sum(axis=-1).compute)
    whole = timed(
        lambda: many.predict_properties(resolution=0.5).compute(show_progressbar=False), repeats=2
    )
    print(
        f"{len(spectra)} spectra of {energy.size} channels on all cores: "
        f"{len(spectra) / whole:.0f} spectra/s, {whole / reading:.0f} times a sum over channels"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
