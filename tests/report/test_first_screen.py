"""The first screen of a finished study: its numbers are those of its tables, its links lead somewhere, its sentences are short."""

import json
import re
from html.parser import HTMLParser

import pytest

from conftest import ROOT
from emergence.io import tables
from emergence.report import page
from emergence.study import metric_catalogue
from sentences import too_long

BENCHMARKS = ("first", "second")
# What a reader takes in within a minute.
MOST_WORDS = 250


class Page(HTMLParser):
    """The ids and links of a page, the text of its answers and of its first screen, and the cells of the tables of that."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.links, self.answers, self.first, self.rows = set(), [], [], [], []
        self._open, self._inside = [], None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.add(attrs["id"])
        if "href" in attrs:
            self.links.append(attrs["href"])
        if tag in ("meta", "link", "img", "br"):
            return
        if tag == "div" and attrs.get("class") in ("first", "answer"):
            self._inside = (attrs["class"], len(self._open))
        if self._inside and self._inside[0] == "first":
            if tag == "tr":
                self.rows.append([])
            if tag in ("td", "th"):
                self.rows[-1].append("")
        self._open.append(tag)

    def handle_endtag(self, tag):
        self._open.pop()
        if self._inside and len(self._open) == self._inside[1]:
            self._inside = None
        elif self._inside and tag in ("p", "h1", "h2", "b", "tr", "th", "td"):
            # the end of a paragraph is the end of a sentence
            (self.first if self._inside[0] == "first" else self.answers).append("\n")

    def handle_data(self, data):
        if self._inside is None:
            return
        text = data.replace("\n", " ")
        (self.first if self._inside[0] == "first" else self.answers).append(text)
        if self._inside[0] == "first" and {"td", "th"} & set(self._open):
            self.rows[-1][-1] += text

    def cells(self, benchmark):
        """{head of the column: text} of the row of a benchmark."""
        heads, *rows = self.rows[: 1 + len(BENCHMARKS)]
        (row,) = (row for row in rows if row[0] == benchmark)
        return dict(zip(heads, row, strict=True))


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
    tests = of(folder, benchmark, "discoveries_by_metric").set_index(["test", "metric"])
    smooth = tests.loc[("smooth", "all")]
    predicted = of(folder, benchmark, "predictability")
    predicted = predicted[predicted["grouping"] == "all"]
    errors = [round(predicted[name].min(), 1) for name in ("median_error_points", "median_absolute_z")]
    size = of(folder, benchmark, "resolution").set_index("metric").loc["all"]
    swaps = of(folder, benchmark, "swap_comparisons")
    swaps = swaps[(swaps["grouping"] == "metric") & swaps["contrast"].astype(bool) & (swaps["n_compared"] > 0)]
    found = {
        "Sharper than a smooth curve, before → after control": [smooth["n_before"], smooth["n_after"], smooth["n_tested"]]
        if smooth["n_tested"]
        else [],
        "Error of predicting the largest scales": [error for error in errors if error == error],
        "Curves with too small a test set": [size["n_under_resolved"], size["n_known"]] if size["n_known"] else [],
        "Steep curves that vanish under a continuous metric": [],
    }
    if len(swaps):
        row = swaps.iloc[0]
        a, b, both = row["n_only_a"], row["n_only_b"], row["n_both"]
        found["Steep curves that vanish under a continuous metric"] = (
            [row["n_compared"]]
            if row["n_neither"] == row["n_compared"]
            else [a, a + both, b, b + both, float(f"{row['mcnemar_p']:.2g}")]
        )
    if asked:
        rows = of(folder, benchmark, "base_rates")
        row = rows[rows["leads"]].iloc[0]
        ends = [float(f"{row['odds_ratio_low']:.2f}"), float(f"{row['odds_ratio_high']:.3g}")]
        found["Claims against a fair base rate, odds ratio"] = [float(f"{row['odds_ratio']:.2f}"), *ends]
    else:
        found["Claims against a fair base rate, odds ratio"] = []
    return found


def check_cells(folder, read):
    titles = {"first": "first", "second": "The second"}
    for benchmark in BENCHMARKS:
        cells = read.cells(titles[benchmark])
        said = {head: numbers(text) for head, text in cells.items() if head != "Benchmark"}
        assert said == expected(folder, benchmark, asked=benchmark == "first")
        assert all(cells.values())


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
            (path,) = (again / "results" / benchmark).glob(f"{name}.*")
            tables.write(frame, name, path)
    rates = of(again, "first", "base_rates").assign(odds_ratio=4.32, odds_ratio_low=0.89, odds_ratio_high=41.17)
    tables.write(rates, "base_rates", again / "results/first/base_rates.csv")
    read = Page(rendered(again))
    check_cells(again, read)
    assert read.cells("first")["Claims against a fair base rate, odds ratio"] == "4.32 (0.89 to 41.2)"
    assert all(len(numbers(text)) > 1 for head, text in read.cells("first").items() if head != "Benchmark")


def rendered(folder):
    """The report of a study, made anew from its tables."""
    results = folder / "results"
    provenance = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
    study = provenance["configuration"]
    paths = {
        name: {path.stem: path for path in (results / name).iterdir() if path.suffix in (".csv", ".parquet")}
        for name in BENCHMARKS
    }
    inputs = page.Inputs(
        tables=paths,
        figures={name: {path.stem: path for path in (results / name / "figures").glob("*.svg")} for name in BENCHMARKS},
        lists={"first": {key: folder / f"{key}.csv" for key in ("tasks", "claims")}},
        study_tables={path.stem: path for path in results.glob("*.csv")},
        provenance=provenance,
    )
    # a question about all benchmarks reads its table as one file
    entries = metric_catalogue.entries(str(ROOT / "config/metrics.yaml"))
    return page.study_report(study, entries, inputs, results)[0]


def test_verdicts_are_counted_as_their_table_counts_them(finished, read):
    heads, *rows = read.rows[1 + len(BENCHMARKS) :]
    assert heads == ["verdict", "claimed", "not claimed", "no list of claims", "all"]
    said = {row[0].replace(" ", "_"): [int(cell) for cell in row[1:]] for row in rows}
    counts = {}
    for benchmark in BENCHMARKS:
        for row in of(finished, benchmark, "verdicts_by_claim").itertuples():
            place = {"claimed": 0, "not_claimed": 1, "all": 3}[row.claims]
            counts.setdefault(row.verdict, [0, 0, 0, 0])[place] += row.n_abilities
            if row.claims == "all" and benchmark == "second":
                counts[row.verdict][2] += row.n_abilities
    assert said == {verdict: found for verdict, found in counts.items() if found[3]}


def test_every_link_leads_somewhere(finished, read):
    for link in read.links:
        if link.startswith("#"):
            assert link[1:] in read.ids
        else:
            assert (finished / "results" / link).is_file(), link
    assert sum(link.startswith("#") for link in read.links) > 10


def test_the_first_screen_is_read_in_a_minute_and_no_sentence_is_long(read):
    text = "".join(read.first)
    assert not too_long(text)
    assert 50 < len(text.split()) <= MOST_WORDS


def test_no_sentence_of_an_answer_is_long(read):
    text = "".join(read.answers)
    assert len(text.split()) > 300
    assert not too_long(text)


def test_a_long_sentence_is_found():
    words = "word " * 24
    assert not too_long(f"{words}end. {words}end.")
    assert too_long(f"Short. {words}more end.") == [f"{words}more end."]
