"""The first screen of a finished study: its numbers are those of its tables, its links lead somewhere, its sentences are short."""

import json
import re
import shutil

import pandas as pd
import pytest
import yaml

from conftest import ROOT
from emergence.io import tables
from emergence.io.documents import load_yaml
from emergence.report import page
from emergence.study import configuration, metric_catalogue
from report_text import MOST_WORDS, Page, problems
from sentences import too_long

BENCHMARKS = ("first", "second")
CLAIMS, SMOOTH, SWAPS, ERROR, SIZE = COLUMNS = (
    "Claims: odds ratio",
    "Sharper than smooth, after (before) control",
    "Steep, vanish under a continuous metric; reverse (p)",
    "Prediction error, noise units",
    "Test sets too small",
)


@pytest.fixture(scope="module")
def html(finished):
    return (finished / "results/report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def read(html):
    return Page(html)


def of(folder, benchmark, name):
    (path,) = (folder / "results" / benchmark).glob(f"{name}.*")
    return tables.read(name, path)


def numbers(text):
    """The numbers in a text, in order; a sign only where no word or number is before it."""
    return [float(found.replace(",", "")) for found in re.findall(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?|inf", text)]


def expected(folder, benchmark, asked):
    """The numbers that the tables say for each column of the first screen, {head: list}."""
    found = {column: [] for column in COLUMNS}
    tests = of(folder, benchmark, "discoveries_by_metric").set_index(["test", "metric"])
    smooth = tests.loc[("smooth", "all")]
    if smooth["n_tested"]:
        found[SMOOTH] = [smooth["n_after"], smooth["n_tested"], smooth["n_before"]]
    predicted = of(folder, benchmark, "predictability")
    # curves too short for a smooth curve lead where there are no others
    leading = "all" if (predicted.loc[predicted["grouping"] == "all", "n_compared"] > 0).any() else "short"
    predicted = predicted[predicted["grouping"] == leading]
    errors = [round(predicted[name].min(), 1) for name in ("median_absolute_z", "median_error_points")]
    found[ERROR] = [error for error in errors if error == error][:1]
    size = of(folder, benchmark, "resolution").set_index("metric").loc["all"]
    if size["n_known"]:
        found[SIZE] = [size["n_under_resolved"], size["n_known"]]
    swaps = of(folder, benchmark, "swap_comparisons")
    swaps = swaps[(swaps["grouping"] == "metric") & swaps["contrast"].astype(bool) & (swaps["n_compared"] > 0)]
    if len(swaps):
        row = swaps.iloc[0]
        a, b, both = row["n_only_a"], row["n_only_b"], row["n_both"]
        found[SWAPS] = (
            [0] if row["n_neither"] == row["n_compared"] else [a, a + both, b, b + both, float(f"{row['mcnemar_p']:.2g}")]
        )
    if asked:
        rows = of(folder, benchmark, "base_rates")
        row = rows[rows["leads"]].iloc[0]
        ends = [float(f"{row['odds_ratio_low']:.2f}"), float(f"{row['odds_ratio_high']:.3g}")]
        found[CLAIMS] = [float(f"{row['odds_ratio']:.2f}"), *ends]
    return found


def check_cells(folder, read):
    titles = {"first": "first", "second": "The second"}
    for benchmark in BENCHMARKS:
        said = {head: numbers(text) for head, text in read.cells(titles[benchmark]).items() if head != "Benchmark"}
        assert said == expected(folder, benchmark, asked=benchmark == "first")


def test_each_number_is_the_number_of_its_table(finished, read):
    check_cells(finished, read)


def test_other_numbers_in_the_tables_are_other_numbers_on_the_screen(again):
    """The tiny study leaves some cells without a number; here every table has made-up ones, no two of them alike."""
    number = iter(range(11, 99))
    changed = {
        "discoveries_by_metric": ("n_tested", "n_before", "n_after"),
        "resolution": ("n_tested", "n_above_chance", "n_known", "n_under_resolved", "median_needed", "median_at_hand"),
        "predictability": ("median_error_points", "median_absolute_z"),
        "swap_comparisons": ("n_compared", "n_only_a", "n_only_b", "n_both"),
    }
    for benchmark in BENCHMARKS:
        for name, columns in changed.items():
            frame = of(again, benchmark, name)
            frame = frame.assign(**{column: next(number) for column in columns})
            if name == "swap_comparisons":
                frame = frame.assign(contrast=True, n_neither=0, mcnemar_p=next(number) / 100)
            put(again, benchmark, name, frame)
    rates = of(again, "first", "base_rates").assign(odds_ratio=4.32, odds_ratio_low=0.89, odds_ratio_high=41.17)
    tables.write(rates, "base_rates", again / "results/first/base_rates.csv")
    read = Page(rendered(again))
    check_cells(again, read)
    assert read.cells("first")[CLAIMS] == "4.32 (0.89 to 41.2)"
    assert all(numbers(text) for head, text in read.cells("first").items() if head != "Benchmark")


def put(folder, benchmark, name, frame):
    """Write another table in place of one of a study."""
    (path,) = (folder / "results" / benchmark).glob(f"{name}.*")
    tables.write(frame, name, path)


def rendered(folder, blocks=None):
    """The report of a study, made anew from its tables.

    blocks: {benchmark: (whose tables it has, its block)}, by default those of the study.
    """
    results = folder / "results"
    provenance = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
    study = provenance["configuration"]
    blocks = blocks or {name: (name, study["benchmarks"][name]) for name in BENCHMARKS}
    study["benchmarks"] = {name: block for name, (_, block) in blocks.items()}
    lists = {key: folder / f"{key}.csv" for key in ("tasks", "claims")}
    inputs = page.Inputs(
        tables={
            name: {path.stem: path for path in (results / like).iterdir() if path.suffix in (".csv", ".parquet")}
            for name, (like, _) in blocks.items()
        },
        figures={
            name: {path.stem: path for path in (results / like / "figures").glob("*.png")} for name, (like, _) in blocks.items()
        },
        lists={name: lists for name, (like, _) in blocks.items() if like == "first"},
        study_tables={path.stem: path for path in results.glob("*.csv")},
        provenance=provenance,
    )
    # a question about all benchmarks reads its table as one file
    entries = metric_catalogue.entries(str(ROOT / "config/metrics.yaml"))
    return page.study_report(study, entries, inputs, results)[0]


def test_verdicts_are_counted_for_each_benchmark_as_its_table_counts_them(finished, read):
    (_, *words), *rows = read.tables[1]
    said = {row[0]: {word.replace(" ", "_"): int(cell or 0) for word, cell in zip(words, row[1:], strict=True)} for row in rows}
    names = {
        "first, claimed": ("first", "claimed"),
        "first, not claimed": ("first", "not_claimed"),
        "The second": ("second", "all"),
    }
    assert list(said) == list(names)
    for name, (benchmark, claims) in names.items():
        counts = of(finished, benchmark, "verdicts_by_claim")
        counts = counts[counts["claims"] == claims].set_index("verdict")["n_abilities"]
        assert said[name] == {word: counts[word] for word in said[name]}
        assert sum(said[name].values()) == counts.sum() > 0


@pytest.fixture(scope="module")
def ten(finished, tmp_path_factory):
    """The report of a study of ten blocks, named and grouped as those of the default study, with as many numbers as its report has.

    What the default study really says is checked by .ci/run, which runs it.
    """
    folder = tmp_path_factory.mktemp("ten")
    shutil.copytree(finished, folder, dirs_exist_ok=True, symlinks=True)
    put(
        folder,
        "first",
        "base_rates",
        of(folder, "first", "base_rates").assign(odds_ratio=4.32, odds_ratio_low=0.89, odds_ratio_high=41.17),
    )
    for benchmark in BENCHMARKS:
        # two or three digits, as in a large study
        put(
            folder,
            benchmark,
            "discoveries_by_metric",
            of(folder, benchmark, "discoveries_by_metric").assign(n_tested=292, n_before=42, n_after=11),
        )
        put(folder, benchmark, "predictability", of(folder, benchmark, "predictability").assign(median_absolute_z=111.6))
        swaps = of(folder, benchmark, "swap_comparisons").assign(contrast=True, n_neither=0, mcnemar_p=0.002)
        put(folder, benchmark, "swap_comparisons", swaps.assign(n_compared=60, n_only_a=10, n_only_b=12, n_both=20))
        frame = of(folder, benchmark, "verdicts")
        # four verdicts, more than the blocks of the default study have on average
        words = ["sharp_under_all", "within_noise", "gradual", "cannot_tell"]
        many = [
            frame.assign(task=[f"{task} {number}" for task in frame["task"]], verdict=words[number % 4]) for number in range(200)
        ]
        put(folder, benchmark, "verdicts", pd.concat(many, ignore_index=True))
    shipped = configuration.check(load_yaml(ROOT / "config/config.yaml"))["benchmarks"]
    tiny = json.loads((folder / "results/provenance.json").read_text(encoding="utf-8"))["configuration"]["benchmarks"]
    blocks = {}
    for name, block in shipped.items():
        like = "first" if "claims" in block else "second"
        blocks[name] = (like, tiny[like] | {key: block[key] for key in ("title", "description", "origin")})
    return rendered(folder, blocks)


def test_ten_benchmarks_are_read_in_a_minute(ten):
    read = Page(ten)
    assert len(read.tables[0]) == 1 + 10 + 3
    assert len(read.tables[1]) == 1 + 11
    assert all(len([cell for cell in row if cell]) >= 4 for row in read.tables[0] if len(row) > 1)
    assert problems(ten) == []
    assert 150 < len(read.first.split()) <= MOST_WORDS


def test_what_is_no_language_model_is_set_apart_and_nothing_is_added_up(ten):
    read = Page(ten)
    rows = [row[0] for row in read.tables[0][1:]]
    places = [rows.index(title) for title in ("Language models", "Known answer", "Trained for this study")]
    assert places == sorted(places)
    assert set(rows[places[1] + 1 : places[2]]) == {"Paper's model", "True break"}
    assert set(rows[places[2] + 1 :]) == {"Autoencoders", "Addition", "Multiplication", "Digits CNN"}
    # each row of verdicts is one benchmark's
    first = [row[0] for row in read.tables[1][1:]]
    assert first[:2] == ["BIG-Bench, claimed", "BIG-Bench, not claimed"]
    assert not {"all", "total"} & {row[0] for row in read.tables[1]} | {"all", "total"} & set(read.tables[1][0])


def test_a_page_of_many_words_is_found(ten):
    padded = ten.replace('<div class="first">', '<div class="first"><p>' + "word. " * 100 + "</p>")
    (problem,) = problems(padded)
    assert "words, more than 250" in problem


def test_every_link_leads_somewhere(finished, read):
    for link in read.links:
        if link.startswith("#"):
            assert link[1:] in read.ids
        else:
            assert (finished / "results" / link).is_file(), link
    assert sum(link.startswith("#") for link in read.links) > 10


def test_no_sentence_of_the_page_is_long(html, read):
    assert len(read.answers.split()) > 300
    assert len(read.text.split()) > 1500
    assert problems(html) == []


@pytest.mark.parametrize("path", sorted((ROOT / "scripts/emergence/questions").glob("*/*.rst")), ids=lambda path: path.stem)
def test_no_sentence_of_a_caption_is_long(path):
    assert not too_long(" ".join(path.read_text(encoding="utf-8").split()))


def described(part):
    """Every description and title below a part of a schema."""
    if isinstance(part, list):
        return [text for value in part for text in described(value)]
    if not isinstance(part, dict):
        return []
    own = [part[key] for key in ("description", "title", "unasked", "column_means") if isinstance(part.get(key), str)]
    return own + [text for value in part.values() for text in described(value)]


SCHEMAS = [
    *(ROOT / "workflow/schemas").iterdir(),
    *(ROOT / "scripts/emergence/questions").glob("*/question.yaml"),
    *(ROOT / "scripts/emergence/ingest/readers").glob("*/schema.yaml"),
    ROOT / "config/config.yaml",
]


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_sentence_of_a_description_is_long(path):
    texts = described(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert texts
    assert [long for text in texts for long in too_long(" ".join(text.split()))] == []


def test_a_long_sentence_is_found():
    words = "word " * 24
    assert not too_long(f"{words}end. {words}end.")
    assert too_long(f"Short. {words}more end.") == [f"{words}more end."]
