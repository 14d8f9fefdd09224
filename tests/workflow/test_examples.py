"""Every configuration in config/examples runs as it says of itself, and a study that gains a block reruns that block alone."""

import pandas as pd
import pytest

from conftest import ROOT, copy_of_workflow, snakemake
from emergence.io import tables
from emergence.io.documents import load_yaml
from emergence.study import configuration

# The one for BIG-bench needs a checkout that is not here: test_bigbench.py holds it.
EXAMPLES = sorted(path.stem for path in (ROOT / "config" / "examples").glob("*.yaml") if path.stem != "bigbench")
TABLE = "results/metrics_across_benchmarks.csv"

# What each example holds, counted in its data by hand: metric -> (curves, scores)
EXPECTED = {
    "lm_eval": {
        # five models; `geography` and its two tasks, `sums` under two filters, `recall` under two metrics
        "acc": (4, 20),
        "acc_norm": (2, 10),
        "exact_match,flexible-extract": (1, 5),
        "exact_match,strict-match": (1, 5),
        "perplexity": (1, 5),
    },
    # two families of five and four models on two tasks
    "table_long": {"brier_score": (4, 18), "exact_match": (4, 18)},
    # the same, but one cell is empty
    "table_wide": {"acc": (4, 18), "exact_match": (4, 17)},
}


def names(example):
    return list(load_yaml(ROOT / "config" / "examples" / f"{example}.yaml")["benchmarks"])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A copy of the workflow in which the examples ran, one after the other."""
    folder = copy_of_workflow(tmp_path_factory.mktemp("examples") / "workflow")
    done = {}
    for example in EXAMPLES:
        alone = ["--configfile", f"config/examples/{example}.yaml", "--replace-workflow-config", "--cores", "1"]
        targets = [f"results/{name}/emergence_by_metric.csv" for name in names(example)]
        done[example] = snakemake(folder, *alone, *targets)
    return folder, done


def test_every_format_has_an_example():
    used = {block["format"] for example in EXAMPLES for block in load_example(example)["benchmarks"].values()}
    assert used >= {"lm_eval", "table"}
    assert used <= set(configuration.formats())


def load_example(example):
    return load_yaml(ROOT / "config" / "examples" / f"{example}.yaml")


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_is_a_whole_configuration(example, monkeypatch):
    monkeypatch.chdir(ROOT)
    configuration.check(load_example(example), [f"config/examples/{example}.yaml"])


@pytest.mark.parametrize("example", [name for name in EXAMPLES if name in EXPECTED])
def test_example_runs(run, example):
    folder, done = run
    assert done[example].returncode == 0, done[example].stderr
    (benchmark,) = names(example)
    scores = tables.read("scores", folder / "results" / benchmark / "scores.parquet")
    by_metric = tables.read("emergence_by_metric", folder / "results" / benchmark / "emergence_by_metric.csv")
    n_curves = by_metric.set_index("metric")["n_curves"]
    n_scores = scores["metric"].value_counts()
    assert {metric: (n_curves[metric], n_scores[metric]) for metric in n_curves.index} == EXPECTED[example]


def test_long_and_wide_tables_agree(run):
    # the same invented exact matches, as fractions in one file and as percent in the other
    folder, _ = run
    parts = []
    for example in ("table_long", "table_wide"):
        (benchmark,) = names(example)
        scores = tables.read("scores", folder / "results" / benchmark / "scores.parquet")
        exact = scores[scores["metric"] == "exact_match"].set_index(["task", "model_family", "model"])
        parts.append(exact[["scale", "score", "n_examples"]].astype(float))
    long, wide = parts
    missing = ("reversal", "Otter", "otter-50m")
    pd.testing.assert_frame_equal(wide, long.drop(index=missing))


def test_examples_join_without_running_again(run):
    # all examples in one study: every block is there already, and only what joins benchmarks is left to do
    folder, _ = run
    files = [f"config/examples/{example}.yaml" for example in EXPECTED]
    done = snakemake(folder, "--configfile", *files, "--replace-workflow-config", "--cores", "1", "--", TABLE)
    assert done.returncode == 0, done.stderr
    assert "answer_study" in done.stdout + done.stderr
    assert "ingest_scores" not in done.stdout + done.stderr
    joined = tables.read("metrics_across_benchmarks", folder / TABLE)
    assert set(joined["benchmark"]) == {name for example in EXPECTED for name in names(example)}
    shared = joined[joined["metric"] == "exact_match"]
    assert shared["benchmark"].to_list() == ["long_table", "wide_table"]
    assert set(shared["n_benchmarks"]) == {2}
    # one block less: the table is made again, and nothing else
    done = snakemake(folder, "--configfile", *files[1:], "--replace-workflow-config", "--cores", "1", "--dry-run", "--", TABLE)
    assert done.returncode == 0, done.stderr
    assert "answer_study" in done.stdout + done.stderr
    assert "ingest_scores" not in done.stdout + done.stderr


def test_outputs_become_scores_with_their_covariance(run):
    folder, done = run
    assert done["outputs"].returncode == 0, done["outputs"].stderr
    # 8 models copy digits, 5 choose sums; the samples of the harness hold its own accuracy
    for name, metric, n_models in (("written_answers", "exact_match", 8), ("logged_samples", "acc", 5)):
        results = folder / "results" / name
        scores = tables.read("scores", results / "scores.parquet")
        assert (scores["metric"] == metric).sum() == n_models
        covariance = tables.read("score_covariance", results / "score_covariance.parquet")
        is_own = covariance["metric_b"] == metric
        own, cross = ((covariance["metric"] == metric) & rows for rows in (is_own, ~is_own))
        assert (own.sum(), cross.sum()) == (n_models * (n_models + 1) // 2, n_models**2)
        # the null models draw from it
        assert set(tables.read("null_models", results / "null_models.parquet")["noise"]) == {"covariance"}
    parity = tables.read("metric_parity", folder / "results" / "logged_samples" / "metric_parity.parquet")
    assert list(parity["status"]) == ["equal"] * 5
