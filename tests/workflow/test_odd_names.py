"""Names from files are data: whole runs in which tasks, subtasks, metrics, families, models, titles and labels have odd names."""

import csv
import html
import io
import json
import re

import pytest
import yaml

import result_trees
from conftest import ROOT, copy_of_workflow, snakemake
from emergence.io import tables
from emergence.io.texts import printable
from odd_names import NAMES

SCALES = (1e6, 1e7, 1e8, 1e9)
STRIPPED = sorted(name.strip() for name in NAMES)


def as_csv(rows):
    sink = io.StringIO(newline="")
    csv.writer(sink).writerows(rows)
    return sink.getvalue().encode()


def score(number, place, side=0):
    return round(0.05 + 0.03 * (number % 5) + 0.12 * place + 0.01 * ((7 * number + 3 * place + side) % 5), 4)


def write_table(folder):
    """A table in which every name is a task, a subtask, a family, a model and, with the next name, a metric."""
    rows = [
        (name, NAMES[number - 1], metric, NAMES[number - 2], f"{name}{place}", scale, score(number, place, side), 100)
        for number, name in enumerate(NAMES)
        for side, metric in enumerate((name, NAMES[number - 1]))
        for place, scale in enumerate(SCALES)
    ]
    columns = ("task", "subtask", "metric", "model_family", "model", "scale", "score", "n_examples")
    (folder / "scores.csv").write_bytes(as_csv([columns, *rows]))
    (folder / "tasks.csv").write_bytes(as_csv([("task", "preferred_metric"), *((name, name) for name in STRIPPED)]))
    (folder / "claims.csv").write_bytes(as_csv([("task", "preferred_metric"), *((name, name) for name in STRIPPED[::2])]))
    lists = {"tasks": "tasks.csv", "claims": "claims.csv"}
    return {"format": "table", "files": ["scores.csv"], "columns": {name: name for name in columns}, **lists}


def write_results(folder):
    (folder / "runs").mkdir()
    for place in range(len(SCALES)):
        for side, name in enumerate(NAMES):
            results = {
                task: {f"{name},none": score(side, place), "acc,none": score(side, place, 1)} for task in (name, f"{name}.")
            }
            content = {"results": results, "group_subtasks": {name: [f"{name}."]}, "model_name": f"{name}{place}", "config": {}}
            (folder / f"runs/{side}.{place}.json").write_text(json.dumps(content))
    models = {f"{name}{place}".strip(): {"family": name, "scale": scale} for name in NAMES for place, scale in enumerate(SCALES)}
    return {"format": "lm_eval", "files": ["runs"], "models": models}


def write_tree(folder):
    for number, name in enumerate(NAMES):
        for place, model in enumerate(result_trees.SIZES):
            entries = [
                result_trees.entry(part, {name.strip(): score(number, place), "exact_str_match": score(number, place, 1)})
                for part in (name, NAMES[number - 1])
            ]
            value = result_trees.content(name, entries, model, NAMES[number - 2])
            result_trees.write(folder / "tree", value, f"scores_{place}.json", str(number))
    return {"format": "bigbench", "directory": "tree", "answers_over": {"metrics": "all"}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One study with a benchmark of each format, run to the end. Gives its folder."""
    around = tmp_path_factory.mktemp("odd_names")
    folder = copy_of_workflow(around / "study")
    catalogue = yaml.safe_load((ROOT / "config/metrics.yaml").read_text())
    for number, name in enumerate(NAMES):
        texts = dict.fromkeys(("label", "reason", "source"), name)
        kind = {"proportion": True, "linear": number % 3 == 0, "continuous": number % 2 == 0}
        catalogue["metrics"][name.strip()] = {**texts, **kind, "higher_is_better": True, "range": [0, 1]}
    (folder / "metrics.yaml").write_text(yaml.safe_dump(catalogue, allow_unicode=True))
    every = " ; ".join(NAMES)
    blocks = {"table": write_table(folder), "runs": write_results(folder), "tree": write_tree(folder)}
    for title, block in zip(("{x} $(touch x) <b>\x1b[31m{benchmark}\u202e", "w" * 300, every), blocks.values(), strict=True):
        block |= {"title": title, "description": every, "scale_label": every}
    study = {"benchmarks": blocks, "metrics": "metrics.yaml", "null_models": {"draws": 20}, "resamples": 99}
    study["figures"] = {"sharpest_curves": 4, "dpi": 50}
    (folder / "config/config.yaml").write_text(yaml.safe_dump(study, sort_keys=False, allow_unicode=True))
    before = files_around(around)
    done = snakemake(folder, "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert files_around(around) == before
    return folder


def files_around(folder):
    """Every file and folder but those that a run may make: results/ and Snakemake's own notes."""
    own = ("study/results", "study/.snakemake")
    paths = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    return {path for path in paths if not path.startswith(own) and "__pycache__" not in path}


def test_no_name_becomes_a_file(run, finished):
    def made(folder):
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}

    assert {path.name for path in (run / "results").iterdir()} - {"table", "runs", "tree"} == {
        path.name for path in (finished / "results").iterdir()
    } - {"first", "second"}
    assert made(run / "results/table") == made(finished / "results/first")
    assert made(run / "results/runs") == made(run / "results/tree") == made(finished / "results/second")


@pytest.mark.parametrize("benchmark", ["table", "runs", "tree"])
def test_tables_hold_the_names_to_the_letter(run, benchmark):
    folder = run / "results" / benchmark
    curves = tables.read("curves", folder / "curves.parquet")
    for column in ("task", "model_family"):
        assert {name.strip() for name in curves[column]} >= set(STRIPPED)
    swaps = tables.read("metric_swaps", folder / "metric_swaps.csv")
    assert set(swaps["task"]) == set(curves["task"])
    assert set(swaps["metric_a"]) | set(swaps["metric_b"]) >= set(STRIPPED)


def test_the_report_shows_the_names_and_runs_none(run):
    page = (run / "results/report.html").read_text()
    assert "<script" not in page.lower()
    assert html.escape("<script>alert(1)</script>") in page
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]", page)
    for shown in ("x\\ny", "\\x1b[31m", "\\u202etxt.exe", "名前", "🧪", "w" * 300, "{wildcards}", "$(touch x)"):
        assert html.escape(shown) in page, shown


def test_the_page_of_all_curves_has_the_names_as_data_and_no_script_of_theirs(run):
    """What becomes of them in a browser is tested in tests/report."""
    page = (run / "results/explorer.html").read_text()
    assert len(re.findall("<script", page, re.IGNORECASE)) == 4
    found = re.search(r'<script type="application/json" id="index">(.*?)</script>', page, re.DOTALL)[1]
    assert not re.search("[<>&\u2028\u2029\x00-\x1f]", found)
    assert set(json.loads(found)["names"]["task"]) >= {printable(name) for name in STRIPPED}


def test_the_summary_is_safe_to_print(run):
    summary = (run / "results/summary.txt").read_text()
    assert "{x} $(touch x) <b>\\x1b[31m{benchmark}\\u202e\n" in summary
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]", summary)


def test_logs_hold_no_warning(run):
    logs = [path.read_text() for path in (run / "results/logs").rglob("*.log")]
    warnings = [line for log in logs for line in log.splitlines() if "WARNING" in line]
    # the study has few draws, which is said
    assert [line for line in warnings if "no p-value is below" not in line] == []
