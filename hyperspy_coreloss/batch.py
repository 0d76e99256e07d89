"""Prediction of many files, one after the other: a failure of one does not stop the others."""

from __future__ import annotations

import csv
import logging
import traceback
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import dask
import hyperspy.api as hs
import numpy as np
from hyperspy.signals import LazySignal
from tqdm.auto import tqdm

from hyperspy_coreloss.errors import CoreLossError, SignalError
from hyperspy_coreloss.files import (
    check_folder_writable,
    clear_interrupted,
    replace_file,
    replace_written,
)
from hyperspy_coreloss.prediction import predict_properties
from hyperspy_coreloss.pretrained.families import find_family
from hyperspy_coreloss.signals.pixel_table import pixel_table
from hyperspy_coreloss.signals.spectrum_files import low_loss_of, spectra_of
from hyperspy_coreloss.signals.summary import count_codes, counts_line
from hyperspy_coreloss.spectra.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hyperspy.signals import BaseSignal
    from numpy.typing import NDArray

    from hyperspy_coreloss.signals.property_signal import CoreLossPropertySignal

#: Formats of the results: two of HyperSpy, and a table with a row for each pixel.
FORMATS = ("hspy", "zspy", "csv")
# What stands for the name of a file of spectra in that of its low loss.
_NAME = "{name}"

log = logging.getLogger("hyperspy.coreloss")


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file of spectra.

    Parameters
    ----------
    file
        The file.
    outputs
        Files of its results.
    counts
        Number of spectra by :class:`~hyperspy_coreloss.Quality` code; empty if it was skipped or
        failed.
    seconds
        Time that it took.
    skipped
        Whether all its results were there already.
    error
        Why it failed; empty if it did not.
    warnings
        What was warned of.
    reports
        Pages of its results, if they were asked for.
    """

    file: Path
    outputs: tuple[Path, ...] = ()
    counts: Mapping[Quality, int] = field(default_factory=dict)
    seconds: float = 0.0
    skipped: bool = False
    error: str = ""
    warnings: tuple[str, ...] = ()
    reports: tuple[Path, ...] = ()

    @property
    def line(self) -> str:
        """What became of the file, in words."""
        if self.error:
            return f"failed: {self.error}"
        return "finished before" if self.skipped else counts_line(self.counts)


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What became of the files of a batch; prints as a table.

    Parameters
    ----------
    files
        The files, in their order.
    """

    files: tuple[FileReport, ...]

    @property
    def failed(self) -> tuple[FileReport, ...]:
        """The files that failed."""
        return tuple(one for one in self.files if one.error)

    def __str__(self) -> str:
        width = max((len(str(one.file)) for one in self.files), default=0)
        lines = []
        for one in self.files:
            lines.append(f"{one.file!s:{width}}  {one.seconds:7.1f} s  {one.line}")
            for text in one.warnings:  # without the counts, which the line has
                lines.append(f"{'':{width}}             {text.replace(f' {one.line}.', '')}")
        done = len(self.files) - len(self.failed)
        lines.append(f"{done} of {len(self.files)} files have results, {len(self.failed)} failed.")
        return "\n".join(lines)

    __repr__ = __str__

    def save(self, filename: str | Path) -> None:
        """Save the table as CSV, with a column for each quality code that occurs.

        Parameters
        ----------
        filename
            File to write. An existing file is replaced.
        """
        codes = [code for code in Quality if any(code in one.counts for one in self.files)]
        head = ["file", "outputs", "pixels", *(code.phrase for code in codes), "seconds"]
        rows = [
            [
                one.file,
                " ".join(map(str, one.outputs)),
                sum(one.counts.values()),
                *(one.counts.get(code, 0) for code in codes),
                f"{one.seconds:.2f}",
                one.skipped,
                one.error,
                " ".join(one.warnings),
            ]
            for one in self.files
        ]
        head += ["finished before", "error", "warnings"]
        with replace_file(filename) as path:
            _write_table(path, head, rows)


def predict_files(
    files: Iterable[str | Path],
    output: str | Path,
    *,
    low_loss: str | None = None,
    file_format: str = "hspy",
    report: bool = False,
    overwrite: bool = False,
    show_progressbar: bool = True,
    **options: Any,
) -> BatchReport:
    """Predict the properties of all spectra in many files, and save each result.

    A file that fails does not stop the others. A result is written completely or not at all, and
    those that are there already are not predicted again: call the function again with the same
    arguments after an interruption.

    Parameters
    ----------
    files
        Files in any format that HyperSpy reads. Of several signals in a file, all are predicted
        whose energy axis holds the edge.
    output
        Folder of the results, which have the names of the files. Those of several signals in one
        file end with their numbers. It is created if needed.
    low_loss
        File of the low-loss spectra, or its name with ``{name}`` for that of the file without its
        ending, such as ``"{name}_low.dm4"``; it lies beside the file unless a folder is given.
    file_format
        ``"hspy"`` or ``"zspy"``, which HyperSpy loads as a result, or ``"csv"``: a table with a row
        for each pixel.
    report
        Whether to write a page beside each result, as
        :meth:`~hyperspy_coreloss.CoreLossPropertySignal.save_report` does. Results that have none
        yet get one, without a new prediction; only tables must be predicted again. A result is in
        memory while its page is written.
    overwrite
        Whether to predict again what has results, and to replace these.
    show_progressbar
        Whether to show a progress bar over the files.
    **options
        Further parameters of :func:`~hyperspy_coreloss.predict_properties`.

    Returns
    -------
    BatchReport
        What became of each file; prints as a table.

    Raises
    ------
    SignalError
        If there is no file, two would have results of one name, or the format is none of the above.
    OSError
        If the folder takes no files.
    PretrainedNotFoundError
        If no model has the name or path ``pretrained``.

    Examples
    --------
    >>> import hyperspy_coreloss as hc
    >>> folder = getfixture("tmp_path")
    >>> hc.data.silica_spectrum_image((4, 3))[0].save(folder / "grains.hspy")
    >>> report = predict_files(
    ...     [folder / "grains.hspy"], folder / "maps", resolution=0.5, show_progressbar=False
    ... )
    >>> [path.name for path in report.files[0].outputs]
    ['grains.hspy']
    """
    listed = [Path(one) for one in files]
    folder = Path(output)
    _check_request(listed, folder, file_format)
    edge = find_family(options.get("pretrained")).usual.recipe.nominal_onset
    folder.mkdir(parents=True, exist_ok=True)
    clear_interrupted(folder)
    reports = []
    for file in tqdm(listed, desc="files", unit="file", disable=not show_progressbar):
        start = perf_counter()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", UserWarning)
            try:
                target = folder / f"{file.stem}.{file_format}"
                wanted = _Wanted(low_loss, edge, overwrite, report, options)
                done = _predict_file(file, target, wanted)
            except Exception as error:  # noqa: BLE001, readers of files raise whatever they like
                log.debug("%s: %s", file, traceback.format_exc())
                done = FileReport(file, error=_reason(error))
        # Those of readers of files are about their own workings.
        texts = dict.fromkeys(str(one.message) for one in warned if one.category is UserWarning)
        seconds = perf_counter() - start
        reports.append(replace(done, seconds=seconds, warnings=tuple(texts)))
    return BatchReport(tuple(reports))


def _check_request(files: Sequence[Path], folder: Path, file_format: str) -> None:
    if file_format not in FORMATS:
        msg = f"file_format must be one of {', '.join(FORMATS)}, but it is {file_format!r}."
        raise SignalError(msg)
    if not files:
        msg = "A batch needs at least one file, but there is none. Check the pattern of the names."
        raise SignalError(msg)
    check_folder_writable(folder)
    stems = [file.stem for file in files]
    double = next((stem for stem in stems if stems.count(stem) > 1), None)
    if double is not None:
        same = [str(file) for file in files if file.stem == double]
        msg = (
            f"Results have the names of their files, but {same[0]} and {same[1]} would both have "
            f"that of {double}. Predict them into different folders."
        )
        raise SignalError(msg)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is done to each file of a batch."""

    low_loss: str | None
    edge: float
    overwrite: bool
    report: bool
    options: Mapping[str, Any]

    def is_finished(self, path: Path) -> bool:
        """Return whether a result, and its page if there is to be one, are there already."""
        return self.is_saved(path) and (not self.report or _page(path).exists())

    def is_saved(self, path: Path) -> bool:
        """Return whether a result is there already."""
        return path.exists() and not self.overwrite


def _page(path: Path) -> Path:
    return path.with_suffix(".html")


def _predict_file(file: Path, target: Path, wanted: _Wanted) -> FileReport:
    """Predict the spectra of one file, and save the results."""
    pages: tuple[Path, ...] = (_page(target),) if wanted.report else ()
    if wanted.is_finished(target):
        return FileReport(file, (target,), skipped=True, reports=pages)
    spectra = spectra_of(file, wanted.edge)
    beside = None
    if wanted.low_loss is not None:
        beside = low_loss_of(file.parent / wanted.low_loss.replace(_NAME, file.stem))
    outputs, total = [], dict.fromkeys(Quality, 0)
    predicted = False
    for number, signal in enumerate(spectra):
        path = target
        if len(spectra) > 1:
            path = target.with_stem(f"{target.stem}_{number}")
        outputs.append(path)
        if wanted.is_finished(path):
            continue
        if wanted.is_saved(path) and path.suffix != ".csv":
            _write_page(hs.load(path), path, wanted.options)
            continue
        for code, count in count_codes(_predicted(signal, beside, path, wanted)).items():
            total[code] += count
        predicted = True
    counts = {code: count for code, count in total.items() if count}
    written = tuple(map(_page, outputs)) if wanted.report else ()
    return FileReport(file, tuple(outputs), counts, skipped=not predicted, reports=written)


def _predicted(
    signal: BaseSignal, low_loss: BaseSignal | None, path: Path, wanted: _Wanted
) -> NDArray[np.uint8]:
    """Predict one signal, save result and page, and return the quality codes."""
    options = wanted.options
    result = predict_properties(
        signal, low_loss=low_loss, lazy_output=True, show_progressbar=False, **options
    )
    workers = options.get("num_workers")
    with dask.config.set({} if workers is None else {"num_workers": int(workers)}):
        quality = _saved(result, path)
    if wanted.report:
        # A result that was saved without being in memory must be read again.
        _write_page(hs.load(path) if isinstance(result, LazySignal) else result, path, options)
    return quality


def _write_page(result: CoreLossPropertySignal, path: Path, options: Mapping[str, Any]) -> None:
    result.save_report(_page(path), overwrite=True, calibration=options.get("calibration"))


def _saved(result: CoreLossPropertySignal, path: Path) -> NDArray[np.uint8]:
    """Save a lazy result, in memory only if it is small, and return its quality codes."""
    with replace_written(path) as written:
        if path.suffix == ".csv":
            result.compute(show_progressbar=False)
            columns = pixel_table(result)
            _write_table(written, list(columns), zip(*columns.values(), strict=True))
        else:
            result.save(written, show_progressbar=False)
    saved = hs.load(path, lazy=True) if isinstance(result, LazySignal) else result
    return np.asarray(saved.quality.data)


def _write_table(path: Path, head: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


def _reason(error: Exception) -> str:
    first = str(error).strip().splitlines()
    text = first[0] if first else "no reason given"
    return text if isinstance(error, CoreLossError) else f"{type(error).__name__}: {text}"
