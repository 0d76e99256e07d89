"""What the documentation shows can be run, and what it links to is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import hyperspy.api as hs
import numpy as np
import pytest

import hyperspy_coreloss as hc
from docs.snippets import blocks, run, with_output
from hyperspy_coreloss.cli import main
from hyperspy_coreloss.dataset import complete_sites
from tests.paths import PACKAGE, ROOT

DOCS = ROOT / "docs"
#: Pages that conf.py writes are not there before it has run.
WRITTEN = (
    "gallery/",
    "data_set_card",
    "study_report",
    "transfer_",
    "api",
    "figure_",
    "data_set_surroundings.png",
)
PAGES = sorted(
    page for page in DOCS.glob("*.md") if not re.match(r".+_card$|(figure|trust)_", page.stem)
)
PAGES = [page for page in PAGES if page.read_text(encoding="utf-8").startswith(("# ", "---"))]
LINKED = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]

#: What a page has before its first block, beside the files of `folder` and the names of `given`.
BEFORE = {
    "batch": "files = ['spectrum_image.hspy']",
    "components": "s = s.inav[:2, :1]; reference = s.mean().remove_background((490.0, 525.0))",
    "low_loss": "ll = hs.load('low_loss.hspy')",
    "predict": "spectra, energy = s.data, s.axes_manager.signal_axes[0].axis",
    "what_to_believe": "mask = np.zeros((7, 5), dtype=bool)",
}


@pytest.fixture(scope="module")
def files(sites, _image, tmp_path_factory):
    """Return a folder with the files that pages load."""
    from exspy.signals import EELSSpectrum

    from hyperspy_coreloss.spectra import simulate_low_loss

    folder = tmp_path_factory.mktemp("files")
    _image[0].save(folder / "spectrum_image.hspy")
    loss = -20 + 0.1 * np.arange(1000)
    generator = np.random.default_rng(0)
    low = EELSSpectrum(simulate_low_loss(loss, np.full((5, 7), 0.2), generator=generator))
    axis = low.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = -20, 0.1, "eV"
    low.save(folder / "low_loss.hspy")
    low.inav[0, 0].save(folder / "zero_loss.hspy")
    quartz_spectrum(sites).save(folder / "quartz.hspy")
    sites.take(complete_sites(sites)[::110]).save(folder / "sites.nc")
    for name in ("oxygen_k_sites.nc", "oxygen_k_transfer.nc"):
        (folder / name).symlink_to(PACKAGE / "data" / name)
    (folder / "training").symlink_to(ROOT / "training")
    return folder


def quartz_spectrum(sites):
    """Return a measured spectrum of quartz."""
    from exspy.signals import EELSSpectrum

    from hyperspy_coreloss.dataset import mean_spectrum

    computed, edge, _ = mean_spectrum(sites, "alpha-quartz", (-30, 110))
    energy = 480 + 0.1 * np.arange(1500)
    edge = np.interp(energy - 537, computed, edge / edge.max(), left=0, right=0)
    counts = np.random.default_rng(0).poisson(2e4 * (edge + (energy / 537) ** -3))
    axis = {"name": "Energy loss", "units": "eV", "offset": 480, "scale": 0.1, "size": energy.size}
    return EELSSpectrum(counts, axes=[axis])


@pytest.fixture
def given(image, prediction, sites, files, tmp_path, monkeypatch):
    """Return what a page may take for granted, in a folder of its own with the files."""
    for file in files.iterdir():
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hs.preferences.General, "show_progressbar", False)
    names = {"hs": hs, "hc": hc, "np": np, "s": image[0], "p": prediction, "sites": sites}
    return {"__name__": "__main__", **names}


def text_of(page):
    """Return a page whose files are of HyperSpy, in place of those of a microscope."""
    return page.read_text(encoding="utf-8").replace(".dm4", ".hspy")


SHOWING = [page for page in [*PAGES, ROOT / "README.md"] if "```python" in text_of(page)]


@pytest.mark.parametrize("page", SHOWING, ids=lambda page: page.stem)
def test_blocks_run(page, given):
    exec(BEFORE.get(page.stem, ""), given)
    found = blocks(text_of(page))
    for block in found:  # the files that the page shows
        name = re.match(r"# (\w+\.csv)\n", block.code)
        if name is not None:
            Path(name[1]).write_text(block.code, encoding="utf-8")
    shown = [block for block in found if block.language == "python"]
    ran = [block for block, _, _ in run(page, text_of(page), given)]
    assert ran == [block for block in shown if block.reason is None]


@pytest.mark.parametrize("page", SHOWING, ids=lambda page: page.stem)
def test_every_python_block_is_found(page):
    found = [block for block in blocks(text_of(page)) if block.language == "python"]
    assert len(found) == text_of(page).count("```python")
    assert all(block.reason is None or len(block.reason) > 20 for block in found)


def test_what_a_block_prints_and_draws_is_shown_below_it(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "Text.\n\n```python\nprint(6 * 7)\n```\n\n<!-- not run: a reason -->\n\n```python\n1 / 0\n"
        "```\n\n```python\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\n```\n\nEnd.\n"
    )
    here = Path.cwd()
    shown = with_output(page, tmp_path)
    assert Path.cwd() == here
    assert "print(6 * 7)\n```\n\n```text\n42\n```\n" in shown
    picture = re.search(r"!\[.*\]\((.*)\)", shown)[1]
    assert (tmp_path / picture).stat().st_size > 1000
    assert shown.endswith("\n\nEnd.\n")


def test_an_error_in_a_block_names_page_and_line(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Text.\n\n```python\na = 1\na / 0\n```\n")
    with pytest.raises(ZeroDivisionError) as caught:
        list(run(page, page.read_text(), {}))
    last = caught.traceback[-1]
    assert (Path(last.path), last.lineno + 1) == (page, 5)


COMMANDS = [
    (page, line)
    for page in LINKED
    for block in blocks(page.read_text(encoding="utf-8"))
    if block.language in ("", "text")
    for line in block.code.replace("\\\n", " ").splitlines()
    if line.startswith(("hyperspy-coreloss ", "make ", "python "))
]


@pytest.mark.parametrize(
    ("page", "line"), COMMANDS, ids=[f"{page.stem}-{n}" for n, (page, _) in enumerate(COMMANDS)]
)
def test_commands_and_their_options_exist(page, line):
    program, *words = shlex.split(line, comments=True)
    if program == "make":
        assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    if program == "python":
        path = words[1].replace(".", "/") + ".py" if words[0] == "-m" else words[0]
        assert (ROOT / path).is_file()
        return
    command = main
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    options = {name for option in command.params for name in option.opts + option.secondary_opts}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options


def anchors(page):
    """Return the anchors of the headings of a page, as MyST makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if ":" in target or path.startswith(WRITTEN):
            continue
        file = page if not path else page.parent / path
        if not file.exists():
            file = file.with_name(f"{file.name}.md")
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name} links to {target}"


def test_every_page_has_one_place():
    """In the table of contents, so that readers find it."""
    listed = [
        name
        for page in PAGES
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.language == "{toctree}"
        for line in block.code.split("\n")
        if line and not line.startswith(":")
        for name in [line.partition("<")[2].rstrip(">") or line]
    ]
    orphans = {page.stem for page in PAGES if "orphan: true" in page.read_text(encoding="utf-8")}
    pages = {page.stem for page in PAGES} - orphans - {"index"}
    assert sorted(name for name in listed if (DOCS / f"{name}.md") in PAGES) == sorted(pages)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_are_not_longer_than_patience(page):
    assert len(page.read_text(encoding="utf-8").splitlines()) <= 215
