"""From a benchmark block to its table of outputs: what is common to every format.

A reader delivers the examples of one task at a time. Here the family and scale of the models are filled in, every example is
checked, examples that are given again become one, and the models of a task are held to the same questions. Nothing is lost in
silence: the account counts it. Answers are not taken out of outputs here: that is part of re-scoring them.
"""

import functools
import unicodedata
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from emergence.ingest import readers, supplements
from emergence.ingest.accounts import Account, without
from emergence.ingest.pipeline import read_names, read_numbers
from emergence.ingest.readers import Rows
from emergence.io import tables
from emergence.io.errors import mistake
from emergence.outputs import columns
from emergence.outputs.examples import Ragged

KINDS = ("choices", "text", "loglikelihood")
MOST_CHOICES = 10_000
LONGEST_TEXT = 1_000_000

# Beyond it, not every whole number is one of floating point.
_LAST_RUN = 2**53

# A log-probability may be stored with a rounding error above 0, such as that of sums in half precision.
TOLERANCE = 1e-6

_KEY = tuple(tables.description("outputs")["key"])
_NAMES = ("task", "model", "model_family", "example")
_LISTS = {
    "targets": pa.string(),
    "log_probs": pa.float64(),
    "credits": pa.float64(),
    "n_characters": pa.int64(),
    "n_bytes": pa.int64(),
    "n_words": pa.int64(),
    "stored_metrics": pa.string(),
    "stored_values": pa.float64(),
}

# Two rows with the same key are the same output where they agree in these.
_SAME = ("kind", "output", "targets", "log_probs", "credits", "is_greedy", "scale")

# What one example's questions are compared within.
_GROUP = ("subtask", "shots", "filter")


def ingest(name, block, path, part=None):
    """Write the table of outputs of a benchmark, one task after the other.

    Parameters
    ----------
    name : str
        The benchmark.
    block : dict
        Its configuration with defaults.
    path : str or Path
        The Parquet file to write; see `outputs` in workflow/schemas/tables.yaml.
    part : tuple of int, optional
        (number, how many parts) for the tasks of one part; see emergence.ingest.readers.

    Returns
    -------
    account, inputs : pandas.DataFrame
        The tables `ingest_account` and `inputs`.

    Raises
    ------
    InputError
        With the mistakes of all tasks, unless the block says `on_error: skip`; then nothing is written.
    """
    account = Account(block["on_error"])

    def parts():
        # unlike a loop, `map` lets go of the rows of a task before it asks for those of the next
        checked = functools.partial(check, name, block=block, account=account)
        yield from map(checked, readers.read(block, account, part))
        account.stop()

    tables.write_parts(parts(), "outputs", path)
    return account.frame(), account.inputs()


def check(name, rows, block, account):
    """The examples of one task as they are written, sorted by their key, as a frame; what is left out is counted.

    rows: Rows, or a frame alone, with columns of the table `outputs`; `source` names the file, and columns that may be empty may
    be missing.
    """
    if not isinstance(rows, Rows):
        frame = rows
        rows = Rows(frame, lambda i, field: f"{frame['source'].iat[i]}: example `{frame['example'].iat[i]}`")
    rows = complete(rows)
    n_problems = account.n_problems
    account.count_rows(rows, np.ones(len(rows.frame), dtype=bool), "read")
    rows = _leave_out_empty(rows, account)
    rows = supplements.add_models(rows, block, account)
    rows = read_names(rows, _NAMES, account)
    for field in ("scale", "shots", "repeat"):
        rows = read_numbers(rows, field, account)
    rows = _check_repeats(rows, account)
    rows = _check_sizes(rows, account)
    rows = _check_log_probs(rows, account)
    rows = _check_credits(rows, account)
    rows = _merge_repeated(rows, account)
    # what is refused is missing among the questions, and would be told again
    if account.on_error == "skip" or account.n_problems == n_problems:
        rows = _check_questions(rows, block, account)
    _note_oddities(rows, account)
    account.count_rows(rows, np.ones(len(rows.frame), dtype=bool), "kept")
    frame = rows.frame.drop(columns="file")
    frame["repeat"] = frame["repeat"].astype("Int64")
    frame.insert(0, "benchmark", pd.Categorical.from_codes(np.zeros(len(frame), dtype=np.int8), [name]))
    return frame


def complete(rows):
    """The rows with every column that is needed here, names as categories and lists as Arrow columns."""
    frame, place = rows.frame.reset_index(drop=True), rows.place
    n = len(frame)
    for field in ("task", "subtask", "model", "filter", "example", "kind", "source", "model_family"):
        if field not in frame:
            frame[field] = pd.Categorical.from_codes(np.zeros(n, dtype=np.int8), [""])
        values = frame[field]
        if isinstance(values.dtype, pd.CategoricalDtype):
            frame[field] = values.astype(pd.CategoricalDtype(values.cat.categories.astype("str")))
        else:
            frame[field] = values.fillna("").astype("str").astype("category")
    for field, kind in _LISTS.items():
        if field not in frame:
            frame[field] = columns.empty(n, kind)
        elif not isinstance(frame[field].dtype, pd.ArrowDtype):
            frame[field] = columns.column(pa.array(frame[field], pa.list_(kind), from_pandas=True))
    for field, value in {"repeat": 0, "shots": pd.NA, "scale": np.nan}.items():
        if field not in frame:
            frame[field] = pd.Series(value, index=frame.index, dtype="Int64" if field != "scale" else "float64")
        if frame[field].dtype.kind in "iub":
            frame[field] = frame[field].astype("float64")
    if "output" not in frame:
        frame["output"] = pd.Series(None, index=frame.index, dtype="object")
    if not isinstance(frame["output"].dtype, pd.ArrowDtype):
        frame["output"] = columns.column(pa.array(frame["output"], pa.string(), from_pandas=True))
    frame["is_greedy"] = (frame["is_greedy"] if "is_greedy" in frame else pd.Series(pd.NA, index=frame.index)).astype("boolean")
    frame["file"] = frame["source"]
    return Rows(frame, place)


def _is_kind(frame, kind):
    return (frame["kind"] == kind).to_numpy()


def _lengths(frame, field):
    return columns.by_row(lambda _, lengths: lengths, frame[field])


def _leave_out_empty(rows, account):
    """Examples without any output are counted, not refused: the run failed on them, or was not made."""
    frame = rows.frame
    empty = np.where(_is_kind(frame, "text"), frame["output"].isna().to_numpy(dtype=bool), _lengths(frame, "log_probs") == 0)
    empty &= np.logical_or.reduce([_is_kind(frame, kind) for kind in KINDS])
    if not empty.any():
        return rows
    first = int(np.flatnonzero(empty)[0])
    account.count_rows(rows, empty, "empty", "no output", rows.place(first, "output"))
    return without(rows, empty)


def _check_repeats(rows, account):
    """Numbers of runs are whole and at least 0; the run without a number is the first."""
    rows.frame["repeat"] = rows.frame["repeat"].fillna(0)
    repeat = rows.frame["repeat"]
    return account.refuse(
        rows,
        (repeat < 0) | (repeat % 1 != 0) | (repeat >= _LAST_RUN),
        "not the number of a run",
        lambda i, place=rows.place: mistake(place(i, "repeat"), f"{repeat.iat[i]:g}", "the number of the run: 0, 1, 2 and so on"),
    )


def _check_sizes(rows, account):
    """Kinds that there are, targets for every text, and lists and texts that go together and are not too large."""
    frame = rows.frame
    known = np.logical_or.reduce([_is_kind(frame, kind) for kind in KINDS])
    rows = account.refuse(
        rows,
        ~known,
        "not a kind of output",
        lambda i, frame=frame, place=rows.place: mistake(
            place(i, "kind"), f"the kind `{frame['kind'].iat[i]}`", " or ".join(KINDS)
        ),
    )
    for reason, wrong, allowed in _SIZES:
        frame = rows.frame
        rows = account.refuse(
            rows,
            wrong(frame),
            reason,
            lambda i, reason=reason, allowed=allowed, place=rows.place: mistake(place(i, "output"), reason, allowed),
        )
    return rows


def _is_text_without_target(frame):
    return _is_kind(frame, "text") & (_lengths(frame, "targets") == 0)


def _has_long_text(frame):
    def is_long(texts):
        return pc.greater(pc.utf8_length(texts), LONGEST_TEXT).fill_null(False).to_numpy(zero_copy_only=False)

    has_long_target = columns.by_row(lambda texts, lengths: columns.any_in_row(is_long(texts), lengths), frame["targets"])
    return is_long(columns.arrow(frame["output"])) | has_long_target


def _has_unequal_lists(frame):
    """Whether the lists about the choices, or about the one text with a log-probability, have different lengths."""
    n = _lengths(frame, "log_probs")
    is_choice, is_one = _is_kind(frame, "choices"), _is_kind(frame, "loglikelihood")
    wrong = (is_choice & (_lengths(frame, "credits") != n)) | (is_one & (n != 1))
    for field in ("n_characters", "n_bytes", "n_words", "targets"):
        found = _lengths(frame, field)
        wrong |= (is_choice | is_one) & (found != 0) & (found != n)
    if "mutual_log_probs" in frame:
        found = _lengths(frame, "mutual_log_probs")
        wrong |= (found != 0) & (found != n)
    return wrong


_SIZES = (
    ("no right answer", _is_text_without_target, "at least one target for every text"),
    ("not one of everything for each choice", _has_unequal_lists, "a log-probability and a credit for each choice"),
    (
        f"more than {MOST_CHOICES:,} choices",
        lambda frame: _lengths(frame, "log_probs") > MOST_CHOICES,
        f"at most {MOST_CHOICES:,} choices",
    ),
    (f"a text of more than {LONGEST_TEXT:,} characters", _has_long_text, f"at most {LONGEST_TEXT:,} characters"),
)


def _check_log_probs(rows, account):
    """Log-probabilities are numbers, at most 0; where all of a question are 0, none has been recorded."""
    for field in ("log_probs", "mutual_log_probs"):
        if field not in rows.frame:
            continue
        flat, lengths = columns.to_flat(rows.frame[field])
        values = pc.fill_null(flat, np.nan).to_numpy(zero_copy_only=False)
        for is_wrong, reason, allowed in (
            (np.isnan(values), "a log-probability is not a number", "a number of at most 0, or -Infinity"),
            (values > TOLERANCE, "a log-probability is above 0", "natural logarithms of probabilities, which are at most 0"),
        ):
            wrong = columns.any_in_row(is_wrong, lengths)
            if wrong.any():
                firsts = np.full(len(lengths), np.nan)
                firsts[columns.rows_of(lengths)[is_wrong][::-1]] = values[is_wrong][::-1]
                rows = account.refuse(
                    rows,
                    wrong,
                    reason,
                    lambda i, firsts=firsts, allowed=allowed, place=rows.place: mistake(
                        place(i, "log_probs"), f"{firsts[i]}", allowed
                    ),
                )
                return _check_log_probs(rows, account)
    return _refuse_unrecorded(rows, account)


def _refuse_unrecorded(rows, account):
    flat, lengths = columns.to_flat(rows.frame["log_probs"])
    zero = columns.all_in_row(flat.to_numpy(zero_copy_only=False) == 0, lengths)
    # one text may have a probability of 1; all texts of a file have not
    alone = zero & (lengths == 1)
    if alone.any():
        of_file = rows.frame["file"].cat.codes.to_numpy()
        is_one = lengths == 1
        all_zero = np.bincount(of_file[alone], minlength=of_file.max() + 1) == np.bincount(
            of_file[is_one], minlength=of_file.max() + 1
        )
        several = np.bincount(of_file[is_one], minlength=of_file.max() + 1) > 1
        zero &= ~alone | (all_zero & several)[of_file]
    return account.refuse(
        rows,
        zero,
        "every log-probability is 0",
        lambda i, place=rows.place: mistake(
            place(i, "log_probs"), "only log-probabilities of 0", "log-probabilities that were recorded"
        ),
    )


def _check_credits(rows, account):
    def is_outside(items, lengths):
        values = pc.fill_null(items, np.nan).to_numpy(zero_copy_only=False)
        return columns.any_in_row(~((values >= 0) & (values <= 1)), lengths)

    credits = rows.frame["credits"]
    wrong = columns.by_row(is_outside, credits)
    return account.refuse(
        rows,
        wrong,
        "a credit outside 0 to 1",
        lambda i, place=rows.place: mistake(place(i, "credits"), str(credits.iat[i])[:200], "from 0 (wrong) to 1 (right)"),
    )


def _merge_repeated(rows, account):
    """One row per key, in the order of the key. Equal repeats are merged; repeats that disagree are all refused."""
    position = tables.key_positions(rows.frame, [field for field in _KEY if field != "benchmark"])
    if not (position[1:] >= position[:-1]).all():
        order = np.argsort(position, kind="stable")
        place, position = rows.place, position[order]
        rows = Rows(rows.frame.iloc[order].reset_index(drop=True), lambda i, field: place(order[i], field))
    new = np.diff(position, prepend=-1) != 0
    if new.all():
        return rows
    group = np.cumsum(new) - 1
    repeated = np.flatnonzero(np.bincount(group)[group] > 1)
    values = [rows.frame[field].iloc[repeated].tolist() for field in _SAME]
    records = dict(zip(repeated.tolist(), map(repr, zip(*values, strict=True)), strict=True))
    first = np.flatnonzero(new)[group]
    differs = np.zeros(len(new), dtype=bool)
    differs[repeated] = [records[row] != records[first[row]] for row in repeated.tolist()]
    disagree = (np.bincount(group, weights=differs) > 0)[group]
    files = rows.frame["file"].astype("str").to_numpy()
    merged = ~new & ~disagree
    account.count_rows(rows, merged, "merged", "the same output again")
    if disagree.any():
        account.count_rows(
            rows, disagree, "refused", "same key, different outputs", rows.place(int(np.flatnonzero(disagree)[0]), "example")
        )
        pairs = Counter(zip(files[first[differs]].tolist(), files[differs].tolist(), strict=True))
        for row in np.flatnonzero(differs).tolist():
            pair = files[first[row]], files[row]
            n = pairs.pop(pair, 0)
            if n:
                there = rows.place(first[row], "example")
                where = f"{rows.place(row, 'example')}: the same example, model, shots and filter as {there}"
                allowed = "one output for each; see `repeated_runs` for several runs, and `repeat` for several answers in one"
                account.add_problem(mistake(where, f"another output, and so for {n:,} examples of these files", allowed))
    return without(rows, merged | disagree)


def _check_questions(rows, block, account):
    """The models of a task are compared on the same questions: others are refused, or left out where the block says `shared`."""
    rows = _refuse_other_questions(rows, account)
    rows = _refuse_other_answers(rows, account)
    missing = is_not_shared(rows.frame)
    if not missing.any():
        return rows
    reason = "a question that not every model was asked"
    if block.get("examples", "refuse") == "shared":
        account.count_rows(rows, missing, "left_out", reason, _first(rows, missing))
        return without(rows, missing)
    for message in _about_questions(rows.frame, missing):
        account.add_problem(message)
    account.count_rows(rows, missing, "refused", reason, _first(rows, missing))
    return without(rows, missing)


def is_not_shared(frame):
    """Which examples of a task not every model has that has any under the same subtask, shots and filter.

    frame: columns of the table `outputs`. Returns (n_rows,) bool. Runs of one example (`repeat`) count as one.
    """
    if not len(frame):
        return np.zeros(0, dtype=bool)
    question = np.unique(tables.key_positions(frame, [*_GROUP, "example"]), return_inverse=True)[1].astype(np.int64)
    model, first_of_model = _models(frame)
    # NumPy's own `unique` takes ten times as long where its order is not asked for
    pairs = pd.unique(question * len(first_of_model) + model)
    n_asked = np.bincount(pairs // len(first_of_model))
    group = np.unique(tables.key_positions(frame, _GROUP), return_inverse=True)[1]
    n_models = np.bincount(group[first_of_model])
    return n_asked[question] < n_models[group]


def _models(frame):
    """The models of each subtask, number of shots and filter: the code of each row's model, and the first row of each model."""
    position = tables.key_positions(frame, [*_GROUP, "model_family", "model"])
    _, first, codes = np.unique(position, return_index=True, return_inverse=True)
    return codes, first


def _first(rows, chosen):
    return rows.place(int(np.flatnonzero(chosen)[0]), "example")


def _where(frame, row):
    task, subtask, shots, chosen = (frame[field].iat[row] for field in ("task", "subtask", "shots", "filter"))
    words = [f"the task `{task}`", f"subtask `{subtask}`" * bool(subtask), "" if pd.isna(shots) else f"{shots:g} shots"]
    return ", ".join(filter(None, [*words, f"filter `{chosen}`" * bool(chosen)]))


def _about_questions(frame, missing):
    """A message for each subtask, number of shots and filter whose models were asked different questions."""
    group = tables.key_positions(frame, _GROUP)
    model, _ = _models(frame)
    for code in np.unique(group[missing]):
        inside = group == code
        counts = []
        for number in np.unique(model[inside]):
            of_model = frame[inside & (model == number)]
            counts.append((of_model["example"].nunique(), of_model["model"].iat[0], of_model["source"].iat[0]))
        counts.sort()
        shown = counts if len(counts) < 5 else [*counts[:3], counts[-1]]
        words = [f"`{name}` {n:,} ({file})" for n, name, file in shown]
        if len(counts) >= 5:
            words.insert(3, "...")
        row = int(np.flatnonzero(missing & inside)[0])
        n_shared = frame.loc[inside & ~missing, "example"].nunique()
        example = f"example `{frame['example'].iat[row]}` of {frame['source'].iat[row]} is not in all"
        allowed = f"the same questions for every model; or `examples: shared`, which keeps the {n_shared:,} that all have"
        yield mistake(_where(frame, row), f"examples of each model: {', '.join(words)}; {example}", allowed)


def _refuse_other_questions(rows, account):
    """Refuse examples whose id is the same for all models and whose question is not."""
    frame = rows.frame
    if "input_hash" not in frame or frame["input_hash"].isna().all():
        return rows
    codes = pd.factorize(frame["input_hash"])[0]
    question = np.unique(tables.key_positions(frame, [*_GROUP, "example"]), return_inverse=True)[1]
    known = codes >= 0
    # the first row of each question that says which one it is
    first = np.full(question.max() + 1, -1)
    first[question[known][::-1]] = np.flatnonzero(known)[::-1]
    other = first[question]
    words = ("is another question", "the same question", "another question")
    return _refuse_unlike(rows, account, known & (codes != codes[other]), question, other, *words)


def _refuse_other_answers(rows, account):
    """Refuse examples whose id is the same for all models and whose right answers are not."""
    frame = rows.frame
    if not len(frame):
        return rows
    position = tables.key_positions(frame, [*_GROUP, "kind", "example", "repeat"])
    _, first, question = np.unique(position, return_index=True, return_inverse=True)
    other = first[question]
    # nearly always all lists of a question are those of the first model; only others are looked at one by one
    unlike = np.flatnonzero(~(_are_same(frame["targets"], other) & _are_same(frame["credits"], other)))
    differs = np.zeros(len(frame), dtype=bool)
    differs[unlike] = [_right_answers_differ(frame, row, int(other[row])) for row in unlike.tolist()]
    words = ("has other right answers", "the same right answers", "other right answers")
    return _refuse_unlike(rows, account, differs, question, other, *words)


def _refuse_unlike(rows, account, differs, question, other, found, allowed, reason):
    """Refuse all examples of the questions of which some row differs from another, with one message per group of tasks.

    differs: (n,) of bool. question: (n,) numbers of the questions. other: (n,) rows that rows are compared with. found, allowed,
    reason: what differs, in words.
    """
    if not differs.any():
        return rows
    frame = rows.frame
    wrong = (np.bincount(question, weights=differs) > 0)[question]
    group = tables.key_positions(frame, _GROUP)
    for code in np.unique(group[differs]):
        row = int(np.flatnonzero(differs & (group == code))[0])
        n = len(np.unique(question[wrong & (group == code)]))
        account.add_problem(
            mistake(
                f"{rows.place(row, 'example')}: {_where(frame, row)}",
                f"the example `{frame['example'].iat[row]}` {found} than in {frame['source'].iat[other[row]]}; {n:,} such examples",
                f"{allowed} under the same id for every model, as in files of one version of the task",
            )
        )
    account.count_rows(rows, wrong, "refused", f"{reason} under the same id", _first(rows, wrong))
    return without(rows, wrong)


def _are_same(values, other):
    """Whether the list of each row is that of another row, (n,) their positions; lists that rows share by their numbers alone."""
    array = columns.arrow(values)
    if pa.types.is_dictionary(array.type):
        codes = array.indices.to_numpy()
        return codes == codes[other]
    items, lengths = columns.to_flat(values)
    if pa.types.is_string(items.type):
        items = items.dictionary_encode().indices
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Ragged(items.to_numpy(zero_copy_only=False), offsets).equals(other)


def _right_answers_differ(frame, row, other):
    """Whether two outputs to one question have different right answers; choices may be in another order, or in other words."""
    texts, credits = ([list(frame[field].iat[place]) for place in (row, other)] for field in ("targets", "credits"))
    if frame["kind"].iat[row] != "choices":
        return bool(texts[0] and texts[1]) and set(texts[0]) != set(texts[1])
    if credits[0] == credits[1]:
        return False
    right = [{pair for pair in zip(*both, strict=False) if pair[1] > 0} for both in zip(texts, credits, strict=True)]
    return not (texts[0] and texts[1]) or right[0] != right[1]


def _note_oddities(rows, account):
    """Count what is odd about examples that are kept."""
    frame = rows.frame
    is_text, is_choice = _is_kind(frame, "text"), _is_kind(frame, "choices")
    n_right = columns.by_row(lambda items, lengths: columns.count_in_row(_numbers(items) == 1, lengths), frame["credits"])
    is_soft = columns.by_row(lambda items, lengths: columns.any_in_row(_is_between(_numbers(items)), lengths), frame["credits"])
    log_probs, n_log_probs = columns.to_flat(frame["log_probs"])
    outputs = columns.arrow(frame["output"])

    def has_target(is_so):
        return is_text & columns.by_row(lambda texts, lengths: columns.any_in_row(is_so(texts), lengths), frame["targets"])

    odd = {
        "no choice is right": is_choice & (n_right == 0) & ~is_soft,
        "several choices are right": is_choice & (n_right > 1),
        "a choice is partly right": is_choice & is_soft,
        "the same choice twice": is_choice & columns.by_row(columns.has_repeats, frame["targets"]),
        "only one choice": is_choice & (n_log_probs == 1),
        "a probability of 0 (-Infinity)": columns.any_in_row(np.isneginf(_numbers(log_probs)), n_log_probs),
        "an empty output": is_text & _is_empty(outputs),
        "an empty target": has_target(_is_empty),
        "an output that is not in Unicode's form NFC": _is_decomposed(outputs),
        "a target that is not in Unicode's form NFC": has_target(_is_decomposed),
    }
    for reason, chosen in odd.items():
        if chosen.any():
            account.count_rows(rows, chosen, "noted", reason, _first(rows, chosen))


def _numbers(items):
    return items.to_numpy(zero_copy_only=False)


def _is_between(credits):
    return (credits > 0) & (credits < 1)


def _is_empty(texts):
    return _numbers(pc.equal(pc.binary_length(texts), 0).fill_null(False))


def _is_decomposed(texts):
    """Which texts are not in the form NFC, in which a letter with its accent is one character: (n_values,) bool."""
    found = np.zeros(len(texts), dtype=bool)
    other = pc.invert(pc.string_is_ascii(texts)).fill_null(False).to_numpy(zero_copy_only=False)
    positions = np.flatnonzero(other)
    found[positions] = [not unicodedata.is_normalized("NFC", text) for text in texts.take(pa.array(positions)).to_pylist()]
    return found
