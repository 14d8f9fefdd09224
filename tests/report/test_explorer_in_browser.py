"""The page of all curves as a reader has it: opened from a folder, in Chromium."""

import csv
import re
import time
from xml.etree import ElementTree

import numpy as np
import pytest

import browser
import explorer_site
import report_page
from emergence.curves import frames
from emergence.io.texts import printable
from emergence.questions.sharpness.tables import by_metric
from emergence.report import explorer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium():
    from playwright import sync_api

    assert browser.program(), "no browser; `python tests/browser.py` installs one or says why it cannot"
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser.program(), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module", params=[False, True], ids=["usual", "attacked"])
def site(request, catalogue, tmp_path_factory):
    return explorer_site.write(tmp_path_factory.mktemp("explorer"), catalogue, attacked=request.param)


@pytest.fixture(scope="module")
def usual(catalogue, tmp_path_factory):
    return explorer_site.write(tmp_path_factory.mktemp("usual"), catalogue)


@pytest.fixture
def open_page(chromium):
    """Opens a page and gives it; at the end nothing may have gone wrong in it and no request left the folder."""
    contexts, troubles = [], []

    def opened(path, hash="", width=1280, height=800, **settings):
        context = chromium.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(("console", message.type, message.text)))
        page.on("pageerror", lambda error: troubles.append(("error", str(error))))
        page.on("dialog", lambda dialog: (troubles.append(("dialog", dialog.message)), dialog.dismiss()))
        folder = path.parent.as_uri()
        page.on("request", lambda request: None if within(request.url, folder) else troubles.append(("request", request.url)))
        page.goto(path.as_uri() + hash)
        page.wait_for_selector("#panels svg")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def within(address, folder):
    return address.startswith((folder + "/", "blob:", "data:"))


def lines(page, number):
    """Wait until the list has so many curves."""
    # the policy of the page lets no text be code, not even a test's
    page.wait_for_selector(f"#curves tbody:has(tr:nth-child({number}):last-child)")


def tasks(page):
    return page.locator("#curves tbody tr td:first-child").all_text_contents()


def test_it_opens_and_shows_the_sharpest_curve_under_both_metrics(open_page, site):
    page = open_page(site)
    assert page.locator("#panels svg").count() == 2
    assert page.locator("#curves tbody tr").count() >= 6
    assert page.locator("img, iframe, object, embed").count() == 0
    # nothing of the names has become part of the page: its scripts are its own and the one with the points
    assert page.locator("script").count() == 5


def test_every_name_can_be_opened_and_is_shown_to_the_letter(open_page, catalogue, tmp_path):
    page = open_page(explorer_site.write(tmp_path, catalogue, attacked=True))
    while page.locator("#more").is_visible():
        page.locator("#more").click()
    shown = tasks(page)
    for name in explorer_site.ATTACKS:
        assert any(text.startswith(printable(name)) for text in shown), name
    for place in range(0, len(shown), 5):
        page.locator("#curves tbody tr button").nth(place).click()
        page.wait_for_selector("#curves tr[aria-current]")
    # an attacker's link is no better than an attacker's name
    page.goto(
        page.url.split("#")[0]
        + "#q=<img src=x onerror=alert(1)>&curve=<script>alert(1)</script>&at=javascript:alert(1)&x=__proto__"
    )
    page.reload()
    page.wait_for_selector("#curves thead")
    assert page.locator("img").count() == 0


def test_filters_and_search_choose_curves(open_page, usual):
    page = open_page(usual)
    assert len(tasks(page)) == 6
    page.locator("[name=metric]").select_option(label="Brier score")
    lines(page, 3)
    page.locator("[name=benchmark]").select_option(label="Second benchmark")
    lines(page, 1)
    page.get_by_role("button", name="Clear").click()
    lines(page, 6)
    page.get_by_label("Search").fill("SPELL heron acc")
    lines(page, 1)
    assert tasks(page) == ["spelling"]
    page.get_by_label("Search").fill("")
    page.locator("[name=claimed]").select_option(label="not claimed")
    lines(page, 2)
    assert set(tasks(page)) == {"spelling"}


def test_86_000_curves_are_seen_and_filtered_within_seconds(open_page, catalogue, tmp_path, capsys):
    """An idle machine takes under a second for each; the bounds leave room for a busy one."""
    path = explorer_site.write_many(tmp_path, catalogue, 86_000)
    started = time.perf_counter()
    page = open_page(path)
    seen = time.perf_counter() - started
    assert page.locator("#list-title").text_content() == "Curves (86,000)"
    started = time.perf_counter()
    page.locator("[name=metric]").select_option(index=1)
    page.wait_for_selector("#list-title:text-is('Curves (43,000)')")
    filtered = time.perf_counter() - started
    with capsys.disabled():
        print(f" first view {seen:.2f} s, filter {filtered:.2f} s", end="")
    assert seen < 10
    assert filtered < 5


def test_the_slider_recounts_the_metrics(open_page, usual):
    """Relative E is 5 for the three curves of accuracy and 1 for the three of the Brier score; E is 80, and 4 or 3."""
    page = open_page(usual)
    said = page.locator("#said")
    assert said.inner_text().startswith("3 of 6 counted curves, under 1 of 2 metrics, are at 2 or above.")
    slider = page.locator("#at")
    slider.focus()
    page.keyboard.press("Home")
    assert said.inner_text().startswith("6 of 6 counted curves, under 2 of 2 metrics")
    page.keyboard.press("End")
    assert said.inner_text().startswith("0 of 6 counted curves, under 0 of 2 metrics")
    counts = page.locator("#counts tbody tr").all_inner_texts()
    assert all("0.0 %" in line for line in counts)
    page.locator("#by").select_option("e")
    assert said.inner_text().startswith("0 of 6 counted curves, under 0 of 2 metrics, are at 100 or above.")


def test_the_slider_counts_what_the_tables_count(open_page, catalogue, tmp_path):
    """Too short a curve, a subtask that answers leave out and a curve without a finite score are listed, and in no count."""
    made = explorer_site.curves(["one", "two", "three", "four"])
    made.loc[made["task"].isin(["one", "three"]), "subtask"] = ""
    short = made.index[made["task"] == "one"]
    made.loc[short, ["n_scales", "scales", "scores", "n_models", "n_examples", "stderr"]] = [
        [3, *(values[:3] for values in row)]
        for row in made.loc[short, ["scales", "scores", "n_models", "n_examples", "stderr"]].to_numpy()
    ]
    endless = made["task"] == "three"
    scores = ["emergence_score", "emergence_score_resolved", "relative_emergence_score", "relative_emergence_score_resolved"]
    made.loc[endless, scores] = np.nan
    made.loc[endless, "status"] = "zero_median_step"
    blocks = {
        name: block | {"answers_over": {"entries": "tasks", "metrics": "all"}} for name, block in explorer_site.BLOCKS.items()
    }
    explorer.write(made, None, catalogue, blocks, tmp_path)
    asked = frames.chosen(made, "tasks")
    tables = by_metric(asked, catalogue, threshold=50, relative_threshold=2, level=0.95)
    page = open_page(tmp_path / "explorer.html", hash="#by=relative&at=2")
    said = page.locator("#said")
    above, counted = tables["n_above_relative"].sum(), tables["n_counted"].sum()
    assert 0 < above < counted < len(asked) < len(made)
    assert said.inner_text().startswith(f"{above} of {counted} counted curves,")
    assert said.inner_text().endswith(f"{len(made) - counted} more are not counted.")
    lines = {cells[0]: cells for cells in (line.split("\t") for line in page.locator("#counts tbody tr").all_inner_texts())}
    for row in tables.itertuples():
        assert lines[row.label][3:5] == [str(row.n_counted), str(row.n_above_relative)]


def test_trained_networks_are_not_counted_with_language_models(open_page, catalogue, tmp_path):
    blocks = explorer_site.BLOCKS | {"second": explorer_site.BLOCKS["second"] | {"origin": "trained"}}
    explorer.write(explorer_site.curves(), None, catalogue, blocks, tmp_path)
    page = open_page(tmp_path / "explorer.html")
    lines(page, 4)
    page.locator("[name=origin]").select_option(label="Trained for this study")
    lines(page, 2)
    page.get_by_role("button", name="Clear").click()
    lines(page, 4)
    page.locator("[name=origin]").select_option(label="all")
    lines(page, 6)
    everything = page.url[page.url.index("#") :]
    lines(open_page(tmp_path / "explorer.html", hash=everything), 6)


def test_a_link_names_the_selection(open_page, usual):
    page = open_page(usual)
    page.get_by_label("Search").fill("spelling")
    lines(page, 2)
    page.locator("#curves tbody button").first.click()
    page.locator("#y").select_option("log")
    page.locator("#at").focus()
    page.keyboard.press("ArrowRight")
    said, address = page.locator("#said").inner_text(), page.url
    again = open_page(usual, hash=address[address.index("#") :])
    assert again.locator("#said").inner_text() == said
    assert again.get_by_label("Search").input_value() == "spelling"
    assert again.locator("#y").input_value() == "log"
    assert again.locator("#title").inner_text() == "spelling, Heron, 2-shot"


def test_axes_bars_and_chance_are_drawn(open_page, usual):
    page = open_page(usual)
    accuracy = page.locator("#panels figure", has_text="Accuracy").first
    # five bars of two standard errors, and the line of guessing; in the other panel neither
    assert accuracy.locator("[data-mark=rule] line").count() == 6
    assert page.locator("#panels figure", has_text="Brier").locator("[data-mark=rule] line").count() == 0
    before = accuracy.locator("svg").inner_html()
    page.locator("#x").select_option("linear")
    assert page.locator("#panels figure", has_text="Accuracy").first.locator("svg").inner_html() != before
    brier = page.locator("#panels figure", has_text="Brier").first
    assert "lower is better" in brier.inner_text()


def test_what_is_seen_can_be_saved(open_page, usual, tmp_path):
    page = open_page(usual)
    saved = {}
    for button in ("Save as CSV", "Save as SVG", "Save this list as CSV"):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        saved[button] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[button])
    with open(saved["Save as CSV"], newline="") as file:
        rows = list(csv.DictReader(file))
    task, metric = rows[0]["task"], "acc"
    made = explorer_site.curves()
    title = {block["title"]: name for name, block in explorer_site.BLOCKS.items()}[rows[0]["benchmark"]]
    truth = made[(made["benchmark"] == title) & (made["task"] == task) & (made["metric"] == metric)].iloc[0]
    assert [float(row["score"]) for row in rows if row["metric"] == metric] == pytest.approx(list(truth["scores"]), abs=1e-5)
    with open(saved["Save this list as CSV"], newline="") as file:
        assert len(list(csv.DictReader(file))) == 6
    drawing = ElementTree.parse(saved["Save as SVG"]).getroot()  # noqa: S314
    assert drawing.tag.endswith("svg")
    assert len(drawing.findall("{http://www.w3.org/2000/svg}svg")) == 2
    assert "var(" not in saved["Save as SVG"].read_text()


def test_everything_can_be_done_by_keyboard(open_page, usual):
    page = open_page(usual)
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.id || document.activeElement.name || document.activeElement.textContent")
        )
    wanted = [
        "q",
        "benchmark",
        "task",
        "metric",
        "verdict",
        "claimed",
        "Clear",
        "by",
        "at",
        "sort",
        "save-list",
        "x",
        "y",
        "save-svg",
    ]
    assert [name for name in wanted if name not in reached] == []
    # open the last curve with the keys alone; the focus goes where it is shown
    last = page.locator("#curves tbody button").last
    last.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#title:focus")


def test_a_narrow_screen_is_wide_enough(open_page, site):
    page = open_page(site, width=360, height=740)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for figure in page.locator("#panels svg").all():
        box = figure.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360


def test_print_shows_the_curves_and_no_controls(open_page, usual):
    page = open_page(usual)
    page.emulate_media(media="print")
    assert not page.locator("#filters").is_visible()
    assert not page.locator("#save-svg").is_visible()
    assert page.locator("#panels svg").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def luminance(color):
    channels = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), channels, strict=True))


def test_a_dark_screen_stays_dark(open_page, usual):
    page = open_page(usual, color_scheme="dark")
    assert luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) < 0.1
    assert luminance(page.evaluate("getComputedStyle(document.body).color")) > 0.7
    assert luminance(page.evaluate("getComputedStyle(document.querySelector('#panels svg text')).fill")) > 0.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(open_page, usual, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(usual, width=width, color_scheme=scheme)
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of a study of two benchmarks, from its parts: what the first screen needs."""
    return report_page.write(tmp_path_factory.mktemp("report"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_report_fits_its_screen_and_axe_finds_nothing(chromium, report, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".overview tbody tr:not(.group)").count() == 2
    assert page.locator(".overview").get_by_role("link", name="62 of 67").get_attribute("href") == "#one-claims"
    assert (luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) < 0.1) == (scheme == "dark")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    page.close()


def test_the_report_on_paper_has_answers_and_figures_and_names_the_files_of_its_tables(chromium, report):
    page = chromium.new_page()
    page.goto(report.as_uri())
    on_paper = page.locator(".on-paper")
    assert not on_paper.is_visible()
    page.emulate_media(media="print", color_scheme="dark")
    assert on_paper.is_visible()
    for shown in (".overview", ".answer", "figure img", "figcaption", ".filed .soft"):
        assert page.locator(shown).first.is_visible(), shown
    for left_out in (".filed table", ".filed h4", "nav", "details"):
        assert page.locator(left_out).count() > 0
        assert not any(one.is_visible() for one in page.locator(left_out).all()), left_out
    assert luminance(page.evaluate("getComputedStyle(document.body).color")) == 0
    page.close()


def test_a_file_that_is_missing_is_said(chromium, catalogue, tmp_path):
    path = explorer_site.write(tmp_path, catalogue)
    (tmp_path / "explorer/0.js").unlink()
    page = chromium.new_page()
    page.goto(path.as_uri())
    assert "explorer/0.js" in page.locator("[role=alert]").inner_text()
    page.close()
