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
    options = {"energy_offset": 5.0} if model.recipe.window.origin == "absolute" else {}
    return image[0].predict_properties(model, **OPTIONS, **options), model.recipe


@pytest.mark.parametrize("name", list_pretrained())
def test_a_result_knows_the_recipe_of_its_model(image, name):
    result, recipe = predicted(image, name)
    assert recipe_of(result) == recipe
    for derived in (result.deepcopy(), result.inav[1:3], result.isig[:2], result.T):
        assert recipe_of(derived) == recipe


@pytest.mark.parametrize("extension", ["hspy", "zspy"])
@pytest.mark.parametrize("name", ["silica-o-k-15eV-sigma-0.3", "silica-o-k"])
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
    result, _ = predicted(image, "silica-o-k-15eV-sigma-0.3")
    del result.metadata.CoreLossProperty.Preprocessing.Recipe
    assert recipe_of(result) == Recipe()


ORIGIN = {
    "General.authors": "A. Müller, B. Å",
    "General.notes": "thin edge, 3 µm",
    "General.original_filename": "quartz.dm4",
    "General.date": "2026-01-02",
    "General.doi": "10.1/2",
    "Sample.elements": ["O", "Si"],
    "Sample.description": "quartz",
    "Acquisition_instrument.TEM.beam_energy": 300.0,
    "Acquisition_instrument.TEM.Detector.EELS.collection_angle": 20.0,
}


@pytest.mark.parametrize("lazy", [False, True])
def test_what_is_known_of_the_spectra_goes_along(image, lazy, tmp_path):
    spectra = image[0].as_lazy() if lazy else image[0]
    for path, value in ORIGIN.items():
        spectra.metadata.set_item(path, value)
    spectra.metadata.set_item("General.FileIO.0.operation", "load")
    result = spectra.predict_properties(**OPTIONS)
    assert not result.metadata.has_item("General.FileIO")
    result.save(tmp_path / "maps.hspy")
    loaded = hs.load(tmp_path / "maps.hspy")
    for one in (result, result.get_property_map("bond_length"), result.quality, loaded):
        for path, value in ORIGIN.items():
            found = one.metadata.get_item(path)
            assert (list(found) if isinstance(value, list) else found) == value
    assert result.metadata.General.title == "Properties of Simulated silica"
    # And is not shared, so that a change of one is not a change of the other.
    result.metadata.General.notes = "changed"
    result.metadata.Sample.elements.append("H")
    assert spectra.metadata.General.notes == ORIGIN["General.notes"]
    assert spectra.metadata.Sample.elements == ["O", "Si"]


def test_files_of_before_hold_lists_of_names(image):
    result, _ = predicted(image, "silica-o-k")
    node = result.metadata.CoreLossProperty
    names, units = result.property_names, result.property_units
    label = result.get_property_map("bond_length").metadata.Signal.quantity
    for item in ("names", "labels", "units", "definitions"):
        node[item] = node[item].split("\n")
    assert (result.property_names, result.property_units) == (names, units)
    assert result.get_property_map("bond_length").metadata.Signal.quantity == label
