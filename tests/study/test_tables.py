from __future__ import annotations

import numpy as np
import pytest

from hyperspy_coreloss.study.tables import error_table, fits_table, target_errors, verdict


def test_the_target_of_the_volume_is_a_share_of_its_mean(sites):
    assert target_errors(sites)["voronoi_volume"] == pytest.approx(
        0.03 * sites.targets[:, 2].mean()
    )


def test_the_verdict_names_what_is_simpler_and_as_good(sites):
    errors = {
        spec.name: {
            "mae": 0.004,
            "r2": 0.5,
            "n_test": 3,
            "baselines": {"mean": 0.008, "ridge": 0.005, "one network": 0.003},
        }
        for spec in sites.properties
    }
    found = verdict(errors, sites)
    assert not found.beaten
    assert len(found.one_network_better) == 6
    assert found.reached[0] == "bond length 0.8"
    errors["bond_angle"]["baselines"]["ridge"] = 0.004
    assert verdict(errors, sites).beaten == ("bond angle (ridge: 0.00400 against 0.00400)",)


def test_errors_that_read_the_same_are_best_together(sites):
    row = {"mae": 0.40001, "r2": 0.5, "n_test": 3, "baselines": {"mean": 0.8, "ridge": 0.40002}}
    table = error_table({spec.name: row for spec in sites.properties}, sites)
    assert [cell.text for cell in table.rows[0] if cell.best] == ["0.400", "0.400"]


def test_errors_come_with_their_scatter_over_phases(sites):
    row = {"mae": 0.4, "r2": 0.5, "n_test": 3, "baselines": {"mean": 0.8}}
    quartz = [
        name for name, phase in zip(sites.names, sites.phases, strict=True) if phase == "quartz"
    ]
    others = [name for name, phase in zip(sites.names, sites.phases, strict=True) if phase == "SOD"]
    test = {
        "sites": [*quartz[:2], *others[:2]],
        "true": np.zeros((4, 6)),
        "predicted": np.repeat([[1.0, 1.0, 2.0, 2.0]], 6, axis=0).T,
    }
    table = error_table({spec.name: row for spec in sites.properties}, sites, test)
    assert table.header[3] == "± by phase"
    # Two phases, with mean errors of 1 and 2: the mean of two draws with spread 0.71 is off by 0.5.
    assert {cells[3].text for cells in table.rows} == {"0.5"}


def test_fits_stand_beside_networks_by_property(sites):
    entry = {"relative_mae": 0.874, "within_interval": 0.905}
    fitted = {**entry, "within_standard_error": 0.114}
    split = {
        "networks": {"milliseconds": 0.8, "properties": {"mulliken_charge": entry}},
        "all five": {"milliseconds": 130.0, "properties": {"mulliken_charge": fitted}},
        "bond_length": {"milliseconds": 31.0, "properties": {"bond_length": fitted}},
    }
    rows = [[cell.text for cell in row] for row in fits_table(split, sites).rows]
    assert rows == [
        ["bond length: fitted alone", "0.87", "90%", "11%", "39"],
        ["Mulliken charge: networks", "0.87", "90%", "", "1"],
        ["Mulliken charge: fitted with the other four", "0.87", "90%", "11%", "162"],
    ]
