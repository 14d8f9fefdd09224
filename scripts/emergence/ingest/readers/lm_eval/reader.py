"""Reader for the results files of lm-evaluation-harness.

Two layouts are read. Before version 0.4 an entry of `results` holds `acc` and `acc_stderr`; since then `acc,none` and
`acc_stderr,none`, where the part after the comma names the filter that took the answer out of the model's output, and `n-shot`,
`n-samples`, `higher_is_better` and `group_subtasks` stand beside `results` (the harness's evaluator.py and evaluator_utils.py).

A group with a score of its own is a task, and each of its tasks is a subtask of it: of the smallest such group, where there
are several. Scores of one group are not independent, and what resamples tasks must take them together. A group without a score is
only a list of names, and what is in it stands for itself.
"""

import json
import re
import sys
from pathlib import Path

import pandas as pd

from emergence.ingest.readers import Rows
from emergence.io.documents import files_below, find_problems, message
from emergence.io.errors import InputError

# Entries beside the metrics; " " marks a group without a score.
_NOT_METRICS = {"alias", "name", "samples", "sample_len", "sample_count", " "}

# What a run with --predict_only writes in place of scores.
_PLACEHOLDER = "bypass"

# Where model_args name the model, in the order in which the harness looks.
_NAME_ARGUMENTS = ("peft", "delta", "pretrained", "model", "path", "engine")

_WORD = {"type": ["string", "number", "boolean", "null"]}


def _each(schema):
    return {"type": ["object", "null"], "additionalProperties": schema}


# What stands beside `results`, as far as it is read. What a number or a name says is looked at later, row by row.
_SHAPE = {
    "properties": {
        "model_name": _WORD,
        "date": {"type": ["number", "string", "null"], "minimum": 0, "maximum": 9e9},
        "config": {
            "type": ["object", "null"],
            "properties": {
                "model": _WORD,
                "model_args": {"type": ["object", "string", "null"], "additionalProperties": True},
                "model_revision": _WORD,
                "model_num_parameters": _WORD,
                "num_fewshot": _WORD,
            },
        },
        "configs": _each({"type": ["object", "null"], "properties": {"num_fewshot": _WORD}}),
        "n-shot": _each(_WORD),
        "n-samples": _each({"type": ["object", "null"], "properties": {"effective": {"type": ["number", "null"]}}}),
        "higher_is_better": _each(_each({"type": ["boolean", "null"]})),
        "group_subtasks": _each({"type": ["array", "null"], "items": {"type": "string"}}),
    }
}

_DATE_IN_NAME = re.compile(r"_(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d+)?)\.json$")

_COLUMNS = (
    "entry",
    "base",
    "filter",
    "model",
    "shots",
    "score",
    "stderr",
    "n_examples",
    "higher_is_better",
    "scale",
    "file",
    "_key",
)


def read(block, account):
    """The scores of all files of the block. See emergence.ingest.readers for the contract.

    Raises InputError for a file that is named and holds no results, and for one that is no JSON.
    """
    runs = {}
    for named in block["files"]:
        for file in files_below(named, "*.json"):
            if str(file) in runs:
                continue
            written = read_bytes(file)
            content = parse(file, written)
            if content is None and Path(named).is_file():
                raise InputError(f"{file}: there is no `results` in it\n    allowed: a results file of lm-evaluation-harness")
            account.file(file, written)
            if content is None:
                account.count(file, "ignored", 1, "a file of the folder without `results`", example=str(file))
            else:
                runs[str(file)] = content
    records, dates = [], {}
    for file, content in runs.items():
        found = list(_scores(file, content, block["scale_from"]))
        account.count(file, "read", len(found))
        records += found
        dates[file] = _date(file, content)
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in _columns(records).items()})
    frame = _choose(frame, block, account)
    if block["repeated_runs"] == "latest":
        frame = _latest(frame, dates, account)
    group_of = smallest_groups(runs.values())
    frame["task"] = frame["entry"].map(lambda entry: group_of.get(entry, entry))
    frame["subtask"] = frame["entry"].where(frame["entry"].isin(list(group_of)), "")
    frame["metric"] = _metric_names(frame)
    frame["source"] = frame["file"]
    if block["scale_from"] == "models":
        frame = frame.drop(columns="scale")

    def place(row, field):
        entry, key = frame["entry"].iat[row], frame["_key"].iat[row]
        at = f"{frame['file'].iat[row]}: results.{entry}, `{key}`"
        return (
            f"{frame['file'].iat[row]}: model `{frame['model'].iat[row]}`" if field in ("model", "scale", "model_family") else at
        )

    return Rows(frame, place)


def load(file):
    """The content of a results file; None for JSON that holds no results.

    Raises InputError where it is no JSON, and where what stands beside the results is not of the harness's form.
    """
    return parse(file, read_bytes(file))


def read_bytes(file):
    """The bytes of a file, read once: what is parsed is what the account has the digest of."""
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None


def parse(file, written):
    """The content of a results file from its bytes; see load."""
    try:
        text = written.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: cannot be read as text: {error}") from None
    try:
        # NaN and the infinities, which are no JSON, arrive as text and are refused as scores by name
        content = json.loads(text, parse_constant=str)
        if "\\u" in text:
            # half a surrogate pair is no character and cannot be written again
            json.dumps(content, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InputError(f"{file}: line {error.lineno}: not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: not valid JSON: {error}") from None
    results = content.get("results") if isinstance(content, dict) else None
    if not (isinstance(results, dict) and all(isinstance(entry, dict) for entry in results.values())):
        return None
    problems = find_problems({key: content[key] for key in _SHAPE["properties"] if key in content}, _SHAPE, ())
    if problems:
        raise InputError([message(file, *problem) for problem in problems])
    return content


def model_name(content):
    """The name of the model that a results file is about, with `@revision` where it has one; empty where no name is said.

    The harness names the model by one of its arguments, whose checkpoints (`revision=step3000`) then share the name.
    """
    config = content.get("config") or {}
    arguments = config.get("model_args") or {}
    if isinstance(arguments, str):
        arguments = dict(part.split("=", 1) for part in arguments.split(",") if "=" in part)
    names = [content.get("model_name"), *(arguments.get(key) for key in _NAME_ARGUMENTS), config.get("model")]
    name = next((str(name) for name in names if name), "")
    revision = arguments.get("revision") or config.get("model_revision") or "main"
    return name if revision == "main" else f"{name}@{revision}"


def n_parameters(content):
    """The number of parameters that a results file records for its model, or None."""
    found = (content.get("config") or {}).get("model_num_parameters")
    return _cell(found) if isinstance(found, (int, float)) and found > 0 else None


def metrics_of(entry):
    """The metrics of one entry of `results`: tuples of key, metric, filter ('' in the old layout), key of the standard error."""
    current = any("," in key for key in entry)
    for key in entry:
        metric, _, name = key.partition(",")
        if metric.endswith("_stderr") or key in _NOT_METRICS or current != ("," in key):
            continue
        yield key, metric, name, f"{metric}_stderr,{name}" if current else f"{metric}_stderr"


def leaves(name, members):
    """The tasks in a group and in the groups of it: a set of names; of a task, itself. members: {group: list of names}."""
    found, met, waiting = set(), {name}, [name]
    while waiting:
        inside = waiting.pop()
        if not members.get(inside):
            found.add(inside)
        # a group may stand in several others, and in a damaged file in itself
        new = set(members.get(inside) or ()) - met
        met |= new
        waiting += new
    return found


def smallest_groups(contents):
    """{task: the group whose subtask it is}, over all files of a benchmark, so that runs of a part fit those of the whole."""
    members, scored = {}, set()
    for content in contents:
        for group, names in (content.get("group_subtasks") or {}).items():
            members[group] = sorted({*members.get(group, ()), *(names or ())})
        scored |= {name for name, entry in content["results"].items() if any(True for _ in metrics_of(entry))}
    of_group = {group: leaves(group, members) for group, names in members.items() if names and group in scored}
    found = {}
    for group in sorted(of_group, key=lambda group: (len(of_group[group]), group)):
        for name in of_group[group] - {group}:
            found.setdefault(name, group)
    return found


def _scores(file, content, scale_from):
    """One tuple a score, in the order of _COLUMNS."""
    model, scale = model_name(content), n_parameters(content) if scale_from == "parameters" else None
    results, members = content["results"], content.get("group_subtasks") or {}
    for name, entry in results.items():
        in_prompt = shots(name, content)
        directions = (content.get("higher_is_better") or {}).get(name) or {}
        for key, metric, chosen, stderr_key in metrics_of(entry):
            score, stderr = _cell(entry[key]), _cell(entry.get(stderr_key))
            stderr = None if stderr == "N/A" else stderr
            n_examples = _n_examples(name, key, content, members)
            yield name, metric, chosen, model, in_prompt, score, stderr, n_examples, directions.get(metric), scale, file, key


def _cell(value):
    """A value as it stands where it is a number, text or null; anything else, and numbers beyond all bounds, as text."""
    if value is None or type(value) in (str, float) or (type(value) is int and abs(value) < sys.float_info.max):
        return value
    return json.dumps(value)


def shots(name, content):
    """Examples in the prompt of a task; of a group those of its tasks, where they agree. None where the file does not say."""
    members = content.get("group_subtasks") or {}
    if members.get(name):
        found = {_shots_of_task(leaf, content) for leaf in leaves(name, members)}
        return found.pop() if len(found) == 1 else None
    return _shots_of_task(name, content)


def _shots_of_task(name, content):
    of_task = (content.get("configs") or {}).get(name) or {}
    said = [(content.get("n-shot") or {}).get(name), of_task.get("num_fewshot"), (content.get("config") or {}).get("num_fewshot")]
    return next((_cell(number) for number in said if number is not None), None)


def _n_examples(name, key, content, members):
    """Test examples behind a score: of a group the sum over its tasks with that score; None where the file does not say."""
    counts = content.get("n-samples") or {}
    if not members.get(name):
        return (counts.get(name) or {}).get("effective")
    behind = [leaf for leaf in leaves(name, members) if key in content["results"].get(leaf, {})]
    found = [(counts.get(leaf) or {}).get("effective") for leaf in behind]
    return sum(found) if found and None not in found else None


def _date(file, content):
    """When a run was made, as text that sorts by time; None where neither file nor file name says it."""
    date = content.get("date")
    if isinstance(date, (int, float)):
        return pd.Timestamp(date, unit="s").isoformat()
    named = _DATE_IN_NAME.search(Path(file).name)
    day, _, time = named.group(1).partition("T") if named else ("", "", "")
    return f"{day}T{time.replace('-', ':')}" if named else None


def _columns(records):
    return dict(zip(_COLUMNS, zip(*records, strict=True) if records else [()] * len(_COLUMNS), strict=True))


def _choose(frame, block, account):
    """The scores that are scores, under the filters that the block asks for."""
    placeholder = frame["base"] == _PLACEHOLDER
    _count(frame[placeholder], "left_out", "a placeholder of --predict_only, no score", account)
    frame = frame[~placeholder]
    if "filters" in block:
        # the old layout has no filters to choose from
        other = ~frame["filter"].isin(["", *block["filters"]])
        _count(frame[other], "left_out", "a filter that `filters` does not name", account)
        frame = frame[~other]
    return frame.reset_index(drop=True)


def _latest(frame, dates, account):
    """Of the scores of one model under one key, those of the latest run; runs without a date stay, to be compared as they are."""
    date = frame["file"].map(dates)
    key = [frame[name].astype("str") for name in ("entry", "base", "filter", "model", "shots")]
    superseded = date.notna() & (date < date.groupby(key).transform("max"))
    _count(frame[superseded], "left_out", "a later run has this score", account)
    return frame[~superseded].reset_index(drop=True)


def _count(rows, outcome, reason, account):
    for file, of_file in rows.groupby("file"):
        account.count(
            file, outcome, len(of_file), reason, f"{file}: results.{of_file['entry'].iat[0]}, `{of_file['_key'].iat[0]}`"
        )


def _metric_names(frame):
    """The metric, with its filter where a task has the metric under several: two ways to grade one output are two metrics."""
    chosen = frame["filter"].replace("", "none")
    several = chosen.groupby([frame["entry"], frame["base"]]).transform("nunique") > 1
    return frame["base"].where(~several | (chosen == "none"), frame["base"] + "," + chosen)
