"""What has a SHA-256 stays what it is: by its own arrays, and by those that it came from."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_dtypes, array_shapes, arrays, scalar_dtypes

from hyperspy_coreloss import load_dataset, load_emulator, load_pretrained
from hyperspy_coreloss.dataset.computed_site import (
    ComputedStructure,
    RecursionChains,
    SampledSpectrum,
    TransitionLines,
)
from hyperspy_coreloss.read_only import read_only


def arrays_of_model(model):
    return [*model.weights.values(), model.scores, model.usual_spread, model.history]


def arrays_of_emulator(emulator):
    derived = emulator.sites, emulator.site_spectra, emulator.curves.values
    return [*emulator.arrays.values(), *derived]


def arrays_of_dataset(dataset):
    parts = [part for site in dataset.sites for part in (site.structure, site.spectrum)]
    parts += [chains for site in dataset.sites for chains in site.projected_densities.values()]
    return [
        array for part in parts for array in vars(part).values() if isinstance(array, np.ndarray)
    ]


def as_it_is(thing):
    return thing


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


TRAVELS = {
    "as it is": as_it_is,
    "pickled": pickled,
    "pickled by an old protocol": lambda thing: pickle.loads(pickle.dumps(thing, protocol=2)),
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
}


@pytest.fixture(params=TRAVELS)
def travel(request):
    return TRAVELS[request.param]


def assert_fixed(array):
    assert not array.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        array[...] = 0
    with pytest.raises(ValueError, match="read-only"):
        array.ravel()[:1].sort() if array.flags.c_contiguous else array.sort()
    assert array.base is None or not array.base.flags.writeable


def test_a_model_cannot_be_changed(travel, pretrained):
    model = travel(pretrained)
    assert model == pretrained
    assert model.sha256 == pretrained.sha256 == pickled(model).sha256
    assert len(arrays_of_model(model)) > 8
    for array in arrays_of_model(model):
        assert_fixed(array)
    with pytest.raises(TypeError, match="item assignment"):
        model.weights["input_mean"] = np.zeros(2)
    with pytest.raises(TypeError, match="item deletion"):
        del model.weights["input_mean"]
    for name in ("weights", "scores", "name"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(model, name, None)


def test_an_emulator_cannot_be_changed(travel):
    emulator = travel(load_emulator())
    assert emulator.sha256 == load_emulator().sha256
    for array in arrays_of_emulator(emulator):
        assert_fixed(array)
    with pytest.raises(TypeError, match="item assignment"):
        emulator.arrays["mean"] = np.zeros(2)


def test_the_sites_of_a_data_set_cannot_be_changed(travel, mixed):
    before = mixed.targets
    dataset = travel(mixed)
    np.testing.assert_array_equal(dataset.targets, before)
    assert dataset.sha256 == mixed.sha256
    assert len(arrays_of_dataset(dataset)) > 20
    for array in (*arrays_of_dataset(dataset), dataset.targets):
        assert_fixed(array)


def test_what_comes_from_a_file_cannot_be_changed(pretrained, mixed, tmp_path):
    pretrained.save(tmp_path / "model.safetensors")
    for array in arrays_of_model(load_pretrained(tmp_path / "model.safetensors")):
        assert_fixed(array)
    load_emulator().save(tmp_path / "emulator.safetensors")
    for array in arrays_of_emulator(load_emulator(tmp_path / "emulator.safetensors")):
        assert_fixed(array)
    mixed.save(tmp_path / "mixed.nc")
    dataset = load_dataset(tmp_path / "mixed.nc")
    for array in (*arrays_of_dataset(dataset), dataset.targets):
        assert_fixed(array)


def test_shipped_data_cannot_be_changed(sites):
    few = sites.take([0, len(sites) - 1])
    for array in (*arrays_of_dataset(few), sites.targets, few.targets):
        assert_fixed(array)


def test_arrays_given_to_a_model_stay_the_users_own(pretrained):
    given = {name: array.copy() for name, array in pretrained.weights.items()}
    scores, history = pretrained.scores.copy(), pretrained.history.copy()
    model = dataclasses.replace(pretrained, weights=given, scores=scores, history=history)
    assert model.sha256 == pretrained.sha256
    for array in (*given.values(), scores, history):
        assert array.flags.writeable
        array[...] = 7
    given["input_mean"] = None
    given["surplus"] = np.zeros(3)
    for mine, theirs in zip(arrays_of_model(model), arrays_of_model(pretrained), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert model.to_bytes() == pretrained.to_bytes()


def test_arrays_given_to_an_emulator_stay_the_users_own():
    known = load_emulator()
    given = {name: array.copy() for name, array in known.arrays.items()}
    emulator = dataclasses.replace(known, arrays=given)
    for array in given.values():
        array[...] = 7
    assert emulator.to_bytes() == known.to_bytes()


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (RecursionChains, {"alpha": np.ones((2, 5)), "beta": np.ones((2, 5)), "norm": np.ones(2)}),
        (TransitionLines, {"energy": np.arange(5.0), "strength": np.ones(5)}),
        (SampledSpectrum, {"energy": np.arange(5.0), "intensity_samples": np.ones(5)}),
        (
            ComputedStructure,
            {"cell": np.eye(3), "positions": np.zeros((2, 3)), "numbers": np.array([8, 14])},
        ),
    ],
)
@pytest.mark.parametrize("single", [False, True])
def test_arrays_given_to_a_site_stay_the_users_own(make, names, single):
    """Also where they have the type already that they are kept in."""
    others = {
        RecursionChains: {"lowest_empty": 1.0, "gap_middle": 0.0},
        SampledSpectrum: {"sigma": 0.1},
        ComputedStructure: {"name": "a", "phase": "b"},
    }.get(make, {})
    given = {name: array.astype("f4") if single else array.copy() for name, array in names.items()}
    made = make(**given, **others)
    for name, array in given.items():
        kept = getattr(made, name).copy()
        assert_fixed(getattr(made, name))
        array[...] = 3
        np.testing.assert_array_equal(getattr(made, name), kept)


@given(
    st.one_of(scalar_dtypes(), array_dtypes()).flatmap(
        lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=3, min_side=0))
    )
)
def test_a_read_only_copy_has_the_values_and_no_memory_of_its_source(values):
    found = read_only(values)
    assert found.dtype == values.dtype
    assert found.shape == values.shape
    assert found.tobytes() == values.tobytes()
    assert not np.shares_memory(found, values)
    assert not found.flags.writeable
    assert values.flags.writeable
