"""Any bytes in place of a file of outputs give a table or a clear message, as test_fuzz.py has it for scores."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_fuzz import altered, as_parquet, check_message, damaged, in_time, read_or_refused, some

import output_files
from emergence.io import tables
from emergence.io.errors import InputError
from emergence.outputs import pipeline
from emergence.study import starter_blocks
from output_files import LIST, block, choices, log, read_whole, results, scored, text, written


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def check_ingest(checked, folder, *files):
    """Ingest with both `on_error`, and hold what is promised of the table and of the account."""
    for on_error, examples in (("stop", "refuse"), ("skip", "shared")):
        path = folder / "read" / "outputs.parquet"
        with in_time():
            try:
                account, inputs = pipeline.ingest("mine", checked | {"on_error": on_error, "examples": examples}, path)
            except InputError as error:
                check_message(error, *files, "the task")
                continue
            read_whole(path, account)
            for name, part in (("ingest_account", account), ("inputs", inputs)):
                tables.write(part, name, folder / "read" / f"{name}.csv")
                tables.read(name, folder / "read" / f"{name}.csv")


SAMPLES = {
    "multiple_choice": [choices(0, [-1.5, "-inf"], "1"), choices(1, [-1, -2, -3], "[0, 2]", acc="N/A")],
    "generate_until": [text(0, " 4", "['4', 'four']"), text(1, "é", 3.0, filtered_resps=[["a", "b"]])],
    "loglikelihood": [text(0, None, " 789", filtered_resps=[["-4.5", "True"]])],
    "loglikelihood_rolling": [text(0, None, "a b", filtered_resps=["-70.5"], bits_per_byte=[-70.5, 3])],
}


def lines_of(samples):
    return "".join(json.dumps(sample) + "\n" for sample in samples).encode()


@pytest.mark.parametrize("output_type", SAMPLES)
@some
@given(data=st.data())
def test_samples_of_the_harness(folder, output_type, data):
    folder = folder / output_type
    samples = SAMPLES[output_type]
    for model in LIST:
        path = output_files.write_samples(folder, model, "t", samples, about=output_type)
    if data.draw(st.booleans()):
        path.write_bytes(data.draw(damaged([lines_of(samples), json.dumps(samples, indent=2).encode()])))
    else:
        path.write_bytes(b"\n".join(data.draw(altered(samples)) for _ in range(2)))
    check_ingest(block("lm_eval_samples", files=[str(folder)]), folder, folder)


@some
@given(data=st.data())
def test_results_files_beside_samples(folder, data):
    folder = folder / "results"
    path = output_files.write_samples(folder, "a", "t", SAMPLES["multiple_choice"])
    next(iter(path.parent.glob("results_*"))).write_bytes(data.draw(altered([results("a", {"t": "multiple_choice"})])))
    models = {**LIST, "hf": {"family": "F", "scale": 1}}
    check_ingest(block("lm_eval_samples", files=[str(folder)], models=models), folder, folder)


LOG = log(
    "sorting",
    "m1",
    [
        ("cond_log_prob", 0, [scored(0, [-1.0, float("-inf")], {"a": 0, "b": 1}), scored(1, [-1.0], ["x"])]),
        ("generate_text", 1, [written(0, "b", ["b"])], "part"),
    ],
)


@some
@given(data=st.data())
def test_logs_of_bigbench(folder, data):
    folder = folder / "logs"
    path = output_files.write_log(folder, LOG)
    content = json.dumps(LOG).encode()
    path.write_bytes(data.draw(damaged([content]) if data.draw(st.booleans()) else altered([LOG])))
    check_ingest(block("bigbench_logs", directory=str(folder)), folder, folder)


ROWS = [
    {"task": "t", "model": "a", "id": 1, "lp": "[-1.5, -2]", "choices": '["x", "y"]', "gold": "1", "out": "x", "kind": "choices"},
    {
        "task": "t",
        "model": "b",
        "id": 1,
        "lp": "[-1, -Infinity]",
        "choices": '["x", "y"]',
        "gold": "x",
        "out": "",
        "kind": "text",
    },
]
COLUMNS = {"task": "task", "model": "model", "example": "id", "log_probs": "lp", "choices": "choices", "gold": "gold"}
COLUMNS |= {"output": "out", "targets": "gold", "kind": "kind"}


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@some
@given(data=st.data())
def test_tables_of_outputs(folder, ending, data):
    import pandas as pd

    frame = pd.DataFrame(ROWS)
    path = folder / f"table.{ending}"
    if ending == "csv":
        content = frame.to_csv(index=False).encode()
    else:
        content = as_parquet(frame) if ending == "parquet" else frame.to_json(orient="records", lines=True).encode()
    if ending == "jsonl" and data.draw(st.booleans()):
        path.write_bytes(b"\n".join(data.draw(altered(ROWS)) for _ in range(2)))
    else:
        path.write_bytes(data.draw(damaged([content])))
    check_ingest(block("outputs_table", files=[str(path)], columns=COLUMNS), folder, path)


RECORD = {
    "schema_version": "0.3.0",
    "evaluation_id": "demo/a/1",
    "model_id": "a",
    "evaluation_name": "sums/strict",
    "sample_id": "s1",
    "interaction_type": "single_turn",
    "input": {"raw": "question", "reference": ["4"]},
    "output": {"raw": ["4", "5"]},
    "answer_attribution": [],
    "evaluation": {"score": 1.0, "is_correct": True},
    "metadata": {"filter": "strict"},
}


@some
@given(data=st.data())
def test_instances(folder, data):
    path = folder / "instances" / "a.jsonl"
    path.parent.mkdir(exist_ok=True)
    content = data.draw(damaged([lines_of([RECORD])]) if data.draw(st.booleans()) else altered([RECORD]))
    path.write_bytes(content + b"\n" + lines_of([RECORD]))
    check_ingest(block("every_eval_ever", files=[str(path.parent)]), folder, path)


@some
@given(data=st.data())
def test_starters(folder, data):
    inside = folder / "starters"
    path = output_files.write_samples(inside, "a", "t", SAMPLES["multiple_choice"])
    path.write_bytes(data.draw(damaged([lines_of(SAMPLES["multiple_choice"])])))

    def starter(path):
        return starter_blocks.starter(path, "mine")

    read_or_refused(starter, inside)
