"""The workflow from outside: as a module of another workflow, and started in another folder. Runs Snakemake for real."""

import subprocess

import pytest
import yaml

from conftest import ROOT, copy_of_workflow, snakemake
from emergence.io import tables

SCORES = """task,metric,family,model,size,score
t,acc,F,a,1,0.1
t,acc,F,b,2,0.2
t,acc,F,c,4,0.9
t,acc_norm,F,a,1,0.1
t,acc_norm,F,b,2,0.3
t,acc_norm,F,c,4,0.4
"""

STUDY = {
    "benchmarks": {
        "tiny": {
            "format": "table",
            "files": ["data/scores.csv"],
            "columns": {
                "task": "task",
                "metric": "metric",
                "model_family": "family",
                "model": "model",
                "scale": "size",
                "score": "score",
            },
        }
    }
}

HOST = """
configfile: "host.yaml"

module emergence:
    snakefile: SNAKEFILE
    config: config["emergence"]
    MOVED

use rule * from emergence as emergence_*

rule all:
    default_target: True
    input:
        "summary.csv",

rule summarize:
    input:
        "emergence/RESULTStiny/emergence_by_metric.csv",
    output:
        "summary.csv",
    shell:
        "cp {input} {output}"
"""


OWN = repr(str(ROOT / "Snakefile"))


def host(snakefile=OWN, moved='replace_prefix: {"results/": "emergence/"}', results=""):
    """The Snakefile of a workflow that uses this one."""
    return HOST.replace("SNAKEFILE", snakefile).replace("MOVED", moved).replace("RESULTS", results)


@pytest.fixture
def folder(tmp_path):
    """A folder of somebody's own, with scores in it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "scores.csv").write_text(SCORES)
    return tmp_path


def largest(path):
    return tables.read("emergence_by_metric", path).set_index("metric")["max"].to_dict()


# by hand: E of 0.1, 0.2, 0.9 is 0.8 / sqrt((0.1^2 + 0.7^2) / 2), E of 0.1, 0.3, 0.4 is 0.3 / sqrt((0.2^2 + 0.1^2) / 2)
EXPECTED = pytest.approx({"acc": 1.6, "acc_norm": 0.3 / 0.025**0.5})


def test_as_a_module(folder):
    (folder / "Snakefile").write_text(host())
    (folder / "host.yaml").write_text(yaml.safe_dump({"emergence": STUDY}))
    done = snakemake(folder, "--cores", "1")
    assert done.returncode == 0, done.stderr
    assert largest(folder / "summary.csv") == EXPECTED
    assert not (folder / "results").exists()
    # logs are beside the results, under the prefix of the host
    assert (folder / "emergence" / "logs" / "ingest_scores" / "tiny.log").is_file()
    done = snakemake(folder, "--cores", "1")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_as_a_module_under_a_prefix(folder):
    # the results move, the files that the block names do not
    (folder / "Snakefile").write_text(host(moved='prefix: "emergence"', results="results/"))
    (folder / "host.yaml").write_text(yaml.safe_dump({"emergence": STUDY}))
    done = snakemake(folder, "--cores", "1", "summary.csv", "emergence/results/report.html")
    assert done.returncode == 0, done.stderr
    assert largest(folder / "summary.csv") == EXPECTED
    assert (folder / "emergence/results/report.html").stat().st_size > 10_000
    assert not (folder / "results").exists()


def test_as_a_module_from_a_git_repository(folder, tmp_path_factory):
    # a commit of the files as they are, wherever the tests run: only Snakefiles, rules and scripts are taken from it
    repository = tmp_path_factory.mktemp("repository") / "workflow"
    copy_of_workflow(repository)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(repository)]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "as it is"]):
        subprocess.run([*git, *arguments], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    source = f'gitfile({str(repository)!r}, path="workflow/Snakefile", commit={commit!r})'
    (folder / "Snakefile").write_text(host(source))
    (folder / "host.yaml").write_text(yaml.safe_dump({"emergence": STUDY}))
    done = snakemake(folder, "--cores", "1")
    assert done.returncode == 0, done.stderr
    assert largest(folder / "summary.csv") == EXPECTED


def test_a_mistake_in_a_module_does_not_blame_the_file_of_the_host(folder):
    study = {"benchmarks": {"tiny": STUDY["benchmarks"]["tiny"] | {"formt": "x"}}}
    (folder / "Snakefile").write_text(host())
    (folder / "host.yaml").write_text(yaml.safe_dump({"emergence": study}))
    done = snakemake(folder, "--cores", "1", "--dry-run")
    assert done.returncode != 0
    assert "config: benchmarks.tiny.formt" in done.stdout + done.stderr


def test_from_another_folder(folder):
    # the data and the results are the folder's; the metric catalogue is the workflow's own
    (folder / "config").mkdir()
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(STUDY))
    target = "results/tiny/emergence_by_metric.csv"
    done = snakemake(ROOT, "-s", str(ROOT / "Snakefile"), "--directory", str(folder), "--cores", "1", target)
    assert done.returncode == 0, done.stderr
    assert largest(folder / "results" / "tiny" / "emergence_by_metric.csv") == EXPECTED
    inputs = tables.read("inputs", folder / "results" / "tiny" / "inputs.csv")
    assert inputs["file"].to_list() == ["data/scores.csv"]


def test_a_configfile_of_the_command_line_is_named_in_messages(folder):
    # it overrides config/config.yaml, so a mistake in it is its own
    mine = folder / "mine.yaml"
    mine.write_text(yaml.safe_dump({"benchmarks": {"big_bench": {"format": "tabel"}}}))
    done = snakemake(ROOT, "--configfile", str(mine), "--dry-run", "--cores", "1")
    assert done.returncode != 0
    assert f"{mine}: benchmarks.big_bench.format" in done.stdout + done.stderr
    assert "did you mean `table`?" in done.stdout + done.stderr
