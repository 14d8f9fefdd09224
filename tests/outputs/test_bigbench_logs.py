"""BIG-bench's full logs: positions for ids, both kinds of queries, and literals that are not JSON."""

import json

import numpy as np
import pandas as pd
import pytest

import output_files
from emergence.outputs import metrics, rescoring
from emergence.outputs.rescoring import Settings, Task
from output_files import counted, log, scored, write_log, written
from samples import sample

ingest, message = pytest.fixture(output_files.ingest), pytest.fixture(output_files.message)


def two_models(folder, queries, **keys):
    return [write_log(folder, log("sorting", name, queries), **keys) for name in ("m1", "m2")]


def test_multiple_choice(tmp_path, ingest):
    samples = [scored(0, [-1.0, -2.0], {"é": 0, "x y": 1}), scored(1, [-3.0, -0.5], {"a": 0.25, "b": 1})]
    two_models(tmp_path, [("cond_log_prob", 3, samples)])
    frame, account = ingest("bigbench_logs", directory=str(tmp_path))
    assert frame[["subtask", "model", "shots", "filter", "example", "kind"]].to_numpy().tolist() == [
        ["", name, 3, "", str(number), "choices"] for name in ("m1", "m2") for number in (0, 1)
    ]
    found = frame.iloc[0]
    assert (found["log_probs"].tolist(), found["credits"].tolist()) == ([-1, -2], [0, 1])
    assert (found["targets"].tolist(), found["n_bytes"].tolist(), found["n_words"].tolist()) == (["é", "x y"], [2, 3], [1, 2])
    assert (found["stored_metrics"].tolist(), found["stored_values"].tolist()) == (["correct"], [1])
    assert counted(account, "noted") == {"a choice is partly right": 2}


def test_positions_count_within_subtask_shots_and_function(tmp_path, ingest):
    # programmatic tasks ask the model many times: the second query goes on where the first ends
    first, second = [written(i, "x", ["x"]) for i in range(3)], [written(i, "y", ["x", "y"]) for i in range(3, 5)]
    queries = [("generate_text", 0, first, "part"), ("generate_text", 1, first, "part"), ("generate_text", 0, second, "part")]
    two_models(tmp_path, queries)
    frame, _ = ingest("bigbench_logs", directory=str(tmp_path))
    frame = frame[frame["model"] == "m1"]
    assert frame[["subtask", "shots", "example"]].to_numpy().tolist() == [["part", 0, str(i)] for i in range(5)] + [
        ["part", 1, str(i)] for i in range(3)
    ]
    last = frame[frame["shots"] == 0].iloc[-1]
    # BIG-bench takes the best over the right answers; what is null is not there
    assert (last["targets"].tolist(), last["stored_metrics"].tolist(), last["stored_values"].tolist()) == (
        ["x", "y"],
        ["exact_str_match"],
        [1],
    )


def test_both_kinds_of_one_question(tmp_path, ingest):
    queries = [("cond_log_prob", 0, [scored(0, [-1.0, -2.0], {"a": 0, "b": 1})]), ("generate_text", 0, [written(0, "b", ["b"])])]
    two_models(tmp_path, queries)
    frame, _ = ingest("bigbench_logs", directory=str(tmp_path))
    assert frame[["model", "filter", "example", "kind"]].to_numpy().tolist() == [
        [name, chosen, "0", kind] for name in ("m1", "m2") for chosen, kind in (("", "choices"), ("generate_text", "text"))
    ]
    assert len(set(frame["input_hash"])) == 1


def test_log_likelihoods_are_a_row_for_each_right_answer(tmp_path, ingest):
    two_models(tmp_path, [("cond_log_prob", 0, [scored(0, [-1.5, -2.5], ["right", "right too"])])])
    frame, _ = ingest("bigbench_logs", directory=str(tmp_path))
    found = frame[frame["model"] == "m1"]
    assert found[["kind", "example", "repeat"]].to_numpy().tolist() == [["loglikelihood", "0", 0], ["loglikelihood", "0", 1]]
    assert [values.tolist() for values in found["log_probs"]] == [[-1.5], [-2.5]]
    assert [values.tolist() for values in found["targets"]] == [["right"], ["right too"]]


def test_literals_that_are_not_json(tmp_path, ingest, message):
    # an unsmoothed model, and a text that looks like the literals
    samples = [scored(0, [-np.inf, -2.0], {"a NaN, b": 0, "[-Infinity]": 1}), scored(1, [-np.inf] * 2, {"a": 0, "b": 1})]
    samples[1]["normalized_scores"] = [np.nan, np.nan]
    paths = two_models(tmp_path, [("cond_log_prob", 0, samples)])
    frame, _ = ingest("bigbench_logs", directory=str(tmp_path))
    assert frame.iloc[0]["log_probs"].tolist() == [-np.inf, -2]
    assert frame.iloc[0]["targets"].tolist() == ["a NaN, b", "[-Infinity]"]
    assert np.isnan(frame.iloc[1]["normalised_log_probs"]).all()
    paths[0].write_text(paths[0].read_text().replace("-2.0", "NaN"))
    said = message("bigbench_logs", directory=str(tmp_path))
    assert f"{paths[0]}: queries[0].samples[0]\n    found: nan\n    allowed: a number of at most 0, or -Infinity" in said


def test_choices_of_equal_text_collapse(tmp_path, ingest):
    entry = scored(0, [-1.0, -2.0], {"a": 1})
    entry |= {"targets": ["a", "a"], "normalized_scores": [-1.0, -2.0]}
    two_models(tmp_path, [("cond_log_prob", 0, [entry])])
    frame, account = ingest("bigbench_logs", directory=str(tmp_path))
    assert frame.iloc[0]["credits"].tolist() == [1, 1]
    assert counted(account, "noted") == {"several choices are right": 2, "the same choice twice": 2}


def test_a_question_without_a_right_choice_is_kept_and_noted(tmp_path, ingest):
    two_models(tmp_path, [("cond_log_prob", 0, [scored(0, [-1.0, -2.0], {"a": 0, "b": 0})])])
    frame, account = ingest("bigbench_logs", directory=str(tmp_path))
    assert frame.iloc[0]["credits"].tolist() == [0, 0]
    assert counted(account, "noted") == {"no choice is right": 2}


def test_another_question_at_the_same_position(tmp_path, message):
    first, second = two_models(tmp_path, [("cond_log_prob", 1, [scored(i, [-1.0, -2.0], {"a": 0, "b": 1}) for i in range(3)])])
    content = json.loads(second.read_text())
    for number, asked in enumerate((0, 2, 1)):
        # what goes before the last question may differ
        content["queries"][0]["samples"][number]["input"] = f"\nQ: other\nA: a\n\nQ: question {asked}?\nA: "
    second.write_text(json.dumps(content))
    said = message("bigbench_logs", directory=str(tmp_path))
    assert (
        f"{second}: queries[0].samples[1]: the task `sorting`, 1 shots\n    found: the example `1` is another question than"
        in said
    )
    assert f"{first}; 2 such examples" in said


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda content: content.pop("queries"), "missing required field `queries`"),
        (lambda content: content["model"].pop("model_family"), "missing required field `model_family`"),
        (lambda content: content["task"].update(task_name=" "), "no `task` with a `task_name`"),
        (lambda content: content["queries"][0].update(function="chat"), "the function `chat`\n    allowed: generate_text or"),
        (lambda content: content["queries"][0].update(samples=3), "queries[0]\n    found: Expected `array`, got `int`"),
        (lambda content: content["queries"][0]["samples"][1].update(scores=["x"], absolute_scores=None), "queries[0].samples[1]"),
        (lambda content: content["queries"][0]["samples"][1].update(absolute_scores=[-1.0]), "1 scores and 2 targets"),
        (lambda content: content["queries"][0]["samples"][1].update(target_values={"a": 1}), "a choice without a value in"),
        (
            lambda content: content["queries"][0]["samples"][1].update(target_values={"a": 1, "b": 2}),
            "from 0 (wrong) to 1 (right)",
        ),
        (
            lambda content: content["queries"][0]["samples"][1].update(absolute_scores=[-1.0, 0.5]),
            "found: 0.5\n    allowed: natural",
        ),
        (lambda content: content["queries"][0]["samples"][1].update(absolute_scores=[0.0, 0.0]), "only log-probabilities of 0"),
        (lambda content: content["model"].update(flop_matched_non_embedding_params=None), "allowed: a number above 0"),
    ],
)
def test_damage_is_one_clear_message(tmp_path, message, damage, expected):
    two_models(tmp_path, [("cond_log_prob", 0, [scored(i, [-1.0, -2.0], {"a": 0, "b": 1}) for i in range(2)])])
    path = tmp_path / "sorting/results/full-log_F_m1.json"
    content = json.loads(path.read_text())
    damage(content)
    path.write_text(json.dumps(content))
    said = message("bigbench_logs", directory=str(tmp_path))
    assert str(path) in said
    assert expected in said


@pytest.mark.parametrize("literal", ["-2.0", "-Infinity"])
def test_one_bad_sample_leaves_the_others_as_they_are(tmp_path, ingest, literal):
    """Against the same logs without it, of which all can be read at once."""
    good = [scored(i, [-1.0 - i, -2.0], {"a": 0, "b": 1}) for i in range(4)]
    queries = [("cond_log_prob", 0, good), ("generate_text", 0, [written(0, "b", ["b"])])]
    paths = two_models(tmp_path, queries)
    for path in paths:
        path.write_text(path.read_text().replace("-2.0", literal))
    whole, _ = ingest("bigbench_logs", directory=str(tmp_path))
    for path in paths:
        content = json.loads(path.read_text())
        content["queries"][0]["samples"].append({"input": 3})
        path.write_text(json.dumps(content))
    found, account = ingest("bigbench_logs", directory=str(tmp_path), on_error="skip")
    assert counted(account, "refused") == {"a sample of another form": 2}
    pd.testing.assert_frame_equal(found, whole)
    assert whole["log_probs"].map(len).tolist() == [2, 2, 2, 2, 0] * 2


def test_what_holds_nothing_is_counted(tmp_path, ingest, message):
    good = [scored(i, [-1.0, -2.0], {"a": 0, "b": 1}) for i in range(2)]
    write_log(tmp_path, log("sorting", "m1", []))
    write_log(tmp_path, log("sorting", "m2", [("cond_log_prob", 0, good), ("generate_text", 0, [])]))
    frame, account = ingest("bigbench_logs", directory=str(tmp_path))
    assert len(frame) == 2
    assert counted(account, "ignored") == {"a log without queries": 1, "a query without samples": 1}
    write_log(tmp_path, log("sorting", "m2", [("cond_log_prob", 0, [*good, scored(2, [], [])])]))
    assert "queries[0].samples[2]\n    found: no targets" in message("bigbench_logs", directory=str(tmp_path))


def test_a_byte_order_mark_is_no_part_of_a_log(tmp_path, ingest):
    for path in two_models(tmp_path, [("cond_log_prob", 0, [scored(0, [-1.0, -2.0], {"a": 0, "b": 1})])]):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(ingest("bigbench_logs", directory=str(tmp_path))[0]) == 2


def test_no_log_at_all(tmp_path, message):
    assert "nothing named results/full-log_*.json" in message("bigbench_logs", directory=str(tmp_path))


def test_backups_are_ignored_and_large_files_refused_unread(tmp_path, ingest, message):
    samples = [scored(0, [-1.0, -2.0], {"a": 0, "b": 1})]
    two_models(tmp_path, [("cond_log_prob", 0, samples)])
    write_log(tmp_path, log("sorting", "m1", []), name="full-log_F_m1.json.backup_000001")
    _, account = ingest("bigbench_logs", directory=str(tmp_path))
    assert account[account["outcome"] == "ignored"]["n"].tolist() == [1]
    assert "the file is larger than max_file_mb" in message("bigbench_logs", directory=str(tmp_path), max_file_mb=1e-5)


def test_a_task_in_two_folders_is_refused(tmp_path, message):
    samples = [scored(0, [-1.0, -2.0], {"a": 0, "b": 1})]
    write_log(tmp_path, log("sorting", "m1", [("cond_log_prob", 0, samples)]), inside="one")
    write_log(tmp_path, log("sorting", "m2", [("cond_log_prob", 0, samples)]), inside="two")
    assert "results in the folder `one` and in the folder `two`" in message("bigbench_logs", directory=str(tmp_path))


@pytest.mark.parametrize("name", ["bigbench_tree", "bigbench_edge"])
def test_real_logs_give_the_stored_grade_of_every_example(ingest, name):
    # BIG-bench's own `correct` of every sample, where no two log-probabilities tie; and its exact matches
    frame, account = ingest("bigbench_logs", directory=str(sample(name)))
    assert account["outcome"].isin(["read", "kept", "noted", "ignored"]).all()
    chosen = frame[frame["kind"] == "choices"]
    best = [np.flatnonzero(values == values.max()) for values in chosen["log_probs"]]
    grade = np.array([credit[at[0]] for credit, at in zip(chosen["credits"], best, strict=True)])
    stored = np.array([values[0] for values in chosen["stored_values"]])
    unique = np.array([len(at) == 1 for at in best])
    assert unique.sum() > 50
    assert (grade == stored)[unique].all()
    texts = frame[frame["kind"] == "text"]
    for _, found in texts.iterrows():
        values = dict(zip(found["stored_metrics"], found["stored_values"], strict=True))
        if "exact_str_match" in values:
            assert values["exact_str_match"] == float(found["output"] in found["targets"])


def test_the_metric_that_the_benchmark_prefers_is_in_full_logs(tmp_path, ingest):
    samples = [scored(0, [-1.0, -2.0], {"a": 0, "b": 1}), scored(1, [-3.0, -0.5], {"a": 0, "b": 1})]
    scores = [{"subtask_description": "sorting:1", "preferred_score": "multiple_choice_grade", "score_dict": {"x": 1.0}}]
    queries = [("cond_log_prob", 0, samples, name) for name in ("sorting:1", "sorting:2")]
    for name in ("m1", "m2"):
        write_log(tmp_path, log("sorting", name, queries, scores=scores))
    frame, _ = ingest("bigbench_logs", directory=str(tmp_path))
    said = frame.groupby("subtask")["preferred_metric"].agg(lambda values: set(values.fillna("")))
    assert said.to_dict() == {"sorting:1": {"multiple_choice_grade"}, "sorting:2": {""}}
    (task,) = rescoring.tasks(tmp_path / "read" / "outputs.parquet")
    made = Task(task, Settings(("multiple_choice_grade", "brier_score"), dialect=metrics.BIGBENCH))
    found, *_ = rescoring.rescore(made, "b", "here")
    preferred = found.set_index(["subtask", "metric"])["preferred"].astype(object).where(lambda value: value.notna(), None)
    assert preferred.loc[[("sorting:1", "multiple_choice_grade")]].tolist() == [True, True]
    assert set(preferred.loc[[("sorting:1", "brier_score")]]) == {False}
    assert set(preferred.loc[[("sorting:2", "multiple_choice_grade")]]) == {None}
