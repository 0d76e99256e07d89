from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
from pathlib import Path

import dask
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save_file

import hyperspy_coreloss
from hyperspy_coreloss.errors import PretrainedFormatError, PretrainedNotFoundError
from hyperspy_coreloss.pretrained.card import render_card, render_card_page
from hyperspy_coreloss.pretrained.families import list_pretrained, load_pretrained
from hyperspy_coreloss.pretrained.model import PretrainedModel
from tests.pages.reading import Page, assert_readable
from tests.paths import PACKAGE


def test_shipped_model_is_trained_on_the_shipped_sites(pretrained, sites):
    assert pretrained.name in list_pretrained()
    assert pretrained.record.dataset_sha256 == sites.sha256
    withheld = pretrained.record.withheld_phases
    assert pretrained.record.n_spectra == sum(phase not in withheld for phase in sites.phases)
    assert len(pretrained.scores) > pretrained.record.n_spectra


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


@pytest.mark.parametrize("name", ["silica-ok", 5000 * "a", "silica\0"])
def test_unknown_name_lists_the_known(name):
    with pytest.raises(PretrainedNotFoundError, match=r"There is no .*silica-o-k-15eV-sigma-0\.5,"):
        load_pretrained(name)


def test_all_shipped_models_together_are_small():
    sizes = [path.stat().st_size for path in (PACKAGE / "data/pretrained").glob("*.safetensors")]
    assert len(sizes) == len(list_pretrained())
    assert sum(sizes) < 5e6


@pytest.mark.parametrize("content", [b"", b"12", b"\xff" * 64, b"\x10" + b"\0" * 7 + b"{}" * 8])
def test_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(content)
    with pytest.raises(PretrainedFormatError, match=r"damaged\.safetensors"):
        load_pretrained(path)


@pytest.mark.parametrize(
    ("header", "size"), [(0, 2**28 + 1), (0, 2**40), (2**20 + 1, 2**25), (2**63, 2**25)]
)
def test_a_file_too_large_to_be_a_model_is_refused_unread(tmp_path, header, size):
    """An image of many gigabytes given for a model must not fill the memory."""
    path = tmp_path / "image.dm4"
    with path.open("wb") as file:
        file.write(header.to_bytes(8, "little"))
        file.truncate(size)  # without taking space
    with pytest.raises(PretrainedFormatError, match=r"image\.dm4 is not a pretrained model .* has"):
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
    tensors = {name: a for name, a in pretrained._arrays().items() if name not in drop}
    save_file(tensors, path, metadata={"hyperspy_coreloss": json.dumps(header)})
    return path


@pytest.mark.parametrize(
    ("change", "drop", "message"),
    [
        (lambda h: h.update(format=2), (), "of format 2, but this version .* reads format 3"),
        (lambda h: h.pop("limits"), (), "its header needs"),
        (lambda h: h.update(extra=1), (), "its header needs"),
        (lambda h: h.update(hidden=[160, 121]), (), "needs the shape"),
        (lambda h: h["recipe"].pop("sigma"), (), "sigma"),
        (lambda h: h["record"].pop("licence"), (), "licence"),
        (lambda h: h["record"].update(settings=None), (), "not a complete pretrained model"),
        (lambda h: h["record"]["settings"].update(microscope=5), (), "not a complete pretrained"),
        (
            lambda h: (
                h["record"]["settings"]["microscope"].update(relative_thickness=0.0),
                h["record"]["settings"].update(thick_copies=0),
            ),
            (),
            "must hold a thickness above 0",
        ),
        (lambda h: h["record"].update(withheld_phases="quartz"), (), "must be a list of names"),
        (lambda h: h["record"].update(withheld_phases=[5]), (), "must be a list of names"),
        (lambda h: h["record"].update(population_errors=[5]), (), "must be numbers by property"),
        (
            lambda h: h["record"].update(population_errors={"glass": {"bond_length": "small"}}),
            (),
            "must be numbers by property",
        ),
        (lambda h: h.update(limits=" "), (), "must state its intended use and its limits"),
        *(
            (lambda h, field=field, value=value: h.update({field: value}), (), message)
            for message, field in (
                ("must state its intended use and its limits", "intended_use"),
                ("must state its intended use and its limits", "limits"),
                ("have a name and a version, but its name is", "name"),
                ("have a name and a version, but its version is", "version"),
            )
            for value in (None, 5, [], {}, "")
        ),
        (lambda h: h["recipe"]["window"].update(stop=float("inf")), (), "energy window"),
        (lambda h: h["recipe"]["window"].update(step=float("nan")), (), "energy window"),
        (lambda h: h["recipe"].update(sigma=float("nan")), (), "a sigma of 0 eV or more"),
        (lambda h: h["recipe"].update(sigma=-0.5), (), "a sigma of 0 eV or more"),
        (lambda h: h["recipe"].update(threshold_fraction=0), (), "between 0 and 1, but"),
        (lambda h: h["recipe"].update(threshold_fraction=2), (), "between 0 and 1, but"),
        (lambda h: h["recipe"].update(nominal_onset=float("nan")), (), "finite nominal_onset"),
        (lambda h: h["properties"][0].update(unit="9**9**9"), (), r"but it is '9\*\*9\*\*9'"),
        (lambda h: h["properties"][0].update(name="bond_angle"), (), "of different names"),
        (lambda h: h.update(hidden="160"), (), "needs the shape"),
        (lambda h: h.update(properties=5), (), "not a complete pretrained model"),
        (lambda h: None, ("layer.1.bias",), "layer.1.bias needs the shape"),
        (lambda h: None, ("scores",), "scores"),
        (lambda h: None, ("history",), "history"),
    ],
)
def test_incomplete_file_is_refused(pretrained, tmp_path, change, drop, message):
    path = rewritten(pretrained, tmp_path / "model.safetensors", change, drop)
    with pytest.raises(PretrainedFormatError, match=message):
        PretrainedModel.load(path)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**400), 10**400),
        st.floats(),
        st.text(st.characters(codec=None, categories=("L", "N", "Cs", "Cc")), max_size=5),
        st.just("\ud800"),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_header_with_any_entry_gives_a_usable_model_or_one_error(shared, data):
    model, folder = shared

    def change(header):
        node, path = header, []
        while isinstance(node, dict) and node and (not path or data.draw(st.booleans())):
            path.append(data.draw(st.sampled_from(sorted(node))))
            parent, node = node, node[path[-1]]
        parent[path[-1]] = data.draw(JSON)

    path = rewritten(model, folder / "model.safetensors", change)
    try:
        again = PretrainedModel.load(path)
        assert len(again.sha256) == 64
        assert again.half_width(0.9).shape == (6,)
        assert again.name in render_card(again)
    except PretrainedFormatError as error:
        assert str(error)


@pytest.mark.parametrize("field", ["name", "version"])
@pytest.mark.parametrize("text", ["a\0b", "a\nb", "\x1b[2J"])
def test_names_are_of_letters_that_files_can_hold(pretrained, field, text):
    with pytest.raises(PretrainedFormatError, match=rf"have a name and a version, but its {field}"):
        dataclasses.replace(pretrained, **{field: text})


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h["record"].update(software=5),
        lambda h: h["record"].update(metrics={"phase_disjoint": {}}),
        lambda h: h["record"].update(metrics={"phase_disjoint": {"bond_length": {}}}),
    ],
)
def test_a_card_of_an_incomplete_record_is_refused(pretrained, tmp_path, change):
    path = rewritten(pretrained, tmp_path / "model.safetensors", change)
    for render in (render_card, render_card_page):
        with pytest.raises(PretrainedFormatError, match=r"is incomplete.*has no card"):
            render(load_pretrained(path))


def test_weights_must_be_finite_and_known(pretrained):
    unknown = np.full_like(pretrained.weights["input_mean"], np.nan)
    broken = {**pretrained.weights, "input_mean": unknown}
    with pytest.raises(PretrainedFormatError, match="input_mean must be finite"):
        dataclasses.replace(pretrained, weights=broken)
    with pytest.raises(PretrainedFormatError, match="unknown arrays: surplus"):
        dataclasses.replace(pretrained, weights={**pretrained.weights, "surplus": np.zeros(2)})


@pytest.mark.parametrize("name", ["input_scale", "target_scale"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_scales_must_be_above_zero(pretrained, name, value):
    scale = pretrained.weights[name].copy()
    scale[0, 2] = value
    with pytest.raises(PretrainedFormatError, match=f"{name} must be above zero, but 1 of"):
        dataclasses.replace(pretrained, weights={**pretrained.weights, name: scale})


@pytest.mark.parametrize("name", ["layer.0.step", "layer.2.bias", "input_mean", "target_mean"])
@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.complex64, np.bool_, object])
def test_arrays_must_be_floating_point_numbers(pretrained, name, dtype):
    array = np.ones(pretrained.weights[name].shape, dtype=dtype)
    with pytest.raises(PretrainedFormatError, match=f"{name} needs the type float.* but it is"):
        dataclasses.replace(pretrained, weights={**pretrained.weights, name: array})


def test_networks_of_double_precision_are_refused(pretrained):
    """Torch does not multiply them with the spectra, which are float32."""
    plain = {name: array for name, array in pretrained.weights.items() if name != "layer.0.step"}
    for double in (plain | {"layer.0.weight": plain["layer.0.weight"].astype(np.float64)}, plain):
        with pytest.raises(PretrainedFormatError, match="needs the type float16 or float32"):
            dataclasses.replace(pretrained, weights=double)


def test_weights_in_steps_are_multiples(pretrained):
    for dtype in (np.float16, np.int16, np.uint8):
        weight = pretrained.weights["layer.0.weight"].astype(dtype)
        with pytest.raises(PretrainedFormatError, match=r"layer\.0\.weight needs the type int8"):
            dataclasses.replace(
                pretrained, weights={**pretrained.weights, "layer.0.weight": weight}
            )


def test_a_saved_file_states_its_checksum(pretrained, tmp_path):
    path = tmp_path / "model.safetensors"
    pretrained.save(path)
    with safe_open(path, "np") as opened:
        assert opened.metadata()["sha256"] == pretrained.sha256
    assert hashlib.sha256(pretrained.to_bytes()).hexdigest() == pretrained.sha256
    content = path.read_bytes()
    assert int.from_bytes(content[:8], "little") % 8 == 0  # the arrays are aligned
    for name, array in load_tensors(content).items():
        np.testing.assert_array_equal(array, pretrained._arrays()[name])
    pretrained.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == content


@pytest.mark.parametrize("name", list_pretrained())
def test_shipped_models_are_read_whether_they_have_a_checksum_or_not(name):
    folder = Path(hyperspy_coreloss.__file__).parent / "data" / "pretrained"
    content = (folder / f"{name}.safetensors").read_bytes()
    model = PretrainedModel.from_bytes(content)
    assert b'"sha256":"' in content or model.to_bytes() == content
    assert PretrainedModel.from_bytes(model.to_bytes()) == model


@pytest.fixture(scope="module")
def shared(pretrained, tmp_path_factory):
    return pretrained, tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def sealed(pretrained, tmp_path_factory):
    path = tmp_path_factory.mktemp("sealed") / "model.safetensors"
    pretrained.save(path)
    return path.read_bytes()


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), early=st.booleans())
@settings(max_examples=150, deadline=None)
@example(place=0.0, bit=0, early=True)
@example(place=0.999999, bit=6, early=False)
def test_no_damaged_bit_of_a_file_is_overlooked(sealed, place, bit, early):
    """Early: within the lengths, the names and the checksum itself."""
    damaged = bytearray(sealed)
    damaged[int(place * (200 if early else len(sealed)))] ^= 1 << bit
    with pytest.raises(PretrainedFormatError):
        PretrainedModel.from_bytes(bytes(damaged))


def test_an_exponent_bit_of_a_weight_is_noticed(sealed, tmp_path):
    """It made -5e33 Å of a bond length, with a good quality."""
    path = tmp_path / "flipped.safetensors"
    damaged = bytearray(sealed)
    damaged[-1] ^= 0x40
    path.write_bytes(damaged)
    with pytest.raises(PretrainedFormatError, match=r"flipped\.safetensors.*SHA-256.*download"):
        load_pretrained(path)


def test_types_that_numpy_does_not_know_are_refused(pretrained):
    content = pretrained.to_bytes()
    start = content.index(b'"F32"')
    for unknown in (b'"U32"', b'"I32"', b'"X32"', b'"BF16'):
        damaged = content[:start] + unknown + content[start + 5 :]
        with pytest.raises(PretrainedFormatError):
            PretrainedModel.from_bytes(damaged)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"format":' + "9" * 10_000 + "}",
        "[]",
        "5",
        '{"format": 3, "name": "\\ud800"}',
    ],
)
def test_headers_that_are_not_headers_are_refused(tmp_path, text):
    save_file({"a": np.zeros(2)}, tmp_path / "x", metadata={"hyperspy_coreloss": text})
    with pytest.raises(PretrainedFormatError, match="its header cannot be read"):
        load_pretrained(tmp_path / "x")


def test_the_page_of_a_card_tells_the_same(pretrained):
    page = Page(render_card_page(pretrained))
    assert_readable(page)
    for spec in pretrained.properties:
        mae = pretrained.record.metrics["left_out_phases"][spec.name]["mae"]
        assert page.rows(spec.label)[0][1] == f"{mae:.3g}"
        assert spec.definition in page.said
    for text in (pretrained.limits, pretrained.intended_use, pretrained.sha256):
        assert text in page.said
    assert f"{pretrained.record.n_phases} phases" in page.said


def test_card_tells_errors_baselines_and_limits(pretrained):
    card = render_card(pretrained)
    for text in (pretrained.limits, pretrained.sha256, "median (baseline)", "sz(dzp)"):
        assert text in card
    assert "ITW" in card.partition("Not trained on these phases")[2].partition(".")[0]
    assert "relative_thickness Uniform(0, 1)" in card
    table = card.partition("**Left-out phases: ")[2].partition("## ")[0]
    assert "as a microscope measures them" in table
    worse = table.partition("No better than a baseline: ")[2].splitlines()
    metrics = pretrained.record.metrics["left_out_phases"]
    for spec, half_width in zip(pretrained.properties, pretrained.half_width(0.9), strict=True):
        row = metrics[spec.name]
        start = f"| {spec.label} | {row['mae']:.3g} | {row['r2']:.2f} |"
        assert f"{start} {row['baselines']['median']:.3g} | ± {half_width:.3g} |" in table
        beaten = row["mae"] >= min(row["baselines"].values())
        assert beaten == bool(worse and spec.title in worse[0])
