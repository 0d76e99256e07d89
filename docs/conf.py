"""Configuration of the documentation."""

import warnings
from importlib.metadata import version as installed_version
from pathlib import Path

from hyperspy_coreloss.card import render_card, render_dataset_card
from hyperspy_coreloss.data import oxygen_k_sites
from hyperspy_coreloss.pretrained import list_pretrained, load_pretrained

project = "hyperspy_coreloss"
copyright = "The hyperspy_coreloss developers"  # noqa: A001
release = installed_version("hyperspy-coreloss")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
html_title = project
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_toc_level": 2, "secondary_sidebar_items": ["page-toc"]}

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
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

# The cards are rendered from models and data, so that the two cannot disagree.
data_card = render_dataset_card(oxygen_k_sites(), "Oxygen K edges of silicon oxides")
(Path(__file__).parent / "data_set_card.md").write_text(data_card, encoding="utf-8")
cards = Path(__file__).parent / "pretrained"
cards.mkdir(exist_ok=True)
for name in list_pretrained():
    (cards / f"{name}.md").write_text(render_card(load_pretrained(name)), encoding="utf-8")
