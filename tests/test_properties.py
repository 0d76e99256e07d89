from __future__ import annotations

import pytest

from hyperspy_coreloss.errors import CoreLossError, UnknownPropertyError
from hyperspy_coreloss.properties import PROPERTIES, PropertySpec, parse_unit, property_index


def test_the_six_of_the_paper_in_their_order():
    assert [spec.name for spec in PROPERTIES] == [
        "bond_length",
        "bond_angle",
        "voronoi_volume",
        "bond_overlap_population",
        "mulliken_charge",
        "excitation_energy",
    ]


def test_labels_name_quantity_and_unit_as_hyperspy_does():
    assert [spec.label.partition(" (")[2] for spec in PROPERTIES] == [
        "Å)",
        "°)",
        "Å³)",
        "electron)",
        "e)",
        "eV)",
    ]


@pytest.mark.parametrize("spec", PROPERTIES)
def test_units_are_known_to_pint_and_specs_survive_json(spec):
    assert parse_unit(spec.unit)
    assert PropertySpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("angstrom ** 3", None),
        ("angstrom^3", "Å³"),
        ("kJ/mol", "kJ/mol"),
        ("1/nm", "1/nm"),
        ("electron_volt / angstrom**3", "eV/Å³"),
        ("electron", "electron"),
        ("", ""),
        ("°", "deg"),
        ("9**9**9", None),
        ("eV**99999999", None),
        ("(" * 3000 + "m" + ")" * 3000, None),
        ("m*" * 4000 + "m", None),
        ("__import__('os').getcwd()", None),
    ],
)
def test_units_are_names_with_exponents_and_never_evaluated(unit, shown):
    if shown is None:
        with pytest.raises(ValueError, match=r"A unit such as 'angstrom\*\*3' is needed"):
            parse_unit(unit)
    else:
        assert f"{parse_unit(unit):~P}" == shown


def test_unknown_name_is_answered_with_the_nearest():
    names = [spec.name for spec in PROPERTIES]
    with pytest.raises(UnknownPropertyError, match=r"properties: bond_length.*mean 'bond_angle'"):
        property_index("bond_angel", names)
    with pytest.raises(KeyError) as error:
        property_index("nonsense", names)
    assert isinstance(error.value, CoreLossError)
    assert "Did you mean" not in str(error.value)
