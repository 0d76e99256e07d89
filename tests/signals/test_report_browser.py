"""The report in a real browser: it asks for nothing, and pointer and keyboard show the values."""

from __future__ import annotations

import io
import shutil
import subprocess
from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hyperspy_coreloss.data import silica_spectrum_image
from hyperspy_coreloss.spectra.quality import Quality

PATIENCE = 120_000  # milliseconds, of which browsers on a busy machine need many
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)


@pytest.fixture(scope="module")
def browser():
    """Chromium of the system, driven by Playwright."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="browser tests need the package playwright"
    )
    if not BROWSER:
        pytest.skip("browser tests need Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        # Without a sandbox, which root in a container has not.
        opened = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def result():
    spectra, _ = silica_spectrum_image((8, 5), seed=10)
    spectra.data[0, 1:3] = 0
    for name, scale in (("x", 0.5), ("y", 2.0)):
        spectra.axes_manager[name].scale = scale
    spectra.axes_manager["x"].offset = 10.0
    spectra.axes_manager["y"].units = "s"
    return spectra.predict_properties(resolution=0.5, show_progressbar=False)


@pytest.fixture(scope="module")
def pages(result, tmp_path_factory):
    """Pages of a map, a line and a series, by name."""
    folder = tmp_path_factory.mktemp("pages")
    series, _ = silica_spectrum_image((3, 2, 4), seed=3)
    made = {
        "map": result,
        "line": result.inav[:, 1],
        "series": series.predict_properties(resolution=0.5, show_progressbar=False),
        "pixel": result.inav[4, 2],
    }
    for name, one in made.items():
        one.save_report(folder / f"{name}.html")
    return {name: (one, folder / f"{name}.html") for name, one in made.items()}


@contextmanager
def opened(browser, path, **options):
    """Open a page, and check when done that it asked for nothing and told of no error."""
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 1000}, **options})
    page.set_default_timeout(PATIENCE)
    requests, troubles = [], []
    page.on("request", lambda one: requests.append(one.url))
    page.on("pageerror", lambda one: troubles.append(str(one)))
    page.on(
        "console",
        lambda one: one.type in ("error", "warning") and troubles.append(one.text),
    )
    page.goto(path.as_uri())
    if page.locator("#figures").count():
        page.wait_for_selector("html[data-ready=yes]", timeout=PATIENCE)
    yield page
    page.close()
    others = [url for url in requests if not url.startswith(("data:", "blob:"))]
    assert others == [path.as_uri()]
    assert troubles == []


def wait_for(page, selector, text):
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector).textContent.includes(text)",
        arg=[selector, text],
    )


def frame_of(page, number=0):
    """Return the box of the pixels of a figure in the page, in pixels of the screen."""
    return page.evaluate(
        """(number) => {
          const plot = Bokeh.documents[0].roots()[number];
          const views = Object.values(Bokeh.index.roots ?? Bokeh.index);
          const view = views.find((one) => one.model === plot);
          const {left, top} = view.el.getBoundingClientRect();
          const {left: x, top: y, width, height} = view.frame.bbox;
          return [left + x, top + y, width, height];
        }""",
        number,
    )


def limits_of(page):
    """Return the limits of the x axis, which all figures share."""
    return page.evaluate("(({start, end}) => [start, end])(Bokeh.documents[0].roots()[3].x_range)")


def shown(page, number=0):
    return page.inner_text(f"#pixel-value-{number}"), page.inner_text(f"#pixel-interval-{number}")


def expected(result, name, index):
    values = result.get_property_map(name).data[index]
    lower, upper = (one.data[index] for one in result.get_interval_map(name))
    return float(values), float(lower), float(upper)


def assert_shows(page, result, index, number=0):
    value, lower, upper = expected(result, result.property_names[number], index)
    found, interval = shown(page, number)
    digits = 0.6 * 10.0 ** -len(found.partition(".")[2])
    assert abs(float(found) - value) <= digits
    low, _, high = interval.partition(" to ")
    assert abs(float(low) - lower) <= 2 * digits
    assert abs(float(high) - upper) <= 2 * digits


def test_the_pointer_shows_the_values_of_its_pixel(browser, pages):
    result, path = pages["map"]
    with opened(browser, path) as page:
        left, top, width, height = frame_of(page)
        for column, row in ((6, 3), (0, 0), (7, 4)):
            page.mouse.move(left + (column + 0.5) * width / 8, top + (row + 0.5) * height / 5)
            wait_for(page, "#pixel-place", f"x = {10 + 0.5 * column:g} nm, y = {2 * row:g} s")
            for number in range(6):
                assert_shows(page, result, (row, column), number)
            assert page.input_value("#pixel-column") == str(column)
            novelty = float(page.inner_text("#pixel-value-6"))
            assert abs(novelty - result.novelty.data[row, column]) < 1e-3
            assert page.inner_text("#pixel-quality") == "predicted"


def test_the_pointer_says_why_a_pixel_has_no_value(browser, pages):
    _, path = pages["map"]
    with opened(browser, path) as page:
        left, top, width, height = frame_of(page)
        page.mouse.move(left + 1.5 * width / 8, top + 0.5 * height / 5)
        wait_for(page, "#pixel-quality", Quality.EMPTY.phrase)
        assert shown(page) == ("none", "")
        tip = page.locator(".bk-Tooltip").first
        tip.wait_for()
        words = tip.evaluate("(tip) => tip.shadowRoot.textContent")
        assert "none" in words
        assert Quality.EMPTY.phrase in words


def test_a_click_holds_a_pixel(browser, pages):
    _, path = pages["map"]
    with opened(browser, path) as page:
        left, top, width, height = frame_of(page)
        page.mouse.click(left + 5.5 * width / 8, top + 2.5 * height / 5)
        wait_for(page, "#pixel-held", "held")
        page.mouse.move(left + 2.5 * width / 8, top + 3.5 * height / 5, steps=3)
        page.wait_for_timeout(300)
        assert "x = 12.5 nm, y = 4 s" in page.inner_text("#pixel-place")
        page.mouse.click(left + 2.5 * width / 8, top + 3.5 * height / 5)
        wait_for(page, "#pixel-place", "x = 11 nm, y = 6 s")
        assert page.inner_text("#pixel-held") == ""


def test_the_keyboard_alone_shows_the_values_and_zooms(browser, pages):
    result, path = pages["map"]
    with opened(browser, path) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.focus("#pixel-column")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("6")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "pixel-row"
        page.keyboard.press("ArrowUp")
        wait_for(page, "#pixel-place", "x = 13 nm, y = 6 s")
        assert_shows(page, result, (3, 6))
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        limits = page.evaluate(
            "(({start, end}) => [start, end])(Bokeh.documents[0].roots()[3].x_range)"
        )
        np.testing.assert_allclose(limits, [11.75, 13.75])  # as far right as the map goes
        page.focus("#zoom-reset")
        page.keyboard.press("Space")
        limits = page.evaluate(
            "(({start, end}) => [start, end])(Bokeh.documents[0].roots()[3].x_range)"
        )
        np.testing.assert_allclose(limits, [9.75, 13.75])
        page.focus("#figures")
        for key in ("ArrowLeft", "ArrowLeft", "ArrowDown", "ArrowDown"):
            page.keyboard.press(key)
        wait_for(page, "#pixel-place", "x = 12 nm, y = 8 s")
        assert_shows(page, result, (4, 4), 2)


def test_maps_are_zoomed_and_moved_together(browser, pages):
    _, path = pages["map"]
    with opened(browser, path) as page:
        left, top, width, height = frame_of(page)
        page.mouse.move(left + width / 2, top + height / 2)
        page.keyboard.down("Control")
        for _ in range(6):
            page.mouse.wheel(0, -300)
        page.keyboard.up("Control")
        page.wait_for_function("Bokeh.documents[0].roots()[5].x_range.start > 10.5")
        page.wait_for_timeout(300)
        before = page.evaluate("Bokeh.documents[0].roots()[5].x_range.start")
        page.mouse.down()
        page.mouse.move(left + width / 2 - 20, top + height / 2, steps=4)
        page.mouse.up()
        page.wait_for_function(f"Bokeh.documents[0].roots()[5].x_range.start > {before}")


def test_pictures_are_the_right_way_up(browser, pages):
    """The colour of a pixel is that of its value: bright where it is high, grey where none is."""
    result, path = pages["map"]
    with opened(browser, path) as page:
        left, top, width, height = frame_of(page)
        page.mouse.move(5, 5)
        page.wait_for_timeout(500)
        clip = {"x": left, "y": top, "width": width, "height": height}
        picture = picture_of(page.screenshot(clip=clip))
        rows, columns = ((np.arange(n) + 0.5) / n for n in (5, 8))
        near = picture[
            (rows[:, None] * picture.shape[0] + 0.2 * height / 5).astype(int),
            (columns * picture.shape[1] + 0.3 * width / 8).astype(int),
        ]
        values = result.get_property_map("bond_length").data
        grey = np.ptp(near, axis=-1) < 0.02
        np.testing.assert_array_equal(grey, np.isnan(values))
        known = ~grey
        # Along viridis, green rises all the way.
        order = np.argsort(values[known])
        assert (np.diff(near[known][order][:, 1]) > -0.02).all()


def picture_of(content):
    return plt.imread(io.BytesIO(content))[..., :3]


def test_curves_show_the_values_of_their_pixel(browser, pages):
    result, path = pages["line"]
    with opened(browser, path) as page:
        left, top, width, height = frame_of(page, 1)
        page.mouse.move(left + 5.5 * width / 8, top + height / 2)
        wait_for(page, "#pixel-place", "x = 12.5 nm")
        assert_shows(page, result, (5,), 1)
        page.focus("#figures")
        page.keyboard.press("ArrowRight")
        wait_for(page, "#pixel-place", "x = 13 nm")
        assert_shows(page, result, (6,), 4)


def test_a_slider_goes_through_a_series(browser, pages):
    result, path = pages["series"]
    with opened(browser, path) as page:
        for frame in (1, 2, 3):
            page.focus("#pixel-frame")
            page.keyboard.press("ArrowRight")
            wait_for(page, "#frame-place", f"z = {frame} nm")
            row, column = (int(page.input_value(f"#pixel-{name}")) for name in ("row", "column"))
            assert_shows(page, result, (frame, row, column))
        assert page.get_attribute("#pixel-frame", "aria-valuetext") == "z = 3 nm"


def test_one_pixel_needs_no_script(browser, pages):
    _, path = pages["pixel"]
    with opened(browser, path, java_script_enabled=False) as page:
        assert "bond length (Å)" in page.inner_text("main")
        assert page.locator("script").count() == 0


def test_without_scripts_there_is_a_still_picture(browser, pages):
    _, path = pages["map"]
    page = browser.new_page(java_script_enabled=False)
    page.goto(path.as_uri())
    assert page.locator(".still img").is_visible()
    assert not page.locator("#figures").is_visible()
    page.close()


def test_on_paper_there_is_a_still_picture(browser, pages):
    _, path = pages["map"]
    with opened(browser, path) as page:
        assert not page.locator(".still img").is_visible()
        page.emulate_media(media="print")
        assert page.locator(".still img").is_visible()
        assert not page.locator("#figures").is_visible()
        assert len(page.pdf()) > 50_000


@pytest.mark.parametrize("name", ["map", "line", "series", "pixel"])
def test_texts_are_seen_and_nothing_overflows(browser, pages, name):
    _, path = pages[name]
    with opened(browser, path) as page:
        for width in (1280, 400):
            page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert page.evaluate(_CONTRASTS) == []
        ink = page.evaluate("getComputedStyle(document.body).color")
        if page.locator("#figures").count():
            title = page.evaluate("Bokeh.documents[0].roots()[0].title.text_color")
            assert title == "#e6e9ed"
            assert ink == "rgb(230, 233, 237)"


# The texts whose contrast with what is behind them is below 4.5, as WCAG 2 measures it.
_CONTRASTS = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, n) => sum + one * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const found = numbers(getComputedStyle(node).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const low = [];
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || node.closest("script, style, svg, noscript")) continue;
    const [front, back] = [numbers(getComputedStyle(node).color), behind(node)].map(light);
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (contrast < 4.5) low.push(`${contrast.toFixed(2)} ${text}`);
  }
  return low;
}"""


def test_the_browser_of_the_system_opens_a_page_by_itself(pages, tmp_path):
    """As a user does it, without anything that drives it."""
    if not BROWSER:
        pytest.skip("browser tests need Chromium: apt-get install chromium")
    _, path = pages["map"]
    picture = tmp_path / "page.png"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,1400"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000"]
    subprocess.run(
        [BROWSER, *options, f"--screenshot={picture}", path.as_uri()],
        check=True,
        capture_output=True,
        timeout=PATIENCE / 1000,
    )
    colours = np.unique((picture_of(picture.read_bytes()) * 255).astype(int).reshape(-1, 3), axis=0)
    assert len(colours) > 100  # those of the maps
