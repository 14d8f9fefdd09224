"""The configuration: every mistake is found at once, and each message says file, path, found, allowed, nearest name."""

import pytest
import yaml

from conftest import ROOT
from emergence import config, documents, metrics
from emergence.errors import InputError

GOOD = {
    "format": "table",
    "files": ["workflow/resources/bigbench/scores.csv"],
    "columns": {name: name for name in ("task", "metric", "model_family", "model", "scale", "score")},
}


@pytest.fixture(autouse=True)
def in_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


def problems_of(study, files=()):
    with pytest.raises(InputError) as error:
        config.check(study, files)
    return error.value.problems


def test_the_shipped_study_is_valid_and_complete_with_defaults():
    study = config.check(documents.load_yaml("config/config.yaml"), ["config/config.yaml"])
    assert study["benchmarks"]["big_bench"]["on_error"] == "stop"
    assert config.check({"benchmarks": {"b": GOOD}})["emergence"] == {"threshold": 100, "thresholds": [5, 10, 20, 50, 100, 200]}


def test_all_mistakes_at_once(tmp_path):
    study = {
        "benchmark": {},
        "benchmarks": {
            "mine": GOOD | {"colums": {}, "on_error": "skipp", "files": []},
            "2nd": GOOD,
            "other": GOOD | {"format": "tabel"},
            "none": {},
            "text": "a text",
        },
        "emergence": {"threshold": "high", "thresholds": [0, 5]},
        "confidence_level": 95,
        "figures": {"dpi": 1.5},
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(study))
    found = problems_of(study, [path])
    expected = {
        "benchmark": ("an unknown key", "did you mean `benchmarks`?"),
        "benchmarks.2nd": ("this name", "letters, digits"),
        "benchmarks.mine.colums": ("an unknown key", "did you mean `columns`?"),
        "benchmarks.mine.on_error": ("the text 'skipp'", "did you mean `skip`?"),
        "benchmarks.mine.files": ("an empty list", "a list with at least 1 item"),
        "benchmarks.other.format": ("the text 'tabel'", "did you mean `table`?"),
        "benchmarks.none.format": ("this key is missing", "`table`"),
        "benchmarks.text": ("the text 'a text'", "keys and values"),
        "emergence.threshold": ("the text 'high'", "a number above 0"),
        "emergence.thresholds[0]": ("0", "a number above 0"),
        "confidence_level": ("95", "a number above 0.5, below 1"),
        "figures.dpi": ("1.5", "a whole number at least 50, at most 600"),
    }
    by_path = {problem.splitlines()[0].removeprefix(f"{path}: "): problem for problem in found}
    assert set(by_path) == set(expected)
    for where, (what, allowed) in expected.items():
        assert f"found: {what}" in by_path[where]
        assert allowed in by_path[where]


def test_a_number_that_yaml_takes_for_text_is_explained():
    (problem,) = problems_of({"benchmarks": {"mine": GOOD | {"multiply": {"scale": "1e9"}}}})
    assert "write 1.0e+09" in problem


def test_a_missing_file_names_its_key_and_the_nearest_file():
    study = {"benchmarks": {"mine": GOOD | {"files": ["workflow/resources/bigbench/score.csv"], "claims": "config"}}}
    files, claims = sorted(problems_of(study), reverse=True)
    assert "benchmarks.mine.files[0]" in files
    assert "did you mean `scores.csv`?" in files
    assert "config: a folder" in claims


def test_the_file_that_holds_the_mistake_is_named(tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(yaml.safe_dump({"benchmarks": {"mine": GOOD}}))
    second.write_text("figures: {dpi: 1}\n")
    (problem,) = problems_of({"benchmarks": {"mine": GOOD}, "figures": {"dpi": 1}}, [first, second])
    assert problem.startswith(f"{second}: figures.dpi")


def test_a_key_given_twice_is_an_error(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("benchmarks:\n  a: {}\n  a: {}\n")
    with pytest.raises(InputError, match=r"config\.yaml: line 3: .*the key 'a' stands here and on line 2"):
        documents.load_yaml(path)


def test_broken_yaml_names_the_line(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("benchmarks:\n  a: [1, 2\n  b: 3\n")
    with pytest.raises(InputError, match=r"line 3"):
        documents.load_yaml(path)


def test_metric_without_direction_is_refused(tmp_path):
    entries = documents.load_yaml("config/metrics.yaml")["metrics"]
    entry = {key: value for key, value in entries["bleu"].items() if key != "higher_is_better"}
    path = tmp_path / "metrics.yaml"
    path.write_text(yaml.safe_dump({"metrics": {"bleu": entry, "f1": entries["f1"] | {"range": [1, 0]}}}))
    with pytest.raises(InputError, match=r"metrics\.bleu\.higher_is_better\n    found: this key is missing"):
        metrics.load(path)
    path.write_text(
        yaml.safe_dump({"metrics": {"f1": entries["f1"] | {"range": [1, 0], "aliases": ["F"]}, "F": entries["bleu"]}})
    )
    with pytest.raises(InputError) as error:
        metrics.load(path)
    assert len(error.value.problems) == 2


def test_catalogue_covers_figure_5a_and_the_registry(catalogue):
    # the 39 metrics of Figure 5A, and every metric that a task of the registry or one of its subtasks prefers
    from emergence import registries

    paper = registries.load_paper_figures("workflow/resources/bigbench/paper_figures.csv")
    tasks = registries.load_tasks("workflow/resources/bigbench/tasks.csv")
    drawn = set(paper.loc[paper["figure"] == "5A", "metric"])
    assert len(drawn) == 39
    wanted = drawn | set(tasks["preferred_metric"]).union(*tasks["subtask_preferred_metrics"])
    assert wanted <= set(metrics.spellings(catalogue))
