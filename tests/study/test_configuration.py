"""The configuration: every mistake is found at once, and each message says file, path, found, allowed, nearest name."""

import itertools

import pytest
import yaml

from conftest import ROOT
from emergence.io import documents
from emergence.io.errors import InputError
from emergence.study import configuration, metric_catalogue
from emergence.study.configuration import DEFAULT_METRICS

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
        configuration.check(study, files)
    return error.value.problems


def said_of(study):
    return "\n".join(problems_of(study))


def test_the_shipped_study_is_valid_and_complete_with_defaults():
    study = configuration.check(documents.load_yaml("config/config.yaml"), ["config/config.yaml"])
    assert study["benchmarks"]["big_bench"]["on_error"] == "stop"
    assert configuration.check({"benchmarks": {"b": GOOD}})["emergence"] == {
        "threshold": 100,
        "relative_threshold": 2,
        "relative_thresholds": [1, 1.5, 2, 3, 5, 10],
        "thresholds": [5, 10, 20, 50, 100, 200],
    }


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


@pytest.mark.parametrize("name", ["{x}.csv", "{{x}}.csv", "a}.csv"])
def test_a_path_that_snakemake_would_take_for_a_pattern(tmp_path, name):
    (tmp_path / name).write_text("t")
    (tmp_path / f"{name}.json").write_text("{}")
    table = {"format": "table", "files": [str(tmp_path / name)], "columns": {}}
    text = said_of({"benchmarks": {"one": table, "two": {"format": "lm_eval", "files": [str(tmp_path)]}}})
    for key, file in (("one", name), ("two", f"{name}.json")):
        assert f"benchmarks.{key}.files[0]\n    found: {tmp_path}/{file}\n    allowed: " in text
    assert "which Snakemake takes for wildcards" in text


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "a" + "/b" * 3000])
def test_a_path_that_no_file_can_have_is_not_there(name):
    text = said_of({"benchmarks": {"one": {"format": "table", "files": [name], "columns": {"task": "t"}}}})
    assert "benchmarks.one.files[0]" in text
    assert ": no such file\n    allowed: a file that can be read" in text


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("a: &a [x]\nb: *c", 2, "undefined alias"),
        ("a: &a [*a]", None, "the alias `*a` stands inside what it repeats"),
        ("[" * 100_000, None, "more than 50 deep"),
        ("a:\n  - " + "- " * 60 + "x", None, "more than 50 deep"),
        ("a: 2024-99-99", 1, "looks like YAML's type `timestamp` but is not one; write a text in quotes"),
        ("a: 1\nb: 0b_", 2, "looks like YAML's type `int` but is not one"),
        ("a: " + "9" * 5000, 1, "looks like YAML's type `int` but is not one"),
        ("a: 1\n? [b]\n: c", 2, "a key that is neither text nor number"),
        ("a: !!map b", 1, "no keys and values"),
    ],
)
def test_yaml_that_cannot_be_used_is_a_message(tmp_path, text, line, expected):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        documents.load_yaml(path)
    assert str(error.value).startswith(f"{path}:{f' line {line}:' if line else ''} not valid YAML: ")
    assert expected in str(error.value)


def test_aliases_of_aliases_do_not_fill_the_memory(tmp_path):
    # ten to the ninth texts in ten lines; read plainly they are one list, and grow as soon as anyone looks at them
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in itertools.pairwise("abcdefghi")]
    path = tmp_path / "study.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(
        InputError, match=r"study\.yaml: not valid YAML: with its aliases written out it holds more than 1,000,000"
    ):
        documents.load_yaml(path)
    # what people write with them is untouched
    path.write_text("\n".join(lines[:3]))
    assert documents.load_yaml(path)["c"][9][9] == ["x"] * 10


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"benchmarks": {"one": {"format": ["table"]}}}, ["benchmarks.one.format", "found: a list", "`table`"]),
        ({"benchmarks": {1: {"format": "table"}}}, ["found: this name", "letters, digits"]),
        ({"confidence_level": float("nan")}, ["confidence_level", "found: the number nan", "a finite number"]),
        ({"emergence": {"threshold": 10**400}}, ["emergence.threshold", "found: the number with 401 digits"]),
    ],
)
def test_values_that_every_bound_lets_through(change, expected):
    text = said_of({"benchmarks": {"one": {"format": "bigbench", "directory": "config"}}} | change)
    for part in expected:
        assert part in text


def test_a_metric_whose_name_yaml_takes_for_something_else(tmp_path):
    path = tmp_path / "metrics.yaml"
    path.write_text(DEFAULT_METRICS.read_text() + "  no: {}\n")
    with pytest.raises(
        InputError, match="found: this name\n    allowed: a text, in quotes where YAML takes it for something else"
    ):
        metric_catalogue.load(path)


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
        metric_catalogue.load(path)
    path.write_text(
        yaml.safe_dump({"metrics": {"f1": entries["f1"] | {"range": [1, 0], "aliases": ["F"]}, "F": entries["bleu"]}})
    )
    with pytest.raises(InputError) as error:
        metric_catalogue.load(path)
    assert len(error.value.problems) == 2


def test_catalogue_covers_figure_5a_and_the_registry(catalogue):
    # the 39 metrics of Figure 5A, and every metric that a task of the registry or one of its subtasks prefers
    from emergence.study import registries

    paper = registries.load_paper_figures("workflow/resources/bigbench/paper_figures.csv")
    tasks = registries.load_tasks("workflow/resources/bigbench/tasks.csv", metric_catalogue.load(DEFAULT_METRICS))
    drawn = set(paper.loc[paper["figure"] == "5A", "metric"])
    assert len(drawn) == 39
    wanted = drawn | set(tasks["preferred_metric"]).union(*tasks["subtask_preferred_metrics"])
    assert wanted <= set(metric_catalogue.spellings(catalogue))
