"""The lists that a benchmark may bring: what is no such list is one clear message."""

import functools
import gzip

import pytest

from conftest import ROOT
from emergence.io.errors import InputError
from emergence.study import metric_catalogue, registries

CATALOGUE = metric_catalogue.load(ROOT / "config" / "metrics.yaml")

LOADERS = {
    "tasks": (functools.partial(registries.load_tasks, catalogue=CATALOGUE), "task,preferred_metric"),
    "claims": (functools.partial(registries.load_claims, catalogue=CATALOGUE), "task,preferred_metric"),
    "models": (registries.load_models, "model,model_family,scale"),
    "paper": (registries.load_paper_figures, "figure,quantity,metric,value"),
}


# a model of which the list says nothing is not an error: its scores are left out, and counted
ONE_EMPTY_ROW = b"{head}\n1\n"


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b"{head}\n", "column names but no row"),
        (ONE_EMPTY_ROW, "found: nothing"),
        (b"{head}\n1,2,3,4,5\n", "a row with more cells than there are column names"),
        (b"{head}\n1,2,3,4,5\n1,2,3,4,5,6,7\n", "a row with more cells than there are column names"),
        (b"{head}\n\xff,\xff,1,1\n", "text that is not UTF-8"),
        (b'{head}\n"1', "not a table that can be read"),
        (b"\xff\xfet\0a", "text that is not utf-16"),
        (b"PK\x03\x04{head}", "a zip file"),
        (b'[{"a": 1}]', "a JSON array"),
    ],
)
def test_what_is_no_list(tmp_path, kind, content, expected):
    load, head = LOADERS[kind]
    path = tmp_path / "list.csv"
    path.write_bytes(content.replace(b"{head}", head.encode()))
    if kind == "models" and content == ONE_EMPTY_ROW:
        assert load(path) == {"1": {"model_family": None, "scale": None}}
        return
    with pytest.raises(InputError) as error:
        load(path)
    assert f"{path}" in str(error.value)
    assert expected in str(error.value)


@pytest.mark.parametrize("ending", ["gz", "zip", "zst", "tar"])
def test_no_packing_is_guessed_from_a_name(tmp_path, ending):
    path = tmp_path / f"tasks.csv.{ending}"
    path.write_bytes(gzip.compress(b"task,preferred_metric\nt,acc\n"))
    with pytest.raises(InputError, match="a gzip file"):
        registries.load_tasks(path, CATALOGUE)


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        # as Excel writes it in most of Europe, from Google Sheets, and with empty rows and columns behind it
        ("model;model_family;scale\nm;F;1,3E+09\n", 1.3e9),
        ("model\tmodel_family\tscale\nm\tF\t1.3B\n", 1.3e9),
        ('model,model_family,scale,,\nm,F,"1,300,000,000",,\n,,,,\n,,,,\n', 1.3e9),
        ("model,model_family,scale\rm,F,1 300 000 000\r", 1.3e9),
        ("model,model_family,scale\nm,F,-\n", None),
        ("model,model_family,scale\nm,F,n/a\n", None),
    ],
)
def test_lists_are_written_as_tables_of_scores_are(tmp_path, text, scale):
    path = tmp_path / "models.csv"
    path.write_bytes(text.encode())
    assert registries.load_models(path) == {"m": {"model_family": "F", "scale": scale}}


@pytest.mark.parametrize("cell", ["NaN", "inf", "8x7B", "-1", "-1B", '"1,300"', "1e999"])
def test_a_size_that_is_not_certain_is_refused_by_the_name_of_its_model(tmp_path, cell):
    path = tmp_path / "models.csv"
    path.write_text(f"model,model_family,scale\n\nm,F,{cell}\n")
    with pytest.raises(InputError, match=r"model `m`, column `scale`\n    found: "):
        registries.load_models(path)


def test_a_row_that_ends_early_has_empty_cells(tmp_path):
    path = tmp_path / "tasks.csv"
    path.write_text("task,preferred_metric,subtask_preferred_metrics\nt,acc\nu,f1,f1|acc\n")
    assert registries.load_tasks(path, CATALOGUE)["subtask_preferred_metrics"].tolist() == [[], ["f1", "acc"]]


def test_names_are_stripped_before_they_are_compared(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("task,preferred_metric\nt,acc\nt ,f1\n")
    with pytest.raises(InputError, match="data row 2, column `task`\n    found: `t` again\n    allowed: each name once"):
        registries.load_tasks(path, CATALOGUE)
    path.write_text("model,model_family,scale\nm,F,1e6\n m ,G,9e9\n")
    with pytest.raises(InputError, match="data row 2, column `model`\n    found: `m` again"):
        registries.load_models(path)


@pytest.mark.parametrize("kind", LOADERS)
def test_a_column_name_that_is_there_twice_is_refused(tmp_path, kind):
    load, head = LOADERS[kind]
    path = tmp_path / "list.csv"
    last = head.split(",")[-1]
    path.write_text(f"{head}, {last} \n" + ",".join("1" for _ in range(head.count(",") + 2)) + "\n")
    with pytest.raises(InputError, match=f"found: the column `{last}` more than once\n    allowed: every column name once"):
        load(path)


def test_metrics_of_lists_have_the_names_of_the_catalogue(tmp_path):
    """An alias is the metric, in every column and in either list; an unknown name is refused with the nearest."""
    tasks, claims = tmp_path / "tasks.csv", tmp_path / "claims.csv"
    alias, own = next((aliases[0], name) for name, aliases in CATALOGUE["aliases"].items() if aliases)
    tasks.write_text(f"task,preferred_metric,subtask_preferred_metrics\nt,{alias},{alias} | {own}\nu,f1,\n")
    claims.write_text(f"task,preferred_metric\nt,{own}\n")
    read = registries.load_tasks(tasks, CATALOGUE)
    assert read["preferred_metric"].tolist() == [own, "f1"]
    assert read["subtask_preferred_metrics"].tolist() == [[own, own], []]
    assert registries.load_claims(claims, CATALOGUE, read)["preferred_metric"].tolist() == [own]
    claims.write_text("task,preferred_metric\nt,exact_mach\n")
    with pytest.raises(InputError, match="data row 1, column `preferred_metric`\n    found: the metric `exact_mach`") as error:
        registries.load_claims(claims, CATALOGUE, read)
    assert "did you mean `exact_match`?" in str(error.value)
    tasks.write_text("task,preferred_metric,subtask_preferred_metrics\nt,f1,f1|nonsense\n")
    with pytest.raises(InputError, match="column `subtask_preferred_metrics`\n    found: the metric `nonsense`"):
        registries.load_tasks(tasks, CATALOGUE)


def test_the_mark_at_the_start_that_spreadsheets_write_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "tasks.csv"
    path.write_bytes(b"\xef\xbb\xbftask,preferred_metric\nt,f1\n")
    assert registries.load_tasks(path, CATALOGUE)["task"].tolist() == ["t"]


@pytest.mark.parametrize("value", ["inf", "nan", "1e400", "x"])
def test_published_numbers_are_numbers(tmp_path, value):
    path = tmp_path / "paper.csv"
    path.write_text(f"figure,quantity,metric,value\n5A,most,f1,{value}\n")
    with pytest.raises(InputError, match="column `value`"):
        registries.load_paper_figures(path)


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
