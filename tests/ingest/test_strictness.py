"""One strictness for every reader, and for what is given beside the scores: keys once, numbers as numbers, names as names."""

import json
import os

import pandas as pd
import pytest

import result_trees as made
from conftest import COLUMNS, ROOT, copy_of_workflow, snakemake
from emergence.ingest import pipeline
from emergence.io.errors import InputError
from emergence.study import configuration, metric_catalogue

CATALOGUE = str(ROOT / "config/metrics.yaml")
MODELS = {"m": {"family": "F", "scale": 1e6}}


def ingest(block):
    return pipeline.ingest("mine", configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"], CATALOGUE)


def harness_block(tmp_path, *texts):
    for number, text in enumerate(texts):
        (tmp_path / f"run{number}.json").write_text(text)
    return {"format": "lm_eval", "files": [str(tmp_path)], "models": MODELS}


def table(tmp_path, rows, **keys):
    """A block that reads these rows (dicts) from a Parquet file, whose types stay what they are."""
    path = tmp_path / "scores.parquet"
    frame = pd.DataFrame(rows)
    frame.to_parquet(path)
    return {"format": "table", "files": [str(path)], "columns": {name: name for name in frame}} | keys


def row(**more):
    return dict(zip(COLUMNS, ("t", "exact_match", "F", "m", 1e6, 0.5), strict=True)) | more


@pytest.mark.parametrize(
    "text",
    [
        '{"results": {"t": {"acc,none": 0.1}, "t": {"acc,none": 0.9}}, "model_name": "m"}',
        '{"results": {"t": {"acc,none": 0.1, "acc,none": 0.1}}, "model_name": "m"}',
        '{"results": {"t": {"acc,none": 0.1}}, "model_name": "m", "model_name": "n"}',
        '{"results": {"t": {"acc,none": 0.1}}, "model_name": "m", "configs": {"t": {"num_fewshot": 0, "num_fewshot": 5}}}',
    ],
)
def test_a_key_given_twice_in_a_file_of_the_harness_is_refused(tmp_path, text):
    with pytest.raises(InputError, match=r"run0\.json: not valid JSON: the key `.*` is given twice"):
        ingest(harness_block(tmp_path, text))


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    ("found", "twice"),
    [
        ('"exact_str_match":', '"exact_str_match": 0.9, "exact_str_match":'),
        ('"number_of_shots":', '"number_of_shots": 5, "number_of_shots":'),
        ('"model_name":', '"model_name": "other", "model_name":'),
        ('"task_name":', '"task_name": "other", "task_name":'),
        ('"scores":', '"scores": [], "scores":'),
    ],
)
def test_a_key_given_twice_in_a_file_of_bigbench_is_refused(tmp_path, found, twice, number):
    """In the first file of a kind, which is read key by key, and in a later one, which is counted."""
    paths = [
        made.write(
            tmp_path / "tree", made.content("t", [made.entry("t", {"exact_str_match": 0.5})], model), f"scores_{model}.json", "t"
        )
        for model in ("1k", "10k")
    ]
    text = paths[number].read_text()
    assert text.count(found) == 1
    paths[number].write_text(text.replace(found, twice))
    block = {"format": "bigbench", "directory": str(tmp_path / "tree")}
    with pytest.raises(InputError, match=f"{paths[number]}\n    found: no valid JSON: the key `.*` is given twice"):
        ingest(block)


def test_an_entry_without_scores_does_not_take_its_file_along(tmp_path):
    one = '{"results": {"v": {"acc,none": 0.7}, "u": null}, "model_name": "m"}'
    scores, account, _ = ingest(
        harness_block(
            tmp_path,
            one,
            one.replace('"v"', '"w"').replace("null", "3"),
        )
        | {"on_error": "skip"}
    )
    assert scores["task"].tolist() == ["v", "w"]
    counts = account.groupby(["outcome", "reason"])["n"].sum()
    assert counts["empty", "null instead of an entry with scores"] == 1
    assert counts["refused", "an entry without scores"] == 1
    assert account.loc[account["outcome"] == "read", "n"].sum() == 4


@pytest.mark.parametrize("written", ["7", 7, 7.0, "7.0", "7e0", " 7 "])
@pytest.mark.parametrize("key", [7, 7.0, "7", "7.00"])
def test_numbers_to_be_replaced_are_matched_as_numbers(tmp_path, written, key):
    block = table(tmp_path, [row(scale=written)], values={"scale": {key: 7e9}})
    scores, account, _ = ingest(block)
    assert scores["scale"].tolist() == [7e9]
    assert "ignored" not in account["outcome"].tolist()


def test_names_to_be_replaced_are_matched_to_the_letter(tmp_path):
    block = table(tmp_path, [row(task="7"), row(task="7.0")], values={"task": {"7": "seven"}})
    assert sorted(ingest(block)[0]["task"]) == ["7.0", "seven"]


def test_the_same_number_twice_among_the_values_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"values\.scale of the block\n    found: the same value twice: 7, 7\.0"):
        ingest(table(tmp_path, [row(scale="7")], values={"scale": {"7": 1.0, "7.0": 2.0}}))


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_empty_cells_of_every_type_are_empty(tmp_path, kind):
    """Truth values, whole numbers and fractions of which some are null; the harness of no reader may take null for a word."""
    rows = [
        row(model="a", preferred=True, n_examples=100, shots=None, stderr=None),
        row(model="b", scale=1e7, preferred=None, n_examples=None, shots=2, stderr=0.1),
        row(model="c", scale=1e8, preferred=False, n_examples=50, shots=3, stderr=None),
    ]
    block = table(tmp_path, rows)
    if kind == "jsonl":
        path = tmp_path / "scores.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in rows))
        block["files"] = [str(path)]
    else:
        frame = pd.DataFrame(rows).astype({"preferred": "boolean", "n_examples": "Int64", "shots": "Int64"})
        frame.to_parquet(block["files"][0])
    scores, _, _ = ingest(block)
    scores = scores.set_index("model")
    assert [scores["preferred"][name] is pd.NA for name in "abc"] == [False, True, False]
    assert (bool(scores["preferred"]["a"]), bool(scores["preferred"]["c"])) == (True, False)
    assert scores["n_examples"].isna().tolist() == [False, True, False]
    assert scores["shots"].isna().tolist() == [True, False, False]


@pytest.mark.parametrize("field", ["chance", "stderr"])
@pytest.mark.parametrize("value", [25.0, -1.0, 1e140])
def test_what_stands_beside_a_score_lies_in_its_range(tmp_path, field, value):
    with pytest.raises(InputError, match=f"data row 1, column `{field}`\n    found: "):
        ingest(table(tmp_path, [row(**{field: value})]))


def test_directions_of_tasks_are_those_of_known_metrics(tmp_path):
    spellings = metric_catalogue.spellings(metric_catalogue.load(CATALOGUE))
    in_range = metric_catalogue.load(CATALOGUE)["high"] == 1
    alias, own = next((name, own) for name, own in spellings.items() if name != own and in_range[own])

    def directions(said):
        scores, _, _ = ingest(table(tmp_path, [row(metric=own)], by_task={"higher_is_better": {" t": said}}))
        return scores["higher_is_better"].tolist()

    turned = not metric_catalogue.load(CATALOGUE).at[own, "higher_is_better"]
    assert directions({alias: turned}) == directions({own: turned}) == directions(turned) == [turned]
    with pytest.raises(InputError, match=r"by_task\.higher_is_better\.\s?t\n    found: the metric `exact_mach`.*\n.*exact_match"):
        directions({"exact_mach": False})


def test_models_that_no_file_has_are_noted(tmp_path):
    listed = {f"M\u200b{number}": {"family": "F", "scale": 1e6} for number in range(12)}
    rows = [{name: value for name, value in row().items() if name not in ("model_family", "scale")}]
    _, account, _ = ingest(table(tmp_path, rows, models=MODELS | listed))
    (noted,) = account[account["outcome"] == "ignored"].to_dict("records")
    assert noted["n"] == 0 and noted["example"].startswith(r"12: `M\u200b0`, ") and noted["example"].endswith(" and 2 more")


def test_chance_from_the_block_lies_in_the_range_too(tmp_path):
    with pytest.raises(InputError, match="found: 25\n    allowed: 0 to 1, the range of `exact_match`"):
        ingest(table(tmp_path, [row()], by_task={"chance": {"t": 25}}))


def test_tasks_of_the_block_are_stripped_once_and_unique(tmp_path):
    scores, account, _ = ingest(table(tmp_path, [row(task=" t ")], by_task={"n_examples": {"t  ": 50}}))
    assert scores["n_examples"].tolist() == [50]
    assert "ignored" not in account["outcome"].tolist()
    with pytest.raises(InputError, match=r"by_task\.n_examples of the block: the task `t`\n    found: 50, and 60"):
        ingest(table(tmp_path, [row()], by_task={"n_examples": {"t": 50, " t": 60}}))


@pytest.mark.parametrize("other", ["Sorting", "sor\u200bting", "\ufb01nding", "cafe\u0301", "sorting\u00ad", "so  rting"])
def test_names_that_look_alike_are_noted(tmp_path, other):
    plain = {"\ufb01nding": "finding", "cafe\u0301": "caf\u00e9", "so  rting": "so rting"}.get(other, "sorting")
    scores, account, _ = ingest(table(tmp_path, [row(task=plain), row(task=other), row(task="unlike")]))
    assert scores["task"].nunique() == 3
    noted = account[account["outcome"] == "noted"]
    assert noted["n"].tolist() == [2]
    assert noted["reason"].item() == "names of a task that differ in case, invisible characters or the form of Unicode"
    assert ascii(other) in noted["example"].item()


def test_names_that_look_alike_are_one_row_of_the_account(tmp_path):
    names = [name for number in range(30) for name in (f"task_{number}", f"Task_{number}")]
    _, account, _ = ingest(table(tmp_path, [row(task=name) for name in names]))
    (noted,) = account[account["outcome"] == "noted"].to_dict("records")
    assert noted["n"] == 60 and noted["example"].endswith("; and 20 more")


def test_names_that_differ_for_a_reader_are_not_noted(tmp_path):
    _, account, _ = ingest(table(tmp_path, [row(task="a"), row(task="b"), row(task="a b"), row(task="ab")]))
    assert account["outcome"].tolist() == ["read", "kept"] or set(account["outcome"]) == {"read", "kept"}


def test_a_benchmark_of_which_no_score_is_left_stops_at_ingest_with_the_reasons(tmp_path):
    """Whole, and in shards, of which one may well be empty."""
    study = {"benchmarks": {"runs": {"format": "lm_eval", "files": ["runs"], "models": {"M": {"family": "F", "scale": 1.0}}}}}
    study["benchmarks"]["tree"] = {"format": "bigbench", "directory": "tree", "on_error": "skip"}
    folder = copy_of_workflow(tmp_path / "study", study)
    (folder / "runs").mkdir()
    (folder / "runs/a.json").write_text('{"results": {"t": {"acc,none": 0.1}}, "model_name": "m"}')
    for task in ("arithmetic", "boolean"):
        made.write(folder / "tree", b"{}", "scores_a.json", task)
    done = snakemake(folder, "results/runs/scores.parquet", "--cores", "1")
    assert done.returncode != 0
    assert "the benchmark `runs`\n    found: no score is left of 1 that were read" in done.stderr
    assert "1 left out: the model has no family and no scale" in done.stderr
    assert not (folder / "results/runs/scores.parquet").exists()
    done = snakemake(folder, "results/tree/scores.parquet", "--set-scatter", "shards=2", "--cores", "1")
    assert done.returncode != 0
    assert "the benchmark `tree`\n    found: no score is left of 2 that were read" in done.stderr
    assert "2 refused: no list `scores`" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["lm_eval", "table"])
def test_what_a_pattern_meets_and_cannot_be_read_is_counted(tmp_path, kind):
    suffix = "json" if kind == "lm_eval" else "csv"
    os.mkfifo(tmp_path / f"pipe.{suffix}")
    (tmp_path / f"dangling.{suffix}").symlink_to("nowhere")
    if kind == "lm_eval":
        (tmp_path / "good.json").write_text('{"results": {"t": {"acc,none": 0.5}}, "model_name": "m"}')
        block = {"format": "lm_eval", "files": [f"{tmp_path}/*.json"], "models": MODELS}
    else:
        (tmp_path / "good.csv").write_text(",".join(COLUMNS) + "\nt,acc,F,m,1e6,0.5\n")
        block = {"format": "table", "files": [f"{tmp_path}/*.csv"], "columns": {name: name for name in COLUMNS}}
    scores, account, _ = ingest(block)
    assert len(scores) == 1
    ignored = account[account["outcome"] == "ignored"].set_index("file")["reason"].to_dict()
    assert ignored == {
        f"{tmp_path}/pipe.{suffix}": "neither a file nor a folder",
        f"{tmp_path}/dangling.{suffix}": "a link to nothing",
    }


def test_what_stands_in_a_folder_and_cannot_be_read_is_counted(tmp_path):
    """A link to nothing, a pipe, a link to a folder; a folder that is closed to the user, where there is one who is not root."""
    block = harness_block(tmp_path, '{"results": {"t": {"acc,none": 0.1}}, "model_name": "m"}')
    outside = tmp_path.with_name(tmp_path.name + "-outside")
    outside.mkdir()
    (outside / "more.json").write_text("{}")
    (tmp_path / "gone.json").symlink_to("nowhere.json")
    (tmp_path / "other.txt").symlink_to("nowhere.txt")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "linked").symlink_to(outside)
    scores, account, _ = ingest(block)
    assert len(scores) == 1
    ignored = account[account["outcome"] == "ignored"].set_index("file")["reason"].to_dict()
    assert ignored == {
        f"{tmp_path}/gone.json": "a link to nothing",
        f"{tmp_path}/linked": "a link to a folder; links to folders are not followed",
        f"{tmp_path}/pipe.json": "neither a file nor a folder",
    }
