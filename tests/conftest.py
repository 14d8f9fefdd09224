"""What the tests share: small tables written on the spot, and copies of the workflow to run."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, settings

from emergence.ingest import pipeline
from emergence.io.documents import load_yaml
from emergence.questions.answers import Answer
from emergence.study import configuration
from sentences import too_long

ROOT = Path(__file__).resolve().parents[1]

# `make test` draws the same examples each time; `make fuzz` (--hypothesis-profile=long) draws others, and many more
SLOW_IS_FINE = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("default", derandomize=True, database=None, **SLOW_IS_FINE)
settings.register_profile("long", max_examples=3000, print_blob=True, **SLOW_IS_FINE)
settings.load_profile("default")

# Letters that the first table of the report has room for.
MOST_IN_A_CELL = 40

COLUMNS = ("task", "metric", "model_family", "model", "scale", "score")


@pytest.fixture(scope="session")
def catalogue():
    """The shipped metric catalogue."""
    from emergence.study import metric_catalogue

    return metric_catalogue.load(ROOT / "config" / "metrics.yaml")


@pytest.fixture
def table_block(tmp_path):
    """A maker of benchmark blocks: writes lines to a CSV file and gives a complete block that reads it."""

    def make(lines, name="scores.csv", **keys):
        path = tmp_path / name
        path.write_bytes(lines if isinstance(lines, bytes) else "\n".join(lines).encode() + b"\n")
        block = {"format": "table", "files": [str(path)], "columns": {column: column for column in COLUMNS}} | keys
        return configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"]

    return make


def default_scores(name, **keys):
    """The score table of a block of the default study, some keys of the block changed, and the block."""
    study = configuration.check(load_yaml(ROOT / "config/config.yaml") | {"metrics": str(ROOT / "config/metrics.yaml")})
    block = study["benchmarks"][name] | keys
    return pipeline.ingest(name, block, study["metrics"])[0], block


def copy_of_workflow(folder, study=None):
    """A copy of the workflow in a folder, without results; with another study if one is given (dict)."""
    made = ("results", "trained", "site", ".snakemake", "__pycache__", ".*_cache", ".hypothesis")
    ignored = shutil.ignore_patterns(".git", ".venv", *made)
    shutil.copytree(ROOT, folder, ignore=ignored, dirs_exist_ok=True)
    if study is not None:
        (folder / "config" / "config.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    return folder


def snakemake(folder, *arguments):
    """Run Snakemake in a folder; the finished process with its output as text."""
    command = [sys.executable, "-m", "snakemake", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, env=environment(folder))


def environment(folder):
    """The variables that a run in a folder gets: those of the tests but for what belongs to the tests alone.

    In a copy of the workflow, the library is the copy's, as if it were installed from there.
    """
    library = (folder if (folder / "scripts/emergence").is_dir() else ROOT) / "scripts"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))}
    return kept | {"PYTHONPATH": str(library)}


def benchmark(name):
    """The module of one script in benchmarks/."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def digests(folder):
    """SHA-256 of every file below results/, hidden ones too; of all but the logs, which hold times of day."""
    results = folder / "results"
    files = [path for path in sorted(results.rglob("*")) if path.is_file() and results / "logs" not in path.parents]
    return {path.relative_to(results).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="session")
def tiny_study():
    """A study of two benchmarks that runs in seconds, on invented numbers."""
    columns = {column: column for column in COLUMNS}
    return {
        "benchmarks": {
            "first": {
                "format": "table",
                "files": ["first.csv"],
                "columns": columns,
                "tasks": "tasks.csv",
                "claims": "claims.csv",
            },
            "second": {"format": "table", "files": ["second.csv"], "columns": columns, "title": "The second"},
        },
        "metrics": "config/metrics.yaml",
        "null_models": {"draws": 100},
        "resamples": 99,
        "figures": {"sharpest_curves": 2, "dpi": 50},
    }


@pytest.fixture(scope="session")
def tiny_files():
    """The files of the tiny study: {name: text}."""
    head = ",".join(COLUMNS)
    rows = [
        f"sorting,{metric},Tiny,t{scale},{scale},{score}"
        for metric, scores in {"exact_match": (0.0, 0.1, 0.1, 0.6), "f1": (0.2, 0.3, 0.42, 0.55)}.items()
        for scale, score in zip((1e6, 1e7, 1e8, 1e9), scores, strict=True)
    ]
    flat = [f"naming,exact_match,Tiny,t{scale},{scale},0.25" for scale in (1e6, 1e7, 1e8)]
    return {
        "first.csv": "\n".join([head, *rows, *flat]) + "\n",
        "second.csv": "\n".join([head, *rows]) + "\n",
        "tasks.csv": "task,preferred_metric\nsorting,exact_match\nnaming,exact_match\nother,f1\n",
        "claims.csv": "task,preferred_metric\nsorting,exact_match\n",
    }


@pytest.fixture
def again(finished, tmp_path):
    """A copy of the finished tiny study that a test may change."""
    folder = tmp_path / "again"
    shutil.copytree(finished, folder, symlinks=True)
    return folder


@pytest.fixture
def tiny_workflow(tmp_path, tiny_study, tiny_files):
    """A copy of the workflow with the tiny study, not yet run."""
    folder = copy_of_workflow(tmp_path / "study", tiny_study)
    for name, text in tiny_files.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory, tiny_study, tiny_files):
    """The tiny study, run to the end on one core. Tests must not change it.

    Made once, whichever of the parallel test processes comes first; the others wait for it.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "finished"
    folder, done_file = shared / "study", shared / "done"
    try:
        shared.mkdir()
    except FileExistsError:
        patience = time.monotonic() + 300
        while not done_file.exists():
            assert time.monotonic() < patience, "the process that runs the tiny study did not finish it"
            time.sleep(0.2)
    else:
        copy_of_workflow(folder, tiny_study)
        for name, text in tiny_files.items():
            (folder / name).write_text(text)
        done = snakemake(folder, "--cores", "1")
        done_file.write_text(done.stderr if done.returncode else "")
    assert not done_file.read_text()
    return folder


@pytest.fixture(autouse=True, scope="session")
def _short_sentences():
    """Every answer that any test makes, from whatever frames, is in short sentences, and its cell is short, too."""
    make = Answer.__init__

    def make_and_check(answer, *arguments, **named):
        make(answer, *arguments, **named)
        assert not too_long(answer.text)
        assert len(answer.cell) <= MOST_IN_A_CELL

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Answer, "__init__", make_and_check)
        yield
