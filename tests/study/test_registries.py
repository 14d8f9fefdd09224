"""The lists that a benchmark may bring: what is no such list is one clear message."""

import gzip

import pytest

from emergence.io.errors import InputError
from emergence.study import registries

LOADERS = {
    "tasks": (registries.load_tasks, "task,preferred_metric"),
    "claims": (registries.load_claims, "task,preferred_metric"),
    "models": (registries.load_models, "model,model_family,scale"),
    "paper": (registries.load_paper_figures, "figure,quantity,metric,value"),
}


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b"{head}\n", "column names but no row"),
        (b"{head}\n1\n", "found: nothing"),
        (b"{head}\n1,2,3,4,5\n", "rows with more cells than there are column names"),
        (b"{head}\n1,2,3,4,5\n1,2,3,4,5,6,7\n", "not a table that can be read"),
        (b"{head}\n\xff,\xff,1,1\n", "not a table that can be read"),
        (b'{head}\n"1', "not a table that can be read"),
        (b"\xff\xfe{head}", "not a table that can be read"),
    ],
)
def test_what_is_no_list(tmp_path, kind, content, expected):
    load, head = LOADERS[kind]
    if kind == "models" and content.endswith(b"\n1\n"):
        pytest.skip("a model of which the list says nothing is left out, and counted")
    path = tmp_path / "list.csv"
    path.write_bytes(content.replace(b"{head}", head.encode()))
    with pytest.raises(InputError) as error:
        load(path)
    assert f"{path}" in str(error.value)
    assert expected in str(error.value)


@pytest.mark.parametrize("ending", ["gz", "zip", "zst", "tar"])
def test_no_packing_is_guessed_from_a_name(tmp_path, ending):
    path = tmp_path / f"tasks.csv.{ending}"
    path.write_bytes(gzip.compress(b"task,preferred_metric\nt,acc\n"))
    with pytest.raises(InputError, match="not a table that can be read"):
        registries.load_tasks(path)


def test_a_row_that_ends_early_has_empty_cells(tmp_path):
    path = tmp_path / "tasks.csv"
    path.write_text("task,preferred_metric,subtask_preferred_metrics\nt,acc\nu,f1,f1|acc\n")
    assert registries.load_tasks(path)["subtask_preferred_metrics"].tolist() == [[], ["f1", "acc"]]


def test_a_list_of_models_that_is_filled_in_for_some(tmp_path):
    path = tmp_path / "models.csv"
    path.write_text("model,model_family,scale,note\na,F,1e6,check\nb,,2e6,\nc,F,,\nd,,,\ne,F,0,\n")
    assert registries.load_models(path) == {
        "a": {"model_family": "F", "scale": 1e6},
        "b": {"model_family": None, "scale": 2e6},
        "c": {"model_family": "F", "scale": None},
        "d": {"model_family": None, "scale": None},
        "e": {"model_family": "F", "scale": 0.0},
    }
    path.write_text("model,model_family,scale\na,F,-1\n")
    with pytest.raises(InputError, match="found: `-1`"):
        registries.load_models(path)
    path.write_text("model,scale\na,1\n")
    with pytest.raises(InputError, match="no column `model_family`"):
        registries.load_models(path)
