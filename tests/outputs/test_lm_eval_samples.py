"""Samples of lm-evaluation-harness: what is read of them, and every trap of its versions."""

import json

import numpy as np
import pytest

import output_files
from output_files import DATE, LIST, choices, counted, results, text, write_samples
from samples import sample

ingest, message = pytest.fixture(output_files.ingest), pytest.fixture(output_files.message)


LATER = "2024-06-01T00-00-00.000000"


def two_models(folder, samples, **keys):
    """The same samples of two models."""
    return [write_samples(folder, model, "t", samples, **keys) for model in LIST]


def row(frame, model="a", **keys):
    for field, value in {"model": model, **keys}.items():
        frame = frame[frame[field] == value]
    assert len(frame) == 1, frame
    return frame.iloc[0]


def test_multiple_choice(tmp_path, ingest):
    # by hand: the delimiter is no part of a choice; é is one character and two bytes; "x y" is two words
    two_models(tmp_path, [choices(7, [-1.5, "-inf", -0.25], "2", ["x y", "é", "abc"]), choices(12, [-1, -2], 1)])
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert frame["example"].tolist() == ["07", "12"] * 2
    found = row(frame, example="07")
    assert (found["kind"], found["shots"], found["filter"], found["repeat"], found["scale"]) == ("choices", 2, "", 0, 1e6)
    assert found["log_probs"].tolist() == [-1.5, -np.inf, -0.25]
    assert found["credits"].tolist() == [0, 0, 1]
    assert found["targets"].tolist() == ["x y", "é", "abc"]
    assert found["n_characters"].tolist() == [3, 1, 3]
    assert found["n_bytes"].tolist() == [3, 2, 3]
    assert found["n_words"].tolist() == [2, 1, 1]
    assert dict(zip(found["stored_metrics"], found["stored_values"], strict=True)) == {"acc": 1, "acc_norm": 0}
    assert counted(account, "noted") == {"a probability of 0 (-Infinity)": 2}


@pytest.mark.parametrize("target", [2, "2", 2.0, "2.0", "[2]", [2], "third", " third"])
def test_one_right_choice_in_every_form(tmp_path, ingest, target):
    two_models(tmp_path, [choices(0, [-1, -2, -3], target, ["first", "second", "third"])])
    frame, _ = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert row(frame)["credits"].tolist() == [0, 0, 1]


def test_several_right_choices(tmp_path, ingest):
    two_models(tmp_path, [choices(0, [-1, -2, -3], "[0, 2]")])
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert row(frame)["credits"].tolist() == [1, 0, 1]
    assert counted(account, "noted") == {"several choices are right": 2}


@pytest.mark.parametrize("target", ["3", 3, -1, "-100", "fourth", "[0, 5]", None, {"a": 1}])
def test_a_right_choice_that_is_none_of_the_choices_is_refused(tmp_path, message, target):
    path, _ = two_models(tmp_path, [choices(0, [-1, -2], 0), choices(1, [-1, -2, -3], target)])
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert f"{path}: line 2\n    found: the target `{target}` of 3 choices\n    allowed: a position from 0 to 2" in said


def test_choices_that_stand_in_the_prompt(tmp_path, ingest):
    # as in winogrande: one continuation, two contexts. By hand: the first has the higher log-probability, and acc is 0
    samples = [choices(0, [-1, -2], "went on", ["went on", "went on"], acc=0.0), choices(1, [-1, -2], "x", ["x", "x"], acc=1.0)]
    two_models(tmp_path, samples)
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert [values.tolist() for values in frame["credits"]] == [[0, 1], [1, 0]] * 2
    assert [values.tolist() for values in frame["n_characters"]] == [[]] * 4
    assert counted(account, "noted") == {"the choices are in the prompts, so that their lengths are not known": 4}


def test_mutual_information_doubles_the_requests(tmp_path, ingest):
    about = {"output_type": "multiple_choice", "metrics": ["acc", "acc_mutual_info"]}
    samples = [choices(0, [-1, -2, -5, -6], "1", ["x", "yy", "x", "yy"], acc_mutual_info=1.0)]
    two_models(tmp_path, samples, about=about)
    found = row(ingest("lm_eval_samples", files=[str(tmp_path)])[0])
    assert found["log_probs"].tolist() == [-1, -2]
    assert found["mutual_log_probs"].tolist() == [-5, -6]
    assert found["targets"].tolist() == ["x", "yy"]
    assert found["credits"].tolist() == [0, 1]


def test_a_chat_template_without_a_delimiter_leaves_choices_whole(tmp_path, ingest):
    two_models(tmp_path, [choices(0, [-1, -2], "1", ["x", "yy"], delimiter="")])
    assert row(ingest("lm_eval_samples", files=[str(tmp_path)])[0])["targets"].tolist() == ["x", "yy"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("4", ["4"]),
        (4, ["4"]),
        (4.0, ["4.0"]),
        (["a", "b", "a"], ["a", "b"]),
        ("['a', 'b']", ["a", "b"]),
        ("[1, 2]", ["[1, 2]"]),
        ("['a', 2]", ["['a', 2]"]),
        ({"text": ["a"], "answer_start": [3]}, ["a"]),
        ("{'text': ['a', 'b'], 'answer_start': [1]}", ["a", "b"]),
        ("[unfinished", ["[unfinished"]),
        ("", [""]),
    ],
)
def test_right_answers_of_a_text_in_every_form(tmp_path, ingest, target, expected):
    two_models(tmp_path, [text(0, "4", target)], about="generate_until")
    frame, _ = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert row(frame)["targets"].tolist() == expected
    assert row(frame)["output"] == "4"


@pytest.mark.parametrize("target", [{"a": 1}, [["a"]], True])
def test_a_target_that_is_no_text_is_refused(tmp_path, message, target):
    two_models(tmp_path, [text(0, "4", target)], about="generate_until")
    assert "line 1\n    found: the target" in message("lm_eval_samples", files=[str(tmp_path)])


def test_two_filters_are_two_rows(tmp_path, ingest):
    samples = [text(0, " 4 ok", "4", filter="strict"), text(0, "4", "4", filter="digits")]
    two_models(tmp_path, samples, about="generate_until")
    frame, _ = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert frame[["model", "filter", "output"]].to_numpy().tolist() == [
        ["a", "digits", "4"],
        ["a", "strict", " 4 ok"],
        ["b", "digits", "4"],
        ["b", "strict", " 4 ok"],
    ]
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], filters=["digits"])
    assert frame["filter"].tolist() == ["digits", "digits"]
    assert counted(account, "left_out") == {"a filter that `filters` does not name": 2}


def test_filters_that_are_not_named_cannot_be_told_apart(tmp_path, message, ingest):
    # as 0.4.3 to 0.4.5 write them
    samples = [text(0, " 4 ok", "4"), text(0, "4", "4")]
    for entry in samples:
        del entry["filter"]
    about = {"output_type": "generate_until", "filter_list": [{"name": "strict"}, {"name": "digits"}]}
    path, _ = two_models(tmp_path, samples, about=about)
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert f"{path}\n    found: samples without a `filter`, of a task that has 2 (`strict`, `digits`)" in said
    # with one filter there is nothing to be told apart
    two_models(tmp_path, samples[:1], about=about | {"filter_list": [{"name": "strict"}]})
    assert ingest("lm_eval_samples", files=[str(tmp_path)])[0]["filter"].tolist() == ["strict", "strict"]


def test_runs_of_one_example_are_numbered(tmp_path, ingest):
    two_models(tmp_path, [text(0, None, "4", filtered_resps=[["4", "5", "4"]])], about="generate_until")
    frame, _ = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert frame[["model", "repeat", "output"]].to_numpy().tolist() == [[m, i, x] for m in "ab" for i, x in enumerate("454")]


def test_log_likelihoods(tmp_path, ingest):
    samples = [text(0, None, " 789", filtered_resps=[["-4.5", "True"]], perplexity=-4.5, acc=1)]
    two_models(tmp_path, samples, about="loglikelihood")
    found = row(ingest("lm_eval_samples", files=[str(tmp_path)])[0])
    assert (found["kind"], found["log_probs"].tolist(), found["is_greedy"]) == ("loglikelihood", [-4.5], True)
    assert (found["n_characters"].tolist(), found["n_bytes"].tolist(), found["n_words"].tolist()) == ([4], [4], [2])


def test_a_task_that_counts_words_itself_is_believed(tmp_path, ingest):
    # as wikitext does, whose documents are changed before the model sees them
    about = {"output_type": "loglikelihood_rolling", "metrics": ["word_perplexity", "byte_perplexity"]}
    counted_by_task = {"word_perplexity": [-70.5, 11], "byte_perplexity": [-70.5, 51]}
    two_models(tmp_path, [text(0, None, "a b", filtered_resps=["-70.5"], **counted_by_task)], about=about)
    found = row(ingest("lm_eval_samples", files=[str(tmp_path)])[0])
    assert (found["log_probs"].tolist(), found["n_words"].tolist(), found["n_bytes"].tolist()) == ([-70.5], [11], [51])
    assert found["stored_metrics"].tolist() == []


def test_the_first_version_writes_an_array_and_numbers(tmp_path, ingest):
    # 0.4.0: <model_args>_<task>.jsonl with an indented array beside results.json; requests in lists, no digest, no filter
    entry = choices(3, [-1.5, -2.5], 1, ["x", "yy"])
    entry["arguments"] = [["prompt", " x"], ["prompt", " yy"]]
    entry["filtered_resps"] = [[-1.5, False], [-2.5, True]]
    del entry["filter"], entry["doc_hash"], entry["metrics"]
    for model in LIST:
        inside = tmp_path / model
        inside.mkdir()
        content = results(model, {"arc_t": "multiple_choice"})
        del content["model_name"]
        (inside / "results.json").write_text(json.dumps(content))
        (inside / f"pretrained__{model}_arc_t.jsonl").write_text(json.dumps([entry], indent=2))
    frame, _ = ingest("lm_eval_samples", files=[str(tmp_path)])
    found = row(frame)
    assert (found["task"], found["example"], found["log_probs"].tolist()) == ("arc_t", "3", [-1.5, -2.5])
    assert found["targets"].tolist() == ["x", "yy"]
    assert len(found["input_hash"]) == 16


def test_groups_are_tasks_and_their_tasks_subtasks(tmp_path, ingest):
    for model in LIST:
        content = results(model, {"mmlu_a": "multiple_choice", "mmlu_b": "multiple_choice"})
        content["results"]["mmlu"] = {"acc,none": 0.5}
        content["group_subtasks"] = {"mmlu": ["mmlu_a", "mmlu_b"]}
        for task in ("mmlu_a", "mmlu_b"):
            write_samples(tmp_path, model, task, [choices(0, [-1, -2], 0)], content=content)
    frame, _ = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert frame[["task", "subtask", "model"]].to_numpy().tolist() == [["mmlu", f"mmlu_{t}", m] for t in "ab" for m in "ab"]


def test_two_dates(tmp_path, ingest, message):
    two_models(tmp_path, [choices(0, [-1, -2], 0), choices(1, [-1, -2], 0)])
    write_samples(tmp_path, "a", "t", [choices(0, [-1, -2], 0), choices(1, [-3, -2], 0)], date=LATER)
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert said.count("allowed:") == 1
    assert f"samples_t_{LATER}.jsonl: line 2: the same example, model, shots and filter as" in said
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], repeated_runs="latest")
    assert row(frame, example="1")["log_probs"].tolist() == [-3, -2]
    assert counted(account, "left_out") == {"a later run has these outputs": 2}
    # what disagrees is left out, and its question with it for the other model; what agrees is merged
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip", examples="shared")
    assert frame[["model", "example"]].to_numpy().tolist() == [["a", "0"], ["b", "0"]]
    assert counted(account, "refused") == {"same key, different outputs": 2}
    assert counted(account, "merged") == {"the same output again": 1}


def test_samples_without_their_results_file(tmp_path, message, ingest):
    path, _ = two_models(tmp_path, [choices(0, [-1, -2], 0)])
    (path.parent / f"results_{DATE}.json").unlink()
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert f"{path}\n    found: no results file of the same run\n    allowed: results_{DATE}.json in the same folder" in said
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip")
    assert frame["model"].tolist() == ["b"]
    assert counted(account, "refused") == {"samples without the results file of their run": 1}


def test_results_files_without_samples(tmp_path, message):
    (tmp_path / "results_x.json").write_text(json.dumps(results("a", {"t": "multiple_choice"})))
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert "no file of samples\n    allowed: files named samples_<task>_<date>.jsonl" in said


def test_failed_samples_are_counted_as_empty(tmp_path, ingest):
    two_models(tmp_path, [choices(0, [], 0, filtered_resps=None, arguments=None), choices(1, [-1, -2], 0)])
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert frame["example"].tolist() == ["1", "1"]
    assert counted(account, "empty") == {"no output": 2}
    two_models(tmp_path, [text(0, None, "4"), text(1, "", "4")], about="generate_until")
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert frame["output"].tolist() == ["", ""]
    assert counted(account, "noted") == {"an empty output": 2}


def test_an_unknown_type_of_output_is_refused(tmp_path, message):
    content = results("a", {"t": "multiple_choice"})
    content["configs"]["t"]["output_type"] = "chat"
    write_samples(tmp_path, "a", "t", [choices(0, [-1, -2], 0)], content=content)
    assert "`output_type: chat`\n    allowed: multiple_choice or generate_until" in message(
        "lm_eval_samples", files=[str(tmp_path)]
    )


def test_every_sample_of_the_real_harness_is_read(ingest):
    # the harness says how many it wrote; log-probabilities and credits give its own accuracies, example by example
    folder = sample("lm_eval_samples/out")
    models = {f"toy/Toy-{n}M": {"family": "Toy", "scale": n * 1e6} for n in (1, 3, 10, 30, 100, 300, 1000)}
    frame, account = ingest("lm_eval_samples", files=[str(folder)], models=models)
    assert account["outcome"].isin(["read", "kept"]).all()
    assert frame.groupby("task").size().to_dict() == {"toy_gen": 2800, "toy_ll": 1400, "toy_mc": 1400, "toy_roll": 140}
    chosen = frame[frame["kind"] == "choices"]
    acc = [credit[np.argmax(values)] for credit, values in zip(chosen["credits"], chosen["log_probs"], strict=True)]
    lengths = chosen["n_characters"]
    norm = [
        credit[np.argmax(values / n)] for credit, values, n in zip(chosen["credits"], chosen["log_probs"], lengths, strict=True)
    ]
    stored = np.array(chosen["stored_values"].tolist())
    assert chosen["stored_metrics"].map(list).tolist() == [["acc", "acc_norm"]] * 1400
    assert (stored == np.column_stack([acc, norm])).all()
    rolled = frame[frame["task"] == "toy_roll"]
    for file, of_file in rolled.groupby("source"):
        content = json.loads(next(iter((folder / file).parent.glob("results_*.json"))).read_text())["results"]["toy_roll"]
        total, n_bytes = of_file["log_probs"].map(sum).sum(), of_file["n_bytes"].map(sum).sum()
        assert -total / n_bytes / np.log(2) == pytest.approx(content["bits_per_byte,none"], rel=1e-12)
        n_words = of_file["n_words"].map(sum).sum()
        assert np.exp(-total / n_words) == pytest.approx(content["word_perplexity,none"], rel=1e-12)
