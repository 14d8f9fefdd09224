"""Small folders of outputs, as the harness and BIG-bench write them, and what tests read them with.

`ingest` and `message` are fixtures once a test module says so: `ingest = pytest.fixture(output_files.ingest)`.
"""

import json

import pytest

from emergence.io import tables
from emergence.io.errors import InputError
from emergence.outputs import pipeline
from emergence.study import configuration

DATE = "2024-05-06T07-08-09.123456"

LIST = {"a": {"family": "F", "scale": 1e6}, "b": {"family": "F", "scale": 1e7}}

METRICS = {
    "multiple_choice": ("acc", "acc_norm"),
    "generate_until": ("exact_match",),
    "loglikelihood": ("perplexity", "acc"),
    "loglikelihood_rolling": ("bits_per_byte",),
}


def results(model, tasks, **keys):
    """A results file of the harness. tasks: {task: output type, or its whole configuration}."""
    configs = {
        task: {"num_fewshot": 2, "target_delimiter": " "} | (about if isinstance(about, dict) else {"output_type": about})
        for task, about in tasks.items()
    }
    return {
        "results": {
            task: {f"{metric},none": 0.5 for metric in config.get("metrics", METRICS[config["output_type"]])}
            for task, config in configs.items()
        },
        "configs": configs,
        "n-shot": {task: config["num_fewshot"] for task, config in configs.items()},
        "config": {"model": "hf", "model_args": f"pretrained={model}"},
        "model_name": model,
        **keys,
    }


def choices(number, log_probs, target, texts=None, delimiter=" ", **keys):
    """A sample of multiple choice as the harness writes it since 0.4.6, with numbers in quotes."""
    texts = texts or [f"choice {number}{letter}" for letter in "abcdefgh"[: len(log_probs)]]
    responses = [[str(value), "False"] for value in log_probs]
    return {
        "doc_id": number,
        "doc": {"question": f"question {number}"},
        "target": target,
        "arguments": {f"gen_args_{i}": {"arg_0": "prompt", "arg_1": delimiter + text} for i, text in enumerate(texts)},
        "resps": [[response] for response in responses],
        "filtered_resps": responses,
        "filter": "none",
        "metrics": ["acc", "acc_norm"],
        "doc_hash": f"{number:064d}",
        "acc": 1.0,
        "acc_norm": 0.0,
        **keys,
    }


def text(number, output, target, **keys):
    """A sample of a generation."""
    return {
        "doc_id": number,
        "doc": {"question": f"question {number}"},
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": "prompt", "arg_1": {"until": ["\n"]}}},
        "resps": [[output]],
        "filtered_resps": [output],
        "filter": "none",
        "metrics": ["exact_match"],
        "doc_hash": f"{number:064d}",
        "exact_match": 1.0,
        **keys,
    }


def write_samples(folder, model, task, samples, date=DATE, content=None, about="multiple_choice"):
    """A file of samples and the results file of the same run; the path of the former. samples: list, or bytes."""
    inside = folder / model.replace("/", "__")
    inside.mkdir(parents=True, exist_ok=True)
    content = results(model, {task: about}) if content is None else content
    (inside / f"results_{date}.json").write_text(json.dumps(content))
    path = inside / f"samples_{task}_{date}.jsonl"
    if not isinstance(samples, bytes):
        samples = "".join(json.dumps(sample, ensure_ascii=False) + "\n" for sample in samples).encode()
    path.write_bytes(samples)
    return path


def log(task, model, queries, **keys):
    """A full log of BIG-bench. queries: list of (function, shots, samples), or of (function, shots, samples, subtask)."""
    return {
        "scores": [],
        "task": {"task_name": task},
        "model": {
            "model_family": "F",
            "model_name": model,
            "flop_matched_non_embedding_params": 10.0 ** (6 + ord(model[-1]) % 9),
        },
        "queries": [
            {"function": function, "shots": shots, "samples": samples, "task": rest[0] if rest else task}
            for function, shots, samples, *rest in queries
        ],
        **keys,
    }


def scored(number, scores, values, **keys):
    """A sample of `cond_log_prob`. values: {choice: how right}, or a list of targets."""
    targets = list(values)
    sample = {
        "input": f"\nQ: question {number}?\nA: ",
        "targets": targets,
        "scores": scores,
        "absolute_scores": scores,
        "normalized_scores": scores,
        "metrics": {},
    }
    if isinstance(values, dict):
        sample |= {"target_values": values, "correct": 1.0}
    return sample | keys


def written(number, output, targets, **keys):
    """A sample of `generate_text`."""
    targets = {target: {"exact_str_match": float(output == target), "bleu": None} for target in targets}
    return {"input": f"\nQ: question {number}?\nA: ", "output": output, "targets": targets, "raw_output": output} | keys


def write_log(folder, content, name=None, inside=None):
    task, model = content["task"]["task_name"], content["model"]["model_name"]
    path = folder / (inside or task) / "results" / (name or f"full-log_F_{model}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def block(format_name, **keys):
    """A complete block of one format; with a list of models where the format needs one."""
    keys = {"format": format_name, **keys}
    if format_name != "bigbench_logs" and "models" not in keys:
        keys["models"] = LIST
    return configuration.check({"benchmarks": {"mine": keys}})["benchmarks"]["mine"]


def read_whole(path, account):
    """The table of outputs on the disk, after a check that it is as described and that the account adds up."""
    frame = tables.read("outputs", path)
    assert tables.faults(frame, "outputs") == []
    counts = account.pivot_table(index="file", columns="outcome", values="n", aggfunc="sum", fill_value=0)
    counts = counts.reindex(columns=["read", "kept", "merged", "empty", "left_out", "refused"], fill_value=0)
    assert (counts["read"] == counts.drop(columns="read").sum(axis=1)).all(), account.to_string()
    assert counts["kept"].sum() == len(frame)
    return frame


def ingest(tmp_path):
    """A fixture. A reader of blocks: (table of outputs, account), both from the disk; the account adds up in any case."""

    def read(format_name, part=None, **keys):
        path = tmp_path / "read" / "outputs.parquet"
        account, _ = pipeline.ingest("mine", block(format_name, **keys), path, part)
        return read_whole(path, account), account

    return read


def message(ingest):
    """A fixture. The message with which a block is refused."""

    def read(format_name, **keys):
        with pytest.raises(InputError) as error:
            ingest(format_name, **keys)
        return str(error.value)

    return read


def counted(account, outcome):
    """{reason: number} of one outcome of an account, over all files."""
    return account[account["outcome"] == outcome].groupby("reason", dropna=False)["n"].sum().to_dict()
