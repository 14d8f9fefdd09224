"""The workflow as a user runs it: real Snakemake runs on copies of the repository."""

import json
import re

import pytest
import yaml

from conftest import COLUMNS, copy_of_workflow, digests, snakemake
from emergence import questions
from emergence.io import contents, descriptions, tables
from emergence.io.documents import load_yaml
from emergence.study import configuration


def test_a_run_leaves_everything_and_no_more(finished, monkeypatch):
    monkeypatch.chdir(finished)
    results = {path.relative_to(finished / "results").as_posix() for path in (finished / "results").rglob("*") if path.is_file()}
    expected = {"report.html", "explorer.html", "explorer/0.js", "summary.txt", "provenance.json", "tables.md"}
    study = configuration.check(load_yaml("config/config.yaml"))
    of_stages = ["scores", "ingest_account", "inputs", "curves", "null_models", "predictions", "examples_needed", "above_chance"]
    for name, block in study["benchmarks"].items():
        asked = questions.of_benchmark(block)
        assert ("claims" in {question.name for question in asked}) == (name == "first")
        named = [*of_stages, *(table for question in asked for table in question.tables)]
        expected |= {descriptions.path_of(table, name).removeprefix("results/") for table in named}
        figures = [figure for question in asked for figure in question.figures]
        expected |= {f"{name}/figures/{figure}.{ending}" for figure in figures for ending in ("svg", "png", "csv")}
    of_study = [table for question in questions.of_study() for table in question.tables]
    expected |= {descriptions.path_of(table).removeprefix("results/") for table in of_study}
    # a folder that is an output holds Snakemake's mark of when it was made
    left = {path for path in results if not path.startswith("logs/") and not path.endswith("/.snakemake_timestamp")}
    assert left == expected


def test_any_number_of_cores_gives_the_same_bytes(finished, tiny_workflow):
    done = snakemake(tiny_workflow, "--cores", "2")
    assert done.returncode == 0, done.stderr
    assert digests(tiny_workflow) == digests(finished)


def test_report_opens_offline_and_names_its_numbers(finished):
    html = (finished / "results/report.html").read_text()
    assert "1 of 1 claim is on tasks that prefer" in html
    # nothing in it reaches out: no address but those inside embedded pictures
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)
    assert not re.findall(r"<(?:script|link)\b", html)
    summary = (finished / "results/summary.txt").read_text()
    assert "The second" in summary
    assert len(summary.splitlines()) < 40


def test_provenance_names_what_the_run_was_made_from(finished):
    provenance = json.loads((finished / "results/provenance.json").read_text())
    assert provenance["inputs"]["first.csv"] == contents.digest(finished / "first.csv")
    assert provenance["configuration"]["confidence_level"] == 0.95
    assert provenance["results"]["results/first/curves.parquet"] == contents.digest(finished / "results/first/curves.parquet")
    assert "snakemake" in provenance["packages"]


def test_snakemakes_own_report_renders(again):
    done = snakemake(again, "--report", "report.zip")
    assert done.returncode == 0, done.stderr
    assert (again / "report.zip").stat().st_size > 10_000


def test_too_few_draws_are_said_once_before_they_are_made(again):
    """What `make run` shows. Hand-worked: a lone discovery among m curves needs p <= .05 / m, and 1 / (draws + 1) is the least p."""
    config = again / "config/config.yaml"
    study = yaml.safe_load(config.read_text())
    study["null_models"]["draws"] = 25
    config.write_text(yaml.safe_dump(study, sort_keys=False))
    done = snakemake(again, "--cores", "1", "--quiet", "host", "reason", "rules", "--", "results/first/curves.parquet")
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    n_curves, enough = (
        int(re.search(pattern, said)[1]) for pattern in (r"Among (\d+) curves", r"draws` would have to be at least (\d+)")
    )
    assert "Warning: first: With 25 draws no p-value is below 1/26." in said
    assert said.count("no p-value is below") == 1
    assert said.index("no p-value is below") < said.index("first: 25 draws for each curve")
    # to the last: 20 m - 1 are enough, and one less is not
    assert (enough, n_curves) == (20 * n_curves - 1, len(family_of(again / "results/first")))


def family_of(folder):
    """Curves of a benchmark that have a q-value are those that are tested together."""
    q_values = tables.read("q_values", folder / "q_values.parquet")
    return q_values[q_values["in_family"].astype(bool)]


def test_lint(finished):
    done = snakemake(finished, "--lint")
    assert done.returncode == 0, done.stdout + done.stderr


def edited_block(**keys):
    """An edit of the first block of a study."""
    return lambda study: study["benchmarks"]["first"].update(keys)


def edited(**keys):
    """An edit of a study's own keys."""
    return lambda study: study.update(keys)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (edited(benchmark={}), ["config/config.yaml: benchmark\n", "did you mean `benchmarks`?"]),
        (edited_block(files=["frist.csv"]), ["benchmarks.first.files[0]", "did you mean `first.csv`?"]),
        (edited(metrics="config/metric.yaml"), ["config/config.yaml: metrics\n", "did you mean `metrics.yaml`?"]),
        (edited(confidence_level="high"), ["confidence_level", "found: the text 'high'"]),
    ],
)
def test_a_mistake_in_the_config_is_a_message_and_no_traceback(again, edit, expected):
    path = again / "config/config.yaml"
    study = yaml.safe_load(path.read_text())
    edit(study)
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    done = snakemake(again, "--cores", "1")
    assert done.returncode != 0
    for part in expected:
        assert part in done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout


def test_broken_yaml_is_told_with_its_line(again):
    path = again / "config/config.yaml"
    text = path.read_text()
    path.write_text(f"{text}seed: 1: 2\n")
    done = snakemake(again, "--cores", "1")
    assert done.returncode != 0
    assert f"config/config.yaml: line {text.count(chr(10)) + 1}: not valid YAML: mapping values" in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_data_is_a_message_and_leaves_nothing_half_written(tiny_workflow):
    (tiny_workflow / "second.csv").write_text(",".join(COLUMNS) + "\nsorting,acc,Tiny,t1,1e6,high\n")
    done = snakemake(tiny_workflow, "--cores", "2")
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "second.csv: data row 1, column `score`\n    found: `high`\n    allowed: a number" in output
    assert "Traceback" not in output
    left = [path for path in (tiny_workflow / "results").rglob("*") if path.is_file() and "logs" not in path.parts]
    assert not [path for path in left if "second" in path.parts or path.name.startswith(".")]
    assert "found: `high`" in (tiny_workflow / "results/logs/ingest_scores/second.log").read_text()


def test_no_usable_curve_is_an_answer(again, tiny_files):
    lines = tiny_files["second.csv"].splitlines()
    (again / "second.csv").write_text("\n".join(lines[:3]) + "\n")
    done = snakemake(again, "--cores", "2")
    assert done.returncode == 0, done.stderr
    assert "No curve of this benchmark can be counted: 1 with fewer than" in (again / "results/report.html").read_text()


def test_default_study_gives_the_papers_numbers(tmp_path):
    # the paper: 62 of 67 claims, 92.5 %; base rate and odds ratio of the published tables; E of Figure 6. `.ci/run` runs the rest
    folder = copy_of_workflow(tmp_path / "study")
    wanted = ["claims_by_metric.csv", "claims_by_top_metrics.csv", "metric_swaps.csv"]
    done = snakemake(folder, "--cores", "2", *(f"results/big_bench/{name}" for name in wanted))
    assert done.returncode == 0, done.stderr
    claims, top, swaps = (tables.read(name.removesuffix(".csv"), folder / "results/big_bench" / name) for name in wanted)
    assert claims["n_claims"].head(4).tolist() == [51, 11, 3, 2]
    two = top.set_index("n_metrics").loc[2]
    assert (two["n_claims"], two["of_claims"], two["n_tasks"], two["of_tasks"]) == (62, 67, 141, 209)
    assert round(two["odds_ratio"], 2) == 9.89
    shown = swaps[(swaps["task"] == "logical_args") & (swaps["shots"] == 2)].iloc[0]
    assert (round(shown["emergence_score_a"], 1), round(shown["emergence_score_b"], 1)) == (18.0, 9.6)
