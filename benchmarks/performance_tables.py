"""Tables of speed and memory, from ``results/performance.json``.

A table is its header and its rows of text.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
Table = tuple[list[str], list[list[str]]]

_VARIED = {
    "channels": "{} channels",
    "pixels": "map of {} pixels",
    "dtype": "{}",
    "model": "model that reads to {} eV",
    "threads": "threads: {}",
}


def steps_table(results: Json) -> Table:
    """Return the time of HyperSpy's own steps, relative to that of a prediction."""
    steps = results["steps"]
    prediction = steps["spectra"] / steps["spectra_per_second"]
    times = {"a prediction": prediction, **steps["by_steps_seconds"]}
    times["all these steps"] = sum(steps["by_steps_seconds"].values())
    rows = [
        [name, f"{steps['spectra'] / seconds:,.0f}", f"{seconds / prediction:.2g}"]
        for name, seconds in times.items()
    ]
    return ["", "spectra per second", "time / that of a prediction"], rows


def parts_table(results: Json) -> Table:
    """Return the time of the parts of a prediction, on one core."""
    parts = results["steps"]["microseconds_per_spectrum_on_one_core"]
    whole = parts["whole"]
    rows = [[name, f"{time:.1f}", f"{time / whole:.0%}"] for name, time in parts.items()]
    return ["", "µs per spectrum on one core", "share"], rows


def speed_table(results: Json) -> Table:
    """Return spectra per second by what is predicted, and how."""
    speed = results["speed"]
    usual = speed["dtype"]["float32"]
    rates = {
        words.format(key): rate
        for name, words in _VARIED.items()
        for key, rate in speed[name].items()
    }
    rates |= {name: rate for name, rate in speed.items() if isinstance(rate, float)}
    rows = [[name, f"{rate:,.0f}", f"{rate / usual:.2f}"] for name, rate in rates.items()]
    return ["", "spectra per second", "relative to float32"], rows


def memory_table(results: Json) -> Table:
    """Return memory above that of HyperSpy, and time relative to reading."""
    rows = []
    for name, found in results["memory"].items():
        if name != "machine":
            over = found.get("over_reading")
            cells = [name, f"{found['gigabytes']:.3g} GB", f"{found['peak_gigabytes']:.2f} GB"]
            cells += [f"{found['spectra_per_second']:,.0f}", "" if over is None else f"{over:.1f}"]
            rows.append(cells)
    return ["chunks", "spectra", "memory", "spectra per second", "time / that of reading"], rows


def start_table(results: Json) -> Table:
    """Return the times at the start of a session."""
    start = results["start"]
    rows = [
        ["added to `import hyperspy.api`", f"{start['import_hyperspy_ms']['added'] / 1e3:.3f} s"],
        ["`import hyperspy.api` itself", f"{start['import_hyperspy_ms']['without'] / 1e3:.2f} s"],
    ]
    words = {
        "first_prediction_after_installation_s": "first prediction after the installation",
        "first_prediction_s": "first prediction of a session",
        "second_prediction_s": "next prediction, of 16 spectra",
    }
    rows += [[text, f"{start[name]:.2f} s"] for name, text in words.items()]
    return ["", "time"], rows


def extrapolated_table(results: Json) -> Table:
    """Return what the largest measured graph says of that of 10⁸ spectra, by spectra per chunk."""
    graphs = results["graph"]["graphs"]
    large, timed = graphs[-1], graphs[0]
    seconds = timed["schedule_seconds_per_task"] * timed["tasks_per_chunk"]
    header = ["spectra per chunk", "chunks", "minutes to build", "GB of tasks"]
    header += ["minutes to schedule", "chunks given out per second"]
    rows = []
    for size in (results["graph"]["spectra_per_chunk"], 4096):
        chunks = 1e8 / size
        build = chunks * large["build_seconds"] / large["chunks"]
        cells = [f"{size:,}", f"{chunks:,.0f}", f"{build / 60:.1f}"]
        cells += [f"{chunks * large['bytes_per_chunk'] / 1e9:.2g}"]
        rows.append([*cells, f"{chunks * seconds / 60:.2g}", f"{1 / seconds:,.0f}"])
    return header, rows


def graph_table(results: Json) -> Table:
    """Return the size of graphs, and the times to build and to schedule them."""
    header = ["chunks", "tasks per chunk", "bytes per chunk", "bytes of all chunks together"]
    header += ["seconds to build", "µs per task to schedule"]
    rows = []
    for graph in results["graph"]["graphs"]:
        seconds = graph["schedule_seconds_per_task"]
        cells = [f"{graph['chunks']:,}", f"{graph['tasks_per_chunk']:.3g}"]
        cells += [f"{graph['bytes_per_chunk']:,.0f}", f"{graph['shared_bytes']:,}"]
        cells += [f"{graph['build_seconds']:.1f}"]
        rows.append([*cells, "not timed" if seconds is None else f"{1e6 * seconds:,.0f}"])
    return header, rows
