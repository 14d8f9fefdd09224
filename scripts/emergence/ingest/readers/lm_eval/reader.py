"""Reader for the results files of lm-evaluation-harness.

Two layouts are read. Before version 0.4 an entry of `results` holds `acc` and `acc_stderr`; since then `acc,none` and
`acc_stderr,none`, where the part after the comma names the filter that took the answer out of the model's output, and `n-shot`,
`n-samples`, `higher_is_better` and `group_subtasks` are given beside `results` (the harness's evaluator.py and evaluator_utils.py).

A group with a score of its own is a task, and everything in it, groups as well, are its subtasks; the scores of groups are marked
as aggregates. What is in a group, `group_subtasks` says; versions 0.4.0 and 0.4.1 have the list of `groups` and indent the
`alias` of what is in one. A group without a score is only a list of names, and what is in it belongs to itself.
"""

import datetime
import functools
import json
import math
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from emergence.ingest import foreign, names, selection
from emergence.ingest.groups import leaves, members_digest, tasks_of
from emergence.ingest.readers import Rows
from emergence.ingest.supplements import listed_models
from emergence.io import encodings
from emergence.io.documents import chosen_files, find_problems, message, unique_keys
from emergence.io.errors import InputError, mistake, naming

# Entries beside the metrics; " " marks a group without a score.
_NOT_METRICS = {"alias", "name", "samples", "sample_len", "sample_count", " "}

# What a run with --predict_only writes in place of scores.
_PLACEHOLDER = "bypass"

# Where model_args name the model, in the order in which the harness looks.
_NAME_ARGUMENTS = ("peft", "delta", "pretrained", "model", "path", "engine")

# What `versions` holds where a task says none.
_NO_VERSION = {"yaml", "n/a", "none", ""}

# How far the score of a group may be from the average of its members under which it is read as that.
_TOLERANCE_OF_MEAN = 1e-4
_TOLERANCE_OF_STDERR = 0.05

_WORD = {"type": ["string", "number", "boolean", "null"]}


def _each(schema):
    return {"type": ["object", "null"], "additionalProperties": schema}


_COUNT = {"type": ["number", "null"]}

# What is given beside `results`, as far as it is read. What a number or a name says is looked at later, row by row.
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
                "limit": _WORD,
            },
        },
        "configs": _each({"type": ["object", "null"], "properties": {"num_fewshot": _WORD}}),
        "n-shot": _each(_WORD),
        "n-samples": _each({"type": ["object", "null"], "properties": {"original": _COUNT, "effective": _COUNT}}),
        # one for each of thousands of tasks: what each is, `version` looks at
        "versions": {"type": ["object", "null"]},
        "higher_is_better": _each(_each({"type": ["boolean", "null"]})),
        "groups": _each({"type": ["object", "null"]}),
        "group_subtasks": _each({"type": ["array", "null"], "items": {"type": "string"}}),
    }
}

# Dates in names of files: year first or month first, with or without separators.
_DATES_IN_NAME = (
    re.compile(r"(?<!\d)(?P<Y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)[T_ -](?P<H>\d\d)[-:_.](?P<M>\d\d)[-:_.](?P<S>\d\d(?:\.\d+)?)"),
    re.compile(r"(?<!\d)(?P<m>\d\d)-(?P<d>\d\d)-(?P<Y>\d{4})[T_ -](?P<H>\d\d)[-:_.](?P<M>\d\d)[-:_.](?P<S>\d\d(?:\.\d+)?)"),
    re.compile(r"(?<!\d)(?P<Y>20\d\d)(?P<m>\d\d)(?P<d>\d\d)[T_-]?(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<Y>20\d\d)[-_](?P<m>\d\d)[-_](?P<d>\d\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<Y>20\d\d)(?P<m>\d\d)(?P<d>\d\d)(?!\d)"),
)
_NO_DATE = (
    "; `repeated_runs: latest` cannot choose, since neither the file (`date`) nor its name says when it was written: take one of "
    "them out with `!` in `files`"
)

_SEVERAL = "; `repeated_runs: latest` takes the latest run, and `!` in `files` takes a file out"

_NO_NAME = "; the files name the library that ran the model, not the model: `model_from` takes it from the path"

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
    "_limited",
    "_version",
    "aggregate",
    "members",
    "_n_members",
)


def read(block, account):
    """The scores of all files of the block. See emergence.ingest.readers for the contract.

    Raises InputError for a file that is named and holds no results, and for one that is not JSON.
    """
    runs = _runs(block, account)
    apart = [group for group, patterns in block.get("groups", {}).items() if not patterns]
    structures = {file: _structure(content, apart) for file, content in runs.items()}
    unclear = {file for file, members in structures.items() if members is None}
    structures = {file: members or {} for file, members in structures.items()}
    known = listed_models(block)
    records, dates, from_path = [], {}, {}
    for file, content in runs.items():
        found = list(_scores(file, content, structures[file], block["scale_from"]))
        if "model_from" in block:
            from_path[file] = names.path_fields(block["model_from"], file)
            if from_path[file] is None:
                where = mistake(file, "a path that `model_from` does not fit", f"`{block['model_from']}` at the end of the path")
                account.refuse_file(file, len(found), "the path does not fit `model_from`", where)
                continue
        account.count(file, "read", len(found))
        records += found
        dates[file] = date_of(file, content)
        _note_doubts(file, content, block, known, len(found), account)
    frame = pd.DataFrame({name: pd.Series(values, dtype=_kind(name, values)) for name, values in _columns(records).items()})
    _add_from_path(frame, from_path)
    frame = _choose(frame, block, account, apart, unclear)
    frame = _leave_out_limited(frame, block, account)
    frame = _tell_versions_apart(frame, structures, block, account)
    frame = _tell_members_apart(frame, block, account)
    if block["repeated_runs"] == "latest":
        frame = _latest(frame, dates, block, account)
        frame["_hint"] = frame["file"].map(lambda file: "" if dates[file] else _NO_DATE)
    else:
        # models that share the name of the library that ran them
        nameless = {file for file, content in runs.items() if "model_from" not in block and is_named_by_library(content)}
        frame["_hint"] = frame["file"].map(lambda file: _NO_NAME if file in nameless else _SEVERAL)
    task_of = _tasks(runs, structures, apart)
    original = frame["_entry"]
    # a group in several versions stays with its members: its questions are theirs
    inside = (original.map(lambda entry: task_of.get(entry, entry)) != original) | (
        (frame["entry"] != original) & original.isin(list(task_of))
    )
    frame["task"] = original.map(lambda entry: task_of.get(entry, entry)).where(inside, frame["entry"])
    frame["subtask"] = frame["entry"].where(inside, "")
    frame["metric"] = _metric_names(frame)
    frame["source"] = frame["file"]
    if block["scale_from"] == "models":
        frame = frame.drop(columns="scale")
    elif any(said["scale"] is not None for said in known.values()):
        # what the block says of a model's size settles it
        listed = frame["model"].isin([name for name, said in known.items() if said["scale"] is not None])
        frame["scale"] = frame["scale"].where(~listed, None)
    if "_scale" in frame:
        frame["scale"] = frame.pop("_scale")
    rows = Rows(frame, _placing(frame))
    if block["versions"] == "refuse" and "_several" in frame:
        reason = "the task occurs in several versions, or the group with several sets of members"

        def describe(i):
            allowed = "one version of a task and one set of members of a group, or `versions: split`, which tells them apart"
            version = frame["_version"].iat[i]
            what = "a group" if str(version).startswith("over ") else "version"
            return mistake(rows.place(i, "score"), f"{what} {version}, and another in other files", allowed)

        return account.refuse(rows, frame["_several"], reason, describe)
    return rows


def _placing(frame):
    def place(row, field):
        entry, key = frame["_entry"].iat[row], frame["_key"].iat[row]
        at = f"{frame['file'].iat[row]}: results.{entry}, `{key}`"
        return (
            f"{frame['file'].iat[row]}: model `{frame['model'].iat[row]}`" if field in ("model", "scale", "model_family") else at
        )

    return place


def _runs(block, account):
    """{file: content} of all results files of the block; the other files of its folders are counted."""
    runs = {}
    for file, named in chosen_files(block["files"], "*.json").items():
        try:
            with naming(file):
                written = read_bytes(file)
                content = parse(file, written)
        except InputError as error:
            account.refuse_unreadable(file, error)
            continue
        if content is None:
            what, way = foreign.document(foreign.parsed(file)) or ("there is no `results` in it", "")
            if Path(named).is_file():
                allowed = f"a results file of lm-evaluation-harness; others: {way or foreign.TABLE}"
                account.refuse_file(file, 1, "not a results file", mistake(file, what, allowed))
                continue
            account.file(file, written)
            reason = f"a file of the folder: {what}" if way else "a file of the folder without `results`"
            account.count(file, "ignored", 1, reason, example=file)
            continue
        account.file(file, written)
        _leave_out_no_entries(file, content["results"], account)
        runs[file] = content
    if not runs and not any(Path(entry).exists() for entry in block["files"]):
        raise InputError(mistake("`files`", "no file is left", "at least one results file"))
    return runs


def _leave_out_no_entries(file, results, account):
    """Take out of `results` what is not an entry with scores: null holds none, anything else is a mistake."""
    for name in [name for name, entry in results.items() if not isinstance(entry, dict)]:
        entry, where = results.pop(name), f"{file}: results.{name}"
        if entry is None:
            account.count(file, "read", 1)
            account.count(file, "empty", 1, "null instead of an entry with scores", where)
        else:
            account.refuse_file(
                file, 1, "an entry without scores", mistake(where, _shown(entry), "metrics and their scores, or null")
            )


def _shown(value):
    return f"`{json.dumps(value, ensure_ascii=False)}`"[:200]


def load(file):
    """The content of a results file, with those of its results that have scores; None for JSON without results of the harness.

    Raises InputError where it is not JSON, and where what is given beside the results is not of the harness's form.
    """
    return with_scores(parse(file, read_bytes(file)))


def with_scores(content):
    """The content of a results file without what is not an entry with scores, such as null; None stays None."""
    if content is not None:
        content["results"] = {name: entry for name, entry in content["results"].items() if isinstance(entry, dict)}
    return content


def read_bytes(file):
    """The bytes of a file, read once: what is parsed is what the account has the digest of."""
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None


def parse(file, written):
    """The content of a results file from its bytes; see load."""
    try:
        text = written.decode(encodings.marked(written) or "utf-8")
    except UnicodeError:
        odd = encodings.not_utf8(written.splitlines(keepends=True)) or (1, written[:100])
        likely = encodings.likely(odd[1])
        found = f"text that is not UTF-8; in {likely}, line {odd[0]} would be `{encodings.excerpt(odd[1], likely)}`"
        raise InputError(mistake(file, found, "JSON in UTF-8; save the file so")) from None
    try:
        # NaN and the infinities, which are not JSON, arrive as text and are refused as scores by name
        content = json.loads(text, parse_constant=str, object_pairs_hook=unique_keys)
        if "\\u" in text:
            # half a surrogate pair is not a character and cannot be written again
            json.dumps(content, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InputError(f"{file}: line {error.lineno}: not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: not valid JSON: {error}") from None
    results = content.get("results") if isinstance(content, dict) else None
    if not (isinstance(results, dict) and (not results or any(isinstance(entry, dict) for entry in results.values()))):
        return None
    if foreign.document(content):
        return None
    problems = find_problems({key: content[key] for key in _SHAPE["properties"] if key in content}, _SHAPE, ())
    if problems:
        raise InputError([message(file, *problem) for problem in problems])
    return content


def _arguments(content):
    """The arguments of the model's loader: a dict."""
    arguments = (content.get("config") or {}).get("model_args") or {}
    if isinstance(arguments, str):
        return dict(part.split("=", 1) for part in arguments.split(",") if "=" in part)
    return arguments


def model_name(content):
    """The name of the model that a results file is about, with `@revision` where it has one; empty where no name is said.

    The harness names the model by one of its arguments, whose checkpoints (`revision=step3000`) then share the name.
    """
    config, arguments = content.get("config") or {}, _arguments(content)
    said = [content.get("model_name"), *(arguments.get(key) for key in _NAME_ARGUMENTS), config.get("model")]
    name = next((str(name) for name in said if name), "")
    revision = arguments.get("revision") or config.get("model_revision") or "main"
    return name if revision == "main" else f"{name}@{revision}"


def is_named_by_library(content):
    """Whether a results file names the library that ran the model, such as `neox`, and not the model."""
    arguments = _arguments(content)
    return not content.get("model_name") and not any(arguments.get(key) for key in _NAME_ARGUMENTS)


def n_parameters(content):
    """The number of parameters that a results file records for its model, or None."""
    found = (content.get("config") or {}).get("model_num_parameters")
    return _cell(found) if isinstance(found, (int, float)) and found > 0 else None


def doubt_about_size(content):
    """Why the recorded number of parameters may not be the model's size; see emergence.ingest.names.doubt."""
    arguments = (content.get("config") or {}).get("model_args") or ""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    found = n_parameters(content)
    return names.doubt(model_name(content), text, found if isinstance(found, (int, float)) else None)


def _note_doubts(file, content, block, known, n_scores, account):
    name, recorded = model_name(content), n_parameters(content)
    listed = known.get(name, {}).get("scale")
    if block["scale_from"] != "parameters" or recorded is None:
        return
    doubts = doubt_about_size(content)
    if doubts and listed is None:
        reason = "the recorded number of parameters is the scale, and may not be the model's size; give `scale` in `models`"
        account.count(file, "noted", n_scores, reason, f"model `{name}`: {recorded:.4g} recorded; {doubts}")
    elif listed is not None and not math.isclose(listed, recorded, rel_tol=1e-9):
        reason = "the block gives another scale than the recorded number of parameters; the block's counts"
        account.count(file, "noted", n_scores, reason, f"model `{name}`: {recorded:.4g} recorded, {listed:.4g} in the block")


def metrics_of(entry):
    """The metrics of one entry of `results`: tuples of key, metric, filter ('' in the old layout), key of the standard error."""
    current = any("," in key for key in entry)
    for key in entry:
        metric, sign, name = key.partition(",")
        if current != bool(sign) or metric.endswith("_stderr") or key in _NOT_METRICS:
            continue
        yield key, metric, name, f"{metric}_stderr,{name}" if current else f"{metric}_stderr"


def members_of(content):
    """What is in each group of a results file: {group: list of names}, and whether the file says it.

    From `group_subtasks`; else from `groups` and the depth of each `alias`, which the harness indents by a space for each group
    around it. Where the order of the entries is not that of the tree, all that follows a group at depth 0 is in that group.
    """
    if content.get("group_subtasks") is not None:
        return {group: list(inside or ()) for group, inside in content["group_subtasks"].items()}, True
    groups = content.get("groups")
    if not groups:
        return {}, True
    members, above, of_root, root = {group: [] for group in groups}, [], {}, None
    for name, entry in content["results"].items():
        alias = str(entry.get("alias") or name)
        depth = len(alias) - len(alias.lstrip(" "))
        above = [(outer, group) for outer, group in above if outer < depth]
        if above:
            members[above[-1][1]].append(name)
            of_root[root].append(name)
        elif depth:
            return {}, False
        elif name in groups:
            root = name
            of_root[root] = []
        if name in groups:
            above.append((depth, name))
    found = members if all(members.values()) else {group: inside for group, inside in of_root.items() if inside}
    results = content["results"]
    if any(group in results and not found.get(group) for group in groups):
        # without an alias, an entry cannot be indented: it may be in any group
        return found, all("alias" in entry for name, entry in results.items() if name not in groups)
    return found, True


def _structure(content, apart):
    """What is in each group of a file, without the groups that the block takes apart; None where the file does not say it."""
    members, is_known = members_of(content)
    return {group: inside for group, inside in members.items() if group not in apart} if is_known else None


def _tasks(runs, structures, apart):
    """{name: the task it belongs to}, over all files of a benchmark, so that runs of a part fit those of the whole."""
    members, scored = {}, set()
    for file, content in runs.items():
        for group, inside in structures[file].items():
            members[group] = sorted({*members.get(group, ()), *inside})
        results = content["results"]
        scored |= {group for group in structures[file] if group in results and any(True for _ in metrics_of(results[group]))}
    return tasks_of(members, scored - set(apart))


def tasks_in(contents):
    """{name: the task it belongs to}, over all contents of results files."""
    runs = dict(enumerate(contents))
    return _tasks(runs, {number: members_of(content)[0] for number, content in runs.items()}, ())


def _scores(file, content, members, scale_from):
    """One tuple per score, in the order of _COLUMNS."""
    model, scale = model_name(content), n_parameters(content) if scale_from == "parameters" else None
    results, groups = content["results"], content.get("groups") or {}
    counted = content.get("n-samples") or {}
    is_whole = not counted and not _is_limit((content.get("config") or {}).get("limit"))
    for name, entry in results.items():
        in_prompt = shots(name, content, members)
        directions = (content.get("higher_is_better") or {}).get(name) or {}
        inside = leaves(name, members) if members.get(name) else set()
        of_task, is_aggregate = version(name, content), bool(inside) or name in groups
        taken = None if is_whole else _limit_of(inside or {name}, content)
        for key, metric, chosen, stderr_key in metrics_of(entry):
            score, stderr = _cell(entry[key]), _cell(entry.get(stderr_key))
            stderr = None if stderr == "N/A" else stderr
            behind = sorted(leaf for leaf in inside if key in results.get(leaf, {})) if inside else []
            if inside:
                n_examples, stderr = _of_group(score, stderr, key, stderr_key, behind, content)
            elif name in groups:
                n_examples, stderr = None, None
            else:
                n_examples = (counted.get(name) or {}).get("effective", _limit(content) if taken else None)
            # a group whose members are not in the file averages nobody knows what
            digest = members_digest(behind) if behind else None
            found = (score, stderr, n_examples, directions.get(metric), scale, file, key, taken)
            yield name, metric, chosen, model, in_prompt, *found, of_task, is_aggregate, digest, len(behind)


def _cell(value):
    """A value as it is where it is a number, text or null; anything else, and numbers beyond all bounds, as text."""
    if value is None or type(value) in (str, float) or (type(value) is int and abs(value) < sys.float_info.max):
        return value
    return json.dumps(value)


def shots(name, content, members=None):
    """Examples in the prompt of a task; of a group those of its tasks, where they agree. None where the file does not say."""
    members = members_of(content)[0] if members is None else members
    if members.get(name):
        # what is listed in the group and has no result may say nothing
        found = {_shots_of_task(leaf, content) for leaf in leaves(name, members)} - {None}
        return found.pop() if len(found) == 1 else None
    return _shots_of_task(name, content)


def _shots_of_task(name, content):
    found = (content.get("n-shot") or {}).get(name)
    if found is None:
        found = ((content.get("configs") or {}).get(name) or {}).get("num_fewshot")
    if found is None:
        found = (content.get("config") or {}).get("num_fewshot")
    return _cell(found)


def _limit(content):
    """How many examples `--limit` left of each task, None where it was a share of them or was not given."""
    limit = (content.get("config") or {}).get("limit")
    try:
        limit = float(limit)
    except (TypeError, ValueError):
        return None
    return int(limit) if limit >= 1 and limit == int(limit) else None


def _limit_of(names_of, content):
    """How many examples `--limit` left of tasks together, or which share of each; None where they were run whole."""
    if not any(is_limited(name, content) for name in names_of):
        return None
    counts = [((content.get("n-samples") or {}).get(name) or {}).get("effective") for name in names_of]
    if None not in counts:
        return float(sum(counts))
    try:
        return float((content.get("config") or {}).get("limit"))
    except (TypeError, ValueError):
        return 0.0


def is_limited(name, content):
    """Whether a task was run on some of its examples only."""
    counts = (content.get("n-samples") or {}).get(name) or {}
    if None not in (counts.get("original"), counts.get("effective")):
        return counts["effective"] < counts["original"]
    return _is_limit((content.get("config") or {}).get("limit"))


def _is_limit(limit):
    return limit not in (None, False, "", "None", "null", -1, 0)


def _of_group(score, stderr, key, stderr_key, behind, content):
    """(examples, standard error) of a group's score, each only where the score is the average over the examples of its members.

    A group may average its members with equal weights, and versions 0.4.0 and 0.4.1 wrote the spread of the members as its
    standard error; neither is the sampling error of a share of so many examples.
    """
    counts = [((content.get("n-samples") or {}).get(leaf) or {}).get("effective") for leaf in behind]
    values = [content["results"][leaf][key] for leaf in behind]
    if not behind or None in counts or not all(type(value) in (int, float) for value in [score, *values]) or min(counts) < 1:
        return None, None
    counts, values = np.array(counts, dtype=float), np.array(values, dtype=float)
    if not math.isclose(counts @ values / counts.sum(), score, rel_tol=_TOLERANCE_OF_MEAN, abs_tol=1e-9):
        return None, None
    errors = [content["results"][leaf].get(stderr_key) for leaf in behind]
    if not all(type(error) in (int, float) for error in [stderr, *errors]):
        return int(counts.sum()), None
    errors = np.array(errors, dtype=float)
    # the harness's own formula (api/metrics.py, pooled_sample_stderr), and that of a weighted sum of independent averages
    freedom = counts.sum() - len(counts)
    pooled = math.sqrt(((counts - 1) * counts * errors**2).sum() / freedom / counts.sum()) if freedom > 0 else math.nan
    weighted = math.sqrt(((counts * errors) ** 2).sum()) / counts.sum()
    is_one = any(math.isclose(stderr, expected, rel_tol=_TOLERANCE_OF_STDERR) for expected in (pooled, weighted))
    return int(counts.sum()), stderr if is_one else None


def version(name, content):
    """The version of a task as text, `1` for 1.0; None where the file does not say."""
    found = (content.get("versions") or {}).get(name)
    return _version(found) if type(found) in (int, float, str) else None


@functools.lru_cache(maxsize=1000)
def _version(found):
    if str(found).strip().lower() in _NO_VERSION:
        return None
    try:
        return f"{float(found):g}"
    except (ValueError, OverflowError):
        return str(found).strip()


def date_of(file, content):
    """When a run was made, as text that sorts by time; None where neither file nor file name says it."""
    date = content.get("date")
    if isinstance(date, str):
        try:
            date = float(date)
        except ValueError:
            try:
                said = datetime.datetime.fromisoformat(date.strip())
            except ValueError:
                date = None
            else:
                return said.astimezone(datetime.UTC).replace(tzinfo=None).isoformat() if said.tzinfo else said.isoformat()
    if isinstance(date, (int, float)) and 0 < date < 9e9:
        return datetime.datetime.fromtimestamp(date, datetime.UTC).replace(tzinfo=None).isoformat()
    for pattern in _DATES_IN_NAME:
        for found in pattern.finditer(Path(file).name):
            parts = found.groupdict()
            whole = [int(parts[key]) for key in ("Y", "m", "d")] + [int(parts.get(key) or 0) for key in ("H", "M")]
            try:
                moment = datetime.datetime(*whole) + datetime.timedelta(seconds=float(parts.get("S") or 0))
            except ValueError:
                continue
            return moment.isoformat()
    return None


def _kind(name, values):
    """The type of a column: numbers where all that it holds are such, or nothing where a field may be empty."""
    empty = {"score": set(), "stderr": {type(None)}, "n_examples": {type(None)}, "shots": {type(None)}}
    return float if name in empty and set(map(type, values)) <= {int, float} | empty[name] else object


def _columns(records):
    return dict(zip(_COLUMNS, zip(*records, strict=True) if records else [()] * len(_COLUMNS), strict=True))


def _add_from_path(frame, from_path):
    """What the paths of the files say of the models, in place of what the files say."""
    fields = next(iter(found for found in from_path.values() if found), {})
    for field, column in (("model", "model"), ("family", "model_family"), ("step", "step")):
        if field in fields:
            frame[column] = frame["file"].map(lambda file, field=field: from_path[file][field]).astype(object)
    if "scale" in fields:
        frame["_scale"] = frame["file"].map(lambda file: names.number_with_unit(from_path[file]["scale"])).astype(object)


def _choose(frame, block, account, apart, unclear):
    """The scores that are scores, under the filters that the block asks for.

    unclear: files that have groups and do not say what is in them, so that their questions would be counted twice.
    """
    frame["_entry"] = frame["entry"]
    placeholder = frame["base"] == _PLACEHOLDER
    _count(frame[placeholder], "left_out", "a placeholder of --predict_only, no score", account)
    frame = frame[~placeholder]
    taken_apart = frame["entry"].isin(apart)
    _count(frame[taken_apart], "left_out", "the score of a group that `groups` takes apart", account)
    frame = frame[~taken_apart]
    is_unclear = (
        frame["aggregate"].astype(bool) & frame["file"].isin(unclear) & ~frame["entry"].isin(list(block.get("groups", {})))
    )
    reason = "a group, of which neither `group_subtasks` nor the order of the aliases says what is in it; see `groups`"
    _count(frame[is_unclear], "left_out", reason, account)
    frame = frame[~is_unclear]
    if "filters" in block:
        # the old layout has no filters to choose from
        other = ~frame["filter"].isin(["", *block["filters"]])
        _count(frame[other], "left_out", "a filter that `filters` does not name", account)
        frame = frame[~other]
    return frame.reset_index(drop=True)


def _leave_out_limited(frame, block, account):
    """Scores of runs with --limit do not join those of whole runs of the same task, unless the block keeps them."""
    limited = frame["_limited"].notna()
    if not limited.any():
        return frame
    with_whole = frame["entry"].isin(frame.loc[~limited, "entry"].unique())
    if block["limited_runs"] == "leave_out":
        out = limited & with_whole
        reason = "a run with --limit, of a task that other runs take whole; see `limited_runs`"
        _count(frame[out], "left_out", reason, account)
        frame, limited = frame[~out], limited[~out]
        # shares of unknown size, which are below 1, are fewer than any number of examples
        size = frame["_limited"].astype(float)
        out = limited & (size < size.groupby(frame["entry"]).transform("max"))
        reason = "a run with --limit, of a task that other runs take with a larger one; see `limited_runs`"
        _count(frame[out], "left_out", reason, account)
        frame, limited = frame[~out], limited[~out]
    _count(frame[limited], "noted", "a run with --limit, on some of the examples only; n_examples says how many", account)
    return frame.reset_index(drop=True)


def _tell_versions_apart(frame, structures, block, account):
    """Scores of a task in several versions under names of their own, `task (version 2)`: between versions they do not compare.

    A group is as its members are: where one of these occurs in several versions, so does the group.
    """
    met = {(entry, found) for entry, found in zip(frame["entry"], frame["_version"], strict=True) if found is not None}
    several = {entry for entry, n in Counter(entry for entry, _ in met).items() if n > 1}
    if not several:
        return frame
    said = frame["_version"].where(frame["_version"].notna(), "unknown")
    in_file = dict(zip(zip(frame["file"], frame["entry"], strict=True), said, strict=True))
    of_group = {}
    for file, entry in dict.fromkeys(zip(frame["file"], frame["entry"], strict=True)):
        inside = leaves(entry, structures[file]) - {entry} if structures[file].get(entry) else set()
        if entry not in several and inside & several:
            met = sorted({(leaf, in_file[file, leaf]) for leaf in inside & several if (file, leaf) in in_file})
            labels = sorted({label for _, label in met})
            # members of one version give the group its name; a mixture has one of its own
            of_group[file, entry] = labels[0] if len(labels) == 1 else "mixed " + members_digest(map(repr, met))[:4]
    mixed = {}
    for (_, entry), label in of_group.items():
        mixed.setdefault(entry, set()).add(label)
    of_group = {key: label for key, label in of_group.items() if len(mixed[key[1]]) > 1}
    label = said.where(frame["entry"].isin(several), None).astype(object)
    label = label.where(label.notna(), pd.Series([of_group.get(key) for key in zip(frame["file"], frame["entry"], strict=True)]))
    is_split = label.notna()
    if block["versions"] == "refuse":
        return frame.assign(_several=is_split, _version=label.where(is_split, frame["_version"]))
    reason = "the task occurs in several versions, each of which is a task of its own; see `versions`"
    _count(frame[is_split], "noted", reason, account)
    return frame.assign(entry=frame["entry"].where(~is_split, frame["entry"] + " (version " + label.astype(str) + ")"))


def _tell_members_apart(frame, block, account):
    """Scores of a group over other members than in other files under names of their own, `group (over 3 tasks)`."""
    of_group = frame[frame["members"].notna()]
    distinct = of_group.drop_duplicates(["entry", "base", "filter", "members"])
    several = distinct[distinct.duplicated(["entry", "base", "filter"], keep=False)]
    if several.empty:
        return frame
    labels = {}
    for _, sets in several.groupby(["entry", "base", "filter"]):
        for found in sets.rename(columns={"_n_members": "n_inside"}).itertuples():
            is_unique = (sets["_n_members"] == found.n_inside).sum() == 1
            tasks = f"over {found.n_inside} task{'s' if found.n_inside > 1 else ''}"
            labels[found.entry, found.base, found.filter, found.members] = tasks if is_unique else f"{tasks}, {found.members[:4]}"
    keys = zip(frame["entry"], frame["base"], frame["filter"], frame["members"], strict=True)
    label = pd.Series([labels.get(key) for key in keys], index=frame.index, dtype=object)
    is_split = label.notna()
    if block["versions"] == "refuse":
        before = frame.get("_several", False)
        return frame.assign(_several=is_split | before, _version=label.where(is_split, frame["_version"]))
    reason = "the score of a group averages other members than in other files, and is a task of its own; see `versions`"
    _count(frame[is_split], "noted", reason, account)
    return frame.assign(entry=frame["entry"].where(~is_split, frame["entry"] + " (" + label.astype(str) + ")"))


def _latest(frame, dates, block, account):
    """Of the scores of one model under one key, those of the latest run; runs without a date stay, to be compared as they are."""
    date = frame["file"].map(dates)
    fields = [name for name in ("entry", "base", "filter", "model", "model_family", "step", "shots") if name in frame]
    # several names of one model are one model, and so are those of a task
    joined = {"model": "models", "entry": "tasks"}
    key = [
        selection.renamed(frame[name], block, joined[name]) if name in joined else frame[name].astype("str") for name in fields
    ]
    # what no file says of a score, such as its shots, is a part of the key like any other
    superseded = date.notna() & (date < date.groupby(key, dropna=False).transform("max"))
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
