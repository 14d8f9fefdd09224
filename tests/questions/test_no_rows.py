"""Every stage with tables of no rows: a shard may be empty, and so may every curve, test or claim that a question looks at."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from conftest import ROOT
from emergence import questions
from emergence.curves import frames
from emergence.io import tables
from emergence.questions.given import Given
from emergence.statistics import curve_tests
from emergence.study import configuration, metric_catalogue

METRICS = metric_catalogue.entries(str(ROOT / "config" / "metrics.yaml"))
OF_BENCHMARK = [name for name, question in questions.every_question().items() if question.scope == "benchmark"]


def empty(name):
    return tables.typed(pd.DataFrame(), name)


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """A study of one benchmark with every list that a question may need, and the files that these name."""
    folder = tmp_path_factory.mktemp("lists")
    lists = {
        "claims": "task,preferred_metric\nt,f1\n",
        "tasks": "task,preferred_metric\nt,f1\n",
        "paper_figures": "figure,quantity,metric,value\n5A,largest emergence score drawn,f1,2\n",
    }
    for key, text in lists.items():
        (folder / f"{key}.csv").write_text(text)
    (folder / "scores.csv").write_text("x\n")
    columns = {name: name for name in ("task", "metric", "model_family", "model", "scale", "score")}
    files = {key: str(folder / f"{key}.csv") for key in lists}
    block = {"format": "table", "files": [str(folder / "scores.csv")], "columns": columns, **files}
    study = configuration.check({"benchmarks": {"mine": block, "outputs": {"format": "model"}}})
    # what questions need of a block of outputs, too
    study["benchmarks"]["mine"] = study["benchmarks"]["outputs"] | study["benchmarks"]["mine"]
    return study, files


def test_no_scores_give_no_curves_and_no_tests(catalogue, tmp_path):
    scores = empty("scores")
    curves = frames.measure(frames.from_scores(scores, catalogue), catalogue)
    curves = frames.attach_scatter(tables.typed(curves, "curves"), scores)
    made = curve_tests.assess(curves, catalogue, 10, 1, "assumed") if len(curves) else {}
    assert len(curves) == 0
    made["above_chance"] = curve_tests.above_chance(scores, catalogue)
    for name, table in made.items():
        tables.write(table, name, tmp_path / f"{name}.parquet")
        assert tables.read(name, tmp_path / f"{name}.parquet").empty


@pytest.fixture(scope="module")
def answered(checked, tmp_path_factory):
    """What every question makes of tables without rows, each from those that the questions before it have made."""
    study, files = checked
    outputs = tmp_path_factory.mktemp("tables") / "outputs.parquet"
    tables.write(empty("outputs"), "outputs", outputs)
    given = Given({"outputs": outputs}, study, study["benchmarks"]["mine"], METRICS, files, "mine")
    own = {table for name in OF_BENCHMARK for table in questions.every_question()[name].tables}
    for question in map(questions.every_question().get, OF_BENCHMARK):
        for table in {*question.inputs, *question.said} - own:
            given.put(table, empty(table))
    waiting = [questions.every_question()[name] for name in OF_BENCHMARK]
    while waiting:
        question = next(one for one in waiting if all(given.has(table) for table in one.inputs))
        waiting.remove(question)
        made = question.module("tables").compute(given.only(question, "tables")) if question.tables else {}
        for table, frame in made.items():
            assert not tables.faults(tables.typed(frame, table), table), table
            given.put(table, frame)
    return given


@pytest.mark.parametrize("name", OF_BENCHMARK)
def test_figures_and_sentences_of_no_rows(name, answered):
    """Of nothing they say that there is nothing, and none of them fails."""
    question = questions.every_question()[name]
    if question.figures:
        drawn = question.module("figure").draw(answered.only(question, "figure"))
        assert set(drawn) == set(question.figures)
        plt.close("all")
    if question.path("answer"):
        for answer in question.module("answer").answer(answered.only(question, "answer")):
            assert answer.text
