"""Configuration of the documentation."""

import json
import sys
import warnings
from importlib import import_module
from importlib.metadata import version as installed_version
from inspect import ismodule
from pathlib import Path
from tempfile import TemporaryDirectory

import hyperspy.api as hs
import matplotlib.pyplot as plt

from hyperspy_coreloss.data import oxygen_k_sites, silica_spectrum_image
from hyperspy_coreloss.dataset import plot_surroundings, typical_sites
from hyperspy_coreloss.dataset.card import markdown_table, render_dataset_card
from hyperspy_coreloss.pages import Table
from hyperspy_coreloss.pretrained.card import render_card
from hyperspy_coreloss.pretrained.families import list_pretrained, load_pretrained
from hyperspy_coreloss.study.report import render_report
from hyperspy_coreloss.study.tables import (
    SPLITS,
    error_table,
    fits_table,
    tries_table,
)

sys.path.insert(0, str(Path(__file__).parents[1]))  # these are not installed
from benchmarks import (
    accuracy_figures,
    accuracy_tables,
    figure_style,
    numerics_tables,
    performance_tables,
    robustness_figures,
    trust_figures,
    trust_tables,
)
from benchmarks.first_picture import first_picture, predicted_image
from benchmarks.robustness import robustness_table
from docs.snippets import with_output
from training.transfer.report import difference_table, load_pairs, plot_theories

project = "hyperspy_coreloss"
copyright = "The hyperspy_coreloss developers"  # noqa: A001
release = installed_version("hyperspy-coreloss")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "study_*.md",
    "transfer_*.md",
    "robustness_*.md",
    "accuracy_*.md",
    "figure_*.md",
]
templates_path = ["_templates"]
html_title = project
html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_theme_options = {"show_toc_level": 2, "secondary_sidebar_items": ["page-toc"]}
# Pages that are a section of their own have nothing to show beside them.
html_sidebars = {"index": [], "tutorial": []}

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "plot_",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "abort_on_example_error": True,
    "show_memory": False,
    "remove_config_comments": True,
}

# exspy 0.3 imports lazy signals from where HyperSpy 2.5 no longer wants them.
warnings.filterwarnings("ignore", message="Importing `Lazy")

# Cards, report and tables are rendered from models, data and results, so that they cannot disagree.
here = Path(__file__).parent
html_extra_path = ["_extra"]


def markdown(table: Table) -> str:
    """Return a table with the best of each row in bold."""
    rows = [[f"**{cell.text}**" if cell.best else cell.text for cell in row] for row in table.rows]
    lines = [table.header, ["---"] * len(table.header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def write(path: str, text: str) -> None:
    """Write a page or a part of one."""
    (here / path).parent.mkdir(exist_ok=True)
    (here / path).write_text(text, encoding="utf-8")


def reference() -> str:
    """Return the page of all that is exported, and of nothing else."""
    lines = ["Functions and classes", "=" * 21, ""]
    listed: set[int] = set()
    for title, room in ROOMS.items():
        module = import_module(room)
        members = {name: getattr(module, name) for name in module.__all__}
        names = [
            name
            for name, member in members.items()
            if callable(member) and not ismodule(member) and id(member) not in listed
        ]
        listed |= {id(members[name]) for name in names}
        lines += [title, "-" * len(title), "", f".. currentmodule:: {room}", ""]
        lines += [".. autosummary::", "   :toctree: generated", "   :nosignatures:", ""]
        lines += [*(f"   {name}" for name in sorted(names, key=str.lower)), ""]
    lines += ["Errors", "-" * 6, "", ".. automodule:: hyperspy_coreloss.errors", "   :members:", ""]
    return "\n".join(lines)


# The first that exports a name shows it.
ROOMS = {
    "What users call": "hyperspy_coreloss",
    "Components": "hyperspy_coreloss.components",
    "Test pieces": "hyperspy_coreloss.data",
    "Signals": "hyperspy_coreloss.signals",
    "Pretrained models": "hyperspy_coreloss.pretrained",
    "Data sets": "hyperspy_coreloss.dataset",
    "Spectra as arrays": "hyperspy_coreloss.spectra",
    "Training": "hyperspy_coreloss.training",
    "The paper's study": "hyperspy_coreloss.study",
    "Simulation": "hyperspy_coreloss.simulation",
    "Made structures": "hyperspy_coreloss.simulation.atomistic",
    "CASTEP": "hyperspy_coreloss.simulation.castep",
}
write("api.rst", reference())

sites = oxygen_k_sites()
write("data_set_card.md", render_dataset_card(sites, "Oxygen K edges of silicon oxides"))
study, tries, fits, robustness, accuracy, trust, numerics, performance = (
    json.loads((here.parent / "results" / f"{name}.json").read_text(encoding="utf-8"))
    for name in (
        *("study", "tries", "emulator", "robustness"),
        *("accuracy", "trust", "numerics", "performance"),
    )
)


def what_it_notices(stop: str) -> str:
    """Return what novelty notices, and the coverage of intervals, of models of one window."""
    of_window = {"windows": {stop: trust["windows"][stop]}} if stop in trust["windows"] else None
    parts = []
    if of_window is not None:
        parts += [
            "## What it calls unfamiliar",
            "The share of spectra of new phases, by population (σ = 0.5 eV, `make trust`):",
            "\n".join(markdown_table(*trust_tables.false_alarms_table(of_window))),
            "Of other oxides, the share without a prediction:",
            "\n".join(markdown_table(*trust_tables.foreign_table(of_window))),
            "Of thick specimens and wrong energy axes, and the coverage of intervals of the rest:",
            "\n".join(markdown_table(*trust_tables.unusual_table(of_window))),
        ]
        if trust["windows"][stop]["removed"]:
            parts += [
                "Of populations that networks were trained without, and the coverage of intervals:",
                "\n".join(markdown_table(*trust_tables.removed_table(of_window))),
            ]
    parts += [
        "## Coverage",
        "The share of true values of new phases within their 90 % intervals (σ = 0.5 eV, the "
        "typical microscope, `make accuracy`):",
        "\n".join(markdown_table(*accuracy_tables.coverage_table(accuracy, stop, "typical"))),
    ]
    if stop in numerics["models"]:
        parts += [
            "## Numerics of the training spectra",
            "What finer numerics of the first-principles spectra change in the predictions from "
            "them, as mean ± standard deviation over sites of all populations, beside the error on "
            "new phases (clean spectra and the typical microscope, σ = 0.5 eV, `make numerics`):",
            "\n".join(
                markdown_table(*numerics_tables.predictions_table(numerics, accuracy, (stop,)))
            ),
        ]
    return "\n\n".join(["", *parts, ""])


for name in list_pretrained():
    model = load_pretrained(name)
    card = render_card(model) + what_it_notices(f"{model.recipe.window.stop:g}")
    write(f"pretrained/{name}.md", card)
write("_extra/study_report.html", render_report(study, sites))
spectra, _ = silica_spectrum_image((64, 48))
spectra.data[10:13, 20:24] = 0  # a hole in the specimen
example = spectra.predict_properties(resolution=0.5, show_progressbar=False)
example.save_report(here / "_extra" / "report_example.html", overwrite=True)
for split in SPLITS:
    test = study["predictions"][split]["test"]
    write(f"study_{split}.md", markdown(error_table(study[split], sites, test)))
write("accuracy_tries.md", markdown(tries_table(tries, sites)))
origin = f"Measured on {fits['n_spectra']} spectra of the data set.\n"
write("study_fits_origin.md", origin)
for number, split in enumerate(fits["splits"].values()):
    write(f"study_fits_{number}.md", markdown(fits_table(split, sites)))
write("robustness_table.md", "\n".join(markdown_table(*robustness_table(robustness))) + "\n")

ranges = numerics_tables.ranges_table(numerics)
write("numerics_ranges.md", "\n".join(markdown_table(*ranges)) + "\n")
predictions = numerics_tables.predictions_table(numerics, accuracy)
write("numerics_predictions.md", "\n".join(markdown_table(*predictions)) + "\n")

for name, performance_table in {
    "steps": performance_tables.steps_table,
    "parts": performance_tables.parts_table,
    "start": performance_tables.start_table,
    "speed": performance_tables.speed_table,
    "memory": performance_tables.memory_table,
    "graph": performance_tables.graph_table,
    "extrapolated": performance_tables.extrapolated_table,
}.items():
    lines = markdown_table(*performance_table(performance))
    write(f"performance_{name}.md", "\n".join(lines) + "\n")

for name, trust_table in {
    "false_alarms": trust_tables.false_alarms_table,
    "foreign": trust_tables.foreign_table,
    "strange": trust_tables.strange_table,
    "unusual": trust_tables.unusual_table,
    "widths": trust_tables.widths_table,
    "removed": trust_tables.removed_table,
    "regions": trust_tables.regions_table,
}.items():
    write(f"trust_{name}.md", "\n".join(markdown_table(*trust_table(trust))) + "\n")

for condition in accuracy_tables.CONDITIONS:
    table = accuracy_tables.windows_table(accuracy, condition)
    write(f"accuracy_{condition}.md", "\n".join(markdown_table(*table)) + "\n")
widest = accuracy_tables.SHOWN[0]
for name, table in {
    "units": accuracy_tables.errors_table(accuracy),
    "means": accuracy_tables.windows_table(accuracy, "typical", means=True),
    "populations": accuracy_tables.population_table(accuracy, widest, "typical"),
    "coverage": accuracy_tables.coverage_table(accuracy, widest, "typical"),
    "counts": accuracy_tables.bins_table(accuracy, "by_counts", "electrons"),
    "thickness": accuracy_tables.bins_table(accuracy, "by_thickness", "t/λ"),
    "baselines_typical": accuracy_tables.baselines_table(accuracy, "typical"),
    "baselines_clean": accuracy_tables.baselines_table(accuracy, "clean"),
    "ideal": accuracy_tables.clean_table(accuracy),
    "transfer": accuracy_tables.transfer_table(accuracy),
}.items():
    write(f"accuracy_{name}.md", "\n".join(markdown_table(*table)) + "\n")

pictured = predicted_image()
for name, (draw, alternative) in {
    "first": (
        lambda: first_picture(*pictured),
        "Three spectra of a spectrum image, and maps of two properties with their intervals",
    ),
    "errors": (
        lambda: accuracy_figures.errors_figure(accuracy),
        "Relative errors of six properties by the end of the window and the microscope",
    ),
    "knowledge": (
        lambda: accuracy_figures.knowledge_figure(accuracy),
        "Map of relative errors by window and property",
    ),
    "coverage": (
        lambda: accuracy_figures.coverage_figure(accuracy, widest, "typical"),
        "Coverage of the intervals of six properties by population",
    ),
    "bins": (
        lambda: accuracy_figures.bins_figure(accuracy),
        "Errors and coverage of the intervals by number of electrons and by thickness",
    ),
    "theories": (
        lambda: accuracy_figures.theories_figure(accuracy),
        "Errors on sites of the theory of the training and of another one",
    ),
    "detection": (
        lambda: trust_figures.detection_figure(trust),
        "Share of spectra without a prediction, for new phases of silica and for other oxides",
    ),
    "regions": (
        lambda: trust_figures.regions_figure(trust),
        "Coverage of the intervals of means over regions",
    ),
    "effects": (
        lambda: robustness_figures.properties_figure(robustness),
        "Errors of six properties against eleven effects of microscope and specimen",
    ),
    "effects_error": (
        lambda: robustness_figures.models_figure(
            robustness, "relative_error", "error / error without the effect", 1.0
        ),
        "Relative errors of the models against eleven effects of microscope and specimen",
    ),
    "effects_predicted": (
        lambda: robustness_figures.models_figure(
            robustness, "predicted", "share with a prediction", 1.0
        ),
        "Share of spectra with a prediction against eleven effects of microscope and specimen",
    ),
    "effects_coverage": (
        lambda: robustness_figures.models_figure(
            robustness, "coverage", "coverage of the 90 % interval", robustness["level"]
        ),
        "Coverage of the intervals against eleven effects of microscope and specimen",
    ),
}.items():
    figure_style.save(draw, here, f"figure_{name}", alternative)

pairs = load_pairs()
write("transfer_table.md", "\n".join(markdown_table(*difference_table(pairs))) + "\n")
plot_theories(pairs).savefig(here / "transfer_spectra.png", dpi=120)
usual = typical_sites(oxygen_k_sites())
plot_surroundings(usual.sites).savefig(here / "data_set_surroundings.png", dpi=80)

hs.preferences.General.show_progressbar = False
with TemporaryDirectory() as folder:
    TUTORIAL = with_output(here / "tutorial.md", Path(folder))
# The gallery would take an open figure for one of its first page.
plt.close("all")


def setup(app):
    """Show the tutorial with what its blocks print and draw."""

    def read(_app, name, source):
        if name == "tutorial":
            source[0] = TUTORIAL

    app.connect("source-read", read)
