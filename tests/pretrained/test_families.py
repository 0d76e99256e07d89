"""Of models that differ in σ, spectra get the one just above their own resolution."""

from __future__ import annotations

import dataclasses
import re
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
    DEFAULT,
    list_pretrained,
    load_pretrained,
    select_pretrained,
)
from hyperspy_coreloss.pretrained.model import PretrainedModel
from hyperspy_coreloss.pretrained.store import Store
from hyperspy_coreloss.signals.metadata import recipe_of
from hyperspy_coreloss.spectra.broadening import FWHM_PER_SIGMA, missing_broadening
from hyperspy_coreloss.spectra.preparation import prepare
from hyperspy_coreloss.spectra.preprocessing import preprocess
from hyperspy_coreloss.spectra.quality import Quality
from hyperspy_coreloss.spectra.recipe import Recipe
from hyperspy_coreloss.training.shipped_family import family_recipes

SIGMAS, STOPS = (0.1, 0.2, 0.3, 0.5, 0.8), (15.0, 40.0)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """Folder with models of one family and of another; only windows and σ differ."""
    folder = tmp_path_factory.mktemp("bank")
    recipes = family_recipes("silica-o-k", sigmas=SIGMAS, stops=STOPS)
    recipes |= {"other": Recipe(sigma=0.05), "mine": Recipe(), "mine-sigma-0.8": Recipe(sigma=0.8)}
    shipped = {stop: load_pretrained(f"silica-o-k-{stop:g}eV") for stop in STOPS}
    for name, recipe in recipes.items():
        model = shipped[recipe.window.stop]
        model = dataclasses.replace(model, name=name, recipe=recipe)
        model.save(folder / f"{name}.safetensors")
    return folder


def test_shipped_models_are_named_after_window_and_broadening():
    assert len(list_pretrained()) == 18
    for name in list_pretrained():
        family, stop, sigma = re.fullmatch(r"(.*)-(\d+)eV-sigma-(.*)", name).groups()
        model = load_pretrained(name)
        assert (model.name, family) == (name, DEFAULT)
        assert model.recipe.sigma == float(sigma)
        assert model.recipe.window.read_range == (-1.0, float(stop))


@given(resolution=st.floats(0, 3), dispersion=st.floats(0, 1))
def test_of_a_family_the_model_just_above_the_spectra_is_taken(bank, resolution, dispersion):
    def broad_enough(sigma):
        measured = np.hypot(resolution / FWHM_PER_SIGMA, dispersion / np.sqrt(12))
        return max(measured, dispersion) <= sigma * (1 + 1e-6)

    fitting = [sigma for sigma in (0.1, 0.2, 0.3, 0.5, 0.8) if broad_enough(sigma)]
    for family, stop in ((None, 40.0), ("silica-o-k", 40.0), ("silica-o-k-15eV", 15.0)):
        if fitting:
            model = select_pretrained(family, resolution, dispersion, bank)
            assert (model.recipe.sigma, model.recipe.window.stop) == (fitting[0], stop)
            assert missing_broadening(model.recipe.sigma, resolution, dispersion) >= 0
        else:
            message = r"the broadest, 'silica-o-k-..eV-sigma-0\.8', reads spectra of σ = 0\.8 eV"
            with pytest.raises(ResolutionError, match=message):
                select_pretrained(family, resolution, dispersion, bank)


def test_without_a_resolution_the_model_of_the_middle_is_taken_or_that_of_the_name(bank):
    for family in (None, "silica-o-k"):
        assert select_pretrained(family, folder=bank).name == "silica-o-k-40eV-sigma-0.3"
    assert select_pretrained("silica-o-k-15eV", folder=bank).name == "silica-o-k-15eV-sigma-0.3"
    assert load_pretrained("mine", bank).name == "mine"
    assert select_pretrained("mine", 1.5, 0.1, bank).name == "mine-sigma-0.8"


@pytest.mark.parametrize("resolution", [0.0, 2.0])
def test_a_model_that_was_chosen_is_taken_as_it_is(bank, pretrained, resolution):
    name = "silica-o-k-15eV-sigma-0.2"
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
    with pytest.raises(
        PretrainedNotFoundError, match=r"names are mine, .*other, silica-o-k-15eV-s"
    ):
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
    assert result.metadata.CoreLossProperty.Pretrained.name == "silica-o-k-40eV-sigma-0.3"


@pytest.mark.parametrize(
    ("last", "elements", "stop"),
    [
        (649.9, None, 100.0),
        (640.0, None, 80.0),
        (615.0, ["Si", "O"], 60.0),
        (649.9, ["Si", "O", "Cr"], 25.0),  # Cr L3 at 575 eV, 43 eV behind
        (649.9, ["Si", "O", "Fe"], 100.0),  # Fe L3 at 708 eV
        (560.0, None, 15.0),
        (556.0, None, 15.0),
    ],
)
def test_the_widest_window_is_read_that_the_axis_covers_and_no_edge_enters(
    image, last, elements, stop
):
    spectra = image[0].isig[:last]
    if elements is not None:
        spectra.metadata.set_item("Sample.elements", elements)
    result = spectra.predict_properties(resolution=0.5, show_progressbar=False)
    assert recipe_of(result).window.stop == stop
    assert (result.quality.data == Quality.GOOD).mean() > 0.8


def test_a_narrower_search_allows_a_wider_window(image):
    spectra = image[0].isig[:560.0]
    options = {"resolution": 0.5, "show_progressbar": False}
    result = spectra.predict_properties(onset_range=(530.0, 540.0), **options)
    assert recipe_of(result).window.stop == 15.0
    spectra = image[0].isig[:566.0]
    result = spectra.predict_properties(onset_range=(530.0, 540.0), **options)
    assert recipe_of(result).window.stop == 25.0


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
        return store.load("mine")

    with ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(load) for _ in range(4)]
    models = [future.result() for future in futures]
    assert read == ["mine.safetensors"]
    assert all(model is models[0] for model in models)
