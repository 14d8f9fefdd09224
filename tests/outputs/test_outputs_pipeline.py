"""From outputs of any format to the checked table: what real files have wrong, and what must not change the table."""

import gzip
import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import output_files
from emergence.ingest import readers
from emergence.ingest.accounts import Account
from emergence.io import tables
from emergence.outputs import columns, lines, pipeline
from output_files import LIST, block, choices, counted, log, scored, text, write_log, write_samples

ingest, message = pytest.fixture(output_files.ingest), pytest.fixture(output_files.message)

GOOD = [choices(i, [-1.5, -2.0 - i], 0) for i in range(4)]


def both(samples):
    """The same samples of both models."""
    return {model: samples for model in LIST}  # noqa: C420 - a list that nobody changes


def files_of(folder, samples=None, **keys):
    """Samples of the two models of one task. samples: {model: list, or bytes}."""
    samples = samples or both(GOOD)
    return {model: write_samples(folder, model, "t", found, **keys) for model, found in samples.items()}


def test_models_that_were_asked_different_questions(tmp_path, ingest, message):
    paths = files_of(tmp_path, {"a": GOOD, "b": GOOD[:1] + GOOD[2:]})
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert "the task `t`, 2 shots\n    found: examples of each model: `b` 3" in said
    assert f"`a` 4 ({paths['a']}); example `1` of {paths['a']} is not in all" in said
    assert "or `examples: shared`, which keeps the 3 that all have" in said
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], examples="shared")
    assert frame["example"].tolist() == ["0", "2", "3"] * 2
    assert counted(account, "left_out") == {"a question that not every model was asked": 1}
    found = account.set_index("outcome").at["left_out", "example"]
    assert found == f"{paths['a']}: line 2"


def test_models_need_the_same_questions_under_each_number_of_shots_alone(tmp_path, ingest):
    files_of(tmp_path)
    content = output_files.results("a", {"t": {"output_type": "multiple_choice", "num_fewshot": 5}})
    write_samples(tmp_path / "five", "a", "t", GOOD[:2], content=content)
    frame, _ = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert frame.groupby(["model", "shots"]).size().to_dict() == {("a", 2): 4, ("a", 5): 2, ("b", 2): 4}


def test_one_id_for_two_questions(tmp_path, ingest, message):
    other = [*GOOD[:2], choices(2, [-1.5, -4.0], 0, doc_hash="f" * 64), GOOD[3]]
    paths = files_of(tmp_path, {"a": GOOD, "b": other})
    said = message("lm_eval_samples", files=[str(tmp_path)])
    where = f"{paths['b']}: line 3: the task `t`, 2 shots"
    assert f"{where}\n    found: the example `2` is another question than in {paths['a']}; 1 such examples" in said
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip")
    assert frame["example"].tolist() == ["0", "1", "3"] * 2
    assert counted(account, "refused") == {"another question under the same id": 2}


def test_the_same_output_again_is_merged(tmp_path, ingest):
    files_of(tmp_path, both([*GOOD, GOOD[1]]))
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert len(frame) == 8
    assert counted(account, "merged") == {"the same output again": 2}


def test_an_id_with_two_outputs_is_refused_once_for_each_pair_of_files(tmp_path, message, ingest):
    again = [choices(i, [-9.0, -1.0], 0) for i in range(3)]
    paths = files_of(tmp_path, {"a": GOOD + again, "b": GOOD})
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert said.count("found:") == 1
    assert f"{paths['a']}: line 5: the same example, model, shots and filter as {paths['a']}: line 1" in said
    assert "found: another output, and so for 3 examples of these files" in said
    _, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip", examples="shared")
    assert counted(account, "refused") == {"same key, different outputs": 6}


@pytest.mark.parametrize(
    ("log_probs", "reason", "found"),
    [
        ([-1.0, "nan"], "a log-probability is not a number", "found: nan"),
        (["inf", -1.0], "a log-probability is above 0", "found: inf"),
        ([-1.0, 0.5], "a log-probability is above 0", "found: 0.5"),
        ([0.0, 0.0], "every log-probability is 0", "found: only log-probabilities of 0"),
    ],
)
def test_log_probabilities_that_are_none(tmp_path, ingest, message, log_probs, reason, found):
    paths = files_of(tmp_path, both([*GOOD, choices(4, log_probs, 0)]))
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert f"{paths['a']}: line 5\n    {found}" in said
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip")
    assert len(frame) == 8
    assert counted(account, "refused") == {reason: 2}


def test_a_rounding_error_above_0_is_kept(tmp_path, ingest):
    files_of(tmp_path, both([choices(0, [1e-8, -20.0], 0)]))
    assert ingest("lm_eval_samples", files=[str(tmp_path)])[0]["log_probs"].iat[0].tolist() == [1e-8, -20]


def test_log_likelihoods_of_0_are_refused_where_all_of_a_file_are(tmp_path, ingest, message):
    def of(values):
        return [text(i, None, "x", filtered_resps=[[value, "False"]]) for i, value in enumerate(values)]

    paths = files_of(tmp_path, {"a": of(["0.0", "-1"]), "b": of(["0.0", "0.0"])}, about="loglikelihood")
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert str(paths["a"]) not in said
    assert f"{paths['b']}: line 1\n    found: only log-probabilities of 0" in said


def test_what_is_odd_is_noted_and_kept(tmp_path, ingest):
    # an e with an accent as one character, and as two; a choice twice; one choice
    entries = [text(0, "caf\u00e9", "caf\u00e9"), text(1, "cafe\u0301", "caf\u00e9"), text(2, "x", ""), text(3, "", "x")]
    files_of(tmp_path, both(entries), about="generate_until")
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert frame["output"].tolist()[:2] == ["caf\u00e9", "cafe\u0301"]
    noted = {"an output that is not in Unicode's form NFC": 2, "an empty target": 2, "an empty output": 2}
    assert counted(account, "noted") == noted
    entries = [choices(0, [-1, -2], 0, ["x", "x"]), choices(1, [-1], 0), choices(2, [-1, -2], 0)]
    files_of(tmp_path, both(entries))
    _, account = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert counted(account, "noted")["only one choice"] == 2


def test_limits(tmp_path, message, ingest, monkeypatch):
    monkeypatch.setattr(pipeline, "LONGEST_TEXT", 100)
    monkeypatch.setattr(lines, "LONGEST_LINE", 3000)
    monkeypatch.setattr(lines, "_PIECE", 700)
    entries = [text(0, "x" * 100, "4"), text(1, "y" * 101, "4"), text(2, "z" * 4000, "4"), text(3, "w", "4")]
    paths = files_of(tmp_path, both(entries), about="generate_until")
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert f"{paths['a']}: line 2\n    found: a text of more than" in said
    assert f"{paths['a']}: line 3\n    found: a line of more than 64 MiB" in said
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip")
    assert frame["output"].tolist() == ["x" * 100, "w"] * 2
    assert sum(counted(account, "refused").values()) == 4


def test_ten_thousand_choices_are_the_most(tmp_path, message):
    n = pipeline.MOST_CHOICES
    for number, count in enumerate((n, n + 1)):
        samples = [scored(0, [-1.0] * count, {f"c{i}": int(i == 0) for i in range(count)})]
        write_log(tmp_path, log("t", f"m{number}", [("cond_log_prob", number, samples)]))
    said = message("bigbench_logs", directory=str(tmp_path))
    assert said.count("found:") == 1
    assert "full-log_F_m1.json: queries[0].samples[0]\n    found: more than 10,000 choices" in said


def test_a_last_line_that_is_cut_off(tmp_path, message, ingest):
    paths = files_of(tmp_path)
    paths["a"].write_bytes(paths["a"].read_bytes()[:-30])
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert f"{paths['a']}: line 4\n    found: the last line is cut off" in said
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip", examples="shared")
    assert frame["example"].tolist() == ["0", "1", "2"] * 2
    assert counted(account, "refused") == {"the last line is cut off": 1}


def test_encodings_and_ends_of_lines(tmp_path, ingest, message):
    paths = files_of(tmp_path)
    expected, _ = ingest("lm_eval_samples", files=[str(tmp_path)])
    content = paths["a"].read_bytes()
    for other in (
        b"\xef\xbb\xbf" + content,
        content.replace(b"\n", b"\r\n"),
        b"\n\n" + content.replace(b"\n", b"\n \n"),
        content[:-1],
    ):
        paths["a"].write_bytes(other)
        frame, _ = ingest("lm_eval_samples", files=[str(tmp_path)])
        pd.testing.assert_frame_equal(frame, expected)
    paths["a"].write_bytes(content.decode().encode("utf-16"))
    assert f"{paths['a']}\n    found: text in UTF-16\n    allowed: JSON lines in UTF-8" in message(
        "lm_eval_samples", files=[str(tmp_path)]
    )
    paths["a"].write_bytes(content.replace(b"question 1", b"question \xff"))
    # a document is not read, and so not looked at
    ingest("lm_eval_samples", files=[str(tmp_path)])
    paths["a"].write_bytes(content.replace(b"choice 1a", b"choice \xff"))
    assert f"{paths['a']}: line 2\n    found: not valid JSON" in message("lm_eval_samples", files=[str(tmp_path)])


def test_bare_literals_and_lines_of_another_form(tmp_path, ingest, message):
    paths = files_of(tmp_path)
    content = paths["a"].read_bytes()
    paths["a"].write_bytes(content.replace(b'"-1.5"', b"-Infinity"))
    frame, _ = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert frame["log_probs"].iat[0].tolist() == [-np.inf, -2]
    paths["a"].write_bytes(content.replace(b'"doc_id": 2', b'"doc": 2'))
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert f"{paths['a']}: line 3\n    found: Object missing required field `doc_id`" in said


def test_line_numbers_are_right_wherever_the_pieces_end(tmp_path, ingest, monkeypatch):
    many = [choices(i, [-1.5, -2.0], 0) for i in range(50)]
    files_of(tmp_path, {"a": [*many, choices(50, [0.5, -1], 0)], "b": many})
    found = set()
    for piece in (64, 1000, 2**18):
        monkeypatch.setattr(lines, "_PIECE", piece)
        monkeypatch.setattr(lines, "_RECORDS", piece)
        frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip")
        found.add((hashlib.sha256(frame.to_json().encode()).hexdigest(), account.to_csv()))
    assert len(found) == 1
    assert "a/samples_t_2024-05-06T07-08-09.123456.jsonl: line 51" in next(iter(found))[1]


def shards_of(folder, format_name, n_shards, **keys):
    """The tables of a block read in shards and gathered: {name: bytes}."""
    checked = block(format_name, **keys)
    for number in range(1, n_shards + 1):
        inside = folder / str(number)
        account, inputs = pipeline.ingest("mine", checked, inside / "outputs.parquet", (number, n_shards))
        tables.write(account, "ingest_account", inside / "account.csv")
        tables.write(inputs, "inputs", inside / "inputs.csv")
    parts = [folder / str(number) for number in range(1, n_shards + 1)]
    tables.gather("outputs", [part / "outputs.parquet" for part in parts], folder / "outputs.parquet")
    tables.gather("ingest_account", [part / "account.csv" for part in parts], folder / "account.csv")
    tables.gather("inputs", [part / "inputs.csv" for part in parts], folder / "inputs.csv")
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.*"))}


def test_any_number_of_shards_gives_the_same_bytes(tmp_path):
    tree, logs = tmp_path / "samples", tmp_path / "logs"
    for task in ("u", "t", "v", "long_name"):
        for model in LIST:
            content = output_files.results(model, dict.fromkeys(("u", "t", "v", "long_name"), "multiple_choice"))
            write_samples(tree, model, task, GOOD, content=content)
        for name in ("m1", "m2"):
            write_log(logs, log(task, name, [("cond_log_prob", 0, [scored(0, [-1.0, -2.0], {"a": 0, "b": 1})])]))
    (tree / "notes.json").write_text("{}")
    for format_name, keys in (("lm_eval_samples", {"files": [str(tree)]}), ("bigbench_logs", {"directory": str(logs)})):
        found = [shards_of(tmp_path / format_name / str(n), format_name, n, **keys) for n in (1, 2, 5)]
        assert found[0] == found[1] == found[2]
        assert pq.read_table(tmp_path / format_name / "1/outputs.parquet").num_rows == {"lm": 32, "bi": 8}[format_name[:2]]


def test_a_refused_block_leaves_no_file(tmp_path, message):
    files_of(tmp_path, {"a": [choices(0, [0.5, -1], 0)], "b": GOOD})
    message("lm_eval_samples", files=[str(tmp_path)])
    assert not list(tmp_path.rglob("*.parquet"))


def test_no_examples_at_all_is_an_empty_table(tmp_path, ingest):
    files_of(tmp_path, both([choices(0, [0.5, -1], 0)]))
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip")
    assert len(frame) == 0
    assert counted(account, "refused") == {"a log-probability is above 0": 2}


def test_models_without_a_family_or_a_scale_are_left_out(tmp_path, ingest):
    files_of(tmp_path)
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], models={"a": {"family": "F", "scale": 1}})
    assert frame["model"].unique().tolist() == ["a"]
    assert sum(counted(account, "left_out").values()) == 4


def test_a_reader_may_give_plain_frames(monkeypatch, tmp_path):
    # as one does that makes outputs of a model up: lists in Python, no places, no columns that may be empty
    frame = pd.DataFrame(
        {
            "task": "t",
            "model_family": "F",
            "model": ["b", "a"],
            "scale": [2.0, 1.0],
            "example": "1",
            "kind": "choices",
            "log_probs": [[-1.0, -2.0], [-3.0, -4.0]],
            "credits": [[1.0, 0.0]] * 2,
            "source": "made up",
        }
    )
    monkeypatch.setattr(readers, "read", lambda checked, account, part=None: iter([frame]))
    account, _ = pipeline.ingest("mine", {"on_error": "stop"}, tmp_path / "outputs.parquet")
    found = tables.read("outputs", tmp_path / "outputs.parquet")
    assert found["model"].tolist() == ["a", "b"]
    assert found["log_probs"].map(list).tolist() == [[-3, -4], [-1, -2]]
    assert counted(account, "kept") == {np.nan: 2} or account.set_index("outcome").at["kept", "n"] == 2


def test_parts_must_follow_one_another(tmp_path):
    frame = pd.DataFrame({"task": ["t"], "model": "a", "model_family": "F", "example": "1", "kind": "text", "output": "x"})
    frame = frame.assign(targets=[["x"]], source="f", scale=1.0)
    parts = [pipeline.check("mine", frame.assign(task=task), {}, Account("stop")) for task in ("u", "t")]
    with pytest.raises(ValueError, match="does not follow"):
        tables.write_parts(parts, "outputs", tmp_path / "o.parquet")
    # in order, they are the file that one frame of all rows is
    tables.write_parts(parts[::-1], "outputs", tmp_path / "parts.parquet")
    whole = pd.concat([part.astype({"task": "str"}) for part in parts[::-1]], ignore_index=True)
    tables.write(whole, "outputs", tmp_path / "whole.parquet")
    assert (tmp_path / "parts.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


@pytest.mark.parametrize(
    ("of_a", "of_b", "about"),
    [
        # another position; several in place of one
        (choices(0, [-1.0, -2.0], 0), choices(0, [-1.0, -2.0], 1), "multiple_choice"),
        (choices(0, [-1.0, -2.0], 0), choices(0, [-1.0, -2.0], "[0, 1]"), "multiple_choice"),
        (text(0, "x", "x"), text(0, "x", "y"), "generate_until"),
        (text(0, "x", ["x", "y"]), text(0, "x", ["x"]), "generate_until"),
    ],
)
def test_models_that_are_held_to_other_right_answers(tmp_path, ingest, message, of_a, of_b, about):
    """Scores of one question by two keys are no comparison: such questions are refused, the others stay."""
    same = text(1, "x", "x") if about == "generate_until" else choices(1, [-1.0, -2.0], 0)
    paths = files_of(tmp_path, {"a": [of_a, same], "b": [of_b, same]}, about=about)
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert f"{paths['b']}: line 1: the task `t`, 2 shots\n    found: the example `0` has other right answers than in" in said
    assert f"{paths['a']}; 1 such examples" in said
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip")
    assert frame["example"].tolist() == ["1", "1"]
    assert counted(account, "refused") == {"other right answers under the same id": 2}


@pytest.mark.parametrize(
    "of_b",
    [
        choices(0, [-2.0, -1.0], 1, texts=["no", "yes"]),
        choices(0, [-1.0, -2.0], 0, texts=["Yes", "No"]),
    ],
)
def test_choices_in_another_order_or_in_other_words_have_the_same_right_answer(tmp_path, ingest, of_b):
    files_of(tmp_path, {"a": [choices(0, [-1.0, -2.0], 0, texts=["yes", "no"])], "b": [of_b]})
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)])
    assert len(frame) == 2
    assert "refused" not in set(account["outcome"])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"", {"ignored": {"a file without a sample": 1}}),
        (b" \n\n", {"ignored": {"a file without a sample": 1}}),
        (b"[]", {"ignored": {"a file without a sample": 1}}),
        ("{}".encode("utf-16"), {"refused": {"the file cannot be read": 1}}),
        ("{}".encode("utf-32"), {"refused": {"the file cannot be read": 1}}),
    ],
)
def test_one_file_without_samples_takes_no_other_with_it(tmp_path, ingest, written, expected):
    files_of(tmp_path, {"a": written, "b": GOOD})
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip")
    assert frame["model"].tolist() == ["b"] * 4
    assert {outcome: counted(account, outcome) for outcome in expected} == expected


def test_packed_files_and_broken_results_are_refused_by_name(tmp_path, ingest, message):
    paths = files_of(tmp_path)
    packed = paths["a"].with_name(paths["a"].name + ".gz")
    packed.write_bytes(gzip.compress(paths["a"].read_bytes()))
    paths["a"].unlink()
    (tmp_path / "c").mkdir()
    broken = tmp_path / "c" / "results_2024-05-06T07-08-09.123456.json"
    broken.write_text('{"results": {')
    said = message("lm_eval_samples", files=[str(tmp_path)])
    assert f"{packed}\n    found: a packed file" in said
    assert f"{broken}: line 1: not valid JSON" in said
    frame, account = ingest("lm_eval_samples", files=[str(tmp_path)], on_error="skip")
    assert frame["model"].tolist() == ["b"] * 4
    assert counted(account, "refused") == {"a packed file": 1, "a results file that cannot be read": 1}


@pytest.mark.parametrize("items", [1, 40, 2**22])
def test_lists_that_rows_share_and_the_cuts_of_row_groups_do_not_show(tmp_path, monkeypatch, items):
    """Against the same lists held by each row on its own: the same oddities, and the same file however rows come in parts."""
    monkeypatch.setattr(tables, "_ITEMS", items)
    lists = {
        "targets": columns.column(pa.array([["a", "bb"], ["c", "c", "e\u0301"], ["d"]])),
        "credits": columns.column(pa.array([[1.0, 0.0], [1.0, 1.0, 0.5], [0.0]])),
        "n_characters": columns.column(pa.array([[1, 2], [1, 1, 2], [1]])),
    }
    n_rows, codes = 60, np.arange(60) % 3
    frame = pd.DataFrame({"task": [f"t{i // 20}" for i in range(n_rows)], "model": "a", "model_family": "F", "kind": "choices"})
    frame = frame.assign(example=[f"{i:02d}" for i in range(n_rows)], source="f", scale=1.0)
    frame["log_probs"] = columns.column(pa.array([[-1.0, -2.0, -4.0][: (2, 3, 1)[code]] for code in codes]))
    own = {name: columns.column(columns.arrow(values).take(pa.array(codes))) for name, values in lists.items()}
    shared = {name: columns.shared(values, codes) for name, values in lists.items()}
    noted, written = [], []
    for values in (own, shared):
        account = Account("stop")
        checked = pipeline.check("mine", frame.assign(**values), {}, account)
        noted.append(account.frame().drop(columns="example"))
        for size in (60, 20, 7):
            parts = [checked[start : start + size].reset_index(drop=True) for start in range(0, n_rows, size)]
            tables.write_parts(parts, "outputs", tmp_path / "o.parquet")
            written.append((tmp_path / "o.parquet").read_bytes())
    pd.testing.assert_frame_equal(*noted)
    assert set(noted[0]["reason"].dropna()) > {"several choices are right", "the same choice twice", "only one choice"}
    assert len(set(written)) == 1
    # 8, 12 and 4 items of the four lists in turn: 40 are full with 8 + 12 + 4 + 8 + 12, with 4 + 8 + 12 + 4 + 8 + 12, and so on
    n_groups = pq.ParquetFile(tmp_path / "o.parquet").num_row_groups
    assert n_groups == {1: 60, 40: 11, 2**22: 1}[items]
    found = tables.read("outputs", tmp_path / "o.parquet")
    assert found["targets"].map(list).tolist() == [[["a", "bb"], ["c", "c", "e\u0301"], ["d"]][code] for code in codes]


def test_lengths_of_texts_are_those_of_python():
    # against Python's own len, encode and re.split; every character that Python takes for white space
    import re
    import sys

    spaces = [chr(i) for i in range(sys.maxunicode + 1) if chr(i).isspace()]
    texts = ["", "a", " a b ", "é\u0301", "\U0001f600 x", "a\u200bb", *[f"a{space}b{space}{space}c" for space in spaces]]
    found = columns.text_sizes(pa.array(texts), np.array([len(texts)]))
    assert found["n_characters"].iat[0] == [len(text) for text in texts]
    assert found["n_bytes"].iat[0] == [len(text.encode()) for text in texts]
    assert found["n_words"].iat[0] == [len(re.split(r"\s+", text)) for text in texts]


def test_ids_sort_as_numbers_do():
    assert columns.examples([12, 7, 7]).tolist() == ["12", "07", "07"]
    assert list(columns.examples(["12", "7", "100"])) == ["012", "007", "100"]
    # two spellings of one number are two ids; so are texts
    assert list(columns.examples(["07", "7"])) == ["07", "7"]
    assert list(columns.examples(["q1", "7"])) == ["q1", "7"]
    assert len(columns.examples(np.array([], dtype=int))) == 0
