from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from hyperspy_coreloss.errors import DatasetError
from hyperspy_coreloss.study.report import render_report
from hyperspy_coreloss.study.tables import SPLITS, target_errors

MODELS = ("mean", "nearest neighbours", "one network")
TRIED = {"hidden": [16, 8], "dropout": 0.2, "weight_decay": 0.01}
CHOSEN = {**TRIED, "patience": None, "n_networks": 2}


@pytest.fixture(scope="module")
def few(sites):
    """Eight sites of different phases, one of them with projected densities."""
    first = np.unique(sites.phases, return_index=True)[1][:8]
    explained = next(n for n, site in enumerate(sites.sites) if site.projected_densities)
    return sites.take(np.unique([*first[:7], explained]))


def made_errors(dataset, random):
    return {
        spec.name: {
            "mae": random.uniform(0.1, 9.0),
            "r2": random.uniform(-1, 1),
            "n_test": 3,
            "baselines": {model: random.uniform(0.1, 9.0) for model in MODELS},
        }
        for spec in dataset.properties
    }


def made_maes(dataset, random):
    return {spec.name: random.uniform(0.1, 9.0) for spec in dataset.properties}


def made_split(dataset, random):
    """Return one split's members, predictions and worst sites; the last three are the test."""
    names = list(dataset.names)
    parts = {"train": slice(0, -4), "validation": slice(-4, -3), "test": slice(-3, None)}
    members = {
        part: {"n_spectra": len(names[rows]), "phases": sorted(set(dataset.phases[rows]))}
        for part, rows in parts.items()
    }
    predictions = {
        part: {
            "sites": names[rows],
            "true": dataset.targets[rows].tolist(),
            "predicted": (dataset.targets[rows] * random.uniform(0.9, 1.1)).tolist(),
        }
        for part, rows in (("training", slice(0, -3)), ("test", slice(-3, None)))
    }
    worst = {
        "sites": {spec.name: names[-3:] for spec in dataset.properties},
        "in_several_properties": {str(least): 20 + least for least in range(2, 7)},
        "nearest": {
            name: {"sites": names[:3], "rms_difference": random.uniform(0.001, 0.01, 3).tolist()}
            for name in names[-3:]
        },
    }
    return members, predictions, worst


def made_noisy(dataset, random):
    axis = np.arange(522.0, 562.0, 0.05)
    exact = dataset.sites[0].spectrum.intensity(axis - 532.0, 0.2)
    return {
        "site": dataset.names[0],
        "left_out_phase": dataset.phases[0],
        "resolution": 0.2,
        "level": 0.9,
        "sigma": 0.1,
        "energy": axis.tolist(),
        "counts": random.poisson(2000 * exact / exact.max()).tolist(),
        "threshold": 533.25,
        "properties": {
            spec.name: {"predicted": true + 0.75 * width, "true": true, "half_width": width}
            for spec, true, width in zip(
                dataset.properties, dataset.targets[0], dataset.targets.std(axis=0), strict=True
            )
        },
    }


def made_study(dataset):
    """Return a study of made-up numbers, all of them different."""
    random = np.random.default_rng(20190325)
    made = {split: made_split(dataset, random) for split in SPLITS}
    members, predictions, worst = (
        {split: parts[n] for split, parts in made.items()} for n in (0, 1, 2)
    )
    other = {"hidden": [32], "dropout": 0.2, "weight_decay": 0.1}
    trained = {"training_error": 0.25}
    searched = {
        "best": CHOSEN,
        "candidates": [
            {**TRIED, "error": 0.512, "spread": 0.021} | trained,
            {**other, "error": 0.734, "spread": 0.043} | trained,
        ],
    }
    draws = [
        {"n_phases": n, "n_sites": 2 * n, "mae": made_maes(dataset, random)} for n in (2, 2, 4)
    ]
    return {
        "commit": "c0ffee",
        "dataset_sha256": dataset.sha256,
        "n_spectra": 8,
        "n_structures": 8,
        "n_phases": 8,
        "software": {"numpy": "2.0"},
        "splits": members,
        "search": dict.fromkeys(SPLITS, searched),
        "predictions": predictions,
        "worst": worst,
        **{split: made_errors(dataset, random) for split in SPLITS},
        "settings": CHOSEN,
        "excitation_energy": {
            split: {key: made_maes(dataset, random) for key in ("without", "with")}
            for split in SPLITS
        },
        "resolution": {sigma: made_maes(dataset, random) for sigma in ("0.1", "0.5")},
        "window_stop": {stop: made_maes(dataset, random) for stop in ("15", "40")},
        "learning_curves": {"n_networks": 4, "phases": draws, "sites": draws},
        "noisy_spectrum": made_noisy(dataset, random),
        "seconds": 90.0,
    }


@pytest.fixture(scope="module")
def study(few):
    return made_study(few)


@pytest.fixture(scope="module")
def page(study, few):
    return render_report(study, few)


class Tables(HTMLParser):
    """Rows of cells of all tables; a cell is its text, bold ones in stars."""

    def __init__(self):
        super().__init__()
        self.rows = []
        self.inside = False

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th", "strong")
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            bold = self.get_starttag_text() == "<strong>"
            self.rows[-1][-1] += f"*{data}*" if bold else data


def table_rows(page):
    parser = Tables()
    parser.feed(page)
    return [tuple(row) for row in parser.rows]


def plain(row):
    return [cell.strip("*") for cell in row]


def rounded(value):
    return f"{value:#.3g}"


def test_all_errors_stand_in_the_row_of_their_property(page, study, few):
    rows = [plain(row) for row in table_rows(page)]
    # The column after the ensemble's error is its uncertainty.
    rows = [[*row[:3], *row[4:]] for row in rows]
    for split in SPLITS:
        for spec in few.properties:
            found = study[split][spec.name]
            baselines = [rounded(found["baselines"][m]) for m in (MODELS[2], *MODELS[:2])]
            target = f"{target_errors(few)[spec.name]:.3g}"
            expected = [spec.label, target, rounded(found["mae"]), f"{found['r2']:.2f}"]
            assert expected + baselines in rows


def test_the_lowest_error_of_a_row_and_no_other_is_bold(page, study, few):
    for row in table_rows(page):
        if len(row) == 5 + len(MODELS) and row[0] == few.properties[0].label:
            errors = [row[2], *row[5:]]
            lowest = min(errors, key=lambda cell: float(cell.strip("*")))
            assert [cell for cell in errors if "*" in cell] == [lowest]
            break
    else:
        pytest.fail("no table of errors")


def test_the_parts_tell_their_numbers(page, study, few):
    rows = [plain(row) for row in table_rows(page)]
    assert ["16, 8", "0.2", "0.01", "0.512 ± 0.021 (0.250)", "0.512 ± 0.021 (0.250)"] in rows
    assert ["32", "0.2", "0.1", "0.734 ± 0.043 (0.250)", "0.734 ± 0.043 (0.250)"] in rows
    assert ["6 or more", "26", "26"] in rows
    for spec in few.properties:
        for part, values in (("resolution", ("0.1", "0.5")), ("window_stop", ("15", "40"))):
            at = [study[part][value][spec.name] for value in values]
            assert [spec.label, *map(rounded, at)] in rows
        energy = [
            (study["excitation_energy"][split][key][spec.name])
            for split in SPLITS
            for key in ("without", "with")
        ]
        (found,) = (row for row in rows if len(row) == 7 and row[1] == rounded(energy[0]))
        assert [found[n] for n in (1, 2, 4, 5)] == [rounded(value) for value in energy]
        draws = [draw["mae"][spec.name] for draw in study["learning_curves"]["phases"]]
        assert [spec.label, rounded(np.mean(draws[:2])), rounded(draws[2])] in rows
    noisy = study["noisy_spectrum"]["properties"]["bond_angle"]
    (found,) = (
        row for row in rows if len(row) == 4 and row[0] == "bond angle (°)" and "±" in row[2]
    )
    assert found[1:] == [
        f"{noisy['true']:.0f}",
        f"{noisy['predicted']:.0f} ± {noisy['half_width']:.0f}",
        "yes",
    ]


def test_a_bad_prediction_stands_beside_its_neighbours(page, study, few):
    rows = [plain(row) for row in table_rows(page)]
    site = few.names[-3]
    assert f"<h3>{site} ({few.phases[-3]})</h3>" in page
    angles = [few.targets[row, 1] for row in (-3, 0, 1, 2)]
    assert ["bond angle (°)", "true", *(f"{angle:.0f}" for angle in angles)] in rows


def test_the_page_needs_nothing_else(page):
    addresses = re.findall(r'(?:src|href)="([^"]{0,22})', page)
    assert len(addresses) == 10
    assert set(addresses) == {"data:image/png;base64,"}


def test_what_a_data_set_says_is_text_and_no_markup(few):
    evil = "<script>alert('x')</script> & more"
    cell = dataclasses.replace(few.sites[-1].structure, phase=evil)
    site = dataclasses.replace(few.sites[-1], structure=cell, name=evil)
    dataset = dataclasses.replace(few, sites=(*few.sites[:-1], site), description=evil)
    page = render_report(made_study(dataset), dataset)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 3


def test_a_study_without_noisy_spectrum_says_so(study, few):
    page = render_report({**study, "noisy_spectrum": None}, few)
    assert "Left out: the data set has no spectrum of the phase" in page
    assert "with the 90 % interval" not in page


def test_a_data_set_without_densities_says_so(few):
    bare = tuple(dataclasses.replace(site, projected_densities={}) for site in few.sites)
    dataset = dataclasses.replace(few, sites=bare)
    page = render_report(made_study(dataset), dataset)
    assert "Left out: no site of this data set has projected densities of states." in page


def test_a_study_of_another_data_set_is_refused(study, few):
    with pytest.raises(DatasetError, match="needs the data set of its study"):
        render_report(study, few.take(np.arange(7)))
