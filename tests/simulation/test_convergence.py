"""Claims about the summary of measured convergence."""

from __future__ import annotations

import json

import pytest

from hyperspy_coreloss.errors import SimulationError
from hyperspy_coreloss.simulation.convergence import (
    CHANGES,
    CLASS_LIMITS,
    COSINES,
    read_measurements,
    size_class,
    summarise_convergence,
)
from tests.paths import ROOT

MEASURED = ROOT / "training" / "convergence.jsonl"


def measurement(structure="quartz", volume=700.0, parameter="cutoff", **found):
    return {
        "structure": structure,
        "n_atoms": 54,
        "volume": volume,
        "parameter": parameter,
        "used": "400 eV",
        "better": "520 eV",
        **dict.fromkeys((*COSINES, *CHANGES)),
        **found,
    }


@pytest.fixture
def write(tmp_path):
    def write_lines(*lines):
        path = tmp_path / "convergence.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
        return path

    return write_lines


def test_a_class_reaches_up_to_its_limit():
    for number, limit in enumerate(CLASS_LIMITS):
        assert (size_class(limit - 0.1), size_class(limit)) == (number, number + 1)


def test_the_worst_of_each_class_is_told(write):
    path = write(
        measurement("cristobalite", 684.0, cosine=0.999, cosine_sharp=0.98),
        measurement("quartz", 677.0, cosine=0.997, cosine_sharp=0.99),
        measurement("cristobalite", 684.0, excitation_energy_change=0.02),
        measurement("quartz", 677.0, excitation_energy_change=-0.05),
        measurement("quartz", 677.0, "supercell", mulliken_charge_change=0.001),
        measurement("AFI", 1420.0, cosine=0.99),
    )
    middle, largest = summarise_convergence(path)
    assert middle["volume"] == [500.0, 800.0]
    assert middle["structures"] == ["cristobalite", "quartz"]
    cutoff, supercell = middle["changes"]
    assert (cutoff["parameter"], cutoff["used"], cutoff["better"]) == ("cutoff", "400 eV", "520 eV")
    assert (cutoff["cosine"], cutoff["cosine_sharp"]) == (0.997, 0.98)
    assert cutoff["excitation_energy_change"] == -0.05
    assert cutoff["mulliken_charge_change"] is None
    assert (supercell["cosine"], supercell["mulliken_charge_change"]) == (None, 0.001)
    assert largest["volume"] == [1200.0, None]


def test_the_summary_can_be_written_as_json(write):
    summary = summarise_convergence(write(measurement(cosine=0.999)))
    assert json.loads(json.dumps(summary)) == summary


def test_no_file_is_no_measurement(tmp_path):
    assert read_measurements(tmp_path / "none.jsonl") == []
    assert summarise_convergence(tmp_path / "none.jsonl") == []


def test_a_line_that_is_no_measurement_is_refused_with_its_number(write):
    bad = measurement()
    del bad["cosine"]
    with pytest.raises(SimulationError, match=r"Line 2 .* lacks cosine"):
        read_measurements(write(measurement(), bad))
    path = write(measurement())
    path.write_text("no JSON\n", encoding="utf-8")
    with pytest.raises(SimulationError, match=r"Line 1 .* JSON object"):
        read_measurements(path)


def test_every_size_class_of_the_data_set_was_measured():
    summary = summarise_convergence(MEASURED)
    assert [found["volume"][1] for found in summary] == [*CLASS_LIMITS, None]
    for found in summary:
        measured = {change["parameter"] for change in found["changes"]}
        assert {"cutoff", "self-consistency", "population grid"} <= measured
        assert {"recursion steps", "recursion precision"} <= measured
        assert measured & {"k-points", "k-point grid"}
