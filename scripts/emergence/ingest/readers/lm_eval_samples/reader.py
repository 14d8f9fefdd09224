"""Reader for the samples of lm-evaluation-harness: samples_<task>_<date>.jsonl, beside results_<date>.json of the same run.

A line is one document under one answer filter (evaluator.py and loggers/evaluation_tracker.py of the harness, versions 0.4.0 to
0.4.13). What the versions do differently is dealt with here: 0.4.0 writes an indented JSON array to <model_args>_<task>.jsonl,
beside results.json; since 0.4.3 numbers are in quotes; 0.4.3 to 0.4.5 do not say which filter a line is of.
"""

import hashlib
import itertools
import json
import operator
import re
import typing
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emergence.ingest import trees
from emergence.ingest.readers import Rows
from emergence.ingest.readers.lm_eval import reader as results
from emergence.io.documents import chosen_files
from emergence.io.errors import InputError, mistake
from emergence.io.memory import without_collecting
from emergence.outputs import columns
from emergence.outputs.lines import Lines, convert, parsed, whole
from emergence.outputs.targets import answers, gold

_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d+)?)\.jsonl")
_RESULTS_NAME = re.compile(r"results_(?P<date>\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d+)?)\.json")

_KINDS = {
    "multiple_choice": "choices",
    "generate_until": "text",
    "loglikelihood": "loglikelihood",
    "loglikelihood_rolling": "loglikelihood",
}

# Metrics whose value for an example may be a pair of log-likelihood and length: the lengths that the task itself counts.
_COUNTED = {"word_perplexity": "n_words", "byte_perplexity": "n_bytes", "bits_per_byte": "n_bytes"}


class Run(typing.NamedTuple):
    """One file of samples.

    file: its path. task, subtask: names as the score table has them. date: text that sorts by time; empty where none is known.
    content: the results file of the same run. entry: the task's name in it.
    """

    file: str
    task: str
    subtask: str
    date: str
    content: dict
    entry: str


class _Choice(msgspec.Struct, gc=False):
    arg_1: str | None = None


class _Header(msgspec.Struct, gc=False):
    doc_id: int | str


def read(block, account, part=None):
    """The examples of the block, one task at a time; see emergence.ingest.readers.

    Raises InputError where there are no samples at all.
    """
    by_task = {}
    for run in find(block, account, part):
        by_task.setdefault(run.task, []).append(run)
    for task in sorted(by_task):
        runs = _chosen(by_task[task], block, account)
        with without_collecting():
            found = [(run, table) for run in runs for table in _read_run(run, block, account)]
        if found:
            yield _rows(_with_texts(found, account), block["scale_from"])


def find(block, account, part=None):
    """The files of samples of one part of the tasks, sorted by name, each with its results file: a list of Run."""
    files = whole(list(chosen_files(block["files"], "*.json*")), (".jsonl", ".json"), account)
    samples = [file for file in files if file.endswith(".jsonl")]
    if not samples:
        account.stop()
        allowed = "files named samples_<task>_<date>.jsonl, which the harness writes with `--log_samples`"
        raise InputError(mistake(", ".join(map(str, block["files"])), "no file of samples", allowed))
    contents = _results(files, account)
    task_of = results.tasks_in(contents.values())
    runs = []
    for file in sorted(samples):
        name = Path(file).name
        named = _NAME.fullmatch(name)
        key = str(Path(file).parent), named["date"] if named else ""
        entry = named["task"] if named else _entry_of_old_name(name, contents.get(key))
        task = task_of.get(entry, entry)
        # a file whose task nobody knows belongs to one part, too
        if not trees.is_in_shard(task or name, part):
            continue
        if key not in contents or entry is None:
            account.refuse_file(file, 1, "samples without the results file of their run", _without_results(file, named))
            continue
        runs.append(Run(file, task, entry if task != entry else "", key[1], contents[key], entry))
    return runs


def _results(files, account):
    """The results files: {(folder, date): content}, with an empty date for those that are named by no date."""
    contents = {}
    for file in files:
        if not file.endswith(".json"):
            continue
        try:
            written = results.read_bytes(file)
            content = results.with_scores(results.parse(file, written))
        except InputError as error:
            account.refuse_file(file, 1, "a results file that cannot be read", str(error))
            continue
        if content is None:
            account.count(file, "ignored", 1, "JSON without results")
            continue
        account.file(file, written)
        named = _RESULTS_NAME.fullmatch(Path(file).name)
        contents[str(Path(file).parent), named["date"] if named else ""] = content
    return contents


def _entry_of_old_name(name, content):
    """The task that a file named <model_args>_<task>.jsonl is of: the longest name in the results that it ends in; None."""
    names = [*(content.get("configs") or {}), *content["results"]] if content else []
    found = [entry for entry in names if name.removesuffix(".jsonl").endswith(f"_{entry}")]
    return max(found, key=len, default=None)


def _without_results(file, named):
    wanted = f"results_{named['date']}.json" if named else "results.json with the task in it"
    allowed = f"{wanted} in the same folder, and in `files`: the model, the shots and the delimiter are in it alone"
    return mistake(file, "no results file of the same run", allowed)


def _chosen(runs, block, account):
    """The runs to read: all, or of each model, task and number of shots the latest."""
    if block["repeated_runs"] == "refuse":
        return runs
    latest = {}
    keys = [(run.entry, results.model_name(run.content), str(results.shots(run.entry, run.content))) for run in runs]
    for key, run in zip(keys, runs, strict=True):
        latest[key] = max(latest.get(key, ""), run.date)
    kept = []
    for key, run in zip(keys, runs, strict=True):
        if run.date == latest[key]:
            kept.append(run)
        else:
            n = sum(len(records) for records, _ in _records(run.file, _Header, account))
            account.count(run.file, "read", n)
            account.count(run.file, "left_out", n, "a later run has these outputs", run.file)
    return kept


def _records(file, kind, account):
    """The records of a file, in pieces: yields (records, where each stands). Files of 0.4.0 hold one JSON array."""
    if not _is_array(file):
        yield from Lines(file, kind, account).pieces()
        return
    written = results.read_bytes(file)
    account.file(file, written)
    try:
        documents = parsed(written)
    except (ValueError, RecursionError) as error:
        message = mistake(file, f"not valid JSON: {error}", "one whole JSON array, or one JSON object on every line")
        account.refuse_file(file, 1, "not valid JSON", message)
        return
    if not documents:
        account.count(file, "ignored", 1, "a file without a sample", file)
    records, numbers = [], []
    for number, document in enumerate(documents, start=1):
        try:
            records.append(convert(_upgraded(document), kind))
            numbers.append(-number)
        except (msgspec.ValidationError, TypeError, AttributeError) as error:
            where, allowed = f"{file}: sample {number}", "a sample as the harness writes it"
            account.refuse_file(file, 1, "a sample of another form", mistake(where, str(error), allowed))
    yield records, numbers


def _is_array(file):
    try:
        with open(file, "rb") as content:
            return content.read(1000).lstrip()[:1] == b"["
    except OSError:
        return False


def _upgraded(document):
    """A sample of 0.4.0 in the form of later versions, in which requests have names and documents a digest."""
    requests = document.get("arguments")
    if isinstance(requests, list):
        named = {f"gen_args_{i}": {f"arg_{j}": part for j, part in enumerate(request)} for i, request in enumerate(requests)}
        document = {**document, "arguments": named}
    if "doc_hash" not in document and "doc" in document:
        written = json.dumps(document["doc"], sort_keys=True).encode()
        document = {**document, "doc_hash": hashlib.blake2b(written, digest_size=8).hexdigest()}
    return document


def _metrics(run):
    """The metrics that a run has of its task, in the order of the results file."""
    names = [metric for _, metric, _, _ in results.metrics_of(run.content["results"].get(run.entry) or {})]
    return [name for name in dict.fromkeys(names) if name not in _FIELDS]


_FIELDS = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash", "prompt_hash"}


def _record_type(kind, rolling, metrics):
    """What is decoded of a line: no prompt, no document, and of the requests the choices only."""
    responses = {
        "choices": list[tuple[float, bool]],
        "text": list[typing.Any],
        "loglikelihood": list[float | list] if rolling else list[tuple[float, bool]],
    }[kind]
    fields = [("doc_id", int | str), ("target", typing.Any, None), ("filtered_resps", responses | None, None)]
    fields += [("filter", str | None, None), ("doc_hash", str | None, None)]
    if kind == "choices":
        fields.append(("arguments", dict[str, _Choice] | None, None))
    fields += [(f"metric_{number}", typing.Any, None) for number in range(len(metrics))]
    names = {f"metric_{number}": metric for number, metric in enumerate(metrics)}
    return msgspec.defstruct("_Record", fields, rename=names, gc=False)


def _read_run(run, block, account):
    """One file as Arrow tables; none where nothing in it can be used."""
    config = (run.content.get("configs") or {}).get(run.entry) or {}
    output_type = config.get("output_type", "generate_until")
    if not isinstance(output_type, str) or output_type not in _KINDS:
        message = mistake(f"{run.file}: the task `{run.entry}`", f"`output_type: {output_type}`", " or ".join(_KINDS))
        account.refuse_file(run.file, 1, "a type of output that is not known", message)
        return
    kind, metrics = _KINDS[output_type], _metrics(run)
    record_type = _record_type(kind, output_type == "loglikelihood_rolling", metrics)
    named = [entry.get("name") for entry in config.get("filter_list") or [] if isinstance(entry, dict)]
    made, n_unnamed = [], 0
    for records, numbers in _records(run.file, record_type, account):
        filters = _values(records, "filter")
        if None in filters:
            if len(named) > 1:
                n_unnamed += len(records)
                continue
            filters = [(named[0] if named else "none") if name is None else name for name in filters]
        if "filters" in block and not set(block["filters"]).issuperset(filters):
            records, numbers, filters = _of_filters(run.file, records, numbers, filters, block["filters"], account)
        if not records:
            continue
        table = _MAKERS[kind](records, list(numbers), filters, metrics, run, account)
        if table is not None and table.num_rows:
            made.append(table)
    if n_unnamed:
        words = ", ".join(f"`{name}`" for name in named)
        found = f"samples without a `filter`, of a task that has {len(named)} ({words}): nothing tells them apart"
        allowed = "samples that name their filter, as the harness writes them before 0.4.3 and since 0.4.6"
        account.refuse_file(
            run.file, n_unnamed, "samples of several filters that are not named", mistake(run.file, found, allowed)
        )
    if made:
        yield pa.concat_tables(made, promote_options="default")


def _of_filters(file, records, numbers, filters, wanted, account):
    kept = [chosen in wanted for chosen in filters]
    n = len(kept) - sum(kept)
    first = _place(file, numbers[kept.index(False)])
    account.count(file, "read", n)
    account.count(file, "left_out", n, "a filter that `filters` does not name", first)
    return tuple([value for value, keep in zip(values, kept, strict=True) if keep] for values in (records, numbers, filters))


def _place(file, number):
    return f"{file}: line {number}" if number > 0 else f"{file}: sample {-number}"


def _without(records, numbers, filters, bad, run, account):
    """The records but for those that are bad: {position: (reason, found, allowed)}."""
    for position, (reason, found, allowed) in bad.items():
        where = _place(run.file, numbers[position])
        account.refuse_file(run.file, 1, reason, mistake(where, found[:300], allowed))
    kept = [position for position in range(len(records)) if position not in bad]
    return tuple([values[position] for position in kept] for values in (records, numbers, filters))


def _common(records, numbers, filters, metrics, kind, run):
    """The columns that do not depend on the kind of output: a dictionary of Arrow arrays."""
    n = len(records)
    found = {
        "task": columns.constant(run.task, n),
        "subtask": columns.constant(run.subtask, n),
        "model": columns.constant(results.model_name(run.content), n),
        "source": columns.constant(run.file, n),
        "kind": columns.constant(kind, n),
        "filter": _filters(filters),
        "shots": pa.array(np.full(n, _number(results.shots(run.entry, run.content)))),
        "scale": pa.array(np.full(n, _number(results.n_parameters(run.content)))),
        "_id": _ids(records),
        "_line": pa.array(numbers, pa.int64()),
        "input_hash": pc.utf8_slice_codeunits(pa.array(_values(records, "doc_hash"), pa.string()), 0, 16).dictionary_encode(),
    }
    return found | _stored(records, metrics)


def _filters(filters):
    if len(set(filters)) == 1:
        return columns.constant("" if filters[0] == "none" else filters[0], len(filters))
    return pa.array(["" if name == "none" else name for name in filters], pa.string()).dictionary_encode()


def _values(records, field):
    """One field of all records, as a list."""
    return list(map(operator.attrgetter(field), records))


def _ids(records):
    ids = _values(records, "doc_id")
    if set(map(type, ids)) == {int} and min(ids) >= 0 and max(ids) < 2**62:
        return pa.array(ids, pa.int64())
    return pa.array(list(map(str, ids)), pa.string())


def _number(value):
    return float(value) if isinstance(value, (int, float)) else np.nan


_PLAIN = {int, float, bool}


def _stored(records, metrics):
    """The metrics whose values are plain numbers, and the values: two columns of lists."""
    n = len(records)
    by_metric = [_values(records, f"metric_{number}") for number in range(len(metrics))]
    plain = [_PLAIN.issuperset(map(type, values)) for values in by_metric]
    usable = [all(plain) or not {type(value) for value in values}.isdisjoint(_PLAIN) for values in by_metric]
    names = [metric for metric, is_usable in zip(metrics, usable, strict=True) if is_usable]
    by_metric = [values for values, is_usable in zip(by_metric, usable, strict=True) if is_usable]
    try:
        values = np.array(by_metric, dtype=float).T if by_metric else np.empty((n, 0))
    except (TypeError, ValueError, OverflowError):
        values = np.array([[_plain(value) for value in row] for row in zip(*by_metric, strict=True)], dtype=float)
    values = values.reshape(n, len(names))
    known = ~np.isnan(values)
    codes = np.tile(np.arange(len(names), dtype=np.int32), n)[known.ravel()]
    named = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names, pa.string())).dictionary_decode()
    n_known = known.sum(axis=1)
    return {
        "stored_metrics": columns.arrow(columns.from_flat(named, n_known)),
        "stored_values": columns.arrow(columns.from_flat(values[known], n_known)),
    }


def _plain(value):
    try:
        return float(value) if type(value) in _PLAIN else np.nan
    except OverflowError:
        return np.nan


def _choices(records, numbers, filters, metrics, run, account):
    """Multiple choice: a log-probability for each choice, and which of them are right."""
    is_mutual = "acc_mutual_info" in metrics
    responses, n_responses = _lists(records, "filtered_resps", [])
    requests, n_requests = _lists(records, "arguments", {})
    n_choices = n_responses // 2 if is_mutual else n_responses
    bad = {}
    for row in np.flatnonzero((n_responses > 0) & (n_requests > 0) & (n_requests != n_responses)).tolist():
        found = f"{n_responses[row]} responses and {n_requests[row]} requests"
        bad[row] = ("not one request for each response", found, "as many requests as responses")
    for row in np.flatnonzero(n_responses % 2).tolist() if is_mutual else ():
        found = f"{n_responses[row]} responses, with `acc_mutual_info`"
        bad[row] = ("not two responses for each choice", found, "two for each choice: with the question, and without it")
    golds = _golds(records, n_choices, metrics)
    for row, right in enumerate(golds) if isinstance(golds, list) else ():
        if right is None and row not in bad and n_choices[row]:
            found = f"the target `{records[row].target}` of {n_choices[row]} choices"
            allowed = f"a position from 0 to {n_choices[row] - 1}, or the text of a choice (the harness scores such an example 0)"
            bad[row] = ("the right choice is not one of the choices", found, allowed)
    if bad:
        kept = [row for row in range(len(records)) if row not in bad]
        records, numbers, filters = _without(records, numbers, filters, bad, run, account)
        golds = golds[kept] if isinstance(golds, np.ndarray) else [golds[row] for row in kept]
        responses, requests = ([values[row] for row in kept] for values in (responses, requests))
        n_responses, n_requests, n_choices = n_responses[kept], n_requests[kept], n_choices[kept]
    if not records:
        return None
    chain = itertools.chain.from_iterable
    log_probs = np.fromiter(map(operator.itemgetter(0), chain(responses)), dtype=float, count=int(n_responses.sum()))
    texts = pa.array(map(operator.attrgetter("arg_1"), chain(map(dict.values, requests))), pa.string()).fill_null("")
    found = _common(records, numbers, filters, metrics, "choices", run)
    if is_mutual:
        is_second = _is_second_half(n_responses)
        found["mutual_log_probs"] = columns.arrow(columns.from_flat(log_probs[is_second], n_choices))
        log_probs = log_probs[~is_second]
        texts, n_requests = texts.filter(pa.array(~_is_second_half(n_requests))), n_requests // 2
    credits = np.zeros(len(log_probs))
    starts = np.cumsum(n_choices) - n_choices
    if isinstance(golds, np.ndarray):
        credits[(starts + golds)[n_choices > 0]] = 1
    else:
        for start, right in zip(starts.tolist(), golds, strict=True):
            for position in right or ():
                credits[start + position] = 1
    found["log_probs"] = columns.arrow(columns.from_flat(log_probs, n_choices))
    found["credits"] = columns.arrow(columns.from_flat(credits, n_choices))
    found["targets"] = columns.arrow(columns.from_flat(texts, n_requests))
    return pa.table(found)


def _lists(records, field, empty):
    """A field of records that holds a list or a dictionary, `empty` in place of null, and how many items each has (n_records,)."""
    values = _values(records, field)
    if not all(values):
        values = [value or empty for value in values]
    return values, np.fromiter(map(len, values), dtype=np.int64, count=len(values))


def _is_second_half(lengths):
    """Which items of a column of lists are in the second half of their list: (n_values,) bool."""
    starts = np.cumsum(lengths) - lengths
    within = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    return within >= np.repeat(lengths // 2, lengths)


def _golds(records, n_choices, metrics):
    """The positions of the right choices of each record, with None where they are not among its choices.

    An array (n_records,) where each has one that is given as a number, which is most often so; else a list of tuples.
    """
    targets = _values(records, "target")
    kinds = set(map(type, targets))
    if kinds == {int}:
        positions = np.array(targets)
    elif kinds == {str}:
        written = pa.array(targets, pa.string())
        is_short = pc.match_substring_regex(written, r"^[0-9]{1,5}$")
        positions = pc.if_else(is_short, written, "-1").cast(pa.int64()).to_numpy()
    else:
        positions = np.array([-1])
    if ((positions >= 0) & ((positions < n_choices) | (n_choices == 0))).all():
        return positions
    return [_gold(record, int(n), metrics) for record, n in zip(records, n_choices, strict=True)]


def _gold(record, n_choices, metrics):
    """The positions of the right choices, or None where they are not among the choices."""
    texts = [request.arg_1 or "" for request in (record.arguments or {}).values()][:n_choices]
    if len(set(texts)) > 1 or not isinstance(record.target, str):
        return gold(record.target, texts, n_choices)
    # the choices differ in what goes before, and the target is what follows: which one is right can be told from metrics only
    values = {metric: getattr(record, f"metric_{number}") for number, metric in enumerate(metrics)}
    brier = values.get("brier_score")
    if isinstance(brier, list) and brier:
        return gold(brier[0], (), n_choices)
    if n_choices == 2 and values.get("acc") in (0, 1):
        best = int(np.argmax([response[0] for response in record.filtered_resps[:2]]))
        return (best if values["acc"] == 1 else 1 - best,)
    return None


def _with_texts(found, account):
    """The tables of a task's runs, the choices without their delimiter and with their lengths: a list of Arrow tables.

    found: list of (Run, Arrow table), empty afterwards. Each distinct text is looked at once: most come again for every model.
    """
    runs, tables = [run for run, _ in found], [table for _, table in found]
    found.clear()
    places = [place for place, table in enumerate(tables) if "credits" in table.column_names]
    if not places:
        return tables
    flat, lengths = zip(*(columns.to_flat(columns.column(tables[place]["targets"])) for place in places), strict=True)
    encoded = pa.chunked_array(flat, pa.string()).dictionary_encode().combine_chunks()
    texts, ends = encoded.dictionary, np.cumsum(list(map(len, flat)))
    del flat
    codes = np.split(encoded.indices.to_numpy(zero_copy_only=False), ends[:-1])
    distinct, starts = [texts], {}
    for number, place in enumerate(places):
        config = (runs[place].content.get("configs") or {}).get(runs[place].entry) or {}
        delimiter = config.get("target_delimiter", " ")
        if not (delimiter and isinstance(delimiter, str) and len(codes[number])):
            continue
        if delimiter not in starts:
            starts[delimiter] = pc.starts_with(texts, delimiter).to_numpy(zero_copy_only=False), len(distinct) * len(texts)
            distinct.append(pc.utf8_slice_codeunits(texts, start=len(delimiter), stop=2**31 - 1))
        begins, first = starts[delimiter]
        if begins[codes[number]].all():
            codes[number] = codes[number] + first
    texts = pa.concat_arrays(distinct)
    sizes = columns.sizes_of(texts)
    for place, of_table, n_texts in zip(places, codes, lengths, strict=True):
        # where the contexts differ in place of the choices, the requests do not hold the choices
        unknown = (n_texts > 1) & ~_differ(of_table, n_texts)
        if unknown.any():
            file = runs[place].file
            about = "the choices are in the prompts, so that their lengths are not known"
            account.count(file, "noted", int(unknown.sum()), about, file)
            of_table = of_table[~unknown[columns.rows_of(n_texts)]]
            n_texts = np.where(unknown, 0, n_texts)
        table, of_table = tables[place], pa.array(of_table)
        made = columns.arrow(columns.from_flat(texts.take(of_table), n_texts))
        table = table.set_column(table.column_names.index("targets"), "targets", made)
        for name, size in sizes.items():
            table = table.append_column(name, columns.arrow(columns.from_flat(size.take(of_table), n_texts)))
        tables[place] = table
    return tables


def _differ(codes, lengths):
    """Whether a list of texts, given as their numbers (n_values,), holds different ones. Returns (n_rows,) bool."""
    starts = np.cumsum(lengths) - lengths
    first = codes[np.minimum(starts, max(len(codes) - 1, 0))][columns.rows_of(lengths)] if len(codes) else codes
    return columns.any_in_row(codes != first, lengths)


def _texts(records, numbers, filters, metrics, run, account):
    """Generations: what the model wrote, as the filter left it, and the right answers."""
    bad, outputs, targets = {}, [], []
    n_written = 0
    for position, record in enumerate(records):
        found, is_list = answers(record.target)
        if found is None:
            bad[position] = (
                "a target that is not a text",
                f"the target `{record.target}`",
                "a text, a number, or a list of them",
            )
            continue
        responses = record.filtered_resps or [None]
        if len(responses) == 1 and isinstance(responses[0], list):
            responses = responses[0] or [None]
        written = [_output(response) for response in responses]
        if any(text is False for text in written):
            bad[position] = ("a response that is not a text", f"`{responses}`", "a text, or null where there is none")
            continue
        n_written += is_list
        outputs.append(written)
        targets.append(found)
    if bad:
        records, numbers, filters = _without(records, numbers, filters, bad, run, account)
    if n_written:
        account.count(run.file, "noted", n_written, "a list of targets written as text: each item is a right answer", run.file)
    if not records:
        return None
    n_repeats = [len(written) for written in outputs]
    if max(n_repeats) > 1:
        records, numbers, filters, targets = (
            [value for value, n in zip(values, n_repeats, strict=True) for _ in range(n)]
            for values in (records, numbers, filters, targets)
        )
    found = _common(records, numbers, filters, metrics, "text", run)
    found["repeat"] = pa.array([repeat for n in n_repeats for repeat in range(n)], pa.int64())
    found["output"] = pa.array([text for written in outputs for text in written], pa.string())
    found["targets"] = pa.array(targets, pa.list_(pa.string()))
    return pa.table(found)


def _output(response):
    if response is None or type(response) is str:
        return response
    if type(response) in (int, float):
        return json.dumps(response)
    return False


def _log_likelihoods(records, numbers, filters, metrics, run, account):
    """Log-likelihoods of a target, or of a whole document."""
    bad, values, greedy = {}, [], []
    for position, record in enumerate(records):
        responses = record.filtered_resps or []
        if len(responses) > 1:
            bad[position] = ("several responses to one document", f"{len(responses)} responses", "one log-likelihood")
            continue
        response = responses[0] if responses else None
        pair = response if isinstance(response, (tuple, list)) else [response]
        value = _number_in_words(pair[0]) if pair and pair[0] is not None else None
        if response is not None and value is None:
            bad[position] = ("a response that is not a number", f"`{response}`", "a log-likelihood")
            continue
        values.append([] if value is None else [value])
        greedy.append(pair[1] if len(pair) > 1 and isinstance(pair[1], bool) else None)
    if bad:
        records, numbers, filters = _without(records, numbers, filters, bad, run, account)
    if not records:
        return None
    found = _common(records, numbers, filters, metrics, "loglikelihood", run)
    texts = [[record.target] if isinstance(record.target, str) else [] for record in records]
    found["log_probs"] = pa.array(values, pa.list_(pa.float64()))
    found["is_greedy"] = pa.array(greedy, pa.bool_())
    found["targets"] = pa.array(texts, pa.list_(pa.string()))
    flat, lengths = columns.to_flat(columns.column(found["targets"]))
    sizes = columns.text_sizes(flat, lengths)
    for number, metric in enumerate(metrics):
        counted = [getattr(record, f"metric_{number}") for record in records] if metric in _COUNTED else []
        if counted and all(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], (int, float)) for pair in counted):
            # the task's own count: some tasks change the document before the model sees it
            sizes[_COUNTED[metric]] = columns.from_flat(
                np.array([int(pair[1]) for pair in counted]), np.ones(len(counted), dtype=int)
            )
    return pa.table(found | {name: columns.arrow(size) for name, size in sizes.items()})


def _number_in_words(value):
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


_MAKERS = {"choices": _choices, "text": _texts, "loglikelihood": _log_likelihoods}


def _rows(found, scale_from):
    """The examples of a task with their ids, and where each stands."""
    if len({table.schema.field("_id").type for table in found}) > 1:
        found = [table.set_column(table.column_names.index("_id"), "_id", table["_id"].cast(pa.string())) for table in found]
    frame = columns.to_frame(found)
    frame["example"] = columns.examples(frame.pop("_id"))
    lines, source = frame.pop("_line").to_numpy(), frame["source"]
    if "repeat" in frame:
        frame["repeat"] = frame["repeat"].fillna(0)
    if scale_from == "models":
        frame["scale"] = np.nan

    def place(i, field):
        return _place(source.iat[i], int(lines[i]))

    return Rows(frame, place)


__all__ = ["Run", "find", "read"]
