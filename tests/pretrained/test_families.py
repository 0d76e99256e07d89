"""Of models that differ in σ, spectra get the one just above their own resolution."""

from __future__ import annotations

import dataclasses
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.errors import PretrainedNotFoundError, ResolutionError
from hyperspy_coreloss.pretrained import families
from hyperspy_coreloss.pretrained.families import (
    list_pretrained,
    load_pretrained,
    select_pretrained,
)
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.store import Store
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA, missing_broadening
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess
from hyperspy_coreloss.spectra.recipe import Recipe


@pytest.fixture(scope="module")
def bank(pretrained, tmp_path_factory):
    """Folder with models of one family and of another; only their σ differs."""
    folder = tmp_path_factory.mktemp("bank")
    sigmas = {"silica-o-k": 0.5, "other": 0.05}
    sigmas |= {f"silica-o-k-sigma-{sigma}": sigma for sigma in (0.1, 0.2, 0.3, 0.8)}
    for name, sigma in sigmas.items():
        recipe = dataclasses.replace(pretrained.recipe, sigma=sigma)
        model = dataclasses.replace(pretrained, name=name, recipe=recipe)
        model.save(folder / f"{name}.safetensors")
    return folder


def test_shipped_models_of_a_family_are_named_after_their_broadening(pretrained):
    assert sum("-sigma-" in name for name in list_pretrained()) >= 4
    for name in list_pretrained():
        family, _, sigma = name.partition("-sigma-")
        model = load_pretrained(name)
        assert model.name == name
        if sigma:
            assert model.recipe.sigma == float(sigma)
            of_family = load_pretrained(family).recipe
            assert model.recipe == dataclasses.replace(of_family, sigma=float(sigma))


@given(resolution=st.floats(0, 3), dispersion=st.floats(0, 1))
def test_of_a_family_the_model_just_above_the_spectra_is_taken(bank, resolution, dispersion):
    def broad_enough(sigma):
        measured = np.hypot(resolution / FWHM_PER_SIGMA, dispersion / np.sqrt(12))
        return max(measured, dispersion) <= sigma * (1 + 1e-6)

    fitting = [sigma for sigma in (0.1, 0.2, 0.3, 0.5, 0.8) if broad_enough(sigma)]
    for family in (None, "silica-o-k"):
        if fitting:
            model = select_pretrained(family, resolution, dispersion, bank)
            assert model.recipe.sigma == fitting[0]
            assert missing_broadening(model.recipe.sigma, resolution, dispersion) >= 0
        else:
            message = r"the broadest, 'silica-o-k-sigma-0\.8', reads spectra of σ = 0\.8 eV"
            with pytest.raises(ResolutionError, match=message):
                select_pretrained(family, resolution, dispersion, bank)


def test_without_a_resolution_the_model_of_the_family_name_is_taken(bank):
    for family in (None, "silica-o-k"):
        assert select_pretrained(family, folder=bank).recipe.sigma == 0.5


@pytest.mark.parametrize("resolution", [0.0, 2.0])
def test_a_model_that_was_chosen_is_taken_as_it_is(bank, pretrained, resolution):
    name = "silica-o-k-sigma-0.2"
    path = bank / f"{name}.safetensors"
    assert select_pretrained(name, resolution, 0.1, bank).name == name
    assert select_pretrained(path, resolution, 0.1, bank).name == name
    assert select_pretrained(str(path), resolution, 0.1, bank).name == name
    assert select_pretrained(pretrained, resolution, 0.1, bank) is pretrained


def test_a_family_of_one_serves_what_it_can(bank):
    assert select_pretrained("other", 0.1, 0.02, bank).name == "other"
    with pytest.raises(ResolutionError, match=r"'other', reads .*given is 0\.20 eV"):
        select_pretrained("other", 0.2, 0.02, bank)


def test_an_unknown_family_lists_the_known(bank):
    with pytest.raises(PretrainedNotFoundError, match="names are other, silica-o-k, silica-o-k-s"):
        select_pretrained("silica", 0.5, 0.1, bank)


def test_a_prediction_takes_and_records_the_model_for_its_resolution(bank, image, monkeypatch):
    shipped = dataclasses.replace(families._SHIPPED, folder=bank)
    monkeypatch.setattr(families, "_SHIPPED", shipped)
    for resolution, sigma in ((0.0, 0.1), (0.4, 0.2), (0.5, 0.3), (1.0, 0.5), (1.5, 0.8)):
        result = image[0].predict_properties(resolution=resolution, lazy_output=True)
        node = result.metadata.CoreLossProperty
        model = load_pretrained(node.Pretrained.name)
        assert (model.recipe.sigma, model.sha256) == (sigma, node.Pretrained.sha256)
        measured = np.hypot(resolution / FWHM_PER_SIGMA, 0.1 / np.sqrt(12))
        total = np.hypot(measured, node.Preprocessing.broadening_sigma)
        assert total == pytest.approx(sigma)
    # 0.25 eV per channel is too coarse for σ = 0.2 eV, whatever the resolution.
    image[0].axes_manager.signal_axes[0].scale = 0.25
    result = image[0].predict_properties(resolution=0.0, lazy_output=True)
    assert result.metadata.CoreLossProperty.Pretrained.name == "silica-o-k-sigma-0.3"


def test_a_sharper_model_sees_more_of_the_noise(image):
    exact, _ = silica_spectrum_image((7, 5), seed=3, dose=np.inf)
    energy = exact.axes_manager.signal_axes[0].axis
    noise = []
    for sigma in (0.3, 0.5, 0.8):
        preparation = prepare(Recipe(sigma=sigma), energy, resolution=0.5)
        read = [preprocess(s.data.reshape(-1, energy.size), preparation) for s in (image[0], exact)]
        noise.append((read[0].spectra - read[1].spectra).std())
    assert noise[0] > noise[1] > noise[2]


def test_threads_that_need_one_model_read_it_once(bank):
    read, start = [], threading.Barrier(4)

    def slow(path):
        read.append(path.name)
        time.sleep(0.2)
        return PretrainedModel.load(path)

    store = Store("pretrained model", bank, slow)

    def load():
        start.wait()
        return store.load("silica-o-k")

    with ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(load) for _ in range(4)]
    models = [future.result() for future in futures]
    assert read == ["silica-o-k.safetensors"]
    assert all(model is models[0] for model in models)
