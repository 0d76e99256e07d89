from __future__ import annotations

import dataclasses
import json
import pickle

import dask
import numpy as np
import pytest
from safetensors.numpy import save_file

from hyperspy_coreloss.errors import PretrainedFormatError, PretrainedNotFoundError
from hyperspy_coreloss.pretrained.card import render_card
from hyperspy_coreloss.pretrained.families import list_pretrained, load_pretrained
from hyperspy_coreloss.pretrained.model import PretrainedModel


def test_shipped_model_is_trained_on_the_shipped_sites(pretrained, sites):
    assert "silica-o-k" in list_pretrained()
    assert pretrained.record.dataset_sha256 == sites.sha256
    assert pretrained.record.n_spectra == len(sites)
    assert len(pretrained.residuals) == len(sites)


def test_file_gives_the_model_back(pretrained, tmp_path):
    pretrained.save(tmp_path / "model.safetensors")
    again = load_pretrained(tmp_path / "model.safetensors")
    assert again == pretrained
    assert again.sha256 == pretrained.sha256
    assert again.record == pretrained.record
    assert again.recipe == pretrained.recipe


def test_model_travels_to_workers(pretrained):
    copy = pickle.loads(pickle.dumps(pretrained))
    assert copy == pretrained
    assert dask.base.tokenize(copy) == dask.base.tokenize(pretrained)
    other = dataclasses.replace(pretrained, version="9")
    assert other != pretrained
    assert dask.base.tokenize(other) != dask.base.tokenize(pretrained)


def test_unknown_name_lists_the_known():
    with pytest.raises(PretrainedNotFoundError, match=r"'silica-ok'.*silica-o-k,"):
        load_pretrained("silica-ok")


@pytest.mark.parametrize("content", [b"", b"12", b"\xff" * 64, b"\x10" + b"\0" * 7 + b"{}" * 8])
def test_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(content)
    with pytest.raises(PretrainedFormatError, match=r"damaged\.safetensors"):
        load_pretrained(path)


def test_truncated_file_is_refused(pretrained, tmp_path):
    path = tmp_path / "short.safetensors"
    path.write_bytes(pretrained.to_bytes()[:-100])
    with pytest.raises(PretrainedFormatError, match=r"short\.safetensors"):
        load_pretrained(path)


def rewritten(pretrained, path, change, drop=()):
    content = pretrained.to_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["hyperspy_coreloss"])
    change(header)
    tensors = {
        **pretrained.weights,
        "residuals": pretrained.residuals,
        "history": pretrained.history,
    }
    tensors = {name: array for name, array in tensors.items() if name not in drop}
    save_file(tensors, path, metadata={"hyperspy_coreloss": json.dumps(header)})
    return path


@pytest.mark.parametrize(
    ("change", "drop", "message"),
    [
        (lambda h: h.update(format=3), (), "of format 3, but this version .* reads format 2"),
        (lambda h: h.pop("limits"), (), "its header needs"),
        (lambda h: h.update(extra=1), (), "its header needs"),
        (lambda h: h.update(hidden=[160, 121]), (), "needs the shape"),
        (lambda h: h["recipe"].pop("sigma"), (), "sigma"),
        (lambda h: h["record"].pop("licence"), (), "licence"),
        (lambda h: h.update(limits=" "), (), "must state its intended use and its limits"),
        (lambda h: None, ("layer.1.bias",), "layer.1.bias needs the shape"),
        (lambda h: None, ("residuals",), "residuals"),
        (lambda h: None, ("history",), "history"),
    ],
)
def test_incomplete_file_is_refused(pretrained, tmp_path, change, drop, message):
    path = rewritten(pretrained, tmp_path / "model.safetensors", change, drop)
    with pytest.raises(PretrainedFormatError, match=message):
        PretrainedModel.load(path)


def test_weights_must_be_finite_and_known(pretrained):
    broken = {**pretrained.weights, "input_mean": np.full((pretrained.n_networks, 160), np.nan)}
    with pytest.raises(PretrainedFormatError, match="input_mean must be finite"):
        dataclasses.replace(pretrained, weights=broken)
    with pytest.raises(PretrainedFormatError, match="unknown arrays: surplus"):
        dataclasses.replace(pretrained, weights={**pretrained.weights, "surplus": np.zeros(2)})


def test_card_tells_errors_baselines_and_limits(pretrained):
    card = render_card(pretrained)
    for text in (pretrained.limits, pretrained.sha256, "ridge (baseline)", "sz(dzp)"):
        assert text in card
    tables = {"phase_disjoint": "New phases", "random_site": "New sites"}
    for split, title in tables.items():
        table = card.partition(f"**{title}: ")[2].partition("**")[2].partition("**")[0]
        worse = table.partition("No better than a baseline: ")[2].splitlines()
        for spec in pretrained.properties:
            row = pretrained.record.metrics[split][spec.name]
            assert f"| {spec.label} | {row['mae']:.3g} | {row['r2']:.2f} |" in table
            beaten = row["mae"] >= min(row["baselines"].values())
            assert beaten == bool(worse and spec.title in worse[0])
