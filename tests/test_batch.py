"""Batches of files: each has a result, whole or none, and no file stops the others."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import hyperspy.api as hs
import numpy as np
import pytest
from click.testing import CliRunner
from exspy.signals import EELSSpectrum

from hyperspy_coreloss import Quality, predict_files, processes
from hyperspy_coreloss.cli import main
from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.errors import PretrainedNotFoundError, SignalError
from hyperspy_coreloss.files import clear_interrupted, replace_written
from hyperspy_coreloss.prediction import predict_properties
from hyperspy_coreloss.signals.pixel_table import pixel_table
from hyperspy_coreloss.signals.property_signal import PropertySignal
from hyperspy_coreloss.signals.summary import counts_line
from hyperspy_coreloss.spectra.low_loss_simulation import simulate_low_loss
from tests.killing import KILL, noticed_at_once
from tests.pages.reading import Page, assert_readable
from tests.paths import ROOT

MODEL = "silica-o-k-40eV-sigma-0.5"
QUIET = {"resolution": 0.5, "show_progressbar": False}


def image(shape, seed):
    return silica_spectrum_image(shape, seed=seed, n_channels=1100)[0]


@pytest.fixture
def folder(tmp_path):
    """Three files of spectra, and one that is none."""
    for number, shape in enumerate([(4, 3), (5,), (2, 2)]):
        image(shape, number).save(tmp_path / f"grain_{number}.hspy")
    (tmp_path / "notes.hspy").write_text("no spectra")
    return tmp_path


def files_of(folder):
    return sorted(folder.glob("*.hspy"))


def left_over(folder):
    return [path.name for path in folder.rglob("*") if path.name.startswith(".")]


def test_a_file_that_fails_does_not_stop_the_others(folder):
    report = predict_files(files_of(folder), folder / "maps", pretrained=MODEL, **QUIET)
    assert [one.file.name for one in report.failed] == ["notes.hspy"]
    assert len(report.files) == 4
    for number in range(3):
        spectra = hs.load(folder / f"grain_{number}.hspy")
        expected = spectra.predict_properties(MODEL, **QUIET)
        result = hs.load(folder / "maps" / f"grain_{number}.hspy")
        assert type(result) is type(expected)
        np.testing.assert_array_equal(result.data, expected.data)
        np.testing.assert_array_equal(result.quality.data, expected.quality.data)
        assert sum(report.files[number].counts.values()) == expected.quality.data.size
    assert "3 of 4 files have results, 1 failed." in str(report)
    assert not left_over(folder)


@pytest.mark.parametrize("file_format", ["hspy", "zspy"])
def test_results_larger_than_memory_are_those_in_memory(folder, file_format, monkeypatch):
    options = {"pretrained": MODEL, "file_format": file_format, "num_workers": 1, **QUIET}
    small = predict_files(files_of(folder), folder / "small", **options)
    monkeypatch.setattr("hyperspy_coreloss.signals.lazy._LARGEST_IN_MEMORY", 0)
    large = predict_files(files_of(folder), folder / "large", **options)
    for one, other in zip(small.files, large.files, strict=True):
        assert one.counts == other.counts
        for path, also in zip(one.outputs, other.outputs, strict=True):
            result, expected = hs.load(also), hs.load(path)
            np.testing.assert_array_equal(result.data, expected.data)
            np.testing.assert_array_equal(result.quality.data, expected.quality.data)
    assert not [path for path in (folder / "large").iterdir() if path.name.startswith(".")]


def test_what_is_finished_is_not_predicted_again(folder):
    first = predict_files(files_of(folder)[:2], folder / "maps", pretrained=MODEL, **QUIET)
    written = {path: path.stat().st_mtime_ns for one in first.files for path in one.outputs}
    second = predict_files(files_of(folder)[:3], folder / "maps", pretrained=MODEL, **QUIET)
    assert [one.skipped for one in second.files] == [True, True, False]
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in written.items())
    again = predict_files(
        files_of(folder)[:1], folder / "maps", pretrained=MODEL, overwrite=True, **QUIET
    )
    assert not again.files[0].skipped
    assert next(iter(written)).stat().st_mtime_ns > written[next(iter(written))]


def test_half_written_results_are_not_taken_for_whole(folder, monkeypatch):
    def full(self, filename, *args, **kwargs):
        Path(filename).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(PropertySignal, "save", full)
        report = predict_files(files_of(folder)[:1], folder / "maps", pretrained=MODEL, **QUIET)
    assert "No space left on device" in report.failed[0].error
    assert not list((folder / "maps").iterdir())
    report = predict_files(files_of(folder)[:1], folder / "maps", pretrained=MODEL, **QUIET)
    assert not report.failed
    assert not report.files[0].skipped


def test_what_is_replaced_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "store.zspy"
    path.mkdir()
    (path / "old").write_text("old")
    with pytest.raises(OSError, match="disk"), replace_written(path) as written:
        written.mkdir()
        (written / "new").write_text("half")
        raise OSError("disk")
    assert [one.name for one in path.iterdir()] == ["old"]
    with replace_written(path) as written:
        written.mkdir()
        (written / "new").write_text("whole")
    assert [one.name for one in path.iterdir()] == ["new"]
    assert not left_over(tmp_path)


_KILLED = """
import os, sys
from pathlib import Path
from hyperspy_coreloss.files import replace_written
from tests.killing import KILL

def die():
    os.kill(os.getpid(), KILL)

path, moment = sys.argv[1:]
with replace_written(path) as written:
    written.mkdir()
    (written / "data").write_text("half")
    if moment == "while writing":
        die()
    Path.rename = lambda old, new: (os.rename(old, new), die())
"""


def kill_a_writer(path, moment):
    """Write in a process of its own, which ends at once, as when the power fails."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(path), moment], env=environment)
    assert abs(ended.returncode) == KILL


@noticed_at_once
def test_what_a_killed_run_left_is_cleared_by_the_next(folder):
    maps = folder / "maps"
    maps.mkdir()
    kill_a_writer(maps / "grain_0.hspy", "while writing")
    (left,) = left_over(maps)[:1]
    assert left.startswith(".grain_0.hspy.")
    report = predict_files(files_of(folder)[:1], maps, pretrained=MODEL, **QUIET)
    assert not report.files[0].skipped
    assert not left_over(folder)
    assert hs.load(maps / "grain_0.hspy").data.shape == (3, 4, 6)


@noticed_at_once
def test_a_run_killed_between_two_renames_loses_nothing(tmp_path):
    store = tmp_path / "grain.zspy"
    store.mkdir()
    (store / "data").write_text("old")
    kill_a_writer(store, "between two renames")
    assert not store.exists()
    clear_interrupted(tmp_path)
    assert (store / "data").read_text() == "old"
    assert not left_over(tmp_path)


def test_what_others_are_writing_is_left_alone(tmp_path):
    with replace_written(tmp_path / "grain.zspy") as written:
        written.mkdir()
        clear_interrupted(tmp_path)
        assert written.exists()
        writer = written.with_name(".writer")
        ours = json.loads(writer.read_text())
        # That of another machine may be running, as that of this one may not.
        writer.write_text(json.dumps({**ours, "host": "elsewhere", "born": "1"}))
        clear_interrupted(tmp_path)
        assert written.exists()
        yesterday = time.time() - 100_000
        os.utime(written.parent, (yesterday, yesterday))
        clear_interrupted(tmp_path)
        assert not written.exists()
        written.mkdir(parents=True)
    assert [path.name for path in tmp_path.iterdir()] == ["grain.zspy"]


def test_in_windows_what_a_killed_run_left_is_cleared_after_a_day(tmp_path, monkeypatch):
    """There the question whether a process is running would end it."""
    monkeypatch.setattr(processes, "_WINDOWS", True)
    monkeypatch.setattr(os, "kill", lambda *asked: pytest.fail("a process was asked"))
    with replace_written(tmp_path / "grain.zspy") as written:
        written.mkdir()
        clear_interrupted(tmp_path)
        assert written.exists()
        yesterday = time.time() - 100_000
        os.utime(written.parent, (yesterday, yesterday))
        clear_interrupted(tmp_path)
        assert not written.exists()
        written.mkdir(parents=True)


@pytest.mark.parametrize("writer", [None, "no JSON", "[]", "{}"])
def test_folders_that_only_have_such_a_name_are_kept(tmp_path, writer):
    folder = tmp_path / ".download.zip.part"
    folder.mkdir()
    (folder / "data").write_text("of another program")
    if writer is not None:
        (folder / ".writer").write_text(writer)
    last_week = time.time() - 600_000
    os.utime(folder, (last_week, last_week))
    clear_interrupted(tmp_path)
    assert (folder / "data").read_text() == "of another program"


@pytest.mark.parametrize("file_format", ["zspy", "csv"])
def test_other_formats_have_the_same_numbers(folder, file_format):
    file = folder / "grain_0.hspy"
    report = predict_files(
        [file], folder / "maps", pretrained=MODEL, file_format=file_format, **QUIET
    )
    expected = hs.load(file).predict_properties(MODEL, **QUIET)
    (path,) = report.files[0].outputs
    if file_format == "zspy":
        np.testing.assert_array_equal(hs.load(path).data, expected.data)
        return
    with path.open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 12
    assert {"x (nm)", "y (nm)", "bond length (Å)", "half width of bond length (Å)"} <= set(rows[0])
    lengths = [float(row["bond length (Å)"]) for row in rows]
    np.testing.assert_allclose(lengths, expected.data[..., 0].ravel(), rtol=1e-6)
    assert float(rows[1]["x (nm)"]) == expected.axes_manager["x"].axis[1]
    assert rows[0]["quality"] == Quality(int(expected.quality.data[0, 0])).phrase


def test_half_widths_of_the_table_are_those_of_the_intervals():
    result = image((4, 3), 3).predict_properties(MODEL, **QUIET)
    lower, upper = result.get_interval_map("bond_angle")
    column = pixel_table(result)["half width of bond angle (°)"]
    np.testing.assert_allclose(column, ((upper - lower).data / 2).ravel(), rtol=1e-3)
    table = pixel_table(result.inav[1:3, 2].isig[:2])
    assert len(table["bond angle (°)"]) == 2
    assert "Voronoi volume (Å³)" not in table


def test_low_loss_files_lie_beside(folder):
    energy = -15.0 + 0.1 * np.arange(1000)
    for number, shape in enumerate([(3, 4), (5,)]):
        low = hs.signals.Signal1D(simulate_low_loss(energy, np.full(shape, 0.4)))
        axis = low.axes_manager.signal_axes[0]
        axis.offset, axis.scale, axis.units = energy[0], 0.1, "eV"
        low.save(folder / f"grain_{number}_low.hspy")
    report = predict_files(
        [folder / f"grain_{number}.hspy" for number in range(3)],
        folder / "maps",
        low_loss="{name}_low.hspy",
        pretrained=MODEL,
        show_progressbar=False,
    )
    assert [one.file.name for one in report.failed] == ["grain_2.hspy"]
    result = hs.load(folder / "maps" / "grain_0.hspy")
    np.testing.assert_allclose(result.relative_thickness.data, 0.4, atol=0.03)


def test_files_with_several_signals_have_a_result_for_each_with_the_edge(tmp_path, monkeypatch):
    both = [image((4, 3), 0), hs.signals.Signal2D(np.ones((5, 5))), image((5,), 1)]
    monkeypatch.setattr("hyperspy_coreloss.batch.hs.load", lambda *_, **__: both)
    report = predict_files([tmp_path / "all.dm4"], tmp_path / "maps", pretrained=MODEL, **QUIET)
    assert [path.name for path in report.files[0].outputs] == ["all_0.hspy", "all_1.hspy"]
    assert sum(report.files[0].counts.values()) == 17
    again = predict_files([tmp_path / "all.dm4"], tmp_path / "maps", pretrained=MODEL, **QUIET)
    assert again.files[0].skipped
    monkeypatch.setattr("hyperspy_coreloss.batch.hs.load", lambda *_, **__: both[1])
    report = predict_files([tmp_path / "im.dm4"], tmp_path / "maps", pretrained=MODEL, **QUIET)
    assert "axis holds the edge at 532 eV are needed" in report.failed[0].error


def test_formats_that_cannot_be_read_lazily_have_results(tmp_path, caplog):
    image((1,), 0).inav[0].save(tmp_path / "grain.msa")
    low_loss = simulate_low_loss(-20 + 0.1 * np.arange(1000), np.array(0.3), electrons=1e6)
    beside = EELSSpectrum(low_loss)
    axis = beside.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = -20, 0.1, "eV"
    beside.save(tmp_path / "grain_low.msa")
    report = predict_files(
        [tmp_path / "grain.msa"],
        tmp_path / "maps",
        low_loss="{name}_low.msa",
        show_progressbar=False,
    )
    assert report.failed == ()
    assert report.files[0].counts == {Quality.GOOD: 1}
    assert "report this error" not in caplog.text


def test_counts_are_told_once(tmp_path):
    blank = image((3,), 0)
    blank.data[:] = 0
    blank.save(tmp_path / "blank.hspy")
    report = predict_files([tmp_path / "blank.hspy"], tmp_path / "maps", **QUIET)
    assert str(report).count("3 spectra: 0 predicted, 3 empty") == 1
    assert "No spectrum has a prediction. All channels are zero" in str(report)


def test_impossible_batches_are_refused_at_once(folder):
    other = folder / "other"
    other.mkdir()
    shutil.copy(folder / "grain_0.hspy", other)
    with pytest.raises(SignalError, match=r"would both have that of grain_0"):
        predict_files([folder / "grain_0.hspy", other / "grain_0.hspy"], folder / "maps", **QUIET)
    with pytest.raises(SignalError, match=r"at least one file"):
        predict_files([], folder / "maps", **QUIET)
    with pytest.raises(SignalError, match=r"must be one of hspy, zspy, csv, but it is 'dm4'"):
        predict_files(files_of(folder), folder / "maps", file_format="dm4", **QUIET)
    with pytest.raises(PretrainedNotFoundError):
        predict_files(files_of(folder), folder / "maps", pretrained="nothing", **QUIET)
    assert not (folder / "maps").exists()


def test_the_command_line_does_the_same(folder):
    maps, table = folder / "maps", folder / "report.csv"
    arguments = [*map(str, files_of(folder)), "--output", str(maps), "--resolution", "0.5"]
    arguments += ["--pretrained", MODEL, "--table", str(table), "--workers", "1"]
    run = CliRunner().invoke(main, ["predict", *arguments])
    assert run.exit_code == 1
    assert "3 of 4 files have results, 1 failed." in run.output
    with table.open(newline="", encoding="utf-8") as read:
        rows = {Path(row["file"]).name: row for row in csv.DictReader(read)}
    assert rows["grain_1.hspy"]["pixels"] == "5"
    assert rows["notes.hspy"]["error"]
    (folder / "notes.hspy").unlink()
    arguments.remove(str(folder / "notes.hspy"))
    run = CliRunner().invoke(main, ["predict", *arguments])
    assert run.exit_code == 0
    assert run.output.count("finished before") == 3


def page_of(path):
    text = path.with_suffix(".html").read_text(encoding="utf-8")
    page = Page(text)
    assert_readable(page)
    return page


@pytest.mark.parametrize("memory", [0, 2**28])
def test_results_have_pages_beside_them(folder, monkeypatch, memory):
    monkeypatch.setattr("hyperspy_coreloss.signals.lazy._LARGEST_IN_MEMORY", memory)
    report = predict_files(
        files_of(folder)[:2], folder / "maps", pretrained=MODEL, report=True, **QUIET
    )
    for one in report.files:
        assert [path.with_suffix(".html") for path in one.outputs] == list(one.reports)
        assert counts_line(one.counts) in page_of(one.outputs[0]).said
    assert not left_over(folder)


@pytest.mark.parametrize("file_format", ["hspy", "csv"])
def test_a_batch_goes_on_with_the_pages_that_are_missing(folder, monkeypatch, file_format):
    files, maps = files_of(folder)[1:3], folder / "maps"
    options = {"pretrained": MODEL, "file_format": file_format, **QUIET}
    predict_files(files, maps, **options)
    written = {path: path.stat().st_mtime_ns for path in maps.iterdir()}
    predicted = []
    predict = predict_properties
    monkeypatch.setattr(
        "hyperspy_coreloss.batch.predict_properties",
        lambda *args, **kwargs: predicted.append(1) or predict(*args, **kwargs),
    )
    report = predict_files(files, maps, report=True, **options)
    assert not report.failed
    assert len(predicted) == (2 if file_format == "csv" else 0)
    if file_format == "hspy":
        assert all(path.stat().st_mtime_ns == stamp for path, stamp in written.items())
    assert page_of(maps / "grain_1.hspy").rows("bond angle (°)")
    pages = {path: path.stat().st_mtime_ns for path in maps.glob("*.html")}
    assert len(pages) == 2
    again = predict_files(files, maps, report=True, **options)
    assert all(one.skipped for one in again.files)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in pages.items())
    predict_files(files, maps, report=True, overwrite=True, **options)
    assert all(path.stat().st_mtime_ns > stamp for path, stamp in pages.items())


def test_a_page_that_cannot_be_written_leaves_the_result(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hyperspy_coreloss.signals.report.render_report", full)
        report = predict_files(
            files_of(folder)[:1], folder / "maps", pretrained=MODEL, report=True, **QUIET
        )
    assert "No space left on device" in report.failed[0].error
    assert [path.name for path in (folder / "maps").iterdir()] == ["grain_0.hspy"]


def test_the_command_line_writes_pages(folder):
    arguments = [str(folder / "grain_2.hspy"), "--output", str(folder / "maps"), "--report"]
    run = CliRunner().invoke(main, ["predict", *arguments, "--pretrained", MODEL])
    assert run.exit_code == 0, run.output
    assert page_of(folder / "maps" / "grain_2.hspy").said


def test_a_scheduler_computes_the_same(folder):
    from distributed import LocalCluster

    file = folder / "grain_0.hspy"
    arguments = [str(file), "--resolution", "0.5", "--pretrained", MODEL, "--output"]
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        here = ["--scheduler", cluster.scheduler_address]
        run = CliRunner().invoke(main, ["predict", *arguments, str(folder / "there"), *here])
    assert run.exit_code == 0, run.output
    assert CliRunner().invoke(main, ["predict", *arguments, str(folder / "here")]).exit_code == 0
    there, here = (hs.load(folder / name / "grain_0.hspy").data for name in ("there", "here"))
    np.testing.assert_array_equal(there, here)


def test_a_killed_batch_loses_nothing_that_is_finished(tmp_path):
    files = []
    for number in range(6):
        files.append(tmp_path / f"grain_{number}.hspy")
        image((24, 20), number).save(files[-1])
    maps = tmp_path / "maps"
    command = "from hyperspy_coreloss.cli import main; main()"
    arguments = [*map(str, files), "-o", str(maps), "--resolution", "0.5", "--pretrained", MODEL]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [sys.executable, "-c", command, "predict", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    while len(list(maps.glob("*.hspy"))) < 2 and time.monotonic() < until:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    finished = list(maps.glob("*.hspy"))
    assert len(finished) >= 2
    for path in finished:
        assert hs.load(path).data.shape == (20, 24, 6)
    report = predict_files(files, maps, pretrained=MODEL, **QUIET)
    assert sum(one.skipped for one in report.files) == len(finished)
    assert not report.failed
    assert len(list(maps.glob("*.hspy"))) == 6
