"""A whole study of outputs: whatever the number of shards and cores, it leaves the same bytes."""

import shutil

import pytest

from conftest import copy_of_workflow, digests, snakemake
from invented_outputs import SCALES, copied_digits, sums, write_harness, write_table

TASKS = ("apples", "bolts", "candles", "drums")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A copy of the workflow with four tasks of multiple choice and a table of texts, not yet run."""
    folder, models = tmp_path_factory.mktemp("outputs") / "study", {}
    texts = {"task": "task", "model": "model", "scale": "parameters", "example": "id", "output": "answer", "targets": "target"}
    blocks = {
        "choices": {"format": "lm_eval_samples", "files": [f"samples/{task}" for task in TASKS], "models": models},
        "texts": {"format": "outputs_table", "files": ["texts.csv"], "columns": texts, "constants": {"model_family": "Invented"}},
    }
    study = {"benchmarks": blocks, "metrics": "config/metrics.yaml", "null_models": {"draws": 50}, "resamples": 99}
    for number, task in enumerate(TASKS):
        rows = sums(12 + number, scales=SCALES[:5], seed=number)
        names = {row["model"]: f"invented/{row['model']}" for row in rows}
        models |= {names[row["model"]]: {"family": "Invented", "scale": row["scale"]} for row in rows}
        write_harness(folder / "samples" / task, task, rows, names)
    rows = [row for task in TASKS[:3] for row in copied_digits(12, [1, 2, 3], scales=SCALES[:5], task=task, seed=len(task))]
    copy_of_workflow(folder, study | {"figures": {"sharpest_curves": 2, "dpi": 50}})
    write_table(folder / "texts.csv", rows)
    return folder


def left_by(study, folder, cores, shards):
    """Digests of all that a run leaves: tables, figures with their data, report and explorer, but not the tables of one shard."""
    shutil.copytree(study, folder)
    done = snakemake(folder, "--cores", str(cores), "--set-scatter", f"shards={shards}")
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: digest for name, digest in digests(folder).items() if "/shards/" not in name}


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    return left_by(study, tmp_path_factory.mktemp("whole") / "study", 1, 1)


@pytest.mark.faults
@pytest.mark.parametrize(("cores", "shards"), [(2, 3), (2, 1), (1, 2)])
def test_any_number_of_cores_and_shards_leaves_the_same_bytes(study, whole, tmp_path, cores, shards):
    names = {name.rpartition("/")[2] for name in whole}
    made = {"outputs.parquet", "curves.parquet", "scores.parquet", "score_covariance.parquet", "same_outputs.parquet"}
    made |= {"metric_chain.parquet", "output_flags.parquet", "threshold_sweep.parquet", "verdicts.csv", "report.html"}
    assert made <= names
    assert any(name.endswith(".svg") for name in names)
    found = left_by(study, tmp_path / "study", cores, shards)
    assert {name for name in whole if found.get(name) != whole[name]} == set()
    assert set(found) == set(whole)
