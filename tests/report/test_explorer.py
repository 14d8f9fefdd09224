"""The page of all curves has every curve and number, and no name in it can be more than text."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest

import explorer_site
from conftest import ROOT
from emergence.io.texts import printable
from emergence.report import explorer


def index(page):
    return json.loads(re.search(r'<script type="application/json" id="index">(.*?)</script>', page, re.DOTALL)[1])


def points(folder):
    """The curves of all files, in order."""
    paths = sorted((folder / "explorer").iterdir(), key=lambda path: int(path.stem))
    found = []
    for number, path in enumerate(paths):
        call = re.fullmatch(r"explorer\.add\((\d+),(.*)\);\n", path.read_text(encoding="ascii"))
        assert int(call[1]) == number
        found += json.loads(call[2])
    return found


def test_every_curve_is_there_with_its_numbers(catalogue, tmp_path, monkeypatch):
    monkeypatch.setattr(explorer, "POINTS_PER_FILE", 8)
    made = explorer_site.curves().sample(frac=1, random_state=1)
    explorer.write(made, None, catalogue, explorer_site.BLOCKS, tmp_path)
    content = index((tmp_path / "explorer.html").read_text())
    names, columns = content["names"], content["curves"]
    found = points(tmp_path)
    assert len(found) == len(made) == len(columns["e"])
    benchmarks = {block["title"]: name for name, block in explorer_site.BLOCKS.items()}
    truths = {(row["benchmark"], row["task"], row["metric"]): row for row in made.to_dict("records")}
    for row, (exponent, along, scores, halves, chance) in enumerate(found):
        benchmark = benchmarks[names["benchmark"][columns["benchmark"][row]]]
        assert columns["shots"][row] == (2 if benchmark == "first" else None)
        metric = names["metric"][columns["metric"][row]]
        truth = truths[benchmark, names["task"][columns["task"][row]], metric]
        np.testing.assert_allclose(content["scales"][along], truth["scales"], rtol=1e-5)
        np.testing.assert_allclose(np.array(scores) * 10.0**exponent, truth["scores"], atol=1e-5)
        assert columns["e"][row] == pytest.approx(truth["emergence_score"], rel=1e-3)
        assert columns["relative"][row] == (5 if metric == "acc" else 1)
        if metric == "acc":
            p = truth["scores"]
            np.testing.assert_allclose(np.array(halves) * 10.0 ** (exponent + 1), 2 * np.sqrt(p * (1 - p) / 100), atol=1e-4)
            assert chance == 0.25
        else:
            assert halves == 0
            assert chance is None
    # the metrics of one set of outputs are in one file
    assert len(content["files"]) > 1
    key = [(columns["benchmark"][row], columns["task"][row], columns["model_family"][row]) for row in range(len(found))]
    assert all(row == 0 or key[row] != key[row - 1] for row in content["files"])


def test_the_order_of_the_curves_does_not_matter(catalogue, tmp_path):
    pages = []
    for seed in (1, 2):
        made = explorer_site.curves().sample(frac=1, random_state=seed)
        explorer.write(made, explorer_site.verdicts(made), catalogue, explorer_site.BLOCKS, tmp_path)
        pages.append(((tmp_path / "explorer.html").read_bytes(), points(tmp_path)))
    assert pages[0] == pages[1]


def test_verdicts_are_found_for_their_curves_also_where_shots_are_not_known(catalogue):
    made = explorer_site.curves()
    some = explorer_site.verdicts(made).sample(frac=1, random_state=3)
    some = some[some["metric"] == "acc"]
    content, _ = explorer.contents(made, some, catalogue, explorer_site.BLOCKS)
    columns, names = content["curves"], content["names"]
    for row, metric in enumerate(columns["metric"]):
        if names["metric"][metric] == "acc":
            assert names["word"][columns["word"][row]] == "sharp"
            assert columns["claimed"][row] == (names["task"][columns["task"][row]] == "sorting")
        else:
            assert columns["word"][row] == columns["verdict"][row] == -1
            assert columns["claimed"][row] is None


def test_a_study_without_curves_has_a_page(catalogue, tmp_path):
    explorer.write(explorer_site.curves().iloc[:0], None, catalogue, explorer_site.BLOCKS, tmp_path)
    assert index((tmp_path / "explorer.html").read_text())["curves"]["e"] == []
    assert list((tmp_path / "explorer").iterdir()) == []


def test_files_of_an_earlier_page_go(catalogue, tmp_path):
    (tmp_path / "explorer").mkdir()
    (tmp_path / "explorer/99.js").touch()
    explorer_site.write(tmp_path, catalogue)
    assert [path.name for path in (tmp_path / "explorer").iterdir()] == ["0.js"]


def test_published_errors_go_before_binomial_ones():
    flat = {"scores": [0.5, 0.5, 0.5, 2.0], "stderr": [0.03, np.nan, np.nan, np.nan], "n_examples": [100, 100, 100, 100]}
    flat = {name: np.array(values, dtype=float) for name, values in flat.items()} | {"n_models": np.array([1, 1, 4, 1.0])}
    half = explorer.two_standard_errors(flat, np.array([True, True, True, False]))
    # sqrt(.25 / 100) = .05, and half of that for the mean of four models
    np.testing.assert_allclose(half, [0.06, 0.1, 0.05, np.nan])


def test_names_are_text_in_the_page(catalogue, tmp_path):
    page = explorer_site.write(tmp_path, catalogue, attacked=True).read_text()
    content = index(page)
    shown = {printable(name) for name in explorer_site.ATTACKS}
    assert shown <= set(content["names"]["task"])
    assert shown <= set(content["names"]["model_family"]) | {printable(explorer_site.ATTACKS[-1])}
    # the page's own scripts and no other, whatever the case
    assert len(re.findall("<script", page, re.IGNORECASE)) == len(re.findall("</script", page, re.IGNORECASE)) == 4
    data = page[page.index('id="index">') + len('id="index">') :]
    assert not re.search("[<>&\u2028\u2029\x00-\x09\x0b-\x1f]", data[: data.index("</script>")])
    assert not any(re.search("[^\\[\\],0-9.e+\\-nul]", json.dumps(curve).replace(" ", "")) for curve in points(tmp_path))


def test_the_policy_of_the_page_allows_its_own_scripts_and_no_text_as_code(catalogue, tmp_path):
    page = explorer_site.write(tmp_path, catalogue).read_text()
    policy = re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    scripts = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert re.findall("'sha256-([^']*)'", policy) == digests
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    assert "http" not in policy


def test_the_code_of_others_is_what_its_readme_says():
    folder = ROOT / "workflow/report/explorer/vendor"
    said = dict(re.findall(r"\| `([\w.]+)` \|.*`([0-9a-f]{64})`", (folder / "README.md").read_text()))
    assert said == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.js")}
    assert {path.stem for path in folder.glob("*.LICENSE")} == {"d3", "plot"}


def test_86_000_curves_stay_below_15_megabytes(catalogue, tmp_path):
    """A tenth of all of BIG-bench."""
    explorer_site.write_many(tmp_path, catalogue, 8600)
    library = sum(len(explorer.TEMPLATES.joinpath(name).read_bytes()) for name in explorer.SCRIPTS)
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert library + 10 * (size - library) < 15e6
