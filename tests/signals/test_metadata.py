"""Results tell how their spectra were read, also after a file and from before they told it."""

from __future__ import annotations

import hyperspy.api as hs
import pytest

from hyperspy_coreloss import load_pretrained
from hyperspy_coreloss.pretrained.families import list_pretrained
from hyperspy_coreloss.signals.metadata import recipe_of
from hyperspy_coreloss.spectra.recipe import Recipe

OPTIONS = {"resolution": 0.0, "lazy_output": True}


def predicted(image, name):
    model = load_pretrained(name)
    options = {"energy_offset": 0.0} if model.recipe.window.origin == "absolute" else {}
    return image[0].predict_properties(model, **OPTIONS, **options), model.recipe


@pytest.mark.parametrize("name", list_pretrained())
def test_a_result_knows_the_recipe_of_its_model(image, name):
    result, recipe = predicted(image, name)
    assert recipe_of(result) == recipe
    for derived in (result.deepcopy(), result.inav[1:3], result.isig[:2], result.T):
        assert recipe_of(derived) == recipe


@pytest.mark.parametrize("extension", ["hspy", "zspy"])
@pytest.mark.parametrize("name", ["silica-o-k-sigma-0.3", "silica-o-k-absolute"])
def test_a_file_gives_the_recipe_back(image, tmp_path, name, extension):
    result, recipe = predicted(image, name)
    assert recipe != Recipe()
    result.save(tmp_path / f"maps.{extension}")
    for lazy in (False, True):
        again = hs.load(tmp_path / f"maps.{extension}", lazy=lazy)
        assert recipe_of(again) == recipe
        assert hash(recipe_of(again)) == hash(recipe)
    # And once more, as what was loaded is saved again.
    again.save(tmp_path / f"again.{extension}")
    assert recipe_of(hs.load(tmp_path / f"again.{extension}")) == recipe


def test_results_of_before_are_taken_to_have_the_default_recipe(image):
    result, _ = predicted(image, "silica-o-k-sigma-0.3")
    del result.metadata.CoreLossProperty.Preprocessing.Recipe
    assert recipe_of(result) == Recipe()
