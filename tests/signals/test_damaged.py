"""Results of damaged files are read as far as they are whole, and say what is damaged."""

from __future__ import annotations

import shutil

import h5py
import hyperspy.api as hs
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hyperspy_coreloss.errors import CoreLossError, SignalError
from hyperspy_coreloss.signals.held_out_errors import scores_of
from hyperspy_coreloss.signals.metadata import options_of, recipe_of
from hyperspy_coreloss.signals.summary import count_codes
from hyperspy_coreloss.spectra.quality import Quality

LAST = max(Quality)
NODE = "CoreLossProperty"
PATHS = [
    *(f"{NODE}.{item}" for item in ("names", "labels", "units", "quality", "onset", "spikes")),
    *(f"{NODE}.{item}" for item in ("scores", "spread", "Pretrained", "Preprocessing")),
    *(f"{NODE}.Preprocessing.{item}" for item in ("Recipe", "onset_range", "resolution")),
    f"{NODE}.Preprocessing.background",
    f"{NODE}.Preprocessing.Recipe.sigma",
    f"{NODE}.Preprocessing.Recipe.window.start",
    NODE,
]
#: What users do with a result.
USES = {
    "names": lambda p: (p.property_names, p.property_units),
    "map": lambda p: p.get_property_map("bond_angle"),
    "interval": lambda p: p.get_interval_map("bond_angle"),
    "quality": lambda p: p.quality.data,
    "onset": lambda p: p.onset.data,
    "spikes": lambda p: p.spikes.data,
    "summary": lambda p: str(p.summary()),
    "slice": lambda p: p.inav[1:, :1].isig[:3],
    "name": lambda p: p.isig["bond_angle"],
    "one": lambda p: p.inav[1:, 0].isig[0],
    "transpose": lambda p: p.T,
    "mean": lambda p: p.mean(),
    "rebin": lambda p: p.rebin(scale=(1, 2, 1)),
    "difference": lambda p: p - p,
    "recipe": recipe_of,
    "options": options_of,
}


@pytest.fixture(scope="module")
def small():
    from hyperspy_coreloss.data import silica_spectrum_image

    spectra, _ = silica_spectrum_image((3, 2), seed=3)
    return spectra.predict_properties(resolution=0.5, show_progressbar=False)


def refusals(result):
    """Use a result in all ways, and return the errors, which must be those of the package."""
    found = {}
    for name, use in USES.items():
        try:
            use(result)
        except CoreLossError as error:
            found[name] = str(error)
    return found


numbers = st.one_of(st.integers(-300, 300), st.floats(), st.booleans())
wild = st.one_of(
    st.none(),
    st.text(max_size=9),
    numbers,
    st.lists(st.one_of(st.text(max_size=5), numbers), max_size=7),
    arrays(
        st.sampled_from(["f8", "i4", "u1", "U3", "c8"]),
        st.sampled_from([(), (6,), (2, 3, 6), (5, 6), (2, 6, 6)]),
    ),
    st.dictionaries(st.sampled_from(["name", "sigma", "step"]), numbers, max_size=2),
    st.sampled_from([(2, 3, 6), (2, 2, 6), (1,)]).map(lambda n: hs.signals.BaseSignal(np.ones(n))),
    st.just(hs.signals.BaseSignal(np.full((2, 3, 6), 200.0)).T),
)


@given(path=st.sampled_from(PATHS), value=wild)
@example(path="CoreLossProperty.names", value=np.array(0.0))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@example(path=f"{NODE}.names", value=None)
@example(path=f"{NODE}.quality", value=hs.signals.Signal1D(np.ones((2, 2, 6))))
def test_whatever_the_metadata_hold_the_error_is_one_of_the_package(small, path, value):
    result = small.deepcopy()
    node, _, name = path.rpartition(".")
    tree = result.metadata.get_item(node) if node else result.metadata
    delattr(tree, name)
    if value is not None:
        tree.set_item(name, value)
    refusals(result)


def without(name):
    return lambda node: node.attrs.pop(name)


def attribute(name, value):
    return lambda node: node.attrs.__setitem__(name, value)


def group(name, value=None):
    def edit(node):
        del node[name]
        if value is not None:
            node.create_dataset(name, data=value, chunks=True)  # as HyperSpy does

    return edit


def of_map(name, change):
    def edit(node):
        stored = node[f"_sig_{name}"]
        values = change(stored["data"][...])
        del stored["data"]
        stored.create_dataset("data", data=values, chunks=True)

    return edit


LABELS = {"map", "interval", "summary", "name", "one"}
WORDS = {"names", *LABELS}
DAMAGES = {
    "names are gone": (without("names"), WORDS, "names needs one text for each"),
    "names are a number": (attribute("names", 5), WORDS, r"it has .*5"),
    "names are too few": (
        attribute("names", "a\nb"),
        WORDS,
        r"counts the 2 properties|spectra, 2\)",
    ),
    "labels are gone": (without("labels"), LABELS, "labels needs one"),
    "labels are too few": (attribute("labels", "a\nb"), LABELS, "labels needs one"),
    "errors are gone": (group("scores"), {"interval"}, "need the errors of the model"),
    "errors are texts": (
        group("scores", ["a", "b"]),
        {"interval", "summary"},
        "scores needs",
    ),
    "errors are NaN": (
        group("scores", np.full((9, 6), np.nan)),
        {"interval", "summary"},
        r"finite numbers of the shape \(spectra, 6\)",
    ),
    "errors of others": (group("scores", np.ones((9, 4))), {"interval"}, r"shape \(9, 4\)"),
    "quality is gone": (group("_sig_quality"), {"quality", "summary"}, "one entry per spectrum"),
    "quality of others": (
        of_map("quality", lambda data: data[:, :2]),
        {"quality", "summary"},
        "one entry per spectrum",
    ),
    "quality has other codes": (
        of_map("quality", lambda data: np.full_like(data, 200)),
        {"summary"},
        f"go from 0 to {LAST}, but this one has 200",
    ),
    "the recipe is incomplete": (
        lambda node: node["Preprocessing/Recipe"].attrs.pop("sigma"),
        {"recipe"},
        "Recipe needs the fields of a recipe",
    ),
    "an option is a text": (
        lambda node: node["Preprocessing"].attrs.__setitem__("resolution", "narrow"),
        {"summary", "options"},
        "Preprocessing needs the options of a prediction",
    ),
    "the options are gone": (group("Preprocessing"), set(), ""),
    "the model is gone": (group("Pretrained"), set(), ""),
}


@pytest.fixture(scope="module")
def saved(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "maps.hspy"
    small.save(path)
    return path


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_read_and_says_what_is_damaged(saved, tmp_path, damage, lazy):
    edit, refused, message = DAMAGES[damage]
    shutil.copy(saved, tmp_path / "maps.hspy")
    with h5py.File(tmp_path / "maps.hspy", "r+") as file:
        (experiment,) = file["Experiments"].values()
        edit(experiment[f"metadata/{NODE}"])
    result = hs.load(tmp_path / "maps.hspy", lazy=lazy)
    found = refusals(result)
    assert refused <= set(found) <= refused | {"summary"}
    for name in refused:
        with pytest.raises(SignalError, match=message):
            USES[name](result)


def test_unknown_codes_are_told_when_a_lazy_result_is_computed(small, caplog):
    """A later version may have more, and its values are of use all the same."""
    result = small.deepcopy()
    quality = result.metadata.CoreLossProperty.quality
    quality.data = np.full_like(quality.data, LAST + 1)
    result = result.as_lazy()
    result.metadata.CoreLossProperty.quality = result.metadata.CoreLossProperty.quality.as_lazy()
    result.compute(show_progressbar=False)
    assert not result._lazy
    assert f"go from 0 to {LAST}, but this one has {LAST + 1}" in caplog.text


@pytest.mark.parametrize("codes", [[0, LAST + 1], [-1], [0.5], [1e30]])
def test_codes_are_those_of_the_table(codes):
    with pytest.raises(SignalError, match=rf"codes of a quality map go from 0 to {LAST}"):
        count_codes(np.array(codes))


@pytest.mark.parametrize(("scale", "offset"), [(0.1, 0.0), (1.0, 2.0), (-1.0, 0.0), (1.0, 0.5)])
def test_positions_of_the_axis_must_be_those_of_properties(small, scale, offset):
    """They would be the names of other properties."""
    result = small.deepcopy()
    axis = result.axes_manager.signal_axes[0]
    axis.scale, axis.offset = scale, offset
    for name in ("names", "map", "interval", "summary", "name"):
        with pytest.raises(SignalError, match=r"counts the 6 properties of the model.*Set its off"):
            USES[name](result)
    axis.scale, axis.offset = 1.0, 0.0
    assert refusals(result) == {}


@pytest.mark.parametrize("kind", ["property", "other"])
def test_a_plain_signal_called_a_result_says_that_it_is_none(kind):
    plain = hs.signals.Signal1D(np.ones((2, 3, 6), dtype="f4"))
    plain.axes_manager.signal_axes[0].name = kind
    plain.set_signal_type("CoreLossProperty")
    assert {"names", "map", "interval", "quality", "summary"} <= set(refusals(plain))
    assert scores_of(plain) is None


def test_names_of_properties_are_refused_for_other_axes(small):
    with pytest.raises(SignalError, match=r"along the axis 'property', but 'bond_angle' was given"):
        small.inav["bond_angle"]
    with pytest.raises(SignalError, match=r"inav after a transpose"):
        small.T.isig["bond_angle"]


@pytest.mark.parametrize("extension", ["hspy", "zspy"])
def test_a_result_that_cannot_be_written_leaves_the_old_file(
    small, tmp_path, monkeypatch, extension
):
    path = tmp_path / f"maps.{extension}"
    small.inav[0].save(path)

    def full_disk(self, filename, *args, **kwargs):
        path.write_bytes(b"begun")
        msg = "No space left on device"
        raise OSError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(hs.signals.BaseSignal, "save", full_disk)
        with pytest.raises(OSError, match="No space left"):
            small.save(path, overwrite=True)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert hs.load(path).data.shape == (2, 6)
    small.save(path, overwrite=True)
    assert hs.load(path).data.shape == (2, 3, 6)
