"""From a benchmark block to its score table: what is common to every format.

A reader delivers rows; here their numbers are read, every value is checked against the metric catalogue, and rows with the
same key become one. Nothing leaves in silence: the account counts it.
"""

import os
import re
import unicodedata

import numpy as np
import pandas as pd

from emergence.ingest import input_checks, readers, selection, supplements, trees
from emergence.ingest.accounts import Account, without
from emergence.ingest.readers import Rows
from emergence.io import documents, tables
from emergence.io.documents import nearest
from emergence.io.errors import InputError, mistake
from emergence.study import configuration, metric_catalogue, registries

KEY = tuple(tables.description("scores")["key"])
NAMES = ("task", "metric", "model_family", "model")
NUMBERS = ("score", "scale", "shots", "chance", "n_examples", "stderr")
WHOLE = ("shots", "n_examples")

# A published score of 1 may have been stored as 1.0000000001.
TOLERANCE = 1e-9

# Squares and products of numbers of this size are still numbers, and those of one over it are not yet zero.
LARGEST = 1e150

TRUTH = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def ingest(name, block, metrics_path, part=None, catalogue=None):
    """The score table of a benchmark, sorted by its key.

    name: str, the benchmark. block: dict, its configuration with defaults. metrics_path: file of the metric catalogue.
    catalogue: the metrics as metric_catalogue.frame gives them; None to read them from that file, which messages name all the same.
    part: None for all tasks, or (number, how many parts) for those of one part; see emergence.ingest.readers.

    Returns three frames: scores, account, inputs (see workflow/schemas/tables.yaml).
    Raises InputError with all mistakes of a kind, unless the block says `on_error: skip`.
    """
    catalogue = metric_catalogue.load(metrics_path) if catalogue is None else catalogue
    account = Account(block["on_error"])
    _account_for_passed_over(block, account)
    rows = readers.read(block, account, part)
    rows = selection.apply(rows, block, metric_catalogue.spellings(catalogue), account)
    rows = _leave_out_empty(rows, account)
    rows = supplements.add_checkpoints(rows, block)
    rows = supplements.add_tasks(rows, block, account)
    rows = supplements.add_models(rows, block, account)
    for field in NUMBERS:
        rows = read_numbers(rows, field, account)
    rows = _leave_out_scale_zero(rows, account)
    rows = read_names(rows, NAMES, account)
    rows = _read_preferred(rows, account)
    _note_lookalikes(rows, account)
    account.stop()
    rows = _name_metrics(rows, catalogue, metrics_path, account)
    account.stop()
    rows = _check_directions(rows, block, catalogue, metrics_path, account)
    rows = _read_percent(rows, catalogue, account)
    rows = _check_values(rows, catalogue, account)
    account.stop()
    rows.frame.insert(0, "benchmark", pd.Categorical.from_codes(np.zeros(len(rows.frame), dtype=np.int8), [name]))
    rows = _merge_repeated(rows, account)
    account.stop()
    rows = input_checks.check(rows, block, catalogue, account)
    account.stop()
    rows.frame["preferred"] = _preferred(rows.frame, block, catalogue)
    rows.frame["higher_is_better"] = rows.frame.get("_direction", pd.Series(pd.NA, index=rows.frame.index, dtype="boolean"))
    account.count_rows(rows, rows.frame["score"].notna(), "kept")
    columns = [column for column in tables.description("scores")["columns"] if column in rows.frame]
    return tables.typed(rows.frame[columns], "scores", categories=True), account.frame(), account.inputs()


def _account_for_passed_over(block, account):
    """Count what is among a block's files, or in the folders among them, and cannot be read, such as a link to nothing."""
    pattern = configuration.benchmark_schema(block["format"])["properties"].get("files", {}).get("items", {}).get("x-files")
    named = [entry for entry in block.get("files", []) if not documents.is_exclusion(entry)]
    for path in dict.fromkeys(path for entry in named for path in documents.paths_of(entry)):
        if os.path.isdir(path) and pattern:
            for below, reason in trees.passed_over(path, pattern):
                account.count(below, "ignored", 1, reason, below)
        elif not (os.path.isfile(path) or os.path.isdir(path)):
            account.count(trees.path_text(path), "ignored", 1, trees.what_is_no_file(path), trees.path_text(path))


def stop_without_scores(name, accounts):
    """Raise InputError for a benchmark of which no score is left, with what became of its scores.

    Parameters
    ----------
    name : str
        The benchmark.
    accounts : list of pandas.DataFrame
        The ingest account of the benchmark, or those of its shards.
    """
    account = pd.concat(accounts, ignore_index=True)
    if (account["outcome"] == "kept").any():
        return
    gone = account[~account["outcome"].isin(["read", "kept", "renamed", "noted"])].fillna(
        {"reason": "no reason is known", "example": ""}
    )
    reasons = [
        f"    {of_reason['n'].sum():,} {outcome.replace('_', ' ')}: {reason}" + (f", such as {example}" if example else "")
        for (outcome, reason), of_reason in gone.groupby(["outcome", "reason"], sort=True)
        for example in [of_reason["example"].iat[0]]
    ]
    found = f"no score is left of {account.loc[account['outcome'] == 'read', 'n'].sum():,} that were read"
    told_why = "\n".join(["at least one score; what became of them:", *reasons] if reasons else ["at least one score"])
    raise InputError(mistake(f"the benchmark `{name}`", found, told_why))


def _text(values):
    return values.astype("str").str.strip()


def _names(values):
    """Names as a categorical column, stripped of surrounding space; what is categorical already is kept to the letter."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values
    return _text(values.fillna("") if values.dtype.kind == "O" else values).astype("category")


def _is_name(values, name):
    """Which values of a categorical column are one name: (n,) bool."""
    found = values.cat.categories.get_indexer([name])[0]
    return (values.cat.codes == found).to_numpy() if found >= 0 else np.zeros(len(values), dtype=bool)


def _is_empty(values):
    return values.isna() | (_text(values) == "") if values.dtype.kind not in "fib" else values.isna()


def _leave_out_empty(rows, account):
    """Cells without a score are no scores: counted, not refused."""
    empty = _is_empty(rows.frame["score"])
    # a number that is NaN is no empty cell: it is left for read_numbers to refuse
    if rows.frame["score"].dtype.kind == "f":
        empty &= False
    if empty.any():
        first = int(np.flatnonzero(empty)[0])
        account.count_rows(rows, empty, "empty", "no score in the cell", rows.place(first, "score"))
    return without(rows, empty) if empty.any() else rows


def read_numbers(rows, field, account):
    """One numeric field as numbers; text that is not a number, and NaN or infinity, are refused."""
    frame = rows.frame
    if field not in frame:
        return rows
    found = frame[field]
    optional = field not in ("score", "scale")
    # where a reader gives numbers, NaN in a field that may be empty says that it is
    empty = _is_empty(found)
    numbers = (
        found.astype(float) if found.dtype.kind in "fi" else pd.to_numeric(found.where(~empty), errors="coerce").astype(float)
    )
    bad = ~np.isfinite(numbers) & ~(empty & optional)
    if field in WHOLE:
        # above 2^53 several whole numbers share one float
        bad |= np.isfinite(numbers) & ((numbers != np.round(numbers)) | (np.abs(numbers) > 2**53))
    if field == "scale":
        bad |= numbers < 0
    elif field == "n_examples":
        bad |= numbers < 1
    elif field == "stderr":
        bad |= numbers < 0
    with np.errstate(invalid="ignore"):
        extreme = np.isfinite(numbers) & ~bad & (numbers != 0) & ~np.abs(numbers).between(1 / LARGEST, LARGEST)
    bad |= extreme
    allowed = ("a whole number" if field in WHOLE else "a number") + {
        "scale": " above 0",
        "n_examples": " of at least 1",
        "stderr": " of at least 0",
    }.get(field, "")

    def describe(i):
        shown = "nothing" if empty.iat[i] else f"`{found.iat[i]:.15g}`" if found.dtype.kind == "f" else f"`{found.iat[i]}`"
        if extreme.iat[i]:
            limits = f"0, or a size between {1 / LARGEST:g} and {LARGEST:g}; for smaller and larger numbers give the logarithm"
            return mistake(rows.place(i, field), shown, limits)
        # which of the two a comma is, nothing in the table tells
        is_unclear = re.fullmatch(r"`[-+]?\d[\d.,]*,\d*`", shown)
        hint = "; what the comma is, the key `decimal` of a table says" if is_unclear else ""
        return mistake(rows.place(i, field), shown, f"{allowed}{', or nothing' if optional else ''}{hint}")

    frame[field] = numbers
    return account.refuse(rows, bad, f"{field} is not {allowed}", describe)


def _leave_out_scale_zero(rows, account):
    """A model at scale 0, such as the first checkpoint of a training run, has no place on a logarithmic axis."""
    zero = (rows.frame["scale"] == 0).to_numpy(dtype=bool)
    if zero.any():
        first = rows.place(int(zero.argmax()), "scale")
        account.count_rows(rows, zero, "left_out", "scale 0, which a logarithmic axis cannot show", first)
    return without(rows, zero)


def _read_percent(rows, catalogue, account):
    """Scores written with `%`, in the unit of their metric: hundredths where it goes to 1, as they are where it goes to 100."""
    frame = rows.frame
    if "_percent" not in frame:
        return rows
    percent = frame["_percent"].to_numpy(dtype=bool)
    high = catalogue["high"].reindex(frame["metric"].astype("str")).to_numpy(dtype=float)
    fraction = percent & (high == 1)
    for field in ("score", "stderr"):
        if field in frame:
            frame.loc[fraction, field] /= 100

    def describe(i):
        allowed = "a number without `%`: the metric runs neither to 1 nor to 100; see `values` and `multiply`"
        return mistake(rows.place(i, "score"), f"{frame['score'].iat[i]:g}%", allowed)

    return account.refuse(
        rows, percent & ~fraction & (high != 100), "`%` after the score of a metric that is not a share", describe
    )


def read_names(rows, fields, account):
    """Names, those of the fields and of subtasks, as categorical columns; all but a subtask must be there."""
    frame = rows.frame
    for field in fields:
        frame[field] = _names(frame[field])
        rows = account.refuse(
            rows,
            _is_name(frame[field], ""),
            f"{field} is empty",
            lambda i, rows=rows, field=field: mistake(rows.place(i, field), "nothing", f"the name of {_a(field)}"),
        )
        frame = rows.frame
    frame["subtask"] = _names(frame["subtask"] if "subtask" in frame else pd.Series("", index=frame.index))
    return rows


def _a(word):
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _read_preferred(rows, account):
    """Whether the benchmark prefers the metric, where the files say it, as true or false."""
    frame = rows.frame
    if "preferred" in frame and frame["preferred"].dtype.kind != "b":
        # an empty value is not a text, not even that of its own name
        frame["preferred"] = frame["preferred"].astype("object").where(frame["preferred"].notna(), "")
        words = _text(frame["preferred"]).str.lower()
        truth = words.map(TRUTH)
        rows = account.refuse(
            rows,
            truth.isna() & (words != ""),
            "preferred is not true or false",
            lambda i, rows=rows: mistake(rows.place(i, "preferred"), f"`{words.iat[i]}`", "true or false, or nothing"),
        )
        rows.frame["preferred"] = _text(rows.frame["preferred"]).str.lower().map(TRUTH)
    return rows


# How many examples of one reason the account names.
_MOST_SHOWN = 10

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))


def _note_lookalikes(rows, account):
    """Names that a reader would take for one: equal but for case, the form of Unicode, space, or characters that cannot be seen.

    They stay two names, since two tasks may well be called so, but nobody should have to find out from a curve in two halves.
    """
    for field in (*NAMES, "subtask"):
        alike = {}
        for name in rows.frame[field].cat.categories[np.unique(rows.frame[field].cat.codes)]:
            plain = unicodedata.normalize("NFKC", str(name)).translate(_INVISIBLE).casefold()
            alike.setdefault(" ".join(plain.split()), []).append(str(name))
        groups = [names for names in alike.values() if len(names) > 1]
        if groups:
            chosen = rows.frame[field].isin([name for names in groups for name in names])
            shown = "; ".join(", ".join(ascii(name) for name in names) for names in groups[:_MOST_SHOWN])
            more = f"; and {len(groups) - _MOST_SHOWN} more" if len(groups) > _MOST_SHOWN else ""
            reason = f"names of a {field} that differ in case, invisible characters or the form of Unicode"
            account.count_rows(
                rows, chosen, "noted", reason, f"{rows.place(int(np.flatnonzero(chosen)[0]), field)}: {shown}{more}"
            )


def _name_metrics(rows, catalogue, path, account):
    """Metrics under their own name in the catalogue; a metric that is not there is refused, with the lines to add."""
    spellings = metric_catalogue.spellings(catalogue)
    # in the order in which they were met
    for name in rows.frame["metric"].unique():
        if name not in spellings:
            unknown = _is_name(rows.frame["metric"], name)
            first = int(np.flatnonzero(unknown)[0])
            text = (
                f"{rows.place(first, 'metric')}: the metric `{name}` is not in the metric catalogue ({int(unknown.sum())} scores)"
                f"\n    allowed: a metric of {path}{nearest(name, spellings)}; or add it there:\n"
                f"{metric_catalogue.lines_to_add(name, catalogue)}"
            )
            # one message a metric, however many of its scores there are
            account.count_rows(rows, unknown, "refused", "metric not in the catalogue", f"{rows.place(first, 'metric')}: {name}")
            account.add_problem(text)
            rows = without(rows, unknown)
        elif spellings[name] != name:
            renamed = _is_name(rows.frame["metric"], name)
            account.count_rows(rows, renamed, "renamed", f"`{name}` is another spelling of `{spellings[name]}`")
    met = rows.frame["metric"].cat
    own = [spellings.get(name) for name in met.categories]
    names = sorted({name for name in own if name})
    renumbered = np.array([names.index(name) if name else -1 for name in own], dtype=np.int32)
    codes = renumbered[met.codes] if len(rows.frame) else np.array([], dtype=np.int32)
    rows.frame["metric"] = pd.Categorical.from_codes(codes, names)
    return rows


def _check_directions(rows, block, catalogue, path, account):
    """Where the files say which way is better, the catalogue must say the same, or else `by_task`."""
    frame = rows.frame
    of_task = block.get("by_task", {}).get("higher_is_better")
    if of_task:
        of_task = _with_own_metrics(of_task, catalogue, path)
        said = pd.Series(directions_of_tasks(frame, of_task), index=frame.index, dtype="boolean")
        turned = said.notna() & (said != catalogue["higher_is_better"].reindex(frame["metric"]).to_numpy(dtype=bool))
        in_files = frame.get("higher_is_better", pd.Series(None, index=frame.index, dtype="boolean"))
        # what the block says of a task settles it
        frame["higher_is_better"] = in_files.where(said.isna().to_numpy(), None)
        frame["_direction"] = said.where(turned)
    if "higher_is_better" not in frame:
        return rows
    here = catalogue["higher_is_better"].reindex(frame["metric"]).to_numpy(dtype=bool)
    differs = (frame["higher_is_better"].astype("boolean") != here).fillna(False).to_numpy(dtype=bool)

    def describe(i):
        better = {True: "higher is better", False: "lower is better"}
        metric, task = frame["metric"].iat[i], frame["subtask"].iat[i] or frame["task"].iat[i]
        where = f"{rows.place(i, 'score')}: the metric `{metric}` of the task `{task}`"
        way = f"`by_task: {{higher_is_better: {{{task}: ...}}}}` or `leave_out`"
        allowed = f"{better[here[i]]}, as {path} says; where both are right, {way}"
        return mistake(where, better[not here[i]], allowed)

    return account.refuse(rows, differs, "the file contradicts the catalogue about which way is better", describe)


def _with_own_metrics(of_task, catalogue, path):
    """What `by_task` says of directions, under the names that scores have. Raises InputError for metrics that nobody knows."""
    spellings, found, problems = metric_catalogue.spellings(catalogue), {}, []
    for task, said in of_task.items():
        if isinstance(said, dict):
            unknown = [metric for metric in said if metric not in spellings]
            problems += [
                mistake(
                    f"by_task.higher_is_better.{task}",
                    f"the metric `{metric}`",
                    f"a metric of {path}{nearest(metric, spellings)}",
                )
                for metric in unknown
            ]
            said = {spellings.get(metric): value for metric, value in said.items()}
        found[str(task).strip()] = said
    if problems:
        raise InputError(problems)
    return found


def directions_of_tasks(frame, of_task):
    """What `by_task` says of the direction of each score, of its subtask before its task: a list of bool or None."""

    def direction(task, subtask, metric):
        said = of_task.get(subtask, of_task.get(task))
        return said.get(metric) if isinstance(said, dict) else said

    names = zip(frame["task"].astype("str"), frame["subtask"].astype("str"), frame["metric"].astype("str"), strict=True)
    return [direction(*name) for name in names]


def _check_values(rows, catalogue, account):
    """Scores, and the scores of guessing, must lie in their metric's range, and a standard error within its width."""
    rows = _check_bounds(rows, catalogue, account, "score", "score outside the range of its metric")
    rows = _check_bounds(rows, catalogue, account, "chance", "chance outside the range of its metric")
    if "stderr" not in rows.frame:
        return rows
    frame = rows.frame
    met = catalogue.loc[frame["metric"].cat.categories]
    widths = (met["high"] - met["low"]).to_numpy()[frame["metric"].cat.codes.to_numpy()]
    wide = frame["stderr"].to_numpy() > widths

    def describe(i):
        return mistake(
            _place(rows, i, "stderr"),
            f"{frame['stderr'].iat[i]:g}",
            f"at most {widths[i]:g}, the width of the metric's range",
        )

    return account.refuse(rows, wide, "stderr wider than the range of its metric", describe)


def _check_bounds(rows, catalogue, account, field, reason):
    """One field, where it is given, must lie in its metric's range."""
    frame = rows.frame
    if field not in frame:
        return rows
    met = catalogue.loc[frame["metric"].cat.categories]
    span = met["high"] - met["low"]
    slack = TOLERANCE * span.where(np.isfinite(span), 1.0)
    values, codes = frame[field].to_numpy(dtype=float), frame["metric"].cat.codes.to_numpy()
    outside = values < (met["low"] - slack).to_numpy()[codes]
    outside |= values > (met["high"] + slack).to_numpy()[codes]

    def describe(i):
        name = frame["metric"].iat[i]
        allowed = f"{_bounds(*met.loc[name, ['low', 'high']])}, the range of `{name}` in the metric catalogue"
        return mistake(_place(rows, i, field), f"{frame[field].iat[i]:g}", allowed)

    return account.refuse(rows, outside, reason, describe)


def _place(rows, i, field):
    """Where a field of a row is; by its name where it is from the block, so that no column of the file has it."""
    where = rows.place(i, field)
    return where if field == "score" or ", column `" in where else f"{where}: `{field}`"


def _bounds(low, high):
    if np.isfinite(low) and np.isfinite(high):
        return f"{low:g} to {high:g}"
    return f"at least {low:g}" if np.isfinite(low) else f"at most {high:g}"


def _merge_repeated(rows, account):
    """One row a key, in the order of the key.

    Equal repeats are merged; repeats that disagree are all refused, since nothing says which one is right.
    """
    position = tables.key_positions(rows.frame, [field for field in KEY if field in rows.frame])
    rows, position = _in_order(rows, position)
    new = np.diff(position, prepend=-1) != 0
    if new.all():
        return rows
    values = rows.frame[["score", "scale"]].to_numpy()
    # repeats stand together now, in the order in which the files have them: the first of each speaks for all that agree
    first_of_group = np.flatnonzero(new)
    group = np.cumsum(new) - 1
    first = first_of_group[group]
    differs = (values != values[first]).any(axis=1)
    disagree = np.logical_or.reduceat(differs, first_of_group)[group]

    def describe(i):
        other = first[i] if differs[i] else np.flatnonzero(differs & (first == first[i]))[0]
        here, there = (f"score {values[row, 0]:g} at scale {values[row, 1]:g}" for row in (i, other))
        same = f"the same task, subtask, metric, family, model and shots as {rows.place(other, 'score')}"
        hint = rows.frame["_hint"].iat[i] or rows.frame["_hint"].iat[other] if "_hint" in rows.frame else ""
        return mistake(f"{rows.place(i, 'score')}: {same}", f"{here}, and {there}", f"one score for each{hint}")

    repeated = ~new & ~disagree
    account.count_rows(rows, repeated, "merged", "the same score again")
    left = account.refuse(rows, disagree, "same key, different values", describe)
    return without(left, repeated[~disagree])


def _in_order(rows, position):
    """The rows sorted by position, equal ones in the order they had, and their positions."""
    if (position[1:] >= position[:-1]).all():
        return rows, position
    order = np.argsort(position, kind="stable")
    place = rows.place
    return Rows(rows.frame.iloc[order].reset_index(drop=True), lambda i, field: place(order[i], field)), position[order]


def _preferred(frame, block, catalogue):
    """Whether the benchmark prefers the metric: as the files say, else as the registry of tasks says, else unknown."""
    said = frame["preferred"].astype("boolean") if "preferred" in frame else pd.Series(pd.NA, index=frame.index, dtype="boolean")
    if "tasks" not in block:
        return said
    names = frame[["task", "subtask", "metric"]].astype("str")
    return said.fillna(registries.preferred(names, registries.load_tasks(block["tasks"], catalogue)))
