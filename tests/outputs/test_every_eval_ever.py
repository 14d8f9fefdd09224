"""Instance files of Every Eval Ever, in the form of its schema's releases 0.2.2 and 0.3.0."""

import json

import pytest

import output_files
from output_files import LIST, counted

ingest, message = pytest.fixture(output_files.ingest), pytest.fixture(output_files.message)


def record(model, number, raw, reference=("4",), **keys):
    """A record with all that the schema requires."""
    return {
        "schema_version": "0.3.0",
        "evaluation_id": f"demo/{model}/1750000000",
        "model_id": model,
        "evaluation_name": "sums",
        "sample_id": f"s{number}",
        "interaction_type": "single_turn",
        "input": {"raw": f"question {number}", "reference": list(reference)},
        "output": {"raw": raw},
        "answer_attribution": [],
        "evaluation": {"score": 0.5, "is_correct": True},
    } | keys


def write(folder, records):
    path = folder / "instances.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in records))
    return path


def test_what_is_read(tmp_path, ingest):
    write(tmp_path, [record(model, 1, ["4", "five"], ["4", "four"]) for model in LIST])
    frame, _ = ingest("every_eval_ever", files=[str(tmp_path)])
    assert frame[["task", "model", "example", "repeat", "kind", "output"]].to_numpy().tolist() == [
        ["sums", model, "s1", i, "text", out] for model in LIST for i, out in enumerate(["4", "five"])
    ]
    found = frame.iloc[0]
    assert found["targets"].tolist() == ["4", "four"]
    assert dict(zip(found["stored_metrics"], found["stored_values"], strict=True)) == {"score": 0.5, "is_correct": 1}
    assert frame["input_hash"].nunique() == 1


def test_the_filter_of_the_harness(tmp_path, ingest):
    keys = {"evaluation_name": "gsm8k/strict-match", "metadata": {"filter": "strict-match"}}
    plain = {"evaluation_name": "gsm8k", "metadata": {"filter": "none"}}
    write(tmp_path, [record(model, 1, ["4"], **about) for model in LIST for about in (keys, plain)])
    frame, _ = ingest("every_eval_ever", files=[str(tmp_path)])
    assert frame[["task", "filter"]].to_numpy().tolist() == [["gsm8k", ""], ["gsm8k", "strict-match"]] * 2
    frame, account = ingest("every_eval_ever", files=[str(tmp_path)], filters=["none"])
    assert frame["filter"].tolist() == ["", ""]
    assert counted(account, "left_out") == {"a filter that `filters` does not name": 2}


def test_one_sample_under_several_metrics_is_one_output(tmp_path, ingest):
    entries = [record(model, 1, ["4"], evaluation_result_id=metric) for model in LIST for metric in ("acc", "f1")]
    write(tmp_path, entries)
    frame, account = ingest("every_eval_ever", files=[str(tmp_path)])
    assert len(frame) == 2
    assert counted(account, "merged") == {"the same output again": 2}


def test_failed_samples_turns_and_versions(tmp_path, ingest):
    others = [
        {"error": "timeout"},
        {"interaction_type": "agentic", "output": None, "messages": []},
        {"schema_version": "1.0.0"},
        {"output": {"raw": []}},
    ]
    entries = [record(model, number, ["4"], **about) for model in LIST for number, about in enumerate([{}, *others])]
    write(tmp_path, entries)
    frame, account = ingest("every_eval_ever", files=[str(tmp_path)])
    assert frame["example"].tolist() == ["s0", "s0"]
    assert counted(account, "empty") == {"no output": 4}
    assert counted(account, "left_out") == {"not a single turn": 2, "a version of the format that is not known": 2}


def test_a_record_of_another_form_is_refused_with_its_line(tmp_path, message):
    path = write(tmp_path, [record("a", 1, ["4"]), {"doc_id": 1}])
    said = message("every_eval_ever", files=[str(tmp_path)])
    assert f"{path}: line 2\n    found: Object missing required field" in said
