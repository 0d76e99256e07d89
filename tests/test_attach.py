"""The method is there however the spectrum came to be; each case needs a fresh interpreter."""

from __future__ import annotations

import textwrap
from types import ModuleType

import hyperspy.api as hs
import pytest

from hyperspy_coreloss._attach import attach
from hyperspy_coreloss.data import silica_spectrum_image
from tests.fresh import run_fresh

SETUP = """
import sys
EELS, PLAIN = sys.argv[1:]
"""
CAST = """
import hyperspy.api as hs, numpy as np
s = hs.signals.Signal1D(np.ones((2, 9)))
s.set_signal_type("EELS")
"""
CASES = {
    "a loaded file": """
        import hyperspy.api as hs
        p = hs.load(EELS).predict_properties(resolution=0.5, show_progressbar=False)
        assert type(p).__name__ == "CoreLossPropertySignal"
        """,
    "a lazily loaded file": """
        import hyperspy.api as hs
        p = hs.load(EELS, lazy=True).predict_properties(resolution=0.5)
        assert type(p).__name__ == "LazyCoreLossPropertySignal"
        """,
    "a signal type given to load": """
        import hyperspy.api as hs
        hs.load(PLAIN, signal_type="EELS").predict_properties
        """,
    "a cast signal": f"{CAST}\ns.predict_properties",
    "a cast by an alias": """
        import hyperspy.api as hs, numpy as np
        s = hs.signals.Signal1D(np.ones((2, 9)))
        s.set_signal_type("TEM EELS")
        s.predict_properties
        """,
    "the class, exspy first": """
        import exspy, numpy as np
        exspy.signals.EELSSpectrum(np.ones((2, 9))).predict_properties
        """,
    "the class, from its module": """
        from exspy.signals.eels import LazyEELSSpectrum
        LazyEELSSpectrum.predict_properties
        """,
    "exspy's components first": """
        import exspy.components
        import exspy.signals
        exspy.signals.EELSSpectrum.predict_properties
        """,
    "this package first": f"import hyperspy_coreloss\n{CAST}\ns.predict_properties",
    "this package's signals first": f"""
import hyperspy_coreloss.signals
{CAST}
s.predict_properties""",
    "this package after the signal": f"{CAST}\nimport hyperspy_coreloss\ns.predict_properties",
    "slices, copies, sums and products": """
        import hyperspy.api as hs
        s = hs.load(EELS)
        for derived in (s.as_lazy(), s.inav[0], s.isig[2:], s.deepcopy(), s.copy(), s.T.T, s.mean(),
                        s * 2, s.rebin(scale=(1, 1, 2))):
            derived.predict_properties
        """,
    "a signal without background": """
        import hyperspy.api as hs
        hs.load(EELS).remove_background((490.0, 520.0)).predict_properties
        """,
    "a fitted model": """
        import hyperspy.api as hs
        m = hs.load(EELS).create_model(auto_background=False, auto_add_edges=False)
        m.append(hs.model.components1D.Offset())
        m.multifit(optimizer="lstsq", show_progressbar=False)
        m.as_signal(show_progressbar=False).predict_properties
        """,
    "no other signal": """
        import hyperspy.api as hs, numpy as np
        s = hs.signals.Signal1D(np.ones((2, 9)))
        assert not hasattr(s, "predict_properties")
        s.set_signal_type("EDS_TEM")
        assert not hasattr(s, "predict_properties")
        """,
    "a clean meta path": """
        import exspy
        assert not any("PostImportFinder" in repr(finder) for finder in sys.meta_path)
        """,
    "one finder however often installed": """
        import hyperspy.api, hyperspy_coreloss._attach as attach
        attach.install()
        assert sum("PostImportFinder" in repr(finder) for finder in sys.meta_path) == 1
        """,
    "no import of exspy or torch by hyperspy.api": """
        import hyperspy.api
        assert not {"exspy", "torch"} & set(sys.modules)
        """,
    "a contained fault": """
        sys.modules["hyperspy_coreloss._attach"] = None
        import hyperspy.api as hs
        hs.signals.Signal1D([1, 2])
        """,
    "a fault while attaching": """
        import hyperspy_coreloss._attach as attach
        attach.DeferredMethod = None
        import hyperspy.api as hs, numpy as np
        s = hs.signals.Signal1D(np.ones((2, 9)))
        s.set_signal_type("EELS")
        assert type(s).__name__ == "EELSSpectrum" and not hasattr(s, "predict_properties")
        """,
    "help and completion without torch": """
        import exspy, inspect
        method = exspy.signals.EELSSpectrum.predict_properties
        assert "resolution" in inspect.signature(method).parameters
        assert "predict_properties" in dir(exspy.signals.EELSSpectrum)
        assert "torch" not in sys.modules
        """,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spectra")
    spectra, _ = silica_spectrum_image((3, 4), n_channels=512, dispersion=0.2)
    spectra.save(folder / "eels.hspy")
    hs.signals.Signal1D(spectra.data).save(folder / "plain.hspy")
    return str(folder / "eels.hspy"), str(folder / "plain.hspy")


def run(code, files, **environment):
    run_fresh(SETUP + textwrap.dedent(code), *files, **environment)


@pytest.mark.parametrize("case", CASES)
def test_method_is_right_for(case, files):
    run(CASES[case], files)


def test_environment_variable_switches_the_method_off(files):
    code = """
        import hyperspy.api as hs
        assert not hasattr(hs.load(EELS), "predict_properties")
        import hyperspy_coreloss
        hyperspy_coreloss.predict_properties(hs.load(EELS), resolution=0.5, show_progressbar=False)
        """
    run(code, files, HYPERSPY_CORELOSS_ATTACH="0")


def test_a_method_of_exspys_own_is_never_replaced():
    module = ModuleType("exspy.signals.imagined")
    theirs = object()
    module.EELSSpectrum = type(
        "EELSSpectrum", (), {"__module__": module.__name__, "predict_properties": theirs}
    )
    assert attach(module)
    assert module.EELSSpectrum.__dict__["predict_properties"] is theirs
