"""BIG-bench's own result files: every score is there with its number, every oddity is counted with its path and reason."""

import errno
import json
import logging
import os
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import result_trees as made
from conftest import ROOT
from emergence.curves import frames
from emergence.ingest import checkouts, pipeline, trees
from emergence.ingest.readers.bigbench import reader
from emergence.io import documents
from emergence.io.errors import InputError
from emergence.study import configuration, registries
from samples import sample

CATALOGUE = str(ROOT / "config/metrics.yaml")
KEY = ["task", "subtask", "metric", "model_family", "model", "shots"]
GOOD = {"multiple_choice_grade": 0.5, "calibration_multiple_choice_brier_score": 0.2}


def ingest(tree, **keys):
    return pipeline.ingest("mine", made.block(tree, **keys), CATALOGUE)


def numbers(scores):
    """{key: score} of a score table."""
    return dict(zip(scores[KEY].astype({"shots": float}).itertuples(index=False, name=None), scores["score"], strict=True))


def read_plainly(tree):
    """An independent reading: json, loops and dictionaries, nothing checked."""
    found = {}
    for path in Path(tree).rglob("results/scores_*.json"):
        read = json.loads(path.read_text(encoding="utf-8"))
        task, model = read["task"]["task_name"], read["model"]
        for one in read["scores"]:
            subtask = "" if one["subtask_description"] == task else one["subtask_description"]
            for metric, value in one["score_dict"].items():
                key = (task, subtask, metric, model["model_family"], model["model_name"], float(one["number_of_shots"]))
                assert key not in found
                found[key] = value
    return found


@pytest.fixture
def tree(tmp_path):
    return tmp_path / "tree"


def test_every_score_is_there_and_no_other(tree):
    """Against an independent reading of the same files."""
    made.tree_of_tasks(tree, ["arithmetic", "tâche 数", "snow=white; x"])
    nested = made.content("list_functions.c001", [made.entry("c001", {"exact_str_match": 1, "bleu": 100.00000000000004}, 3)])
    made.write(tree, nested, folder="list_functions/c001")
    scores, account, inputs = ingest(tree)
    assert numbers(scores) == read_plainly(tree)
    assert account.groupby("outcome")["n"].sum().to_dict() == {"kept": len(scores), "read": len(scores)}
    assert sorted(inputs["file"]) == sorted(map(str, tree.rglob("scores_*.json")))


def test_parity_with_the_loader_of_bigbench():
    """Against what BIG-bench's own loader read out of files that its own evaluator wrote: 19,624 rows."""
    wanted = pd.read_csv(sample("bigbench_tree_expected.csv.gz"), keep_default_na=False)
    wanted = wanted.rename(columns={"family": "model_family"})
    wanted["subtask"] = wanted["subtask"].where(wanted["subtask"] != wanted["task"], "")
    scores, _, _ = ingest(sample("bigbench_tree"))
    text = scores.astype(dict.fromkeys(KEY[:5], "str"))
    both = wanted.merge(text, on=KEY, how="outer", indicator=True)
    assert len(wanted) == 19_624
    assert (both["_merge"] == "both").all()
    assert (both["score_raw"] == both["score"]).all()
    assert (both["flop_matched_non_embedding_params"] == both["scale"]).all()
    assert ((both["metric"] == both["preferred_metric"]) == both["preferred"]).all()
    assert (both["low_score_raw"] == both["chance"])[both["preferred"].astype(bool)].all()


def _has_bare_literal(path):
    return any(word in path.read_text() for word in (": NaN", ": Infinity", ": -Infinity"))


def test_edge_cases_of_the_evaluator():
    """Against the samples' README: -Infinity as a bare literal, a left-over backup, a run of one subtask, shots of -1."""
    scores, account, _ = ingest(sample("bigbench_edge"), on_error="skip")
    assert "list_functions.c001" in set(scores["task"])
    assert 0 < (scores["shots"] == -1).sum() <= account.query("outcome == 'noted'")["n"].sum()
    refused = account.query("outcome == 'refused'")
    assert set(refused["reason"]) == {"score is not a number"}
    tasks = {Path(file).parts[-3] for file in refused["file"]}
    literals = {path.parts[-3] for path in sample("bigbench_edge").rglob("scores_*.json") if _has_bare_literal(path)}
    assert tasks == literals
    ignored = account.query("outcome == 'ignored'")
    assert [Path(file).name for file in ignored["file"]] == ["scores_NGram_10k.json.backup_000001"]


def test_what_an_entry_says_of_its_scores(tree):
    """By hand: the bounds of an entry are those of its preferred metric; the task's own entry has no subtask."""
    entries = [made.entry("t:a", GOOD, 2), made.entry("t", GOOD, 2, "normalized_aggregate_score", 0, 100)]
    entries[1]["score_dict"] = GOOD | {"normalized_aggregate_score": 33.3}
    made.write(tree, made.content("t", entries))
    scores, _, _ = ingest(tree)
    rows = scores.astype({"subtask": "str", "metric": "str"}).set_index(["subtask", "metric"])
    assert rows.index.to_list() == [
        ("", "calibration_multiple_choice_brier_score"),
        ("", "multiple_choice_grade"),
        ("", "normalized_aggregate_score"),
        ("t:a", "calibration_multiple_choice_brier_score"),
        ("t:a", "multiple_choice_grade"),
    ]
    assert rows["preferred"].tolist() == [False, False, True, False, True]
    assert rows["chance"].fillna(-1).tolist() == [-1, -1, 0, -1, 0.25]
    # the task's own entry averages its subtasks, of which one metric is on all and the other, too
    assert rows["aggregate"].tolist() == [True, True, True, False, False]
    assert rows["members"].notna().tolist() == [True, True, True, False, False]
    assert set(scores["source"]) == {"t/results/scores_NGram_1k.json"}


@pytest.mark.parametrize(
    ("axis", "scale"), [("flop_matched_non_embedding_params", 1000), ("non_embedding_params", 1001), ("total_params", 2000)]
)
def test_the_scale_is_the_chosen_parameter_count(tree, axis, scale):
    made.write(tree, made.content("t", [made.entry("t", GOOD)]))
    assert set(ingest(tree, scale_axis=axis)[0]["scale"]) == {scale}


def test_python_and_fast_parser_read_the_same(tree, tmp_path):
    """A NaN where nothing uses it sends a file to Python's own parser: the scores must not differ."""
    made.tree_of_tasks(tree, ["t"])
    made.tree_of_tasks(tmp_path / "other", ["t"])
    for path in (tmp_path / "other").rglob("*.json"):
        path.write_text(path.read_text().replace('"queries": []', '"queries": [NaN, -Infinity]'))
    scores, _, _ = ingest(tree)
    others, _, _ = ingest(tmp_path / "other")
    pd.testing.assert_frame_equal(scores, others)


def _damaged(change):
    """The bytes of a good file, changed."""
    text = json.dumps(made.content("bad", [made.entry("bad", GOOD)]))
    return change(text).encode("utf-8", "surrogateescape")


def _replaced(old, new):
    def change(text):
        assert old in text
        return text.replace(old, new)

    return change


def _score(literal):
    """A file with one good score, and one that is written like this."""
    return _damaged(_replaced('"multiple_choice_grade": 0.5', f'"multiple_choice_grade": {literal}'))


def _key(old, new):
    return _damaged(_replaced(old, new))


ONE = {"refused": 1}
BOTH = {"refused": 2}
ONE_OF_TWO = {"refused": 1, "kept": 1}
NO_NUMBER = "score is not a number"
NO_SHOTS = "shots is not a whole number"
NO_SIZE = "is not a number above 0"
NO_JSON = "not valid JSON"
EMPTY = made.content("bad", [made.entry("bad", GOOD) | {"score_dict": {}}])

# what is wrong, the file's bytes, {outcome: scores}, the reason in the account, what the message names
DIRTY = [
    ("truncated", _damaged(lambda text: text[:200]), ONE, NO_JSON, "scores_x.json"),
    ("empty file", b"", ONE, "the file is empty", "scores_x.json"),
    ("blank file", b" \n", ONE, "the file is empty", "scores_x.json"),
    ("binary", b"\xff\xfe\x00\x01{", ONE, NO_JSON, "scores_x.json"),
    ("half a surrogate", _key('"bad"', '"\\ud800"'), ONE, NO_JSON, "scores_x.json"),
    ("deep nesting", b"[" * 100_000, ONE, NO_JSON, "scores_x.json"),
    ("a list", b"[1, 2]", ONE, "no list `scores`", "scores"),
    ("no scores", _key('"scores"', '"stores"'), ONE, "no list `scores`", "scores"),
    ("no entry", json.dumps(made.content("bad", [])).encode(), {"empty": 1}, "no entry in `scores`", None),
    ("no model", _key('"model"', '"modal"'), BOTH, "no block `model`", "model"),
    ("no family", _key('"NGram"', "null"), BOTH, "`model.model_family` is no name", "model.model_family"),
    ("no task", _key('"task_name": "bad"', '"task_name": 7'), BOTH, "`task.task_name` is no name", "`7`"),
    ("zero size", _key('_params": 1000', '_params": 0'), BOTH, NO_SIZE, "model.flop_matched"),
    ("null size", _key('_params": 1000', '_params": null'), BOTH, NO_SIZE, "found: nothing"),
    ("text score", _score('"0.5"'), ONE_OF_TWO, NO_NUMBER, '`"0.5"`'),
    ("true score", _score("true"), ONE_OF_TWO, NO_NUMBER, "`true`"),
    ("list score", _score("[1]"), ONE_OF_TWO, NO_NUMBER, "`[1]`"),
    ("null score", _score("null"), {"empty": 1, "kept": 1}, "null instead of a score", None),
    ("NaN", _score("NaN"), ONE_OF_TWO, NO_NUMBER, "`NaN`"),
    ("-Infinity", _score("-Infinity"), ONE_OF_TWO, NO_NUMBER, "`-inf`"),
    ("huge", _score("1" + 400 * "0"), ONE_OF_TWO, NO_NUMBER, "`inf`"),
    ("out of range", _score("50"), ONE_OF_TWO, "outside the range", "found: 50"),
    ("unknown metric", _key('"multiple_choice_grade": 0', '"my metric": 0'), ONE_OF_TWO, "not in the catalogue", "my metric"),
    ("negative shots", _key('_shots": 0', '_shots": -1'), {"noted": 2, "kept": 2}, "a negative number of shots", None),
    ("half a shot", _key('_shots": 0', '_shots": 0.5'), BOTH, NO_SHOTS, "`0.5`"),
    ("text shots", _key('_shots": 0', '_shots": "two"'), BOTH, NO_SHOTS, '`"two"`'),
    ("no score_dict", _key('"score_dict"', '"scores"'), ONE, "an entry without `score_dict`", "scores[0].score_dict"),
    ("empty score_dict", json.dumps(EMPTY).encode(), {"empty": 1}, "no score in `score_dict`", None),
    ("number as subtask", _key('description": "bad"', 'description": 3'), BOTH, "subtask is not a text", "`3`"),
]


@pytest.mark.parametrize(("data", "outcomes", "reason", "named"), [case[1:] for case in DIRTY], ids=[case[0] for case in DIRTY])
def test_dirty_files_are_counted_with_path_and_reason(tree, data, outcomes, reason, named):
    made.tree_of_tasks(tree, ["good"])
    path = str(made.write(tree, data, "scores_x.json", "bad"))
    scores, account, _ = ingest(tree, on_error="skip")
    rows = account[account["file"] == path]
    counts = rows.groupby("outcome")["n"].sum()
    assert counts.drop("read").to_dict() == outcomes
    assert any(reason in text for text in rows["reason"].dropna())
    assert counts["read"] == sum(counts.get(outcome, 0) for outcome in ("kept", "merged", "empty", "refused"))
    assert (scores["task"] == "good").sum() == 64
    if "refused" in outcomes:
        with pytest.raises(InputError) as error:
            ingest(tree)
        assert path in str(error.value)
        assert named in str(error.value)
    else:
        ingest(tree)


@pytest.mark.parametrize(
    ("old", "new", "outcomes"),
    [
        ('_shots": 1', '_shots": true', {"refused": 2}),
        ('"low_score": 0.25', '"low_score": NaN', {"refused": 2}),
        ('"low_score": 0.25', '"low_score": null', {"kept": 2}),
        ('"number_of_shots"', '"deep": ' + 600 * "[" + 600 * "]" + ', "number_of_shots"', {"kept": 2}),
        ('"multiple_choice_grade": 0.5, "bleu": 7.0', '"bleu": 7.0, "multiple_choice_grade": 0.5', {"kept": 2}),
    ],
)
@pytest.mark.parametrize("after", [True, False])
def test_files_that_differ_in_little_are_told_apart(tree, old, new, outcomes, after):
    """Files of a task are alike in all but their scores, as a rule; what a value equals is not what it is: True == 1.0 == 1."""
    scores = {"multiple_choice_grade": 0.5, "bleu": 7.0}
    good = json.dumps(made.content("twins", [made.entry("twins", scores, 1)]))
    other = json.dumps(made.content("twins", [made.entry("twins", scores, 1)], "10k")).replace(old, new)
    assert new in other
    made.write(tree, good.encode(), "scores_b.json", "twins")
    path = str(made.write(tree, other.encode(), f"scores_{'c' if after else 'a'}.json", "twins"))
    table, account, _ = ingest(tree, on_error="skip")
    counts = account[account["file"] == path].groupby("outcome")["n"].sum()
    assert counts.drop("read").to_dict() == outcomes
    kept = table[table["model"] == "1k"].set_index("metric")
    assert kept["score"].to_dict() == scores
    assert kept["shots"].to_list() == [1, 1]
    assert kept["chance"].dropna().to_dict() == {"multiple_choice_grade": 0.25}
    both = table.groupby("model")["score"].apply(sorted)
    assert ("10k" not in both and outcomes == {"refused": 2}) or set(both["10k"]) <= {0.5, 7.0}


@pytest.mark.parametrize("depth", [200, 990, 1010])
@pytest.mark.parametrize(
    "key", ["score_dict", "number_of_shots", "preferred_score", "total_params", "task_name", "scores", "0.5"]
)
def test_values_hundreds_of_levels_deep(tree, key, depth):
    """Deeper than Python's own writer can follow, and not too deep for the parser."""
    deep = "[" * depth + "]" * depth
    value = json.dumps(made.content("deep", [made.entry("deep", {"exact_str_match": 0.5})]))
    text = (
        value.replace("0.5", deep)
        if key == "0.5"
        else re.sub(rf'"{key}": (\{{.*?\}}|\[.*?\]|[^,}}]*)', f'"{key}": {deep}', value)
    )
    path = made.write(tree, text.encode(), "scores_F_m.json", "deep")
    with pytest.raises(InputError, match=str(path)):
        ingest(tree, scale_axis="total_params")
    _, account, _ = ingest(tree, scale_axis="total_params", on_error="skip")
    assert account.loc[account["file"] == str(path), "outcome"].tolist() == ["read", "refused"]


def test_several_mistakes_are_told_at_once(tree):
    for name in ("a", "b"):
        made.write(tree, b"", f"scores_{name}.json", "t")
    with pytest.raises(InputError) as error:
        ingest(tree)
    assert "scores_a.json" in str(error.value)
    assert "scores_b.json" in str(error.value)


def test_the_same_scores_in_two_files(tree):
    """By hand: what agrees is merged into the first file's, what differs is refused in both."""
    made.write(tree, made.content("t", [made.entry("t", GOOD)]))
    second = GOOD | {"multiple_choice_grade": 0.6}
    path = made.write(tree, made.content("t", [made.entry("t", second)]), "scores_copy.json")
    scores, account, _ = ingest(tree, on_error="skip")
    assert scores["metric"].tolist() == ["calibration_multiple_choice_brier_score"]
    assert set(scores["source"]) == {"t/results/scores_NGram_1k.json"}
    counts = account.set_index(["file", "outcome"])["n"]
    assert counts[str(path)].to_dict() == {"merged": 1, "read": 2, "refused": 1}
    assert counts[str(path.with_name("scores_NGram_1k.json"))].to_dict() == {"kept": 1, "read": 2, "refused": 1}
    with pytest.raises(InputError, match=r"scores_NGram_1k\.json: scores\[0\]\.score_dict\.multiple_choice_grade: the same task"):
        ingest(tree)


def test_links_that_leave_the_tree_are_refused(tree, tmp_path):
    outside = made.write(tmp_path / "outside", made.content("secret", [made.entry("secret", GOOD)]))
    inside = made.write(tree, made.content("t", [made.entry("t", GOOD)]))
    inside.with_name("scores_out.json").symlink_to(outside)
    inside.with_name("scores_gone.json").symlink_to(tmp_path / "nothing")
    inside.with_name("scores_in.json").symlink_to(inside.name)
    (tree / "linked").symlink_to(outside.parents[1])
    (tree / "loop").symlink_to(tree)
    scores, account, _ = ingest(tree, on_error="skip")
    assert set(scores["task"]) == {"t"}
    reasons = account.query("outcome == 'refused'").set_index("file")["reason"].to_dict()
    assert reasons == {
        str(inside.with_name("scores_out.json")): "the file is a link that leaves the tree",
        str(inside.with_name("scores_gone.json")): "the file is a link that leaves the tree",
        str(tree / "linked"): "the folder is a link that leaves the tree",
    }
    assert account.query("outcome == 'merged'")["file"].tolist() == [str(inside.with_name("scores_in.json"))]
    with pytest.raises(InputError, match="leaves the tree"):
        ingest(tree)


def test_a_file_that_may_not_be_read(tree, monkeypatch):
    """The system's refusal is simulated: root, who may run the tests, may read everything."""
    path = made.write(tree, made.content("t", [made.entry("t", GOOD)]))
    made.write(tree, made.content("u", [made.entry("u", GOOD)]))
    plain_open = os.open

    def guarded(name, *arguments):
        if str(name) == str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return plain_open(name, *arguments)

    monkeypatch.setattr(reader.os, "open", guarded)
    scores, account, _ = ingest(tree, on_error="skip")
    assert set(scores["task"]) == {"u"}
    refused = account.query("outcome == 'refused'")
    assert refused[["file", "reason", "n"]].to_numpy().tolist() == [[str(path), "the file cannot be read: Permission denied", 1]]


def test_a_folder_that_may_not_be_listed(tree, monkeypatch):
    made.write(tree, made.content("t", [made.entry("t", GOOD)]))
    closed = made.write(tree, made.content("u", [made.entry("u", GOOD)])).parent
    plain_scan = os.scandir

    def guarded(name):
        if str(name) == str(closed):
            raise PermissionError(errno.EACCES, "Permission denied", str(name))
        return plain_scan(name)

    monkeypatch.setattr(trees.os, "scandir", guarded)
    _, account, _ = ingest(tree, on_error="skip")
    refused = account.query("outcome == 'refused'")
    assert refused[["file", "reason"]].to_numpy().tolist() == [[str(closed), "the folder cannot be listed: Permission denied"]]


def test_a_file_above_the_limit_is_not_read(tree):
    made.write(tree, made.content("t", [made.entry("t", GOOD)]))
    large = tree / "t/results/scores_large.json"
    with open(large, "wb") as file:
        # 200 MB that take no room on the disk
        file.truncate(200_000_000)
    _, account, inputs = ingest(tree, on_error="skip")
    refused = account.query("outcome == 'refused'")
    assert refused[["file", "reason"]].to_numpy().tolist() == [[str(large), "the file is larger than max_file_mb"]]
    assert str(large) not in set(inputs["file"])
    with pytest.raises(InputError, match=r"found: 200\.0 MB\s+allowed: at most 50 MB"):
        ingest(tree)


def test_what_is_not_a_regular_file_is_refused(tree):
    """A pipe would keep a reader waiting for ever."""
    path = made.write(tree, made.content("t", [made.entry("t", GOOD)])).with_name("scores_pipe.json")
    os.mkfifo(path)
    _, account, _ = ingest(tree, on_error="skip")
    assert account.query("outcome == 'refused'")[["file", "reason"]].to_numpy().tolist() == [[str(path), "it is not a file"]]


def test_odd_names_come_through(tree):
    """Names are data: spaces at their ends, quotes, line breaks, other scripts, a comma in a file's name."""
    names = [' "x", y ', "a\nb", "ünï", "数学", "$(rm -rf)", "a/b"]
    entries = [made.entry(name, GOOD) for name in names]
    path = made.write(tree, made.content("t\t,", entries, family="F, 'q'"), 'scores_a, "b" ü.json', "folder; ü")
    scores, account, _ = ingest(tree)
    assert set(scores["subtask"]) == set(names)
    assert set(scores["model_family"]) == {"F, 'q'"}
    assert set(account["file"]) == {str(path)}


def test_a_file_name_that_is_no_unicode(tree):
    folder = os.fsencode(tree) + b"/t/results"
    os.makedirs(folder)
    with open(folder + b"/scores_\xff.json", "wb") as file:
        file.write(json.dumps(made.content("t", [made.entry("t", GOOD)])).encode())
    scores, account, _ = ingest(tree)
    assert len(scores) == 2
    assert set(account["file"]) == {str(tree / "t/results/scores_\\xff.json")}


def test_no_score_file_at_all(tree):
    (tree / "t/results").mkdir(parents=True)
    (tree / "t/results/scores_x.json.backup_000001").write_text("{}")
    with pytest.raises(InputError, match=r"nothing named results/scores_\*\.json"):
        ingest(tree, on_error="skip")


def test_one_task_in_folders_of_two_names(tree):
    made.write(tree, made.content("t", [made.entry("t", GOOD)]))
    made.write(tree, made.content("t", [made.entry("t", GOOD)], "10k"), folder="copy_of_t")
    with pytest.raises(InputError, match=r"the task `t`\s+found: results in the folder `copy_of_t` and in the folder `t`"):
        ingest(tree, on_error="skip")


def test_progress_is_told(tree, monkeypatch, caplog):
    made.tree_of_tasks(tree, ["t"])
    monkeypatch.setattr(reader, "_INTERVAL", -1)
    with caplog.at_level(logging.INFO, "emergence"):
        ingest(tree)
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"{tree}: {number} of 8 files read" for number in [*range(8), 8]]


def test_a_registry_from_the_files_themselves():
    """By hand: BIG-bench prefers for a whole task what its own entry says, else what its rule of aggregation gives."""
    says = [
        ("own", "", "bleu", True), ("own", "", "rouge1", False), ("own", "a", "exact_str_match", True),
        ("one", "only", "bleu", True),
        ("choice", "a", "multiple_choice_grade", True), ("choice", "b", "multiple_choice_grade", True),
        ("mixed", "a", "multiple_choice_grade", True), ("mixed", "b", "bleu", True),
        ("divided", "", "bleu", True), ("divided", "", "rouge1", True), ("divided", "", "rouge1", True),
        ("silent", "", "bleu", None),
    ]  # fmt: skip
    scores = pd.DataFrame(says, columns=["task", "subtask", "metric", "preferred"]).astype({"preferred": "boolean"})
    tasks = registries.from_scores(scores).set_index("task")
    assert tasks["preferred_metric"].to_dict() == {
        "choice": "multiple_choice_grade",
        "divided": "rouge1",
        "mixed": "normalized_aggregate_score",
        "one": "bleu",
        "own": "bleu",
    }
    assert tasks["subtask_preferred_metrics"]["mixed"] == ["bleu", "multiple_choice_grade"]


@pytest.mark.parametrize(
    ("entries", "metrics", "kept"),
    [
        ("all", "all", [0, 1, 2, 3, 4]),
        ("all", "preferred", [0, 2, 4]),
        ("tasks", "preferred", [0, 4]),
        ("subtasks", "all", [2, 3]),
    ],
)
def test_the_curves_that_answers_are_taken_over(entries, metrics, kept):
    """By hand; a curve of which nothing says whether its metric is preferred stays."""
    curves = pd.DataFrame({"row": range(5), "subtask": ["", "", "a", "a", ""]})
    curves["preferred"] = pd.array([True, False, True, False, None], dtype="boolean")
    assert frames.chosen(curves, entries, metrics)["row"].tolist() == kept


def test_what_the_block_says_of_tasks_and_models_is_filled_in(tree):
    """By hand: the block's number of examples where it names the task; a model that it names must agree with the file."""
    made.write(tree, made.content("t", [made.entry("t", GOOD)]))
    made.write(tree, made.content("u", [made.entry("u", GOOD)]))
    keys = {"by_task": {"n_examples": {"t": 50, "not here": 7}}, "models": {"1k": {"family": "NGram", "scale": 1000}}}
    scores, account, _ = ingest(tree, **keys)
    assert scores.groupby("task", observed=True)["n_examples"].first().fillna(0).to_dict() == {"t": 50, "u": 0}
    assert set(account["outcome"]) == {"read", "kept"}
    with pytest.raises(InputError, match="1000 in the file, 2000 in the block"):
        ingest(tree, models={"1k": {"family": "NGram", "scale": 2000}})


def test_the_block_is_checked(tree, tmp_path):
    def mistake(**keys):
        with pytest.raises(InputError) as error:
            configuration.check({"benchmarks": {"mine": {"format": "bigbench"} | keys}})
        return str(error.value)

    git = {"url": "https://example.org/x.git", "commit": "0" * 40}
    tree.mkdir()
    (tmp_path / "file").touch()
    assert "neither `directory` nor `git`" in mistake()
    assert "`directory` and `git`" in mistake(directory=str(tree), git=git)
    assert "no such folder" in mistake(directory=str(tree / "nowhere"))
    assert "file: a file" in mistake(directory=str(tmp_path / "file"))
    assert "benchmarks.mine.git.commit" in mistake(git=git | {"commit": "main"})
    assert "did you mean `scale_axis`?" in mistake(git=git, scale_axes="total_params")
    assert (
        configuration.check({"benchmarks": {"mine": {"format": "bigbench", "git": git}}})["benchmarks"]["mine"]["max_file_mb"]
        == 50
    )


def test_the_example_is_a_study_that_can_be_run(tmp_path, monkeypatch):
    """Complete and valid once the checkout is there; with `git` in place of the folder, too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    (tmp_path / "BIG-bench/bigbench/benchmark_tasks").mkdir(parents=True)
    path = ROOT / "config/examples/bigbench.yaml"
    study = documents.load_yaml(path)
    assert configuration.check(study, [path])["benchmarks"]["bigbench"]["on_error"] == "skip"
    text = (
        path.read_text()
        .replace("    # git:", "    git:")
        .replace("    #   ", "      ")
        .replace("      commit: #", "      commit: '%s' #")
    )
    text = text.replace("    directory: ", "    # directory: ") % ("0" * 40)
    (tmp_path / "git.yaml").write_text(text)
    assert "git" in configuration.check(documents.load_yaml(tmp_path / "git.yaml"))["benchmarks"]["bigbench"]
    own = documents.load_schema(configuration.READERS / "bigbench" / "schema.yaml")["properties"]
    assert set(own) - set(study["benchmarks"]["bigbench"]) == {"git"}


def git(folder, *arguments):
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def server(tmp_path):
    """A git server at a file:// address, with two commits. Gives (url, first commit, second commit)."""
    folder = tmp_path / "server"
    made.tree_of_tasks(folder / "bigbench/benchmark_tasks", ["a", "b"])
    (folder / "bigbench/benchmark_tasks/a/task.json").write_text('{"large": "' + "x" * 10_000 + '"}')
    (folder / "README.md").write_text("not a score file")
    git(folder, "init", "--quiet")
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        git(folder, "config", key, "true")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "first")
    first = git(folder, "rev-parse", "HEAD")
    git(folder, "rm", "-r", "--quiet", "bigbench/benchmark_tasks/b")
    git(folder, "commit", "--quiet", "-m", "second")
    return folder.as_uri(), first, git(folder, "rev-parse", "HEAD")


def test_a_commit_is_fetched_score_files_only(server, tmp_path, monkeypatch):
    """Against the repository that it comes from, and git's own list of what is missing in the clone."""
    url, first, second = server
    checkout, record = tmp_path / "checkout", tmp_path / "checkout.json"
    monkeypatch.setattr(checkouts, "CHUNK", 3)
    checkouts.fetch(url, first, checkout, record)
    origin = tmp_path / "server"
    paths = sorted(path.relative_to(origin) for path in origin.rglob("scores_*.json"))
    written = sorted(path.relative_to(checkout) for path in checkout.rglob("*") if path.is_file() and ".git" not in path.parts)
    assert len(written) == 16
    assert set(paths) <= set(written)
    assert all((checkout / path).read_bytes() == (origin / path).read_bytes() for path in paths)
    missing = git(checkout, "rev-list", "--objects", "--missing=print", first)
    assert missing.count("?") == 2
    said = json.loads(record.read_text())
    assert said["tree"] == git(origin, "rev-parse", f"{first}^{{tree}}")
    assert (said["commit"], said["n_files"]) == (first, 16)
    scores, _, _ = ingest(checkout)
    assert len(scores) == 2 * 64

    checkouts.fetch(url, second, checkout, record)
    assert {path.parts[-3] for path in checkout.rglob("scores_*.json")} == {"a"}


def test_fetching_again_mends_and_goes_on(server, tmp_path, monkeypatch):
    """A file that was lost or changed is restored; what is there already is not asked for again."""
    url, first, _ = server
    checkout, record = tmp_path / "checkout", tmp_path / "checkout.json"
    plain_git, n_calls = checkouts._git, []

    def breaks(folder, *arguments, stdin=None):
        n_calls.append(arguments[0])
        if n_calls.count("checkout") == 3:
            raise InputError("the line broke")
        return plain_git(folder, *arguments, stdin=stdin)

    monkeypatch.setattr(checkouts, "CHUNK", 4)
    monkeypatch.setattr(checkouts, "_git", breaks)
    with pytest.raises(InputError, match="the line broke"):
        checkouts.fetch(url, first, checkout, record)
    assert len(list(checkout.rglob("scores_*.json"))) == 8
    assert not record.exists()
    changed, lost = sorted(checkout.rglob("scores_*.json"))[:2]
    wanted = changed.read_bytes()
    changed.write_bytes(wanted.replace(b"0", b"1"))
    lost.unlink()
    n_calls.clear()
    monkeypatch.setattr(checkouts, "_git", lambda *a, **k: n_calls.append(a[1]) or plain_git(*a, **k))
    checkouts.fetch(url, first, checkout, record)
    # ten files in chunks of four, and no listing
    assert (n_calls.count("checkout"), n_calls.count("fetch")) == (3, 0)
    assert changed.read_bytes() == wanted
    assert lost.exists()


def test_what_a_killed_git_leaves_does_not_stop_the_next(server, tmp_path):
    """Locks, and a repository that is none yet: git must mend it, and not go up to the one that it lies in."""
    url, first, _ = server
    outer, checkout = tmp_path / "outer", tmp_path / "outer/results/checkout"
    (checkout / ".git").mkdir(parents=True)
    git(outer, "init", "--quiet")
    before = (outer / ".git/config").read_bytes()
    checkouts.fetch(url, first, checkout, tmp_path / "checkout.json")
    assert (outer / ".git/config").read_bytes() == before
    for name in ("index.lock", "config.lock", "shallow.lock"):
        (checkout / ".git" / name).touch()
    next(checkout.rglob("scores_*.json")).write_bytes(b"")
    checkouts.fetch(url, first, checkout, tmp_path / "checkout.json")
    assert len(list(checkout.rglob("scores_*.json"))) == 16


def test_a_commit_that_is_not_there(server, tmp_path):
    url, _, _ = server
    with pytest.raises(InputError, match="git fetch"):
        checkouts.fetch(url, "0123456789" * 4, tmp_path / "checkout", tmp_path / "checkout.json")
    assert not (tmp_path / "checkout.json").exists()
