"""Shards: the same tables, byte for byte, for any number of them, and another task reruns one."""

import hashlib
import re

import numpy as np
import pandas as pd
import pytest

import result_trees as made
from conftest import ROOT, copy_of_workflow, snakemake
from emergence.curves import frames
from emergence.ingest import pipeline, trees
from emergence.io import tables
from emergence.io.errors import InputError

CATALOGUE = str(ROOT / "config/metrics.yaml")
TASKS = ["arithmetic", "boolean", "codenames", "dyck", "emoji", "figures"]


def test_a_shard_depends_on_the_name_alone():
    """Against the definition, written out with hashlib; and every task is in exactly one shard."""
    for name in [*TASKS, "数学", "a b"]:
        for n_shards in (1, 2, 7):
            digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
            assert trees.shard_of(name, n_shards) == int(digest, 16) % n_shards
    assert [sum(trees.is_in_shard(name, (number, 4)) for number in range(1, 5)) for name in TASKS] == [1] * len(TASKS)


def test_the_shards_of_a_tree_are_the_tree(tmp_path):
    """Whatever is found, files, links that lead out and folders that are none, is found in one shard."""
    tree = made.tree_of_tasks(tmp_path / "tree", TASKS)
    made.write(tmp_path / "outside", b"{}", "scores_x.json", "away")
    (tree / "linked").symlink_to(tmp_path / "outside" / "away")
    (tree / TASKS[0] / "results/scores_y.json.backup").write_text("")
    (tree / TASKS[1] / "results/scores_z.json").mkdir()
    whole = trees.find(tree)
    assert {item.path for item in whole if item.refused} == {"linked", f"{TASKS[1]}/results/scores_z.json"}
    parts = [trees.find(tree, (number, 4)) for number in range(1, 5)]
    assert sorted(item for part in parts for item in part) == whole
    assert max(map(len, parts)) < len(whole)


@pytest.mark.parametrize("row_group", [7, 64, 1000])
def test_tables_are_the_same_bytes_for_any_number_of_shards(tmp_path, catalogue, monkeypatch, row_group):
    """Row groups that end within a task, at the end of one, and never: the file does not show how the rows came."""
    monkeypatch.setattr(tables, "_ROW_GROUP", row_group)
    tree = made.tree_of_tasks(tmp_path / "tree", TASKS)
    made.write(tree, b"", "scores_x.json", TASKS[0])
    block = made.block(tree, on_error="skip")
    seen = []
    for n_shards in (1, 2, 7):
        folder = tmp_path / str(n_shards)
        for number in range(1, n_shards + 1):
            part = None if n_shards == 1 else (number, n_shards)
            scores, account, inputs = pipeline.ingest("mine", block, CATALOGUE, part)
            tables.write(scores, "scores", folder / f"{number}/scores.parquet")
            tables.write(account, "ingest_account", folder / f"{number}/ingest_account.csv")
            tables.write(inputs, "inputs", folder / f"{number}/inputs.csv")
            read = tables.read("scores", folder / f"{number}/scores.parquet", categories=True)
            measured = frames.measure(frames.from_scores(read, catalogue), catalogue)
            tables.write(measured, "curves", folder / f"{number}/curves.parquet")
        if n_shards == 1:
            folder = folder / "1"
        else:
            for name in ("scores", "curves"):
                parts = [folder / f"{number}/{name}.parquet" for number in range(1, n_shards + 1)]
                tables.gather(name, parts, folder / f"{name}.parquet")
            for name in ("ingest_account", "inputs"):
                parts = [folder / f"{number}/{name}.csv" for number in range(1, n_shards + 1)]
                tables.gather(name, parts, folder / f"{name}.csv")
        files = ("scores.parquet", "curves.parquet", "ingest_account.csv", "inputs.csv")
        seen.append({name: (folder / name).read_bytes() for name in files})
    assert seen[0] == seen[1] == seen[2]
    scores = tables.read("scores", tmp_path / "7/scores.parquet")
    assert len(scores) == 64 * len(TASKS)
    key = tables.description("scores")["key"]
    pd.testing.assert_frame_equal(scores, scores.sort_values(key, kind="stable", ignore_index=True))


def test_categories_and_texts_read_alike(tmp_path, catalogue):
    """The two ways of reading a table give the same names and the same curves."""
    scores, _, _ = pipeline.ingest("mine", made.block(made.tree_of_tasks(tmp_path / "tree", TASKS)), CATALOGUE)
    tables.write(scores, "scores", tmp_path / "scores.parquet")
    light = tables.read("scores", tmp_path / "scores.parquet", categories=True)
    plain = tables.read("scores", tmp_path / "scores.parquet")
    pd.testing.assert_frame_equal(tables.typed(light, "scores"), plain)
    measured = [tables.typed(frames.measure(frames.from_scores(one, catalogue), catalogue), "curves") for one in (light, plain)]
    pd.testing.assert_frame_equal(*measured)


def test_positions_sort_as_pandas_does():
    """Against pandas' own sort and its own search for repeats, with empty values and more keys than fit into 64 bits."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame({f"c{i}": random.integers(0, 300, 500).astype(str) for i in range(12)})
    frame["number"] = pd.array(np.where(random.random(500) < 0.3, None, random.integers(-1, 3, 500)), dtype="Int64")
    frame = pd.concat([frame, frame.iloc[:50]], ignore_index=True)
    frame["c3"] = frame["c3"].astype("category")
    for columns in (["number"], ["number", "c3"], list(frame)):
        position = tables.key_positions(frame, columns)
        plain = frame.assign(c3=frame["c3"].astype("str"))
        assert np.argsort(position, kind="stable").tolist() == plain.sort_values(columns, kind="stable").index.tolist()
        assert len(np.unique(position)) == len(plain.drop_duplicates(columns))


def test_parts_with_the_same_task_are_refused(tmp_path):
    scores, _, _ = pipeline.ingest("mine", made.block(made.tree_of_tasks(tmp_path / "tree", TASKS[:1])), CATALOGUE)
    for name in ("a", "b"):
        tables.write(scores, "scores", tmp_path / f"{name}.parquet")
    with pytest.raises(InputError, match="the task `arithmetic` is in two parts"):
        tables.gather("scores", [tmp_path / "a.parquet", tmp_path / "b.parquet"], tmp_path / "all.parquet")
    assert sorted(path.name for path in tmp_path.glob("*.parquet")) == ["a.parquet", "b.parquet"]


def test_a_table_without_a_row_can_be_gathered(tmp_path):
    tables.write(pd.DataFrame(columns=list(tables.description("scores")["columns"])), "scores", tmp_path / "a.parquet")
    tables.gather("scores", [tmp_path / "a.parquet"], tmp_path / "all.parquet")
    assert (tmp_path / "all.parquet").read_bytes() == (tmp_path / "a.parquet").read_bytes()
    assert len(tables.read("scores", tmp_path / "all.parquet")) == 0


TARGETS = ("results/tree/scores.parquet", "results/tree/curves.parquet")


def jobs(folder, *arguments):
    """What Snakemake would run: a sorted list of (rule, shard)."""
    done = snakemake(folder, "--dry-run", *TARGETS, "--quiet", "reason", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    named = re.findall(r"^(?:local)?rule (\w+):((?:\n    .*)*)", done.stdout + done.stderr, re.MULTILINE)
    return sorted((rule, *re.findall(r"scatteritem=(\S+)", text)) for rule, text in named)


def test_the_workflow_in_shards(tmp_path):
    """One run each way: the same bytes, nothing to do again, and another task or model reruns its own shard only."""
    study = {"benchmarks": {"tree": {"format": "bigbench", "directory": "tree"}}}
    folder = copy_of_workflow(tmp_path / "workflow", study)
    made.tree_of_tasks(folder / "tree", TASKS[:3])
    done = snakemake(folder, "--cores", "2", *TARGETS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "24 of 24 files read" in done.stdout + done.stderr
    whole = {target: (folder / target).read_bytes() for target in TARGETS}

    two = ("--set-scatter", "shards=2")
    done = snakemake(folder, "--cores", "2", *TARGETS, *two)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {target: (folder / target).read_bytes() for target in TARGETS} == whole
    assert jobs(folder, *two) == []

    made.tree_of_tasks(folder / "tree", ["new_task"])
    shard = f"{trees.shard_of('new_task', 2) + 1}-of-2"
    gathers = [("gather_curves",), ("gather_scores",)]
    assert jobs(folder, *two) == sorted([*gathers, ("ingest_shard", shard), ("assess_shard", shard)])
