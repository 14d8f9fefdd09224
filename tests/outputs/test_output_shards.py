"""The tables about outputs are the same bytes for any number of shards, and whatever other tasks there are."""

import pytest

from emergence.io import tables
from emergence.outputs import assessment, rescoring
from emergence.study import configuration
from invented_outputs import SCALES, arrow, copied_digits, sums

BLOCK = {"format": "outputs_table", "answer": {"strip": True}, "tokens": "characters"}


def rows():
    return {
        "copy": copied_digits(40, [1, 2, 3, 4], scales=SCALES[:6], task="copy"),
        "add": sums(30, scales=SCALES[:5], task="add"),
        "parts": [
            row | {"subtask": part, "cluster": row["example"][:3]}
            for seed, part in enumerate(("one", "two"))
            for row in copied_digits(30, [2], scales=SCALES[:5], seed=seed, task="parts")
        ],
    }


def make(folder, chosen, catalogue):
    """All tables about the outputs of some tasks, in a folder: {name: path}."""
    folder.mkdir()
    frame = arrow([row for task in chosen for row in rows()[task]]).to_pandas()
    tables.write(rescoring.as_table([frame], "outputs", "b"), "outputs", folder / "outputs.parquet")
    made = rescoring.tables_of("b", BLOCK, folder / "outputs.parquet", catalogue, configuration.DEFAULT_METRICS, whole=False)
    made |= assessment.tables_of("b", BLOCK, folder / "outputs.parquet", catalogue, 1, 99, 0.95)
    for name, table in made.items():
        tables.write(table, name, folder / f"{name}.parquet")
    return {name: folder / f"{name}.parquet" for name in made}


@pytest.mark.parametrize("shards", [[["copy", "parts"], ["add"]], [["add"], ["parts"], [], ["copy"]]])
def test_any_number_of_shards(tmp_path, catalogue, shards):
    whole = make(tmp_path / "whole", ["copy", "add", "parts"], catalogue)
    parts = [make(tmp_path / f"shard{number}", chosen, catalogue) for number, chosen in enumerate(shards)]
    for name, path in whole.items():
        gathered = tmp_path / f"{name}.parquet"
        tables.gather(name, [part[name] for part in parts], gathered)
        assert gathered.read_bytes() == path.read_bytes(), name
        assert len(tables.read(name, path)) or name in ("metric_parity",)
