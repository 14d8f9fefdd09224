"""Lists beside the scores are looked at before any job starts, and all that is wrong in them is said at once."""

import pytest

from conftest import COLUMNS, snakemake
from emergence.io.errors import InputError
from emergence.study import configuration, lists, metric_catalogue
from emergence.study.configuration import DEFAULT_METRICS

TASKS = "task,preferred_metric\nsorting,pass_at_1\nnaming,pass@1\nthird,exact_mach\n"
CLAIMS = "task,preferred_metric\nsorting,pass_at_1\nthird,exact_mach\n"


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scores.csv").write_text(",".join(COLUMNS) + "\nsorting,pass_at_1,F,a,1e9,0.5\n")
    (tmp_path / "models.csv").write_text("model,model_family,scale\na,F,1e9\n")
    (tmp_path / "tasks.csv").write_text(TASKS)
    (tmp_path / "claims.csv").write_text(CLAIMS)
    block = {"format": "table", "files": ["scores.csv"], "columns": {name: name for name in COLUMNS}}
    of_lists = {"tasks": "tasks.csv", "claims": "claims.csv", "models_file": "models.csv"}
    return {"benchmarks": {"first": block | of_lists, "second": dict(block)}}


def problems(study):
    with pytest.raises(InputError) as error:
        lists.check(study["benchmarks"].values(), metric_catalogue.entries(DEFAULT_METRICS))
    return error.value.problems


def test_all_lists_at_once(study, tmp_path):
    (tmp_path / "models.csv").write_text("model,model_family,size\na,F,1e9\n")
    found = problems(study)
    assert [problem.split("\n")[0] for problem in found] == [
        "tasks.csv: data row 3, column `preferred_metric`",
        "claims.csv: data row 2, column `preferred_metric`",
        "models.csv: no column `scale`",
    ]
    assert "did you mean `exact_match`?" in found[0]


def test_together_with_the_mistakes_of_the_configuration(study):
    study["benchmarks"]["second"]["files"] = ["second.csv"]
    with pytest.raises(InputError) as error:
        configuration.check(study)
    assert [problem.split("\n")[0] for problem in error.value.problems] == [
        "config: benchmarks.second.files[0]",
        "tasks.csv: data row 3, column `preferred_metric`",
        "claims.csv: data row 2, column `preferred_metric`",
    ]
    # with all that the message says put right, the study can be used
    study["benchmarks"]["second"]["files"] = ["scores.csv"]
    for name, text in (("tasks.csv", TASKS), ("claims.csv", CLAIMS)):
        with open(name, "w") as file:
            file.write(text.replace("exact_mach", "exact_match"))
    lists.check(configuration.check(study)["benchmarks"].values(), metric_catalogue.entries(DEFAULT_METRICS))


def test_claims_are_compared_with_the_tasks(study, tmp_path):
    (tmp_path / "tasks.csv").write_text("task,preferred_metric\nsorting,f1\n")
    (tmp_path / "claims.csv").write_text("task,preferred_metric\nsorting,pass@1\nSorting,f1\n")
    found = problems(study)
    assert "the preferred metric `pass@1`\n    allowed: `f1`" in found[0]
    assert "no such task in the registry\n    allowed: a task of the registry; did you mean `sorting`?" in found[1]


@pytest.mark.parametrize("metrics", ["nowhere.yaml", 7])
def test_without_a_catalogue_the_configuration_has_its_own_message(study, metrics):
    study["metrics"] = metrics
    with pytest.raises(InputError, match=r"config: metrics"):
        configuration.check(study)


def test_before_any_job_starts(tiny_workflow):
    (tiny_workflow / "claims.csv").write_text("task,preferred_metric\nsortng,exact_match\n")
    done = snakemake(tiny_workflow, "--dry-run")
    assert done.returncode and "Traceback" not in done.stderr
    assert "claims.csv: data row 1, task `sortng`" in done.stderr
    assert "did you mean `sorting`?" in done.stderr


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"task,preferred_metric\n a ,f1\n", [["a", "f1"]]),
        (b"task;preferred_metric;;\r\na;f1;;\r\n;;;\r\n", [["a", "f1", "", ""]]),
        (b'task\tpreferred_metric\n"a\nb"\tf1\n\n', [["a\nb", "f1"]]),
        (b'\xef\xbb\xbftask,preferred_metric\n"a ""b""",f1\n', [['a "b"', "f1"]]),
        ("task,preferred_metric\nété,f1\n".encode("utf-16"), [["été", "f1"]]),
        (b"task,preferred_metric,note\na,f1\n", [["a", "f1", ""]]),
    ],
)
def test_lists_as_people_save_them(tmp_path, content, rows):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    assert list(lists.load(path, ["task", "preferred_metric"], unique=["task"])[1].values()) == rows
