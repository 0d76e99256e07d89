"""HyperSpy finds what is registered, and registration costs nothing."""

from __future__ import annotations

import ast

import hyperspy.api as hs
import numpy as np
import pytest
import yaml

import hyperspy_coreloss
from tests.fresh import run_fresh
from tests.paths import PACKAGE, ROOT

REGISTERED = yaml.safe_load((PACKAGE / "hyperspy_extension.yaml").read_text(encoding="utf-8"))[
    "signals"
]


def test_the_two_extension_files_agree():
    ours = PACKAGE / "hyperspy_extension.yaml"
    top_level = (ROOT / "hyperspy_extension.yaml").read_text(encoding="utf-8")
    # In Windows git writes a link as a file that names its target.
    target = ours.relative_to(ROOT).as_posix()
    assert top_level in (target, ours.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", REGISTERED)
def test_registered_class_is_what_a_cast_gives(name):
    entry = REGISTERED[name]
    signal = hs.signals.BaseSignal(np.zeros((2, 3, 4))).transpose(entry["signal_dimension"])
    if entry["lazy"]:
        signal = signal.as_lazy()
    for signal_type in (entry["signal_type"], *entry["signal_type_aliases"]):
        signal.set_signal_type("")
        signal.set_signal_type(signal_type)
        assert type(signal).__name__ == name


def test_only_the_one_dimensional_signals_are_shown_to_users():
    hidden = {name for name, entry in REGISTERED.items() if entry.get("hidden")}
    assert hidden == {"CoreLossPropertyMap", "LazyCoreLossPropertyMap"}


def test_public_names_are_the_same_in_stub_and_module():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    listed = next(ast.literal_eval(n.value) for n in stub.body if isinstance(n, ast.Assign))
    assert sorted(listed) == sorted(hyperspy_coreloss.__all__) == sorted(dir(hyperspy_coreloss))
    for name in listed:
        assert getattr(hyperspy_coreloss, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'predict'"):
        _ = hyperspy_coreloss.predict


def test_importing_the_package_loads_nothing_but_the_standard_library():
    """It is imported inside ``import hyperspy.api``, whatever the user wants to do."""
    run_fresh("""
import sys
before = set(sys.modules)
import hyperspy_coreloss
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
assert loaded - sys.stdlib_module_names == {"hyperspy_coreloss"}, loaded
""")


def test_torch_waits_for_the_first_prediction():
    run_fresh("""
import sys
import hyperspy.api as hs, numpy as np
import hyperspy_coreloss
s = hs.signals.Signal1D(np.ones((2, 6)))
s.set_signal_type("CoreLossProperty")
e, _ = hyperspy_coreloss.data.silica_spectrum_image((2, 2))
hyperspy_coreloss.list_pretrained(), hyperspy_coreloss.load_pretrained()
lazy = e.as_lazy().predict_properties(resolution=0.5)
assert "torch" not in sys.modules
lazy.compute(show_progressbar=False)
assert "torch" in sys.modules
""")


@pytest.mark.parametrize(
    "fault",
    [
        "ModuleNotFoundError(\"No module named 'torch'\")",
        "OSError('libtorch_cpu.so: cannot open shared object file')",
        "ImportError('DLL load failed')",
    ],
)
def test_only_predictions_need_torch(fault, tmp_path):
    """HyperSpy, EELS signals, results, components and models work without it, or a broken one."""
    folder = tmp_path / "torch"
    folder.mkdir()
    (folder / "__init__.py").write_text(f"raise {fault}")
    run_fresh(
        """
import sys
sys.path.insert(0, sys.argv[1])
import hyperspy.api as hs, numpy as np
import hyperspy_coreloss as hc
s, truth = hc.data.silica_spectrum_image((3, 2))
truth.save(sys.argv[1] + "/maps.hspy")
assert hs.load(sys.argv[1] + "/maps.hspy").property_names == truth.property_names
assert hc.load_pretrained().n_networks
assert hc.components.ELNESTemplate and hc.components.PropertyELNES
assert s.predict_properties(resolution=0.5, lazy_output=True)._lazy
try:
    s.predict_properties(resolution=0.5, show_progressbar=False)
except ImportError as error:
    assert "Predictions need PyTorch, but it cannot be imported" in str(error), error
else:
    raise AssertionError
""",
        str(tmp_path),
    )


def test_a_broken_package_is_told_when_the_method_is_called_and_not_before():
    run_fresh("""
import inspect, sys
import hyperspy.api as hs, numpy as np
sys.modules["hyperspy_coreloss.prediction"] = None
s = hs.signals.Signal1D(np.ones((2, 9)))
s.set_signal_type("EELS")
assert "predict_properties" in dict(inspect.getmembers(type(s)))
method = s.predict_properties
try:
    method(resolution=0.5)
except ImportError as error:
    assert "predict_properties needs hyperspy_coreloss to be imported, which failed" in str(error)
else:
    raise AssertionError
""")
